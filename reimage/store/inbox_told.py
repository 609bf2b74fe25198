"""What is told of groups of failures: examples, what people said of them, what the classes declare."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from reimage.store.desk_tables import Act, ErrorClass, Failure, GroupState
from reimage.store.run_tables import Run

_IN_A_LIST = 500
"""Values in one list: Oracle takes 1000."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One failure of a group, to be looked at."""

    id: int
    run: str
    decisive: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What people said of a group."""

    url: str | None
    resolved_in: str | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    snoozed_runs: int | None
    runs_since_snoozed: int


def newest(session: Session, by: str, keys: Collection[str]) -> dict[str, int]:
    """Return the id of the newest failure of each class or signature."""
    column = {"class": Failure.error_class, "signature": Failure.signature}.get(by)
    if column is None:
        return {}
    found = {}
    for key in keys:
        statement = (
            select(Failure.id)
            .where(column == key, Failure.is_final == true())
            .order_by(Failure.failed_at.desc())
            .limit(1)
        )
        last = session.scalar(statement)
        if last is not None:
            found[key] = last
    return found


def examples(session: Session, ids: Iterable[int]) -> dict[int, Example]:
    """Return some failures, by id."""
    found = {}
    for part in _parts(ids):
        statement = select(Failure.id, Run.run, Failure.decisive, Failure.message)
        statement = statement.join(Run, Run.id == Failure.run_id).where(Failure.id.in_(part))
        for failure_id, run, decisive, message in session.execute(statement):
            found[failure_id] = Example(id=failure_id, run=run, decisive=decisive or message)
    return found


def n_noted(session: Session) -> int:
    """Count the groups that people said something of."""
    return session.scalar(select(func.count()).select_from(GroupState)) or 0


def noted(session: Session, names: Collection[str]) -> dict[str, Noted]:
    """Return what people said of classes and signatures."""
    rows = [
        row
        for part in _parts(names)
        for row in session.scalars(select(GroupState).where(GroupState.name.in_(part)))
    ]
    return {
        row.name: Noted(
            url=row.url,
            resolved_in=row.resolved_in,
            resolved_at=row.resolved_at,
            snoozed_until=row.snoozed_until,
            snoozed_runs=row.snoozed_runs,
            runs_since_snoozed=0 if row.snoozed_runs is None else _since_snoozed(session, row.name),
        )
        for row in rows
    }


def families(session: Session) -> dict[str, str]:
    """Return the family of each error class."""
    rows = session.execute(select(ErrorClass.name, ErrorClass.family))
    return {row.name: row.family for row in rows}


def declared(session: Session) -> dict[str, ErrorClass]:
    """Return what the error classes' declarations say."""
    return {row.name: row for row in session.scalars(select(ErrorClass))}


def _since_snoozed(session: Session, name: str) -> int:
    """Count the runs that failed with a class or a signature since somebody snoozed it."""
    said = select(func.max(Act.acted_at)).where(Act.subject == name, Act.kind == "group.snoozed")
    at = session.scalar(said)
    if at is None:
        return 0
    counts = [
        session.scalar(
            select(func.count(Failure.id)).where(
                column == name, Failure.failed_at > at, Failure.is_final == true()
            )
        )
        for column in (Failure.error_class, Failure.signature)
    ]
    return max(n or 0 for n in counts)


def _parts(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield values in lists that a database takes."""
    rest = iter(values)
    while part := list(islice(rest, _IN_A_LIST)):
        yield part
