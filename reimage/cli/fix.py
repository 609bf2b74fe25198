"""``reimage fix``."""

from __future__ import annotations

from pathlib import Path

import typer

from reimage import fix as declared
from reimage.cli import render, shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.settings import shipped

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="fix"),
    Column(title="before", keep=6),
    Column(title="title"),
    Column(title="issue", keep=3),
)


@app.callback(epilog="Example:\n\nreimage fix list")
def fix() -> None:
    """List the known fixes, applied where a delivery or an MS has the issue."""


@app.command("list", epilog="Example:\n\nreimage fix list --json")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List every fix, shipped and the site's."""
    settings = Invocation.of(context).settings
    references = declared.discover((shipped("fixes"), *settings.fixes))
    found = [(reference, declared.read(Path(reference.path))) for reference in references]
    if as_json:
        rows = tuple(
            {
                "id": one.id,
                "title": one.title,
                "before": one.before.value,
                "issue": one.issue,
                "path": reference.path,
                "sha256": reference.sha256,
            }
            for reference, one in found
        )
        render.show(shapes.Declared(declared=rows))
        return
    render.table(
        render.console(),
        COLUMNS,
        [[one.id, one.before.value, one.title, one.issue] for _, one in found],
    )
