"""``reimage doctor``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from reimage import doctor as examining
from reimage import settings as layers
from reimage.cli import render, site_shapes
from reimage.cli.codes import FAILED
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.cli.site_shapes import Setting

app = typer.Typer(add_completion=False)

SETTINGS = (Column(title="setting"), Column(title="value"), Column(title="comes from", keep=5))
STYLES = {"ok": "green", "note": "yellow", "bad": "bold red"}


@app.command(
    epilog="Examples:\n\n"
    "reimage doctor\n\n"
    "reimage doctor --settings\n\n"
    "reimage doctor --thorough\n\n"
    "reimage doctor --json\n\n"
    "Leaves with 1 when something is bad; a note is none."
)
def doctor(
    context: typer.Context,
    *,
    settings: Annotated[
        bool, typer.Option("--settings", help="List every setting and where it comes from.")
    ] = False,
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Look also at every page and sum of the run database."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check this installation: what is there, what is missing, what installs it."""
    invocation = Invocation.of(context)
    checks = examining.examine(invocation.settings, thorough=thorough)
    if as_json:
        shown = tuple(site_shapes.Check(**asdict(check)) for check in checks)
        render.show(site_shapes.Checkup(checks=shown, settings=find_settings(invocation)))
    elif settings:
        rows = [[one.name, str(one.value), one.origin] for one in find_settings(invocation)]
        render.table(render.console(), SETTINGS, rows)
    else:
        _show(checks)
    if any(check.verdict == "bad" for check in checks):
        raise typer.Exit(FAILED)


def find_settings(invocation: Invocation) -> tuple[Setting, ...]:
    """Return every setting, its value and its origin."""
    origins = layers.origins(invocation.config, invocation.flags)
    values = invocation.settings.model_dump(mode="json")
    return tuple(
        Setting(name=name, value=values[name], origin=origin) for name, origin in origins.items()
    )


def _show(checks: tuple[examining.Check, ...]) -> None:
    out = render.console()
    room = max(len(check.name) for check in checks) + 2
    for check in checks:
        line = Text.assemble(
            (f"{check.verdict:<6}", STYLES[check.verdict]), f"{check.name:<{room}}", check.found
        )
        out.print(line, soft_wrap=True)
        if check.hint:
            out.print(Text(f"{'':<{room + 6}}{check.hint}", style="dim"), soft_wrap=True)
