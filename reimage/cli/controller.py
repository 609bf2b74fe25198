"""``reimage controller``."""

from __future__ import annotations

from typing import Annotated

import typer

from reimage.cli import driving
from reimage.cli.invocation import Invocation
from reimage.cli.progress import Board

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:\n\nreimage controller\n\nreimage controller --once")
def controller(
    context: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Return when nothing is queued or running.")
    ] = False,
) -> None:
    """Submit what is queued, follow what runs, judge what ends.

    One leads per database; another leaves at once.  SIGTERM and Ctrl-C drain: runs under way go on, and
    the next controller takes them over.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    with invocation.database() as database, Board(settings) as board:
        board.note(f"controller of {settings.data}, {settings.slots} runs at once")
        driving.lead(settings, database, board, until_idle=once)
