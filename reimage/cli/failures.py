"""``reimage failures``: the inbox, and what is done at the failure desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, get_args

import typer

from reimage import journal
from reimage.cli import (
    failures_audit,
    failures_groups,
    failures_judge,
    failures_new_class,
    failures_query,
    failures_remedy,
    failures_show,
    inbox_rows,
    render,
    rows_out,
)
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, OfSweep
from reimage.cli.since import Since, since_of
from reimage.desk import inbox
from reimage.desk.inbox import Inbox
from reimage.store.inbox_asked import Asked, By
from reimage.store.session import Database

LINES = 30
"""Groups that are told, unless others are asked for."""
DAYS = 28
"""Of a histogram, unless ``--since`` says otherwise."""
MOST_DAYS = 366


app = typer.Typer(add_completion=False)


@app.callback(
    invoke_without_command=True,
    epilog="Examples:\n\n"
    "reimage failures\n\n"
    "reimage failures --by casa --since 2026-11-01\n\n"
    "reimage failures --unclassified --limit 10\n\n"
    "reimage failures --where \"category = 'cycle2-pipeline-12m' and band = 6\" --histogram\n\n"
    'reimage failures --by signature --grep "no unflagged data" --json',
)
def failures(
    context: typer.Context,
    *,
    by: Annotated[
        By | None,
        typer.Option(help=f"What to group by: {', '.join(get_args(By))}.", show_default="class"),
    ] = None,
    sweep: OfSweep = None,
    since: Since = None,
    where: Annotated[
        str,
        typer.Option(
            metavar="FILTER",
            help="Conditions on class, signature, category, casa, stage, result, host, code, message ... and the "
            "columns of datasets: \"casa = '6.5.4' and band = 6\".",
            show_default=False,
        ),
    ] = "",
    grep: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Only failures whose message or decisive line holds this text.",
            show_default=False,
        ),
    ] = "",
    unclassified: Annotated[
        bool, typer.Option("--unclassified", help="What no class matches, by signature.")
    ] = False,
    histogram: Annotated[
        bool, typer.Option("--histogram", help="Draw how many failed on each day.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="N", help="Groups at most.")
    ] = LINES,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="Tell what is snoozed or resolved, too.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Tell what goes wrong, how often and since when, and what fixing it recovers.

    The group that blocks most datasets comes first.  What was refused is no failure and stands apart.
    """
    if context.invoked_subcommand is not None:
        return
    asked = Asked(
        by=by or ("signature" if unclassified else "class"),
        since=None if since is None else since_of(since),
        sweep=sweep,
        where=where,
        grep=grep,
        unclassified=unclassified,
    )
    shown = _Shown(limit=limit, all_of_them=all_of_them, histogram=histogram)
    with Invocation.of(context).database() as database:
        found = _read(database, asked, shown)
    if as_json:
        render.show(inbox_rows.shape(asked.by, found))
    elif as_csv:
        rows_out.write_csv(*inbox_rows.csv(asked.by, found))
    else:
        inbox_rows.show(asked, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How much of the inbox is told."""

    limit: int
    all_of_them: bool
    histogram: bool


def of_sweep(database: Database, sweep: str) -> Inbox:
    """Return the failures of a sweep, by class."""
    return inbox.read(database, Asked(sweep=sweep), journal.now(), limit=LINES)


def _read(database: Database, asked: Asked, shown: _Shown) -> Inbox:
    now = journal.now()
    days = DAYS if asked.since is None else min(MOST_DAYS, max(1, (now - asked.since).days + 1))
    return inbox.read(
        database,
        asked,
        now,
        limit=shown.limit,
        all_of_them=shown.all_of_them,
        histogram_days=days if shown.histogram else 0,
    )


# --- what is done at the desk: each verb in the module of its name --------------------------------

app.command("show", epilog=failures_show.EPILOG)(failures_show.show)
app.command("query", epilog=failures_query.EPILOG)(failures_query.query)
app.command("classify", epilog=failures_judge.CLASSIFY)(failures_judge.classify)
app.command("reclassify", epilog=failures_judge.RECLASSIFY)(failures_judge.reclassify)
app.command("new-class", epilog=failures_new_class.NEW_CLASS)(failures_new_class.new_class)
app.command("audit", epilog=failures_audit.AUDIT)(failures_audit.audit)
app.command("remedy", epilog=failures_remedy.REMEDY)(failures_remedy.remedy)
app.command("annotate", epilog=failures_groups.ANNOTATE)(failures_groups.annotate)
app.command("link", epilog=failures_groups.LINK)(failures_groups.link)
app.command("resolve", epilog=failures_groups.RESOLVE)(failures_groups.resolve)
app.command("snooze", epilog=failures_groups.SNOOZE)(failures_groups.snooze)
app.command("reopen", epilog=failures_groups.REOPEN)(failures_groups.reopen)
