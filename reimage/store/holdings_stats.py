"""Counts of a holding's datasets, by what they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from reimage.store import datasets, filters
from reimage.store.holdings_tables import Dataset, DatasetAlma


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Datasets that have one thing in common."""

    value: str | None
    """What they have in common; None: the archive does not say."""
    datasets: int
    n_bytes: int
    """Of those whose size the archive tells."""
    sized: int
    """How many those are."""


BY: dict[str, Any] = {
    "cycle": DatasetAlma.cycle,
    "band": DatasetAlma.bands,
    "array": DatasetAlma.array_kind,
    "rights": DatasetAlma.data_rights,
    "era": DatasetAlma.era,
}
"""What datasets can be counted by."""


def total(session: Session, holding: str, where: str = "") -> Count:
    """Count all datasets that the archive still lists, of a filter.

    Raises
    ------
    FilterMalformed
    """
    ((n, n_bytes, sized),) = _rows(session, holding, [], where)
    return Count(value=None, datasets=n, n_bytes=int(n_bytes or 0), sized=sized)


def count(session: Session, holding: str, by: str, where: str = "") -> tuple[Count, ...]:
    """Count them by one of `BY`; a dataset of several bands counts in each of them.

    Raises
    ------
    FilterMalformed
    """
    rows = _rows(session, holding, [BY[by]], where)
    counts = _added(rows, (lambda value: value.split()) if by == "band" else lambda value: [value])
    return tuple(sorted(counts, key=_rank))


def _rows(
    session: Session, holding: str, columns: Sequence[ColumnElement[Any]], where: str
) -> list[tuple[Any, ...]]:
    conditions = filters.parse(where, datasets.columns(holding))
    statement = (
        select(
            *columns, func.count(Dataset.id), func.sum(Dataset.n_bytes), func.count(Dataset.n_bytes)
        )
        .select_from(Dataset)
        .outerjoin(DatasetAlma, DatasetAlma.dataset_id == Dataset.id)
        .where(Dataset.holding == holding, Dataset.gone_at.is_(None), *conditions)
    )
    if columns:
        statement = statement.group_by(*columns)
    return [tuple(row) for row in session.execute(statement)]


def _added(rows: Sequence[tuple[Any, ...]], values: Callable[[Any], Sequence[Any]]) -> list[Count]:
    """Return counts by single values."""
    found: dict[str | None, tuple[int, int, int]] = {}
    for value, n, n_bytes, sized in rows:
        for one in [None] if value is None else values(value):
            key = None if one is None else str(one)
            before = found.get(key, (0, 0, 0))
            found[key] = (before[0] + n, before[1] + int(n_bytes or 0), before[2] + sized)
    return [
        Count(value=key, datasets=n, n_bytes=n_bytes, sized=sized)
        for key, (n, n_bytes, sized) in found.items()
    ]


def _rank(counted: Count) -> tuple[bool, bool, int, str]:
    """Order numbers by size, then words, then what is unknown."""
    value = counted.value
    if value is None:
        return (True, True, 0, "")
    return (False, not value.isdigit(), int(value) if value.isdigit() else 0, value)
