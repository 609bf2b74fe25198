"""The shapes of ``--json`` for the inbox of failures and for questions asked of the run database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reimage import SCHEMA_VERSION
from reimage.model import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureShare:
    """Runs that ended in the same way."""

    by: str
    key: str
    result: Result
    """The commonest of the group's."""
    results: Mapping[str, Any]
    """How many runs ended with each result."""
    datasets: int
    """How many datasets it blocks now: their latest run ended so.  Fixing it recovers them."""
    runs: int
    share: float
    """Of the runs of all groups that are failures, from 0 to 1; 0 for what was refused."""
    rate: float | None
    """Of the runs that are done, from 0 to 1; null where groups are of failures alone, or filtered."""
    cpu_h: float
    """CPU hours that the runs burnt."""
    recovery_cpu_h: float | None
    """CPU hours that running what it blocks again takes, from the mean of the runs of the same categories that
    came to their end; null when there are none."""
    first_at: datetime
    last_at: datetime
    weeks: tuple[int, ...]
    """Runs in each of the last eight weeks, the oldest first."""
    trend: str
    """``rising``, ``falling``, ``steady`` or ``quiet``: the last week beside the four before."""
    state: str
    """``new``, ``ongoing``, ``escalating``, ``regressed``, ``resolved`` or ``snoozed``."""
    state_detail: str
    """In which version it was resolved, until when it is snoozed."""
    url: str | None
    """Of its ticket."""
    example: str | None
    """The newest run that it blocks, or that ended so."""
    example_failure: int | None
    """The number of that run's failure: ``#12`` names it."""
    decisive: str | None
    """What that run said."""
    title: str | None
    family: str | None
    fault: str | None
    """Who must act."""
    remedy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureTotal:
    """All failures that were asked for."""

    runs: int
    datasets: int
    """That are blocked now."""
    cpu_h: float
    done: int | None
    """Runs that are done, whatever came of them; null where failures are filtered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Runs that failed on one day."""

    day: str
    """In UTC."""
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """``reimage failures``: the group that blocks most datasets first; what was refused apart."""

    schema: int = SCHEMA_VERSION
    failures: tuple[FailureShare, ...]
    refused: tuple[FailureShare, ...]
    total: FailureTotal
    hidden: int
    """Groups that are snoozed or resolved, told with ``--all``."""
    more: bool
    """There are more groups than ``--limit`` lets through."""
    histogram: tuple[DayCount, ...]
    """With ``--histogram``: by day, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuestion:
    """A question that can be asked by its name."""

    name: str
    title: str
    meaning: str
    parameters: Mapping[str, Any]
    """With their values where none is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuestions:
    """``reimage failures query --list``: the questions that are saved."""

    schema: int = SCHEMA_VERSION
    questions: tuple[SavedQuestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``reimage failures query``: what the run database answered."""

    schema: int = SCHEMA_VERSION
    question: str | None
    """The question's name; null for SQL of one's own."""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool
    """There are more rows than ``--rows`` lets through."""
    wall_s: float
