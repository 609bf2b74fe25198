"""``reimage delivery``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from reimage.cli import render, site_shapes
from reimage.cli.options import Json
from reimage.delivery import layout, refusal
from reimage.errors import Refusal
from reimage.model import Delivery

app = typer.Typer(add_completion=False, no_args_is_help=True)

FILES = (
    *("raw", "calibrated", "caltables", "flagversions", "calapply"),
    *("script_for_pi", "piperestore", "calibration_scripts", "pipescripts"),
    *("manifests", "pprs", "products", "weblogs", "qa", "logs", "other"),
)
"""Fields of a delivery that name files, in the order in which they are shown."""
SHOWN = 3


@app.callback(
    epilog="Examples:\n\nreimage delivery inspect 2019.1.00003.S\n\n"
    "reimage delivery inspect 2019.1.00003.S --json"
)
def delivery() -> None:
    """Inspect a delivery on disk: its era, what it holds, what is odd."""


@app.command(
    epilog="Examples:\n\nreimage delivery inspect 2019.1.00003.S\n\n"
    "reimage delivery inspect . --json"
)
def inspect(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Where a delivery, or a part of one, was unpacked.",
            show_default=False,
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Show all that is found in a delivery, of any era, and whether it could be restored.

    Nothing is written, and nothing but names and papers (manifest, processing request, scripts,
    README) is read.
    """
    found = layout.read_layout(directory)
    refused = _refused(found)
    if as_json:
        render.show(site_shapes.Inspection(delivery=found, refused=refused))
        return
    out = render.console()
    out.print(render.heading(found.dataset or "member OUS not named"), soft_wrap=True)
    render.pairs(out, _facts(found, refused))
    for name in FILES:
        _files(out, name, getattr(found, name))
    for note in found.notes:
        out.print(Text.assemble(("  note  ", "yellow"), note), soft_wrap=True)


def _refused(found: Delivery) -> site_shapes.Refused | None:
    try:
        refusal.refuse_by_delivery(found)
    except (Refusal, layout.DeliveryEmpty) as error:
        return site_shapes.Refused(code=error.code, why=error.message)
    return None


def _facts(found: Delivery, refused: site_shapes.Refused | None) -> dict[str, str]:
    return {
        "project": found.project or "not named",
        "era": found.era,
        "layout": f"{found.layout}, in {found.member}",
        "calibration": found.calibration.value,
        "procedure": found.procedure or "none named",
        "execution blocks": ", ".join(found.ebs) or "none named",
        "README": found.readme or "none",
        "restore": f"refused ({refused.code}): {refused.why}" if refused else _possible(found),
    }


def _possible(found: Delivery) -> str:
    if found.raw or found.calibrated:
        return "possible"
    return "possible with the raw data, of which none are here"


def _files(out: Console, name: str, said: str | tuple[str, ...] | None) -> None:
    """Print how many files of a kind there are, and the first names; nothing where there are none."""
    paths = (said,) if isinstance(said, str) else said or ()
    for number, path in enumerate(paths[:SHOWN]):
        label = f"{name.replace('_', ' ')} ({len(paths)})" if number == 0 else ""
        out.print(Text.assemble((f"  {label:<24}", "dim"), path.rpartition("/")[2]), soft_wrap=True)
    if len(paths) > SHOWN:
        out.print(f"  {'':<24}... and {len(paths) - SHOWN} more", style="dim", soft_wrap=True)
