"""``reimage cancel``."""

from __future__ import annotations

from typing import Annotated

import typer

from reimage import queueing
from reimage.cli import render
from reimage.cli.invocation import Invocation
from reimage.cli.options import RunId

app = typer.Typer(add_completion=False)


@app.command(epilog='Example:\n\nreimage cancel 20261120T082301-a1b2c3 --why "wrong recipe"')
def cancel(
    context: typer.Context,
    run: RunId,
    *,
    why: Annotated[
        str | None, typer.Option(help="Kept with the decision.", show_default=False)
    ] = None,
) -> None:
    """End a run that is queued or under way.

    A wish: the controller carries it out; while none runs, it waits.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database:
        row = queueing.request_cancel(database, run, author=invocation.author, reason=why)
    render.console().print(f"{row.run}: to be ended")
