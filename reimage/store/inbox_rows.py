"""Groups of failures counted from the failures themselves: where a filter asks for what no sum knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from reimage.model import Result
from reimage.store.desk_tables import Failure
from reimage.store.inbox_asked import Asked, joined
from reimage.store.inbox_groups import Group, Groups, Part
from reimage.store.run_tables import Run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def groups(session: Session, asked: Asked) -> Groups:
    """Count the failures that are asked for, in groups."""
    if asked.by == "day":
        return _by_day(session, asked)
    key = asked.column()
    columns = [
        *(key, Failure.result, func.count(Failure.id), func.sum(Failure.n_blocked)),
        *(func.sum(_burnt(asked)), func.min(Failure.failed_at), func.max(Failure.failed_at)),
        func.max(Failure.id),
    ]
    statement = joined(columns, asked.conditions()).group_by(key, Failure.result)
    found = Groups()
    for entry, result, runs, datasets, cpu_s, first, last, newest in session.execute(statement):
        part = Part(
            result=result,
            runs=runs,
            datasets=int(datasets or 0),
            cpu_s=float(cpu_s or 0.0),
            first_at=first,
            last_at=last,
            newest=newest,
        )
        for one in entries(asked, entry):
            found.add(one, part)
    return found


def days(
    session: Session, asked: Asked, keys: Collection[str] | None, since_day: int
) -> dict[str, dict[int, int]]:
    """Count the failures of each day, by group; those that are asked for and no older than a day."""
    wanted = None if keys is None else set(keys)
    begin = EPOCH + timedelta(days=since_day)
    conditions = [*asked.conditions(), Failure.failed_at >= begin, Failure.result != Result.REFUSED]
    key = asked.column()
    found: dict[str, dict[int, int]] = {}
    for entry, at in session.execute(joined([key, Failure.failed_at], conditions)):
        for one in entries(asked, entry):
            if wanted is None or one in wanted:
                counts = found.setdefault(one, {})
                day = (at - EPOCH).days
                counts[day] = counts.get(day, 0) + 1
    return found


def entries(asked: Asked, entry: str) -> Iterable[str]:
    """Return the groups that a value of the column belongs to: of several bands to each."""
    return dict.fromkeys(entry.split()) if asked.by == "band" else (entry,)


def blocking() -> list[ColumnElement[bool]]:
    """Return the conditions of failures that block a dataset now."""
    return [Failure.n_blocked == 1, Failure.result != Result.REFUSED]


def _burnt(asked: Asked) -> ColumnElement[float | None]:
    """Return the CPU seconds of a failure: its run's, as in the sums.

    Of its attempt alone where a text is sought: what that finds may be all there is, in no order.
    """
    return Failure.cpu_s.expression if asked.grep else Run.cpu_s.expression


def _by_day(session: Session, asked: Asked) -> Groups:
    """Count by day in UTC, which databases reckon each in their own way."""
    columns: list[Any] = [
        *(Failure.id, Failure.result, Failure.n_blocked, _burnt(asked), Failure.failed_at),
    ]
    found = Groups()
    for entry, part in _single(session.execute(joined(columns, asked.conditions()))):
        found.add(entry, part)
    return found


def _single(rows: Iterable[Any]) -> Iterator[tuple[str, Part]]:
    for newest, result, blocked, cpu_s, at in rows:
        part = Part(
            result=result,
            runs=1,
            datasets=blocked,
            cpu_s=cpu_s or 0.0,
            first_at=at,
            last_at=at,
            newest=newest,
        )
        yield f"{at:%Y-%m-%d}", part


__all__ = ["Group", "blocking", "days", "entries", "groups"]
