"""What a saved question is, and the expressions that many of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Float, Select, case, cast, func, select

from reimage.model import Result
from reimage.store.inbox_rows import EPOCH
from reimage.store.inbox_sums import FAILING
from reimage.store.tally_tables import ALL_TIME, Tally

Rows: TypeAlias = Select[*tuple[Any, ...]]
"""A statement that gives rows of any columns."""
DAY = "day"
"""Name of a column that holds the number of a day, told as a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a question is asked with."""

    values: Mapping[str, Any]
    now: datetime

    @property
    def today(self) -> int:
        """The number of today, in UTC."""
        return (self.now - EPOCH).days

    def ago(self, name: str) -> datetime:
        """Return the moment as many days ago as a parameter says."""
        return self.now - timedelta(days=min(self.values[name], self.today))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A saved question."""

    name: str
    title: str
    meaning: str
    """What the answer tells, and what is done with it."""
    ask: Callable[[Given], Rows]
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    """What it takes, with the value where none is given."""


def runs(*results: Result) -> ColumnElement[int]:
    """Return the sum of runs with one of these results; of all without any."""
    if not results:
        return func.sum(Tally.n_runs)
    return func.sum(case((Tally.result.in_(results), Tally.n_runs), else_=0))


def failed() -> ColumnElement[int]:
    """Return the sum of the runs that failed."""
    return runs(*FAILING)


def share(part: ColumnElement[Any], whole: ColumnElement[Any]) -> ColumnElement[float | Decimal]:
    """Return a share in per cent; NULL of nothing."""
    return cast(part, Float) * 100 / func.nullif(whole, 0)


def hours(seconds: ColumnElement[Any]) -> ColumnElement[float | Decimal]:
    """Return seconds as hours."""
    return cast(seconds, Float) / 3600


def by_entry(axis: str, called: str, *columns: ColumnElement[Any]) -> Rows:
    """Select sums over all time by the entries of an axis."""
    return (
        select(Tally.entry.label(called), *columns)
        .where(Tally.axis == axis, Tally.day_no == ALL_TIME)
        .group_by(Tally.entry)
    )
