"""How a group of failures stands: new, ongoing, escalating, come back, resolved, snoozed; and its trend.  Pure.

The last seven days are held against a forecast from the 28 days before.  Failures that come by themselves at
a steady rate are counts of Poisson; with ``m`` of them in 28 days (and Jeffreys' prior, since ``m`` may be 0),
those of seven days follow a negative binomial distribution of ``m + 1/2`` and 28/35.  More than its 99 % point
is more than chance explains: the group escalates.  Of a hundred steady groups one is called so each week.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache

WEEK, BEFORE = 7, 28
"""Days that are looked at, and days that they are forecast from."""
CHANCE = 0.01
WEEKS = 8
"""Of a trend that is drawn."""
_EPOCH = date(1970, 1, 1).toordinal()
_BARS = "▁▂▃▄▅▆▇█"


class Phase(StrEnum):
    """What a group of failures asks of a person."""

    NEW = "new"
    """First seen within seven days."""
    ONGOING = "ongoing"
    ESCALATING = "escalating"
    """More in seven days than the four weeks before let expect."""
    REGRESSED = "regressed"
    """It was resolved, and runs failed with it after that."""
    RESOLVED = "resolved"
    SNOOZED = "snoozed"
    """Somebody wants to hear nothing of it until a day, or until so many runs more have failed."""


class Trend(StrEnum):
    """Where the counts of a group go."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    QUIET = "quiet"
    """None in five weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What people said of a group."""

    resolved_in: str | None = None
    resolved_at: datetime | None = None
    snoozed_until: datetime | None = None
    snoozed_runs: int | None = None
    runs_since_snoozed: int = 0
    """Runs that failed with it since somebody snoozed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a group of failures stands."""

    phase: Phase
    detail: str
    """In which version it was resolved, until when it is snoozed; else empty."""
    trend: Trend
    weeks: tuple[int, ...]
    """Runs in each of the last weeks, the oldest first."""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody need look at it now."""
        return self.phase in {Phase.RESOLVED, Phase.SNOOZED}


def judge(
    first_at: datetime,
    last_at: datetime,
    days: Mapping[int, int],
    now: datetime,
    said: Said | None = None,
) -> Standing:
    """Say how a group stands.

    Parameters
    ----------
    days
        Runs that failed on each day, by its number (`day_number`); what is older than `WEEKS` weeks
        need not be there.
    """
    today = day_number(now)
    phase, detail = _phase(first_at, last_at, days, now, said or Said())
    return Standing(
        phase=phase, detail=detail, trend=_trend(days, today), weeks=_by_week(days, today)
    )


def day_number(at: datetime) -> int:
    """Return the number of a moment's day: days since 1970-01-01, in UTC."""
    return at.astimezone(UTC).date().toordinal() - _EPOCH


def day_of(number: int) -> date:
    """Return the day of a number."""
    return date.fromordinal(number + _EPOCH)


def forecast(earlier: int) -> int:
    """Return how many failures a week may have by chance, from how many the 28 days before had."""
    return _quantile(earlier, 1 - CHANCE)


def fewest(earlier: int) -> int:
    """Return how few failures a week may have by chance."""
    return _quantile(earlier, CHANCE)


def bars(counts: tuple[int, ...]) -> str:
    """Return counts as a line of bars; a blank where there is nothing."""
    most = max(counts, default=0)
    return "".join(_BARS[min(n * len(_BARS) // most, len(_BARS) - 1)] if n else " " for n in counts)


def _phase(
    first_at: datetime, last_at: datetime, days: Mapping[int, int], now: datetime, said: Said
) -> tuple[Phase, str]:
    if said.resolved_at is not None and last_at <= said.resolved_at:
        return Phase.RESOLVED, said.resolved_in or ""
    if _sleeps(said, now):
        return Phase.SNOOZED, _until(said)
    if said.resolved_at is not None:
        return Phase.REGRESSED, said.resolved_in or ""
    if day_number(now) - day_number(first_at) < WEEK:
        return Phase.NEW, ""
    week, before = _compared(days, day_number(now))
    return (Phase.ESCALATING if week > forecast(before) else Phase.ONGOING), ""


def _sleeps(said: Said, now: datetime) -> bool:
    """Whether a group is snoozed still: neither its day has come nor its number of runs."""
    if said.snoozed_until is None and said.snoozed_runs is None:
        return False
    has_come = said.snoozed_until is not None and now >= said.snoozed_until
    is_full = said.snoozed_runs is not None and said.runs_since_snoozed >= said.snoozed_runs
    return not has_come and not is_full


def _until(said: Said) -> str:
    told = []
    if said.snoozed_until is not None:
        told.append(f"until {said.snoozed_until.astimezone(UTC):%Y-%m-%d}")
    if said.snoozed_runs is not None:
        told.append(f"{said.runs_since_snoozed} of {said.snoozed_runs} runs")
    return ", ".join(told)


def _trend(days: Mapping[int, int], today: int) -> Trend:
    week, before = _compared(days, today)
    if not week and not before:
        return Trend.QUIET
    if week > forecast(before):
        return Trend.RISING
    return Trend.FALLING if week < fewest(before) else Trend.STEADY


def _compared(days: Mapping[int, int], today: int) -> tuple[int, int]:
    """Return how many failed in the last seven days, and in the 28 before."""
    week = sum(days.get(today - ago, 0) for ago in range(WEEK))
    return week, sum(days.get(today - ago, 0) for ago in range(WEEK, WEEK + BEFORE))


def _by_week(days: Mapping[int, int], today: int) -> tuple[int, ...]:
    return tuple(
        sum(days.get(today - ago, 0) for ago in range(WEEK * back, WEEK * (back + 1)))
        for back in reversed(range(WEEKS))
    )


@lru_cache(maxsize=4096)
def _quantile(earlier: int, share: float) -> int:
    """Return the least count that so large a share of weeks does not exceed."""
    below = 0.0
    for count, chance in _chances(earlier):
        below += chance
        if below >= share:
            return count
    raise AssertionError("chances that do not sum to one")


def _chances(earlier: int) -> Iterator[tuple[int, float]]:
    """Return how likely each count of a week is; below ten standard deviations it is nothing."""
    size, ours = earlier + 0.5, WEEK / (WEEK + BEFORE)
    mean = size * WEEK / BEFORE
    spread = math.sqrt(mean / (1 - ours))
    first, last = max(0, int(mean - 10 * spread)), int(mean + 40 * spread) + 100
    chance = math.exp(
        math.lgamma(first + size)
        - math.lgamma(size)
        - math.lgamma(first + 1)
        + size * math.log1p(-ours)
        + first * math.log(ours)
    )
    for count in range(first, last):
        yield count, chance
        chance *= (count + size) / (count + 1) * ours
