"""``reimage status``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import typer
from rich.text import Text

from reimage.cli import render, run_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import InState, Json, Limit, OfCategory, OfSweep, WithResult
from reimage.cli.render import Column
from reimage.store import runs
from reimage.store.rows import RunRow, StateCount
from reimage.uid import path_name

app = typer.Typer(add_completion=False)

COLUMNS = (
    Column(title="run"),
    Column(title="dataset"),
    Column(title="is"),
    Column(title="stage", keep=6),
    Column(title="error class"),
    Column(title="images", keep=7, right=True),
    Column(title="build", keep=3),
    Column(title="category", keep=2),
    Column(title="took", keep=4, right=True),
    Column(title="queued at (UTC)", keep=1),
)
MOST = 50


@app.command(
    epilog="Examples:\n\n"
    "reimage status\n\n"
    "reimage status --result failed --category demo\n\n"
    "reimage status --state running --json"
)
def status(
    context: typer.Context,
    *,
    state: InState = None,
    result: WithResult = None,
    sweep: OfSweep = None,
    category: OfCategory = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """Count the runs by what came of them, and list them.

    Newest first; a terminal shows the newest 50 unless --limit says otherwise.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database, database.read() as session:
        counts = runs.counts(session, sweep)
        found = runs.list_runs(
            session,
            state=state,
            result=result,
            sweep=sweep,
            category=category,
            limit=limit or (None if as_json else MOST),
        )
    if as_json:
        render.show(run_shapes.Runs(runs=found, counts=counts))
        return
    show_counts(counts)
    show_runs(found)
    if limit is None and len(found) == MOST:
        render.say(f"the newest {MOST}; --limit shows more")


def show_counts(counts: Iterable[StateCount]) -> None:
    """Print how many runs are where, in one line."""
    line = Text()
    for count in counts:
        line.append("   " if line else "")
        line.append_text(render.word(count.state, count.result))
        line.append(f" {count.n}")
    render.console().print(line or "no runs")


def show_runs(found: Sequence[RunRow]) -> None:
    """Print a line for each run."""
    if found:
        render.table(render.console(), COLUMNS, [_row(run) for run in found])


def _row(run: RunRow) -> list[render.Cell | None]:
    return [
        run.run,
        path_name(run.dataset),
        render.word(run.state, run.result),
        run.stage,
        run.error_class,
        f"{run.products_made}/{run.products_planned}" if run.products_planned else "",
        run.build,
        run.category,
        render.seconds(run.wall_s),
        render.moment(run.created_at),
    ]
