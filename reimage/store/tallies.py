"""The sums of what is done, kept right in the transaction that changes what is summed.

Three tables: runs by axis (`Tally`), stages and products (`StageTally`, `ProductTally`).  Each has rows
of single days and rows of all time (day 0); of which dataset a run is the newest is said in the rows of
all time only, and in `Failure.n_blocked`.  Whatever they say can be counted afresh from the rows
(`recount`), which proves that nothing drifted (`differences`), or mends it while runs go on ending (`mend`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import ColumnElement, Table, bindparam, select, true, update
from sqlalchemy.orm import Session

from reimage.store import tally_parts, tally_rows, tally_sums
from reimage.store.desk_tables import Failure
from reimage.store.run_tables import Run
from reimage.store.tally_counts import differences, recount
from reimage.store.tally_mending import mend
from reimage.store.tally_rows import take_turns
from reimage.store.tally_sums import JUDGED, Ended, Sums

__all__ = [
    "Judged",
    "add_run",
    "differences",
    "mend",
    "move_datasets",
    "of_datasets",
    "recount",
    "rejudge",
    "rejudge_all",
    "take_turns",
]

BY_DATASET = ("band", "cycle")
"""Axes that a synchronisation of the holdings may move."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a failure is taken for."""

    error_class: str
    signature: str | None


def add_run(session: Session, run_id: int) -> None:
    """Count a run that has just become done.

    It is its dataset's newest unless a later one ended before it; then the one before it is no longer.
    """
    take_turns(session)
    connection = session.connection()
    ended = tally_sums.read(connection.execute(_OF_RUN, {"k_run": run_id}).one())
    sums = Sums()
    sums.add(ended)
    if ended.is_newest:
        where = {"k_run": run_id, "k_dataset": ended.dataset_id}
        previous = connection.execute(_BEFORE, where).first()
        if previous is not None:
            sums.release(tally_sums.read(previous))
            connection.execute(_BLOCKS, {"k_run": previous.id, "k_value": 0})
        connection.execute(_BLOCKS, {"k_run": run_id, "k_value": 1})
    tally_rows.apply(session, sums)
    tally_parts.add_run(session, ended)


def rejudge(session: Session, failure_id: int, before: Judged, after: Judged) -> None:
    """Move a failure's run from one class and signature to another; its row says the new ones already."""
    rejudge_all(session, [(failure_id, before, after)])


def rejudge_all(session: Session, moved: Iterable[tuple[int, Judged, Judged]]) -> None:
    """Move many, (failure's id, before, after) each, with few statements."""
    take_turns(session)
    changes = {one[0]: one[1:] for one in moved if one[1] != one[2]}
    sums = Sums()
    ids = list(changes)
    for start in range(0, len(ids), tally_rows.BATCH):
        part = ids[start : start + tally_rows.BATCH]
        final = select(Failure.run_id, Failure.id).where(
            Failure.id.in_(part), Failure.is_final == true()
        )
        failure_of = {row.run_id: row.id for row in session.execute(final)}
        for ended in _ended(session, Run.id.in_(list(failure_of))):
            for judged, sign in zip(changes[failure_of[ended.run_id]], (-1, 1), strict=True):
                said = {"class": judged.error_class, "signature": judged.signature}
                sums.add(replace(ended, said=said), JUDGED, sign=sign)
    tally_rows.apply(session, sums)


def of_datasets(session: Session, ids: Sequence[int]) -> list[Ended]:
    """Return what is summed of the done runs of some datasets; nobody else changes it meanwhile."""
    take_turns(session)
    return _ended(session, Run.dataset_id.in_(ids))


def move_datasets(session: Session, before: Sequence[Ended]) -> None:
    """Count done runs by what is known of their datasets now; ``before``: `of_datasets`, until now."""
    if not before:
        return
    ids = sorted({ended.dataset_id for ended in before})
    now = {ended.run_id: ended for ended in of_datasets(session, ids)}
    sums = Sums()
    for ended in before:
        axes = [axis for axis in BY_DATASET if ended.said[axis] != now[ended.run_id].said[axis]]
        sums.add(ended, axes, sign=-1)
        sums.add(now[ended.run_id], axes)
    tally_rows.apply(session, sums)


def _ended(session: Session, condition: ColumnElement[bool]) -> list[Ended]:
    found = session.connection().execute(tally_sums.ended_runs().where(condition))
    return [tally_sums.read(row) for row in found]


# Made once: making a statement takes longer than executing it.
_OF_RUN = tally_sums.ended_runs().where(Run.id == bindparam("k_run"))
_BEFORE = (
    tally_sums.ended_runs()
    .where(Run.dataset_id == bindparam("k_dataset"), Run.id < bindparam("k_run"))
    .order_by(Run.id.desc())
    .limit(1)
)
_FAILURES = cast("Table", Failure.__table__)
_BLOCKS = (
    update(_FAILURES)
    .where(_FAILURES.c.run_id == bindparam("k_run"), _FAILURES.c.is_final == true())
    .values(n_blocked=bindparam("k_value"))
)
