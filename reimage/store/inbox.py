"""The inbox of the failure desk: how runs fail, in groups, from the sums or (filtered) from the failures.

The sums (`reimage.store.inbox_sums`) answer in milliseconds whatever the number of runs; a filter that they know
nothing of is answered from the failures themselves (`reimage.store.inbox_rows`).  Both tell the same groups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from reimage.store import inbox_rows, inbox_sums
from reimage.store.desk_tables import Failure
from reimage.store.inbox_asked import NOTHING, UNCLASSIFIED, Asked, joined
from reimage.store.inbox_groups import Group
from reimage.store.inbox_rows import EPOCH
from reimage.store.inbox_sums import IN_A_LIST, Total
from reimage.store.inbox_told import families

DAYS_SHOWN = 60
"""Days that are told by day, where no other beginning is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """What a group blocks now."""

    categories: Mapping[str, int]
    """Datasets by category."""
    newest: int
    """Id of the newest failure that blocks."""


def groups(
    session: Session, asked: Asked, now: datetime, limit: int | None = None
) -> tuple[Group, ...]:
    """Return how runs fail, the group that blocks most datasets first; what was refused comes too.

    ``limit`` is a hint where sums are read: at least as many groups are right, more may come.

    Raises
    ------
    GroupingUnknown, FilterMalformed
    """
    by_family = asked.by == "family"
    if _is_of_signatures(asked):
        found = inbox_sums.unclassified(session, limit)
    elif asked.is_narrow:
        found = inbox_rows.groups(session, asked)
    elif asked.by == "day":
        found = inbox_sums.by_day(session, (now - EPOCH).days - DAYS_SHOWN)
    else:
        asked.column()  # refuses what is no grouping
        found = inbox_sums.groups(session, _axis(asked), None if by_family else limit)
    if by_family:
        found = found.gathered(families(session), UNCLASSIFIED)
    return found.in_order()


def total(session: Session, asked: Asked, found: Sequence[Group]) -> Total:
    """Return all failures that are asked for; ``found``: the groups, where failures are filtered."""
    if not asked.is_narrow:
        return inbox_sums.total(session)
    failed = [group for group in found if not group.refused]
    return Total(
        runs=sum(group.runs for group in failed),
        datasets=sum(group.datasets for group in failed),
        cpu_s=sum(group.cpu_s for group in failed),
        done=None,
    )


def days(
    session: Session, asked: Asked, keys: Collection[str], since_day: int
) -> dict[str, dict[int, int]]:
    """Return how many runs failed on each day, by group; no older than a day."""
    if asked.by == "day" or not keys:
        return {}
    wanted = None if asked.by == "family" else keys
    if asked.is_narrow and not _is_of_signatures(asked):
        found = inbox_rows.days(session, asked, wanted, since_day)
    else:
        found = inbox_sums.days(session, _axis(asked), since_day, wanted)
    if asked.by != "family":
        return found
    into = families(session)
    together: dict[str, dict[int, int]] = {}
    for name, counts in found.items():
        _add(together.setdefault(into.get(name, UNCLASSIFIED), {}), counts)
    return together


def histogram(session: Session, asked: Asked, since_day: int) -> dict[int, int]:
    """Return how many runs failed on each day, in all groups together."""
    if asked.is_narrow:
        found = inbox_rows.days(session, replace(asked, by="recipe"), None, since_day)
    else:
        found = inbox_sums.days(session, inbox_sums.ONE_EACH, since_day, None)
    counts: dict[int, int] = {}
    for one in found.values():
        _add(counts, one)
    return counts


def blocked(session: Session, asked: Asked, keys: Collection[str]) -> dict[str, Blocked]:
    """Return what groups block now, by category; of those with some keys, where that saves work."""
    if asked.by == "day":
        return {}
    key = asked.column()
    category: ColumnElement[Any] = Failure.category.expression
    columns = [key, category, func.count(Failure.id), func.max(Failure.id)]
    conditions = [*asked.narrowing(), *inbox_rows.blocking()]  # what blocks is final
    if asked.by == "signature" and len(keys) <= IN_A_LIST:
        conditions.append(
            key.in_(keys)
        )  # on the expression: what blocks is less than what has a signature
    into = families(session) if asked.by == "family" else None
    found: dict[str, tuple[dict[str, int], int]] = {}
    statement = joined(columns, conditions).group_by(key, category)
    for entry, name, n, last in session.execute(statement):
        for one in inbox_rows.entries(asked, entry):
            place = one if into is None else into.get(one, UNCLASSIFIED)
            counts, before = found.get(place, ({}, 0))
            counts[name or NOTHING] = counts.get(name or NOTHING, 0) + n
            found[place] = counts, max(before, last)
    return {one: Blocked(categories=counts, newest=last) for one, (counts, last) in found.items()}


def _is_of_signatures(asked: Asked) -> bool:
    """Whether just the signatures of what no class matches are asked for, which sums tell."""
    alone = not replace(asked, unclassified=False).is_narrow
    return asked.unclassified and asked.by == "signature" and alone


def _axis(asked: Asked) -> str:
    return "class" if asked.by == "family" else asked.by


def _add(counts: dict[int, int], more: Mapping[int, int]) -> None:
    for day, n in more.items():
        counts[day] = counts.get(day, 0) + n
