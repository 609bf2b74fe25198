"""``reimage image``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from reimage import document, recipes
from reimage.casa import builds
from reimage.cli import complete, render, run_shapes
from reimage.cli.codes import OF_RESULT
from reimage.cli.image_progress import ImageBoard
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, Overrides, Recipe
from reimage.cli.products import STYLES
from reimage.cli.render import Column
from reimage.errors import ReimageError
from reimage.imaging import held, standalone
from reimage.imaging.image_summary import ImageSummary
from reimage.imaging.summary import derive, summarise
from reimage.journal import Journal
from reimage.model import Result
from reimage.queueing import MissingUnlike
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits
from reimage.settings import Settings

app = typer.Typer(add_completion=False)

OUTCOME, JOURNAL = "outcome.json", "journal.jsonl"
COLUMNS = (
    Column(title="image"),
    Column(title="is"),
    Column(title="rms mJy/beam", right=True, keep=6),
    Column(title="peak mJy/beam", right=True, keep=5),
    Column(title="beam arcsec", right=True, keep=4),
    Column(title="reason", keep=7),
)


@app.command(
    epilog="Examples:\n\n"
    "reimage image uid___A002_Xd0ab12_X3c4d.ms.split.cal --recipe hifatargets-2017 -o images\n\n"
    "reimage image a.ms b.ms -o images --column corrected --set makeimages.hm_cyclefactor=3\n\n"
    "reimage image a.ms -o images --name NGC_1 --cores 2 --derive --json\n\n"
    "Leaves with 0 all images made, 10 some of them, 1 none, 2 unusable input, 130 interrupted."
)
def image(
    context: typer.Context,
    ms: Annotated[
        list[Path],
        typer.Argument(metavar="MS...", help="Calibrated MSs, one of each EB.", show_default=False),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Where the images go.", show_default=False
        ),
    ],
    recipe: Recipe = None,
    overrides: Overrides = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="What product names begin with: a word, or a MOUS uid; otherwise the first EB.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        Literal["data", "corrected"] | None,
        typer.Option(
            help="Where the calibrated data are; otherwise it is found, and the reason said.",
            show_default=False,
        ),
    ] = None,
    cores: Annotated[
        int | None,
        typer.Option(min=1, help="CASA processes at once; otherwise the setting `cores`."),
    ] = None,
    casa: Annotated[
        str | None,
        typer.Option(
            help="Registered build to image with; otherwise the newest that can.",
            autocompletion=complete.builds,
            show_default=False,
        ),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Try again what an earlier start has given up.")
    ] = False,
    derive: Annotated[bool, typer.Option("--derive", help="Previews and footprints too.")] = False,
    as_json: Json = False,
) -> None:
    """Make images of calibrated MSs outside any run, by a recipe.

    Nothing is asked of the archive or the run database, and MSs are only read.
    Stopped, the same command goes on; other inputs want another directory.
    """
    settings = Invocation.of(context).settings
    chosen = load_recipe(recipe or settings.recipe, settings.recipes)
    if overrides:
        chosen = override(chosen, overrides)
    if missing and chosen.engine == "pipeline":
        raise MissingUnlike("the engine `pipeline` makes its images in one go")
    asked = _asked(settings, ms, chosen, name=name, column=column, casa=casa)
    directory = output.absolute()
    with held.opened(directory, asked) as is_begun:
        if is_begun:
            render.say(f"{directory}: going on")
        if missing:
            held.forget_absent(directory)
        made = _made(directory, asked, _limits(settings, cores), is_derived=derive)
    if as_json:
        render.show(made)
    else:
        _show(made)
    raise typer.Exit(OF_RESULT[made.result])


def _asked(
    settings: Settings,
    ms: list[Path],
    recipe: recipes.Recipe,
    *,
    name: str | None,
    column: Literal["data", "corrected"] | None,
    casa: str | None,
) -> standalone.Asked:
    """Return what is asked for, checked before anything is started."""
    found = standalone.find_ms(ms)
    wanted = builds.find(settings.builds_dir, casa) if casa is not None else None
    return standalone.Asked(
        ms=found,
        column=column,
        recipe=recipe,
        name=standalone.product_name(name, found),
        build=standalone.choose_build(wanted, builds.registered(settings.builds_dir), recipe),
    )


def _limits(settings: Settings, cores: int | None) -> Limits:
    return Limits(
        memory_mb=settings.memory_mb,
        wall_s=settings.wall_s,
        silence_s=settings.silence_s,
        cores=cores or settings.cores,
    )


def _made(
    directory: Path, asked: standalone.Asked, limits: Limits, *, is_derived: bool
) -> run_shapes.Images:
    """Make the images, going on where an earlier start was stopped, and write down what came of it."""
    render.say(f"recipe {asked.recipe.id}, build {asked.build.id}")
    if asked.recipe.engine == "pipeline" and limits.cores > 1:
        render.say("the engine `pipeline` is one CASA process: `cores` changes nothing")
    journal = Journal(directory / JOURNAL, 1)
    try:
        with ImageBoard(journal, lambda: held.kept(directory)) as board:
            made = standalone.make(directory, asked, limits, board.emit)
            told = _told(directory, asked, made, is_derived=is_derived)
    except KeyboardInterrupt:
        render.say("stopped: the same command goes on")
        raise
    except ReimageError:
        render.say(f"what happened is in {directory / JOURNAL}, CASA's logs are beside it")
        raise
    finally:
        journal.close()
    document.write(directory / OUTCOME, told)
    return told


def _told(
    directory: Path,
    asked: standalone.Asked,
    made: standalone.Standalone,
    *,
    is_derived: bool,
) -> run_shapes.Images:
    """Measure the images, and draw them where that is asked for."""
    products = made.imaged.products
    if is_derived:
        products = derive(products, directory)
    images = summarise(made.imaged.plan, products, directory)
    return run_shapes.Images(
        directory=directory,
        result=Result.IMAGED if all(one.is_made for one in images) else Result.PARTIAL,
        recipe=asked.recipe.id,
        recipe_digest=recipes.digest(asked.recipe),
        build=asked.build.id,
        ms=tuple(
            run_shapes.ImagedMs(eb=ms.eb, path=ms.path, column=one.column, because=one.because)
            for ms, one in zip(asked.ms, made.columns, strict=True)
        ),
        images=images,
        products=products,
        caveats=made.imaged.caveats,
    )


def _show(made: run_shapes.Images) -> None:
    """Print a line for each image, and what a user of them has to know."""
    render.table(render.console(), COLUMNS, [_row(one) for one in made.images])
    for line in render.gathered(made.caveats):
        render.say(f"caveat: {line}")
    count = sum(one.is_made for one in made.images)
    render.say(f"{count} of {len(made.images)} images: {made.directory / 'products'}")
    weblog = made.directory / "weblog" / "index.html"
    if weblog.exists():
        render.say(f"weblog: {weblog}")


def _row(one: ImageSummary) -> list[render.Cell | None]:
    beam = (one.beam_major_arcsec, one.beam_minor_arcsec)
    return [
        one.image,
        Text(one.state.value, style=STYLES[one.state]),
        _milli(one.rms_jy_beam),
        _milli(one.peak_jy_beam),
        f"{beam[0]:.2f} x {beam[1]:.2f}" if beam[0] and beam[1] else "",
        one.reason,
    ]


def _milli(value: float | None) -> str:
    return "" if value is None else f"{value * 1e3:.3g}"
