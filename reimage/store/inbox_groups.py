"""Groups of runs that ended without an image, as they are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reimage.model import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Runs of one group and one result."""

    result: Result
    runs: int
    datasets: int
    cpu_s: float
    first_at: datetime
    last_at: datetime
    newest: int | None = None
    """Id of the newest failure, where it was counted."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Runs that ended in the same way."""

    key: str
    refused: bool
    """Not applicable by rule: no failure."""
    first_at: datetime
    last_at: datetime
    results: dict[Result, int] = field(default_factory=dict)
    """How many runs ended with each."""
    runs: int = 0
    datasets: int = 0
    """How many it blocks now: their newest run that is done ended so."""
    cpu_s: float = 0.0
    """Burnt by the runs, all their attempts together."""
    newest: int | None = None
    """Id of the newest failure, where it was counted."""

    @property
    def result(self) -> Result:
        """The commonest result."""
        return max(self.results, key=lambda result: (self.results[result], result.value))

    def add(self, part: Part) -> None:
        """Take in more runs."""
        self.results[part.result] = self.results.get(part.result, 0) + part.runs
        self.runs += part.runs
        self.datasets += part.datasets
        self.cpu_s += part.cpu_s
        self.first_at = min(self.first_at, part.first_at)
        self.last_at = max(self.last_at, part.last_at)
        self.newest = max(filter(None, (self.newest, part.newest)), default=None)

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts what fixing recovers most first."""
        return (-self.datasets, -self.runs, self.key)


class Groups:
    """Groups by key, those that were refused apart."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, bool], Group] = {}

    def add(self, key: str, part: Part) -> None:
        """Take in runs."""
        is_refused = part.result is Result.REFUSED
        group = self._found.get((key, is_refused))
        if group is None:
            group = self._found[key, is_refused] = Group(
                key=key, refused=is_refused, first_at=part.first_at, last_at=part.last_at
            )
        group.add(part)

    def in_order(self) -> tuple[Group, ...]:
        """Return the groups, what blocks most datasets first."""
        return tuple(sorted(self._found.values(), key=lambda group: group.rank))

    def gathered(self, into: Mapping[str, str], otherwise: str) -> Groups:
        """Return the groups put together under other names: error classes in families."""
        found = Groups()
        for group in self._found.values():
            for result, runs in group.results.items():
                is_first = result == next(iter(group.results))
                part = Part(
                    result=result,
                    runs=runs,
                    datasets=group.datasets if is_first else 0,
                    cpu_s=group.cpu_s if is_first else 0.0,
                    first_at=group.first_at,
                    last_at=group.last_at,
                    newest=group.newest,
                )
                found.add(into.get(group.key, otherwise), part)
        return found
