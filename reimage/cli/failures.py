"""``reimage failures``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, get_args

import typer

from reimage.cli import render, run_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, OfSweep
from reimage.cli.render import Column
from reimage.cli.run_shapes import FailureShare
from reimage.model import Result
from reimage.store import failures as store
from reimage.store.failures import By
from reimage.store.rows import FailureGroup
from reimage.store.session import Database

app = typer.Typer(add_completion=False)

COLUMNS = (
    Column(title="failures by"),
    Column(title="datasets", right=True),
    Column(title="runs", right=True, keep=7),
    Column(title="share", right=True, keep=6),
    Column(title="since (UTC)", keep=4),
    Column(title="last (UTC)", keep=2),
    Column(title="remedy", keep=3),
    Column(title="example", keep=8),
    Column(title="meaning", keep=5),
)


@app.command(
    epilog="Examples:\n\n"
    "reimage failures\n\n"
    "reimage failures --by casa --since 2026-11-01\n\n"
    "reimage failures --by signature --json"
)
def failures(
    context: typer.Context,
    *,
    by: Annotated[
        By, typer.Option(help="What to group by: " + ", ".join(get_args(By)) + ".")
    ] = "class",
    sweep: OfSweep = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="Only what failed from then on (UTC).", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what goes wrong, how often and since when.

    The group that blocks most datasets comes first.  What was refused is no failure and stands apart.
    """
    with Invocation.of(context).database() as database:
        failed, refused = grouped(database, by, sweep=sweep, since=_utc(since))
    if as_json:
        render.show(run_shapes.Failures(failures=failed, refused=refused))
    else:
        show_groups(by, failed, refused)


def grouped(
    database: Database, by: By, *, sweep: str | None = None, since: datetime | None = None
) -> tuple[tuple[FailureShare, ...], tuple[FailureShare, ...]]:
    """Return the failures in groups, and what was refused."""
    with database.read() as session:
        groups = store.groups(session, by, sweep=sweep, since=since, refused=True)
    failed = [group for group in groups if group.result is not Result.REFUSED]
    whole = sum(group.runs for group in failed)
    return (
        tuple(_shared(group, whole) for group in failed),
        tuple(_shared(group, 0) for group in groups if group.result is Result.REFUSED),
    )


def show_groups(by: By, failed: Sequence[FailureShare], refused: Sequence[FailureShare]) -> None:
    """Print a line for each group."""
    out = render.console()
    if not failed:
        out.print("no failures")
    for title, groups in ((f"failures by {by}", failed), (f"refused by {by}", refused)):
        if groups:
            columns = (Column(title=title), *COLUMNS[1:])
            render.table(out, columns, [_row(group) for group in groups])


def _shared(group: FailureGroup, whole: int) -> FailureShare:
    return FailureShare(
        by=group.by,
        key=group.key,
        result=group.result,
        datasets=group.datasets,
        runs=group.runs,
        share=group.runs / whole if whole else 0.0,
        first_at=group.first_at,
        last_at=group.last_at,
        example=group.example,
        title=group.title,
        family=group.family,
        remedy=group.remedy,
    )


def _row(group: FailureShare) -> list[render.Cell | None]:
    key = (
        group.key
        if group.result in {Result.FAILED, Result.REFUSED}
        else f"{group.key} ({group.result})"
    )
    return [
        key,
        str(group.datasets),
        str(group.runs),
        f"{group.share:.0%}" if group.share else "",
        render.moment(group.first_at),
        render.moment(group.last_at),
        group.remedy,
        group.example,
        group.title,
    ]


def _utc(moment: datetime | None) -> datetime | None:
    """Take what was typed as UTC."""
    return None if moment is None else moment.replace(tzinfo=UTC)
