"""``reimage sweep``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from reimage import category as declared
from reimage import sweeps
from reimage.cli import render, run_shapes, status
from reimage.cli.invocation import Invocation
from reimage.cli.options import Casa, CategoryId, Fixes, Json, Limit, Recipe, Until
from reimage.cli.render import Column
from reimage.model import State
from reimage.store import sweeps as store
from reimage.store.rows import SweepRow
from reimage.store.session import Database
from reimage.sweeps import SweepStatus

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="sweep"),
    Column(title="category", keep=5),
    Column(title="recipe", keep=4),
    Column(title="pilot", keep=3),
    Column(title="datasets", right=True),
    Column(title="launched (UTC)", keep=6),
    Column(title="by", keep=2),
)


@app.callback(epilog="Examples:\n\nreimage sweep launch demo\n\nreimage sweep status --follow")
def sweep() -> None:
    """Launch a category, and see how far it is."""


@app.command(
    epilog="Examples:\n\n"
    "reimage sweep launch demo --dry-run\n\n"
    "reimage sweep launch demo --pilot\n\n"
    "reimage sweep launch demo --limit 3 --casa 6.7.0.31\n\n"
    "reimage sweep launch demo --until restore"
)
def launch(
    context: typer.Context,
    category: CategoryId,
    *,
    pilot: Annotated[bool, typer.Option("--pilot", help="Only the category's sample.")] = False,
    recipe: Recipe = None,
    casa: Casa = None,
    until: Until = None,
    fixes: Fixes = None,
    limit: Limit = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Queue nothing; list it.")] = False,
    as_json: Json = False,
) -> None:
    """Queue a run for every dataset of a category; `reimage controller` carries them out."""
    invocation = Invocation.of(context)
    with invocation.database() as database:
        if dry_run:
            launched = _would_launch(invocation, database, category, pilot=pilot, limit=limit)
        else:
            made = sweeps.launch(
                invocation.settings,
                database,
                category,
                pilot=pilot,
                recipe=recipe,
                casa=casa,
                until=until,
                fixes=fixes or (),
                limit=limit,
                author=invocation.author,
            )
            launched = run_shapes.Launched(
                sweep=made.sweep,
                runs=made.runs,
                datasets=tuple(run.dataset for run in made.runs),
                skipped=tuple(
                    run_shapes.Skipped(dataset=one.dataset, reason=one.reason)
                    for one in made.skipped
                ),
            )
    if as_json:
        render.show(launched)
    else:
        show_launched(launched)


def _would_launch(
    invocation: Invocation, database: Database, category: str, *, pilot: bool, limit: int | None
) -> run_shapes.Launched:
    found = declared.find_category(category, sweeps.folders(invocation.settings))
    members = sweeps.find_members(database, found)
    chosen = declared.sample(members, found.pilot) if pilot else members
    return run_shapes.Launched(sweep=None, runs=(), datasets=tuple(chosen[:limit]), skipped=())


def show_launched(launched: run_shapes.Launched) -> None:
    """Print what was, or would be, queued."""
    out = render.console()
    if launched.sweep is None:
        out.print(f"would queue {len(launched.datasets)} datasets:")
        for dataset in launched.datasets:
            out.print(f"  {dataset}")
        return
    out.print(f"{launched.sweep.sweep}: {len(launched.runs)} runs queued", soft_wrap=True)
    for one in launched.skipped:
        render.say(f"  left out {one.dataset}: {one.reason}")


@app.command(
    "status",
    epilog="Examples:\n\n"
    "reimage sweep status\n\n"
    "reimage sweep status demo-20261120T082301-a1b2c3 --follow",
)
def status_(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="SWEEP", help="A sweep; without one, all are listed.", show_default=False
        ),
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="The newest sweep, if none is named, to its end.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the sweeps, or tell how far one is."""
    invocation = Invocation.of(context)
    with invocation.database() as database:
        if name is None:
            with database.read() as session:
                found = store.list_sweeps(session)
            if not follow or not found:
                _show_sweeps(found, as_json=as_json)
                return
            name = found[0].sweep
        told = sweeps.status(database, name)
        while follow and any(count.state is not State.DONE for count in told.counts):
            time.sleep(invocation.settings.poll_s)
            before, told = told, sweeps.status(database, name)
            if told.counts != before.counts and not as_json:
                status.show_counts(told.counts)
    show_status(told, as_json=as_json)


def show_status(told: SweepStatus, *, as_json: bool) -> None:
    """Print how far a sweep is."""
    if as_json:
        shown = run_shapes.SweepDetail(sweep=told.sweep, counts=told.counts, runs=told.runs)
        render.show(shown)
        return
    render.console().print(render.heading(told.sweep.sweep))
    status.show_counts(told.counts)
    status.show_runs(told.runs)


def _show_sweeps(found: tuple[SweepRow, ...], *, as_json: bool) -> None:
    if as_json:
        render.show(run_shapes.Sweeps(sweeps=found))
    elif found:
        render.table(render.console(), COLUMNS, [_row(one) for one in found])
    else:
        render.say("no sweeps (`reimage sweep launch CATEGORY`)")


def _row(one: SweepRow) -> list[render.Cell | None]:
    return [
        one.sweep,
        one.category,
        one.recipe,
        "yes" if one.pilot else "",
        str(one.datasets),
        render.moment(one.created_at),
        one.author,
    ]
