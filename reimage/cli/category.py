"""``reimage category``."""

from __future__ import annotations

import typer

from reimage import category as declared
from reimage import sweeps
from reimage.cli import render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import CategoryId, Json
from reimage.cli.render import Column

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="category"),
    Column(title="kind", keep=5),
    Column(title="recipe", keep=6),
    Column(title="title"),
)


@app.callback(epilog="Examples:\n\nreimage category list\n\nreimage category show demo")
def category() -> None:
    """List and show categories: datasets of which the same results are expected."""


@app.command("list", epilog="Example:\n\nreimage category list --json")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List every category, shipped and the site's."""
    settings = Invocation.of(context).settings
    found = declared.load_categories(sweeps.folders(settings))
    if as_json:
        dumped = tuple(one.model_dump(mode="json", by_alias=True) for one in found)
        render.show(site_shapes.Declared(declared=dumped))
        return
    rows = [[one.id, one.kind, one.recipe or settings.recipe, one.title] for one in found]
    render.table(render.console(), COLUMNS, rows)


@app.command(epilog="Example:\n\nreimage category show demo")
def show(context: typer.Context, name: CategoryId, *, as_json: Json = False) -> None:
    """Show a category, and how many datasets of the holdings are in it."""
    invocation = Invocation.of(context)
    found = declared.find_category(name, sweeps.folders(invocation.settings))
    if as_json:
        dumped = found.model_dump(mode="json", by_alias=True)
        render.show(site_shapes.Declaration(declaration=dumped))
        return
    with invocation.database() as database:
        members = sweeps.find_members(database, found)
    out = render.console()
    out.print(render.heading(f"{found.id}: {found.title}"), soft_wrap=True)
    facts = {
        "kind": found.kind,
        "holding": found.holding,
        "criteria": found.criteria or "everything",
        "recipe": found.recipe or invocation.settings.recipe,
        "pilot": f"{found.pilot.size} datasets",
        "accepted at": f"{found.acceptance.success:.0%} imaged",
        "expect": found.expect.strip(),
        "datasets": str(len(members)),
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})
