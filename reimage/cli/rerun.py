"""``reimage rerun``."""

from __future__ import annotations

from typing import Annotated

import typer

from reimage import queueing
from reimage.cli import run as running
from reimage.cli.invocation import Invocation
from reimage.cli.options import (
    Casa,
    Detach,
    Fixes,
    Json,
    Overrides,
    Preflight,
    Recipe,
    RunOrDataset,
    Until,
)

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Examples:\n\n"
    "reimage rerun uid://A001/X1a2b/X1\n\n"
    "reimage rerun 20261120T082301-a1b2c3 --casa casa-6.7.0.31-py311\n\n"
    "reimage rerun 20261120T082301-a1b2c3 --set makeimages.hm_cyclefactor=3\n\n"
    "reimage rerun uid://A001/X1a2b/X1 --casa 6.7.0.31 --fix python2-port\n\n"
    "reimage rerun 20261120T082301-a1b2c3 --missing"
)
def rerun(
    context: typer.Context,
    which: RunOrDataset,
    *,
    recipe: Recipe = None,
    casa: Casa = None,
    until: Until = None,
    overrides: Overrides = None,
    fixes: Fixes = None,
    missing: Annotated[
        bool,
        typer.Option("--missing", help="Keep the images that are there; make only the others."),
    ] = False,
    preflight: Preflight = True,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Run a dataset again, keeping what an earlier run has proven.

    A new run: the earlier one keeps its record and its images.  Stages whose inputs are the same
    are adopted: fetched files are shared, restored MSs move to the new run.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database:
        queued = queueing.rerun(
            invocation.settings,
            database,
            which,
            recipe=recipe,
            casa=casa,
            until=until,
            overrides=overrides or (),
            fixes=fixes or (),
            missing=missing,
            look_first=preflight,
        )
        running.finish(invocation, database, queued, detach=detach, as_json=as_json)
