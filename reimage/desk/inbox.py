"""The inbox: what goes wrong, how often and since when, how it stands, and what fixing it recovers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from reimage.desk import standing
from reimage.desk.standing import Said, Standing
from reimage.store import inbox as store
from reimage.store import inbox_sums, inbox_told, sweeps
from reimage.store.desk_tables import ErrorClass
from reimage.store.inbox import Blocked
from reimage.store.inbox_asked import Asked
from reimage.store.inbox_groups import Group
from reimage.store.inbox_sums import Total
from reimage.store.inbox_told import Example, Noted
from reimage.store.session import Database

WITHOUT_SUCCESS = frozenset({"class", "family", "signature", "day"})
"""Groupings of failures alone: no share of the runs that are done can be told."""


_Key: TypeAlias = tuple[str, bool]
"""Of a group: what it is of, and whether it was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What fixing a group recovers."""

    datasets: int
    cpu_h: float | None
    """CPU hours that running them again takes: by category the mean of the runs that came to their end (of all
    categories, where there is none); None when no run did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A group of failures in the inbox."""

    group: Group
    share: float
    """Of all failures that were asked for, from 0 to 1; 0 for what was refused."""
    rate: float | None
    """Of the runs that are done; None where groups are of failures alone, or filtered."""
    standing: Standing
    recovers: Recovery
    title: str | None = None
    family: str | None = None
    remedy: str | None = None
    fault: str | None = None
    url: str | None = None
    example: Example | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The groups of failures that were asked for."""

    lines: tuple[Line, ...]
    """What blocks most datasets first."""
    refused: tuple[Line, ...]
    """Not applicable by rule: no failures."""
    total: Total
    hidden: int
    """Groups that are snoozed or resolved, and not told."""
    more: bool
    """There are more groups than were asked for."""
    histogram: Mapping[int, int] = field(default_factory=dict)
    """Runs that failed, by the number of the day (`reimage.desk.standing.day_of`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the lines are made of, as the store has it."""

    total: Total
    days: Mapping[str, Mapping[int, int]]
    blocked: Mapping[str, Blocked]
    cost: Mapping[str, tuple[int, float]]
    noted: Mapping[str, Noted]
    declared: Mapping[str, ErrorClass]
    done: Mapping[str, int]
    examples: Mapping[_Key, Example]


def read(
    database: Database,
    asked: Asked,
    now: datetime,
    *,
    limit: int | None = None,
    all_of_them: bool = False,
    histogram_days: int = 0,
) -> Inbox:
    """Return the inbox.

    Parameters
    ----------
    limit
        Lines at most, of what failed and of what was refused.
    all_of_them
        Tell also what is snoozed or resolved.
    histogram_days
        Days that are counted besides, all groups together.

    Raises
    ------
    GroupingUnknown, FilterMalformed, SweepUnknown
    """
    with database.read() as session:
        if asked.sweep is not None:
            sweeps.find(session, asked.sweep)
        # Those that people spoke of may be hidden; and one more tells that there are more.
        most = None if limit is None else limit + 1 + inbox_told.n_noted(session)
        groups = store.groups(session, asked, now, most)
        told = groups if most is None else _cut(groups, most)
        facts = _read(session, asked, groups, told, now)
        since = standing.day_number(now) - histogram_days + 1
        histogram = store.histogram(session, asked, since) if histogram_days else {}
    lines = [_line(group, facts, now) for group in told]
    shown = [line for line in lines if all_of_them or not line.standing.is_quiet]
    failed = [line for line in shown if not line.group.refused]
    refused = [line for line in shown if line.group.refused]
    cut = slice(limit)
    return Inbox(
        lines=tuple(failed[cut]),
        refused=tuple(refused[cut]),
        total=facts.total,
        hidden=len({line.group.key for line in lines} - {line.group.key for line in shown}),
        more=limit is not None and max(len(failed), len(refused)) > limit,
        histogram=histogram,
    )


def _cut(groups: Sequence[Group], limit: int) -> list[Group]:
    """Return the first groups, of what failed and of what was refused."""
    failed = [group for group in groups if not group.refused]
    return failed[:limit] + [group for group in groups if group.refused][:limit]


def _read(
    session: Session, asked: Asked, groups: Sequence[Group], told: Sequence[Group], now: datetime
) -> _Read:
    keys = [group.key for group in told]
    since = standing.day_number(now) - standing.WEEKS * standing.WEEK + 1
    blocked = store.blocked(session, asked, keys)
    has_rate = asked.by not in WITHOUT_SUCCESS and not asked.is_narrow
    named = keys if asked.by in {"class", "signature"} else []
    return _Read(
        total=store.total(session, asked, groups),
        days=store.days(session, asked, keys, since),
        blocked=blocked,
        cost=inbox_sums.cost(session),
        noted=inbox_told.noted(session, named),
        declared=inbox_told.declared(session) if asked.by == "class" else {},
        done=inbox_sums.done(session, asked.by, keys) if has_rate else {},
        examples=_examples(session, asked, told, blocked),
    )


def _examples(
    session: Session, asked: Asked, told: Sequence[Group], blocked: Mapping[str, Blocked]
) -> dict[_Key, Example]:
    """Return a failure of each group: the newest that blocks, else the newest where that is known."""
    ids: dict[_Key, int] = {}
    for group in told:
        held = None if group.refused else blocked.get(group.key)
        newest = held.newest if held is not None else group.newest
        if newest is not None:
            ids[group.key, group.refused] = newest
    lacking = [(group.key, group.refused) for group in told]
    lacking = [key for key in lacking if key not in ids]
    newest_of = inbox_told.newest(session, asked.by, [key for key, _ in lacking])
    ids |= {key: newest_of[key[0]] for key in lacking if key[0] in newest_of}
    found = inbox_told.examples(session, ids.values())
    return {key: found[one] for key, one in ids.items() if one in found}


def _line(group: Group, facts: _Read, now: datetime) -> Line:
    class_ = facts.declared.get(group.key)
    said = facts.noted.get(group.key)
    done = facts.done.get(group.key)
    is_failure = not group.refused
    days = facts.days.get(group.key, {}) if is_failure else {}
    return Line(
        group=group,
        share=group.runs / facts.total.runs if is_failure and facts.total.runs else 0.0,
        rate=group.runs / done if is_failure and done else None,
        standing=standing.judge(group.first_at, group.last_at, days, now, _said(said)),
        recovers=_recovery(group, facts.blocked.get(group.key), facts.cost),
        title=class_.title if class_ else None,
        family=class_.family if class_ else None,
        remedy=class_.remedy if class_ else None,
        fault=class_.fault if class_ else None,
        url=said.url if said else None,
        example=facts.examples.get((group.key, group.refused)),
    )


def _recovery(
    group: Group, blocked: Blocked | None, cost: Mapping[str, tuple[int, float]]
) -> Recovery:
    if group.refused:
        return Recovery(datasets=0, cpu_h=None)
    if blocked is None:
        return Recovery(datasets=group.datasets, cpu_h=None if group.datasets else 0.0)
    overall = _mean(cost.values())
    means = {name: _mean([cost[name]]) if name in cost else overall for name in blocked.categories}
    hours = [
        n * mean / 3600 if (mean := means[name]) is not None else None
        for name, n in blocked.categories.items()
    ]
    known = [one for one in hours if one is not None]
    return Recovery(datasets=group.datasets, cpu_h=sum(known) if len(known) == len(hours) else None)


def _mean(sums: Iterable[tuple[int, float]]) -> float | None:
    runs, cpu_s = 0, 0.0
    for n, seconds in sums:
        runs, cpu_s = runs + n, cpu_s + seconds
    return cpu_s / runs if runs else None


def _said(noted: Noted | None) -> Said | None:
    if noted is None:
        return None
    return Said(
        resolved_in=noted.resolved_in,
        resolved_at=noted.resolved_at,
        snoozed_until=noted.snoozed_until,
        snoozed_runs=noted.snoozed_runs,
        runs_since_snoozed=noted.runs_since_snoozed,
    )
