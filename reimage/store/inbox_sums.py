"""Groups of failures from the sums (`reimage.store.tally_tables`): in milliseconds, whatever the number of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from reimage.model import Result
from reimage.store.desk_tables import Failure
from reimage.store.inbox_asked import SUCCESS, UNCLASSIFIED
from reimage.store.inbox_groups import Groups, Part
from reimage.store.inbox_rows import EPOCH
from reimage.store.tally_tables import ALL_TIME, Tally

IN_A_LIST = 500
"""Values in one list: Oracle takes 1000."""
ONE_EACH = "recipe"
"""An axis of few entries, on which every run that is done counts once."""
NOT_IMAGED = tuple(result for result in Result if result is not SUCCESS)
FAILING = tuple(result for result in Result if result not in {SUCCESS, Result.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All failures that are asked for."""

    runs: int
    datasets: int
    cpu_s: float
    done: int | None
    """Runs that are done, whatever came of them; None where failures are filtered."""


def total(session: Session) -> Total:
    """Return all failures there are."""
    columns = (
        Tally.result,
        func.sum(Tally.n_runs),
        func.sum(Tally.n_blocked),
        func.sum(Tally.cpu_s),
    )
    statement = select(*columns).where(Tally.axis == ONE_EACH, Tally.day_no == ALL_TIME)
    rows = {row[0]: row[1:] for row in session.execute(statement.group_by(Tally.result))}
    failing = [numbers for result, numbers in rows.items() if result in FAILING]
    return Total(
        runs=int(sum(numbers[0] for numbers in failing)),
        datasets=int(sum(numbers[1] for numbers in failing)),
        cpu_s=float(sum(numbers[2] for numbers in failing)),
        done=int(sum(numbers[0] for numbers in rows.values())),
    )


def groups(session: Session, axis: str, limit: int | None) -> Groups:
    """Return the groups of an axis; with a limit those that block most, and what was refused among them."""
    columns = (
        *(Tally.entry, Tally.result, Tally.n_runs, Tally.n_blocked, Tally.cpu_s),
        *(Tally.first_at, Tally.last_at),
    )
    # Every column of the key is named: else an index leads through all entries of the axis.
    whole = (Tally.axis == axis, Tally.day_no == ALL_TIME, Tally.result.in_(NOT_IMAGED))
    statement = select(*columns).where(*whole)
    if limit is not None:
        entries = {
            entry
            for results in (FAILING, (Result.REFUSED,))
            for entry in session.scalars(_first(axis, results, limit))
        }
        statement = statement.where(Tally.entry.in_(sorted(entries)))
    found = Groups()
    _collect(session, statement, found)
    return found


def unclassified(session: Session, limit: int | None) -> Groups:
    """Return the signatures of what no class matches."""
    counts = func.sum(Failure.n_blocked), func.count(Failure.id)
    ranked = (
        select(Failure.signature, *counts)
        .where(Failure.error_class == UNCLASSIFIED, Failure.is_final == true())
        .group_by(Failure.signature)
        .order_by(counts[0].desc(), counts[1].desc(), Failure.signature)
    )
    names = [row[0] for row in session.execute(ranked if limit is None else ranked.limit(limit))]
    found = Groups()
    for start in range(0, len(names), IN_A_LIST):
        part = [name for name in names[start : start + IN_A_LIST] if name is not None]
        statement = select(
            *(Tally.entry, Tally.result, Tally.n_runs, Tally.n_blocked, Tally.cpu_s),
            *(Tally.first_at, Tally.last_at),
        ).where(
            *(Tally.axis == "signature", Tally.day_no == ALL_TIME, Tally.result.in_(NOT_IMAGED)),
            Tally.entry.in_(part),
        )
        _collect(session, statement, found)
    return found


def by_day(session: Session, since_day: int) -> Groups:
    """Return the failures of each day, no older than one; what they block now is read from the failures."""
    columns = (
        *(Tally.day_no, Tally.result, func.sum(Tally.n_runs), func.sum(Tally.cpu_s)),
        *(func.min(Tally.first_at), func.max(Tally.last_at)),
    )
    statement = select(*columns).where(
        Tally.axis == ONE_EACH, Tally.day_no >= since_day, Tally.result != SUCCESS
    )
    held = _held(session, since_day)
    found = Groups()
    for day, result, runs, cpu_s, first, last in session.execute(
        statement.group_by(Tally.day_no, Tally.result)
    ):
        part = Part(
            result=result,
            runs=int(runs),
            datasets=held.get((day, result), 0),
            cpu_s=float(cpu_s),
            first_at=first,
            last_at=last,
        )
        found.add(f"{EPOCH + timedelta(days=day):%Y-%m-%d}", part)
    return found


def days(
    session: Session, axis: str, since_day: int, keys: Collection[str] | None
) -> dict[str, dict[int, int]]:
    """Return how many runs failed on each day, by entry; of all entries without ``keys``."""
    columns = (Tally.entry, Tally.day_no, func.sum(Tally.n_runs))
    statement = select(*columns).where(
        Tally.axis == axis, Tally.day_no >= since_day, Tally.result.in_(FAILING)
    )
    if keys is not None:
        statement = statement.where(Tally.entry.in_(keys))
    found: dict[str, dict[int, int]] = {}
    for entry, day, n in session.execute(statement.group_by(Tally.entry, Tally.day_no)):
        found.setdefault(entry, {})[day] = int(n)
    return found


def done(session: Session, axis: str, keys: Collection[str]) -> dict[str, int]:
    """Return how many runs are done of each entry of an axis, whatever came of them."""
    statement = (
        select(Tally.entry, func.sum(Tally.n_runs))
        .where(Tally.axis == axis, Tally.day_no == ALL_TIME, Tally.entry.in_(keys))
        .group_by(Tally.entry)
    )
    return {entry: int(n) for entry, n in session.execute(statement)}


def cost(session: Session) -> dict[str, tuple[int, float]]:
    """Return by category how many runs came to their end, and the CPU seconds of all of them."""
    statement = select(Tally.entry, Tally.n_runs, Tally.cpu_s).where(
        Tally.axis == "category", Tally.day_no == ALL_TIME, Tally.result == SUCCESS
    )
    return {entry: (n, cpu_s) for entry, n, cpu_s in session.execute(statement)}


def _first(axis: str, results: Collection[Result], limit: int) -> Select[str]:
    """Select the entries of an axis that block most with some results."""
    return (
        select(Tally.entry)
        .where(Tally.axis == axis, Tally.day_no == ALL_TIME, Tally.result.in_(results))
        .group_by(Tally.entry)
        .order_by(func.sum(Tally.n_blocked).desc(), func.sum(Tally.n_runs).desc(), Tally.entry)
        .limit(limit)
    )


def _held(session: Session, since_day: int) -> dict[tuple[int, Result], int]:
    """Count the datasets whose newest run that is done failed, or was refused, on each day."""
    statement = select(Failure.failed_at, Failure.result).where(
        Failure.n_blocked == 1, Failure.failed_at >= EPOCH + timedelta(days=since_day)
    )
    return dict(Counter(((at - EPOCH).days, result) for at, result in session.execute(statement)))


def _collect(session: Session, statement: Select[*tuple[Any, ...]], found: Groups) -> None:
    for entry, result, runs, datasets, cpu_s, first, last in session.execute(statement):
        part = Part(
            result=result, runs=runs, datasets=datasets, cpu_s=cpu_s, first_at=first, last_at=last
        )
        found.add(entry, part)
