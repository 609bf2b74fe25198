"""``reimage recipe``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from reimage import document
from reimage.cli import complete, render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, Overrides
from reimage.cli.render import Column
from reimage.errors import UsageError
from reimage.recipes import Recipe, compare, load, releases, script, tasks, translate
from reimage.recipes.compare import Difference

app = typer.Typer(add_completion=False, no_args_is_help=True)

RecipeId = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="A recipe.", autocompletion=complete.recipes, show_default=False
    ),
]
ENGINES: Mapping[str, str] = {"pipeline": " (one CASA process, whatever `cores` says; no mpicasa)"}
"""What has to be known of an engine before it is chosen."""
_STYLES = {"-": "red", "+": "green", " ": "dim"}


class RecipeDiffOfNothing(UsageError):
    """One recipe is to be compared with itself."""

    code = "recipe-diff-of-nothing"
    hint = "Name a second recipe, or change this one with --set."


COLUMNS = (
    Column(title="recipe"),
    Column(title="holding", keep=3),
    Column(title="engine", keep=5),
    Column(title="title"),
)


@app.callback(
    epilog="Examples:\n\n"
    "reimage recipe list\n\n"
    "reimage recipe show hifatargets-2017\n\n"
    "reimage recipe diff hifatargets-2017 hifa-image"
)
def recipe() -> None:
    """List, show and compare recipes: how a dataset is processed."""


@app.command("list", epilog="Example:\n\nreimage recipe list --json")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List every recipe, shipped and the site's."""
    folders = Invocation.of(context).settings.recipes
    found = [load.load_recipe(name, folders) for name in sorted(load.find_recipes(folders))]
    if as_json:
        rows = tuple(
            {
                "id": r.id,
                "title": r.title,
                "holding": r.holding,
                "engine": r.engine,
                "naming": r.naming,
                "heuristics": r.heuristics,
            }
            for r in found
        )
        render.show(site_shapes.Declared(declared=rows))
        return
    rows_ = [[one.id, one.holding, one.engine, one.title] for one in found]
    render.table(render.console(), COLUMNS, rows_)


@app.command(
    epilog="Examples:\n\n"
    "reimage recipe show hifatargets-2017\n\n"
    "reimage recipe show hifatargets-2017 --set makeimages.hm_cyclefactor=3\n\n"
    "reimage recipe show hifatargets-2017 --as-script --pipeline 2016.10"
)
def show(
    context: typer.Context,
    name: RecipeId,
    *,
    overrides: Overrides = None,
    as_script: Annotated[
        bool,
        typer.Option(
            "--as-script", help="Print the script to run in a CASA with the ALMA pipeline."
        ),
    ] = False,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Its release, in whose words the script is: 2024.1, 2016.10, r38377.",
            show_default="the newest that is known",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a recipe's stages and steps, as `--set` would change them."""
    found = _load(context, name, overrides)
    if as_script or pipeline is not None:
        _show_script(found, pipeline or releases.dialects().release[-1].era, as_json=as_json)
        return
    if as_json:
        render.show(site_shapes.Declaration(declaration=document.dump(found)))
        return
    _print(found)


def _print(found: Recipe) -> None:
    """Print a recipe; what its engine leaves out is marked."""
    out = render.console()
    out.print(render.heading(f"{found.id}: {found.title}"), soft_wrap=True)
    facts = {
        "engine": found.engine + ENGINES.get(found.engine, ""),
        "naming": f"as the pipeline of {found.naming}",
        "heuristics": f"of {found.heuristics}",
        "stages": ", ".join(found.stages),
    }
    render.pairs(out, facts)
    kept = tasks.steps(found) if found.engine == "tasks" else found.steps
    for number, step in enumerate(found.steps, 1):
        aside = " [optional]" * step.optional + " [left out]" * (step not in kept)
        said = f"{step.id}: {step.task}({_arguments(step.parameters)})"
        out.print(f"  {number:2}. {said}{aside}", soft_wrap=True)
    if len(kept) < len(found.steps):
        render.say(
            f"[left out]: engine {found.engine} does not carry it out; a run says so among its caveats"
        )


def _show_script(recipe: Recipe, pipeline: str, *, as_json: bool) -> None:
    text = script.as_script(recipe, pipeline)
    if not as_json:
        print(text, end="")  # noqa: T201 -- a file for another program, not for the eye
        return
    told = translate.translate(recipe, pipeline)
    render.show(
        site_shapes.RecipeScript(
            recipe=recipe.id, pipeline=told.era, script=text, caveats=told.caveats
        )
    )


@app.command(
    epilog="Examples:\n\n"
    "reimage recipe diff hifatargets-2017 hifa-image-2018\n\n"
    "reimage recipe diff hifa-image --set makeimages.hm_cyclefactor=3"
)
def diff(
    context: typer.Context,
    name: RecipeId,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="OTHER",
            help="Another recipe; else the same, with what `--set` changes.",
            autocompletion=complete.recipes,
            show_default=False,
        ),
    ] = None,
    *,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Show where two recipes differ, step by step; `--set` changes the second."""
    if other is None and not overrides:
        raise RecipeDiffOfNothing("one recipe, and nothing changed in it")
    one = _load(context, name, None)
    second = _load(context, other or name, overrides)
    found = compare.compare(one, second)
    title = " ".join([second.id, *(f"--set {changed}" for changed in second.overrides)])
    if as_json:
        render.show(
            site_shapes.RecipeDiff(
                one=one.id,
                other=title,
                same=not compare.differs(found),
                differences=tuple(each for each in found if each.kind != "same"),
            )
        )
        return
    out = render.console()
    for mark, name_ in (("---", one.id), ("+++", title)):
        out.print(render.heading(f"{mark} {name_}"), soft_wrap=True)
    for difference in found:
        for line in _lines(difference):
            out.print(Text(line, style=_STYLES[line[0]]), soft_wrap=True)


def _lines(found: Difference) -> list[str]:
    """Return a difference as lines of a unified diff."""
    sides = [("-", found.before), ("+", found.after)]
    if found.kind == "same":
        sides = [(" ", found.before)]
    told = [(mark, said) for mark, said in sides if said is not None]
    if found.kind == "key":
        return [f"{mark}{key} = {_value(v)}" for mark, said in told for key, v in said.items()]
    return [f"{mark}{found.name}: {found.task}({_arguments(said)})" for mark, said in told]


def _load(context: typer.Context, name: str, overrides: list[str] | None) -> Recipe:
    found = load.load_recipe(name, Invocation.of(context).settings.recipes)
    return load.override(found, overrides) if overrides else found


def _arguments(said: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in said.items())


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else repr(value)
