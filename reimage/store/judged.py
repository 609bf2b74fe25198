"""Failures as they were last judged: what is judged again, corrected by a person, or sampled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from reimage.errors import UsageError
from reimage.model import Result, Stage
from reimage.store import runs
from reimage.store.desk_tables import Classification, Failure
from reimage.store.run_tables import Run

PAGE = 500
"""Rows at a time; no database takes lists of any length."""
_LARGEST = 2**31


class FailureUnknown(UsageError):
    """There is no such failure."""

    code = "failure-unknown"
    hint = "`reimage failures` and `reimage status --result failed` show what failed."


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFailure:
    """An attempt that did not end imaged, and its newest judgement."""

    id: int
    run: str
    attempt: int
    directory: str
    """Of the run, relative to the data directory."""
    stage: Stage | None
    result: Result
    error_class: str
    signature: str | None
    decisive: str | None
    message: str | None
    caveats: tuple[str, ...]
    """Of the run."""
    final: bool
    blocking: bool
    """Whether its dataset is blocked by it now."""
    failed_at: datetime
    author: str
    """Of the newest judgement: ``<class>@<version>``, or a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which failures are meant; nothing given: all."""

    error_class: str | None = None
    signature: str | None = None
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what must hold."""
        wanted: list[ColumnElement[bool]] = []
        if self.error_class is not None:
            wanted.append(Failure.error_class == self.error_class)
        if self.signature is not None:
            wanted.append(Failure.signature == self.signature)
        if self.since is not None:
            wanted.append(Failure.failed_at >= self.since)
        return wanted


def count(session: Session, which: Which) -> int:
    """Return how many failures are meant."""
    return session.scalars(select(func.count(Failure.id)).where(*which.conditions())).one()


def pages(session: Session, which: Which) -> Iterator[tuple[JudgedFailure, ...]]:
    """Yield the failures that are meant, oldest row first, `PAGE` at a time."""
    after = 0
    while True:
        chosen = _selection().where(Failure.id > after, *which.conditions())
        found = _read(session, chosen.order_by(Failure.id).limit(PAGE))
        if found:
            yield found
        if len(found) < PAGE:
            return
        after = found[-1].id


def newest(session: Session, limit: int) -> Iterator[tuple[JudgedFailure, ...]]:
    """Yield the failures of the highest numbers, newest first, at most so many, `PAGE` at a time."""
    before, left = _LARGEST, limit
    while left > 0:
        chosen = _selection().where(Failure.id < before).order_by(Failure.id.desc())
        found = _read(session, chosen.limit(min(PAGE, left)))
        if not found:
            return
        yield found
        before, left = found[-1].id, left - len(found)


def of_ids(session: Session, ids: Sequence[int]) -> tuple[JudgedFailure, ...]:
    """Return some failures, at most `PAGE`, in the order of their ids."""
    return _read(session, _selection().where(Failure.id.in_(ids)).order_by(Failure.id))


def find(session: Session, name: str) -> JudgedFailure:
    """Return a failure by its own number, else the last one of a run (its id, or the beginning of it).

    Raises
    ------
    FailureUnknown, RunUnknown
    """
    number = name.removeprefix("#")
    if number.isdecimal() and int(number) < _LARGEST:
        found = of_ids(session, (int(number),))
        if found:
            return found[0]
    if name.startswith("#"):
        raise FailureUnknown(f"no failure {name}", evidence={"failure": name})
    run = runs.find(session, name).run
    chosen = _selection().where(Run.run == run).order_by(Failure.attempt_no.desc()).limit(1)
    found = _read(session, chosen)
    if not found:
        raise FailureUnknown(f"run {run} has no failure", evidence={"run": run})
    return found[0]


_FIELDS: Mapping[str, Any] = {
    "id": Failure.id,
    "run": Run.run,
    "attempt": Failure.attempt_no,
    "directory": Run.directory,
    "stage": Failure.stage,
    "result": Failure.result,
    "error_class": Failure.error_class,
    "signature": Failure.signature,
    "decisive": Failure.decisive,
    "message": Failure.message,
    "caveats": Run.caveats,
    "final": Failure.is_final,
    "blocking": Failure.n_blocked,
    "failed_at": Failure.failed_at,
}


def _selection() -> Select[Any]:
    columns = (column.label(name) for name, column in _FIELDS.items())
    return select(*columns).join(Run, Run.id == Failure.run_id)


def _read(session: Session, statement: Select[Any]) -> tuple[JudgedFailure, ...]:
    found = session.execute(statement).mappings().all()
    authors = _authors(session, [row["id"] for row in found])
    return tuple(
        JudgedFailure(
            **{
                **row,
                "caveats": tuple(row["caveats"]),
                "blocking": bool(row["blocking"]),
                "author": authors.get(row["id"], "none"),
            }
        )
        for row in found
    )


def _authors(session: Session, failures: Sequence[int]) -> dict[int, str]:
    """Return who judged each failure last."""
    latest = (
        select(func.max(Classification.id))
        .where(Classification.failure_id.in_(failures))
        .group_by(Classification.failure_id)
    )
    statement = select(Classification.failure_id, Classification.author).where(
        Classification.id.in_(latest)
    )
    return {row.failure_id: row.author for row in session.execute(statement)}
