"""``reimage holdings``."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from reimage import journal
from reimage.archive.faults import ArchiveNotSet
from reimage.archive.scope import Scope, place
from reimage.cli import holdings_rows, holdings_shapes, render
from reimage.cli.holdings_board import SyncBoard
from reimage.cli.invocation import Invocation
from reimage.cli.options import DatasetKey, Json, Limit
from reimage.settings import Settings
from reimage.store import acts, datasets, holdings_stats, runs
from reimage.store.rows import SyncCounts
from reimage.store.session import Database

app = typer.Typer(add_completion=False, no_args_is_help=True)

Where = Annotated[
    str,
    typer.Option(
        help="Conditions: COLUMN then = != < <= > >= or ~ (contains); and, or, not, parentheses.",
        show_default=False,
    ),
]


@app.callback(epilog="Examples:\n\nreimage holdings sync\n\nreimage holdings list --limit 20")
def holdings() -> None:
    """Bring the mirror of the archive's holdings up to date, list and show datasets."""


@app.command(
    epilog="Examples:\n\nreimage holdings sync\n\n"
    "reimage holdings sync --from https://almascience.eso.org --cycle 2\n\n"
    "reimage holdings sync --since 2026-11-01 --json"
)
def sync(
    context: typer.Context,
    *,
    origin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="URL|DIR",
            help="Archive to read; otherwise the setting `archive`.",
            show_default=False,
        ),
    ] = "",
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="Only what the archive changed since then (UTC); otherwise since the last time.",
            show_default=False,
        ),
    ] = None,
    proposal: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="Only projects whose code begins so.", show_default=False
        ),
    ] = "",
    cycle: Annotated[
        int | None, typer.Option(min=0, help="Only projects of this cycle.", show_default=False)
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Everything, also what has not changed since.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the mirror of the holdings what the archive lists.

    The first time everything is read, then what the archive changed since the last time (and three
    weeks before it: mirrors of an archive follow it late).  What the archive no longer lists stays,
    marked as gone: that is noticed only where everything is read (`--full`).  A synchronisation that
    was ended in its middle goes on where it was.
    """
    if proposal and cycle is not None:
        raise typer.BadParameter("give --proposal or --cycle, not both")
    invocation = Invocation.of(context)
    settings = invocation.settings
    asked = Scope(
        archive=place(origin or settings.archive),
        since=None if since is None else since.replace(tzinfo=UTC),
        proposal=proposal,
        cycle=cycle,
        full=full,
    )
    with invocation.database() as database:
        shown = _synced(settings, database, asked)
    if as_json:
        render.show(shown)
    else:
        _tell(shown)


def synchronise(settings: Settings, database: Database) -> SyncCounts:
    """Read the archive's whole listing into the database.

    Raises
    ------
    ArchiveNotSet, ArchiveForeign, ArchiveUnavailable, ArchiveQueryRefused, ArchiveAnswerMalformed
    """
    return _synced(settings, database, Scope(archive=place(settings.archive), full=True)).counts


def _synced(settings: Settings, database: Database, asked: Scope) -> holdings_shapes.Synced:
    if not asked.archive:
        raise ArchiveNotSet("the setting `archive` is empty")
    from reimage import syncing  # noqa: PLC0415 -- pyvo: readers do without

    begun = time.monotonic()
    n_rows: int | None = None
    with syncing.alone(settings):
        if "://" in asked.archive:
            with SyncBoard() as board:
                record = syncing.from_service(settings, database, asked, board)
            n_rows = board.n_rows
        else:
            record = syncing.from_folder(database, settings.holding, asked, journal.now())
    return holdings_shapes.Synced(
        holding=settings.holding,
        archive=asked.archive,
        counts=record.counts,
        since=record.since,
        rows=n_rows,
        resumed=record.resumed,
        incomplete=syncing.not_whole(record),
        nameless=sum(done.n_nameless for done in record.done.values()),
        wall_s=round(time.monotonic() - begun, 3),
    )


def _tell(shown: holdings_shapes.Synced) -> None:
    counts = shown.counts
    read = "" if shown.rows is None else f" ({shown.rows} rows in {render.seconds(shown.wall_s)})"
    render.console().print(
        f"{shown.holding}: {counts.added} added, {counts.changed} changed, "
        f"{counts.unchanged} unchanged, {counts.gone} gone{read}"
    )
    if shown.resumed:
        render.say("it went on where an earlier one was ended")
    if shown.since is not None:
        render.say(f"read was what the archive changed since {render.moment(shown.since)} UTC")
    if shown.nameless:
        render.say(f"{shown.nameless} rows name no dataset and were left out")
    if shown.incomplete:
        render.say(
            f"rows may be missing in {', '.join(shown.incomplete)}: nothing in there was marked as "
            "gone; synchronise again later"
        )
    elif not counts.seen and shown.since is None:
        render.say("the archive lists nothing that was asked for: nothing was marked as gone")


@app.command(
    "list",
    epilog="Examples:\n\n"
    "reimage holdings list --where \"band = 6 and cycle = 2 and array = '12m'\"\n\n"
    "reimage holdings list --where \"targets ~ 'NGC' and not mosaic = true\" --limit 20 --json\n\n"
    "reimage holdings list --order cycle,-n_bytes",
)
def list_(
    context: typer.Context,
    *,
    where: Where = "",
    order: Annotated[
        str,
        typer.Option(
            metavar="COLUMNS",
            help="Columns to sort by, with commas between; `-` before one that falls.",
            show_default=False,
        ),
    ] = "",
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List datasets, all of them or those of a filter."""
    invocation = Invocation.of(context)
    names = [name for name in order.split(",") if name.strip()]
    with invocation.database() as database, database.read() as session:
        holding = invocation.settings.holding
        found = datasets.list_datasets(session, holding, where, limit, names)
    if as_json:
        render.show(holdings_shapes.Datasets(datasets=found))
    elif found:
        render.table(
            render.console(), holdings_rows.COLUMNS, [holdings_rows.row(row) for row in found]
        )
    else:
        render.say("no datasets (`reimage holdings sync` reads the archive's listing)")


@app.command(epilog="Example:\n\nreimage holdings show uid://A001/X1a2b/X1")
def show(context: typer.Context, dataset: DatasetKey, *, as_json: Json = False) -> None:
    """Show what the archive says of one dataset, and its runs."""
    from reimage.cli import group_text, status  # noqa: PLC0415 -- they bring all of imaging: the others do without

    invocation = Invocation.of(context)
    holding = invocation.settings.holding
    with invocation.database() as database, database.read() as session:
        row = datasets.find(session, holding, dataset)
        found = runs.list_runs(session, dataset=row.dataset)
        notes = acts.notes(session, holding, row.dataset)
    if as_json:
        render.show(holdings_shapes.DatasetDetail(dataset=row, runs=found, annotations=notes))
        return
    out = render.console()
    out.print(render.heading(row.dataset))
    for name, value in row.facts.items():
        for line in holdings_rows.lines(name, value):
            out.print(line, soft_wrap=True)
    group_text.noted(out, notes)
    out.print(render.heading("runs" if found else "never run"))
    status.show_runs(found)


@app.command(
    epilog='Examples:\n\nreimage holdings stats\n\nreimage holdings stats --where "cycle >= 5" --json'
)
def stats(context: typer.Context, *, where: Where = "", as_json: Json = False) -> None:
    """Count datasets by cycle, band, array, data rights and era of calibration, with their volume.

    The volume is the archive's estimate, and often absent: how many datasets it covers is told.
    """
    invocation = Invocation.of(context)
    holding = invocation.settings.holding
    with invocation.database() as database, database.read() as session:
        shown = holdings_shapes.HoldingStats(
            holding=holding,
            where=where,
            total=holdings_stats.total(session, holding, where),
            by={by: holdings_stats.count(session, holding, by, where) for by in holdings_stats.BY},
        )
    if as_json:
        render.show(shown)
        return
    counted = [(by, one) for by, counts in shown.by.items() for one in counts]
    rows = [
        holdings_rows.counted(by, one, shown.total) for by, one in [*counted, ("all", shown.total)]
    ]
    render.table(render.console(), holdings_rows.COUNTED, rows)
