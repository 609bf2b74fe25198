"""``reimage run``."""

from __future__ import annotations

import typer

from reimage import queueing
from reimage.cli import driving, render, run_shapes, status
from reimage.cli.codes import INTERRUPTED, OF_RESULT
from reimage.cli.invocation import Invocation
from reimage.cli.options import (
    Casa,
    DatasetKey,
    Detach,
    Fixes,
    Json,
    Overrides,
    Preflight,
    Recipe,
    Until,
)
from reimage.model import Result
from reimage.store.rows import RunRow
from reimage.store.session import Database

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Examples:\n\n"
    "reimage run uid://A001/X1a2b/X1\n\n"
    "reimage run uid___A001_X1a2b_X1 --until restore\n\n"
    "reimage run uid___A001_X1a2b_X1 --casa 6.7.0.31 --set makeimages.hm_cyclefactor=3\n\n"
    "reimage run uid___A001_X1a2b_X1 --casa 6.7.0.31 --fix python2-port\n\n"
    "Leaves with 0 imaged, 1 failed, 4 refused, 10 partial, 130 interrupted."
)
def run(
    context: typer.Context,
    dataset: DatasetKey,
    *,
    recipe: Recipe = None,
    casa: Casa = None,
    until: Until = None,
    overrides: Overrides = None,
    fixes: Fixes = None,
    preflight: Preflight = True,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Run one dataset, from the archive to its outcome.

    The archive's listing is looked at first (`reimage archive preflight`): what is not public, not
    complete or too large is refused here, and nothing is queued.

    Drives the controller until the run is done, or follows the one that leads.  Ctrl-C stops
    watching: the run goes on, and `reimage cancel` ends it.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database:
        queued = queueing.make_run(
            invocation.settings,
            database,
            dataset=dataset,
            recipe=recipe,
            casa=casa,
            until=until,
            overrides=overrides or (),
            fixes=fixes or (),
            look_first=preflight,
        )
        finish(invocation, database, queued, detach=detach, as_json=as_json)


def finish(
    invocation: Invocation, database: Database, queued: RunRow, *, detach: bool, as_json: bool
) -> None:
    """Leave a queued run to a controller, or stay with it and leave with what came of it."""
    if detach:
        if as_json:
            render.show(run_shapes.Queued(run=queued))
        else:
            render.console().print(queued.run)
        return
    render.say(f"run {queued.run}")
    *earlier, ended = driving.until_settled(invocation.settings, database, queued.run)
    if as_json:
        render.show(run_shapes.Queued(run=ended, earlier=tuple(earlier)))
    else:
        status.show_runs([*earlier, ended])
        if ended.result not in {None, Result.IMAGED}:
            render.say(f"why, and what to do: reimage show {ended.run}")
    if ended.result is None:
        render.say("the run goes on; `reimage controller` follows it")
    raise typer.Exit(INTERRUPTED if ended.result is None else OF_RESULT[ended.result])
