"""``reimage recipe``."""

from __future__ import annotations

from typing import Annotated

import typer

from reimage import document
from reimage.cli import complete, render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, Overrides
from reimage.cli.render import Column
from reimage.recipes import load

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="recipe"),
    Column(title="holding", keep=3),
    Column(title="engine", keep=5),
    Column(title="title"),
)


@app.callback(epilog="Examples:\n\nreimage recipe list\n\nreimage recipe show hifatargets-2017")
def recipe() -> None:
    """List and show recipes: how a dataset is processed."""


@app.command("list", epilog="Example:\n\nreimage recipe list --json")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List every recipe, shipped and the site's."""
    paths = load.find_recipes(Invocation.of(context).settings.recipes)
    found = [load.read_recipe(paths[name]) for name in sorted(paths)]
    if as_json:
        rows = tuple(
            {"id": r.id, "title": r.title, "holding": r.holding, "engine": r.engine} for r in found
        )
        render.show(site_shapes.Declared(declared=rows))
        return
    rows_ = [[one.id, one.holding, one.engine, one.title] for one in found]
    render.table(render.console(), COLUMNS, rows_)


@app.command(
    epilog="Examples:\n\n"
    "reimage recipe show hifatargets-2017\n\n"
    "reimage recipe show hifatargets-2017 --set makeimages.hm_cyclefactor=3"
)
def show(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A recipe.", autocompletion=complete.recipes, show_default=False
        ),
    ],
    *,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Show a recipe's stages and steps, as `--set` would change them."""
    found = load.load_recipe(name, Invocation.of(context).settings.recipes)
    if overrides:
        found = load.override(found, overrides)
    if as_json:
        render.show(site_shapes.Declaration(declaration=document.dump(found)))
        return
    out = render.console()
    out.print(render.heading(f"{found.id}: {found.title}"), soft_wrap=True)
    facts = {
        "engine": found.engine,
        "naming": f"as the pipeline of {found.naming}",
        "heuristics": f"of {found.heuristics}",
        "stages": ", ".join(found.stages),
    }
    render.pairs(out, facts)
    for number, step in enumerate(found.steps, 1):
        said = ", ".join(f"{key}={value!r}" for key, value in step.parameters.items())
        out.print(f"  {number:2}. {step.id}: {step.task}({said})", soft_wrap=True)
