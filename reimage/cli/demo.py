"""``reimage demo``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from reimage import journal, sweeps
from reimage.archive.faults import ArchiveNotSet
from reimage.casa import builds, environments
from reimage.cli import codes, driving, failures, holdings, inbox_rows, render, show, status
from reimage.cli.invocation import Invocation
from reimage.cli.progress import Board
from reimage.demo import build as building
from reimage.demo import page, serving
from reimage.demo.datasets import datasets
from reimage.demo.plan import DemoDataset
from reimage.model import CasaBuild, Product, Result
from reimage.products.siblings import made_images
from reimage.settings import Settings
from reimage.store import migrate, products
from reimage.store.inbox_asked import Asked
from reimage.store.rows import ProductRow, RunRow
from reimage.store.session import Database

app = typer.Typer(add_completion=False, no_args_is_help=True)

CATEGORY = "demo"
FOLDER = Path("demo")
ARCHIVE = FOLDER / "archive"
"""Where it is when the settings name its address."""
SIMULATED = {"demo.made": "simulated", "demo.cached": "simulated before"}
SETTINGS = """\
# Written by `reimage demo run`: settings of the demonstration, relative to this file.
data = "demo/data"
archive = "{archive}"
slots = 2
memory_mb = 4000
wall_s = 3600
silence_s = 900
"""


@app.callback(epilog="Examples:\n\nreimage demo run\n\nreimage demo build /tmp/archive")
def demo() -> None:
    """Build and run the demonstration: a small archive made by real CASA."""


@app.command(epilog="Example:\n\nreimage demo build /tmp/archive")
def build(
    context: typer.Context,
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="Where; otherwise the setting `archive`.", show_default=False
        ),
    ] = None,
) -> None:
    """Make the demonstration's archive: six simulated datasets, packaged as ALMA's archive does."""
    settings = Invocation.of(context).settings
    with Board(settings) as board:
        place = _build_archive(settings, board, target)
    render.console().print(str(place), soft_wrap=True)


@app.command(epilog="Example:\n\nreimage demo run")
def run(context: typer.Context) -> None:
    """Build the archive, process all of it, and show what came of it.

    Needs nothing: CASA is installed if no build is registered, and ./reimage.toml is written if absent, so
    that every other verb works here afterwards.  Once more makes new runs.  Exit code 1: a dataset did
    not end as it was made to.
    """
    invocation = _prepared(Invocation.of(context))
    settings = invocation.settings
    with Board(settings) as board:
        place = _build_archive(settings, board, None)
        migrate.upgrade(settings.database_url, invocation.password)
        with (
            serving.served(place, settings.archive, FOLDER / "archive.log"),
            invocation.database() as database,
        ):
            counts = holdings.synchronise(settings, database)
            board.note(f"holdings: {counts.added} added, {counts.changed} changed")
            launched = sweeps.launch(settings, database, CATEGORY, author=invocation.author)
            board.note(f"sweep {launched.sweep.sweep}: {len(launched.runs)} runs")
            driving.lead(settings, database, board, until_idle=True)
    with invocation.database() as database:
        runs = _report(settings, database, launched.sweep.sweep)
    surprises = _surprises(runs)
    for line in surprises:
        render.say(line)
    if surprises:
        raise typer.Exit(codes.FAILED)


def _prepared(invocation: Invocation) -> Invocation:
    """Return an invocation whose settings have an archive, writing ./reimage.toml where none is."""
    here = Path("reimage.toml")
    if invocation.config is None and not here.exists() and not invocation.settings.archive:
        here.write_text(SETTINGS.format(archive=serving.free_address()), encoding="utf-8")
        render.say(f"wrote {here.absolute()}")
        return Invocation(data=invocation.data, verbose=invocation.verbose)
    return invocation


def _build_archive(settings: Settings, board: Board, target: Path | None) -> Path:
    """Build the archive where it was asked for, or where the settings want it."""
    if target is None and not settings.archive:
        raise ArchiveNotSet("no place for the archive", hint="Name a directory, or set `archive`.")
    serving.require_ours(settings.archive if target is None else "")
    place = target or (ARCHIVE if "://" in settings.archive else Path(settings.archive))
    casa = _build(settings, board)
    board.note(f"building the archive {place} with {casa.id}")

    def emit(event: str, **data: Any) -> None:  # noqa: ANN401 -- an event's own keys
        if event in SIMULATED:
            board.note(f"dataset {data['dataset']}: {SIMULATED[event]}")

    building.build_archive(place, build=casa, cache=settings.cache, emit=emit)
    return place


def _build(settings: Settings, board: Board) -> CasaBuild:
    """Return the default build of CASA, installed if it is not there yet."""
    version = environments.default_version()
    known = [one for one in builds.registered(settings.builds_dir) if one.version == version]
    if known and Path(known[0].python or "").is_file():
        return known[0]
    return builds.install(
        environments.select(version),
        cache=settings.cache,
        builds_dir=settings.builds_dir,
        report=board.note,
    )


# --- what came of it -------------------------------------------------------------------------------


def _surprises(runs: Sequence[RunRow]) -> list[str]:
    """Return what did not end as it was made to end."""
    ends = {str(dataset.mous): dataset.ends for dataset in datasets()}
    told = {run.dataset: run.error_class or (run.result or run.state).value for run in runs}
    return [
        f"{dataset} should end {end}, and is {told.get(dataset, 'not there')}"
        for dataset, end in ends.items()
        if told.get(dataset) != end
    ]


def _report(settings: Settings, database: Database, sweep: str) -> tuple[RunRow, ...]:
    told = sweeps.status(database, sweep)
    out = render.console()
    out.print(render.heading("\nstatus"))
    status.show_counts(told.counts)
    status.show_runs(told.runs)
    out.print(render.heading("\nfailures"))
    inbox_rows.show(Asked(sweep=sweep), failures.of_sweep(database, sweep))
    entries = [_entry(settings, database, run) for run in told.runs]
    out.print(render.heading("\nproducts"))
    for entry in sorted(entries, key=lambda entry: entry.letter):
        made = len(made_images(entry.products))
        previews = sum(product.preview is not None for product in entry.products)
        admit = sum(product.admit is not None for product in entry.products)
        out.print(
            f"{entry.letter}: {made} FITS files, {previews} previews, {admit} ADMIT directories"
        )
    target = FOLDER.absolute() / "index.html"
    entries.sort(key=lambda entry: entry.letter)
    page.write_page(target, entries, made_at=journal.now())
    out.print(render.heading("\nwhere to look"))
    imaged = [run.dataset for run in told.runs if run.result is Result.IMAGED]
    example = (imaged or [run.dataset for run in told.runs])[0]
    out.print(f"  {target}", soft_wrap=True)
    for verb in ("status", f"show {example}", f"products {example}", "failures"):
        out.print(f"  {_program()} {verb}", soft_wrap=True)
    return told.runs


def _program() -> str:
    """Return how this program was called, for commands to be copied."""
    return sys.argv[0] if Path(sys.argv[0]).name == "reimage" else "reimage"


def _entry(settings: Settings, database: Database, run: RunRow) -> page.Entry:
    """Gather what the page says of one dataset."""
    simulated = {str(dataset.mous): dataset for dataset in datasets()}.get(run.dataset)
    detail = show.find_detail(settings, database, run.run)
    with database.read() as session:
        made = products.of_run(session, run.run)
    why = detail.explanation
    return page.Entry(
        letter=simulated.letter if simulated else "?",
        about=simulated.about if simulated else run.dataset,
        facts=_facts(simulated, run),
        because=detail.choice.because if detail.choice else (),
        result=(run.result or run.state).value,
        directory=detail.directory,
        products=tuple(_product(row) for row in made),
        caveats=tuple(render.gathered(run.caveats)),
        error_class=run.error_class,
        title=why.title if why else "",
        meaning=why.meaning if why else "",
        advice=why.advice if why else "",
        decisive=run.decisive or "",
    )


def _facts(simulated: DemoDataset | None, run: RunRow) -> dict[str, str]:
    facts = {
        "dataset": run.dataset,
        "run": run.run,
        "recipe": run.recipe,
        "CASA": run.build or "",
        "took": render.seconds(run.wall_s),
    }
    if simulated is not None:
        bands = f"band {simulated.band}, {len(simulated.blocks)} execution block(s)"
        facts["project"] = f"{simulated.project}, Cycle {simulated.cycle}, {bands}"
        facts["target"] = simulated.target
    return facts


def _product(row: ProductRow) -> Product:
    """Return a row as the model has it."""
    return Product(
        name=row.name,
        kind=row.kind,
        image=row.image or "",
        target=row.target or "",
        spws=row.spws or "",
        specmode=row.specmode or "",
        state=row.state,
        planned=row.planned,
        reason=row.reason,
        path=row.path,
        preview=row.preview,
        footprint=row.footprint,
        admit=row.admit,
        numbers=row.numbers,
    )
