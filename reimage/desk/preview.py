"""What a new error class would match in history, told before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reimage.desk.drafting import said
from reimage.desk.judging import evidence_path
from reimage.errors import DocumentUnreadable
from reimage.settings import Settings
from reimage.store import judged
from reimage.store.judged import JudgedFailure
from reimage.store.session import Database
from reimage.triage import rejudging, rules
from reimage.triage.catalogue import ErrorClass
from reimage.triage.evidence import Evidence

HISTORY = 2000
"""Failures that a draft is held against, unless more are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Failures of one present class in which the draft finds its line."""

    error_class: str
    """As it stands now."""
    failures: int
    moved: int
    """Those that would become the draft's; in the others something else is the root."""
    datasets: int
    """Blocked now, among those that would move."""
    example: str
    """A run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a draft would match in history."""

    looked: int
    """The newest failures."""
    of: int
    """All there are."""
    unreadable: int
    taken: tuple[Taken, ...]


def preview(
    settings: Settings,
    database: Database,
    made: ErrorClass,
    classes: Sequence[ErrorClass],
    *,
    history: int = HISTORY,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Preview:
    """Hold a draft against the newest failures of history."""
    counted: dict[str, Taken] = {}
    looked = unreadable = 0
    with database.read() as session:
        n = judged.count(session, judged.Which())
        for page in judged.newest(session, history):
            for failure in page:
                try:
                    evidence = rejudging.read(evidence_path(settings, failure))
                except DocumentUnreadable:
                    unreadable += 1
                    continue
                if rules.find(said(evidence), (made,)):
                    _take(counted, failure, evidence, made, classes)
            looked += len(page)
            progress(looked, min(n, history))
    taken = sorted(counted.values(), key=lambda one: (-one.failures, one.error_class))
    return Preview(looked=looked, of=n, unreadable=unreadable, taken=tuple(taken))


def _take(
    counted: dict[str, Taken],
    failure: JudgedFailure,
    evidence: Evidence,
    made: ErrorClass,
    classes: Sequence[ErrorClass],
) -> None:
    then = rejudging.rejudge(evidence, failure.result, failure.caveats, (*classes, made))
    moves = then.error_class == made.id
    known = counted.get(failure.error_class)
    counted[failure.error_class] = Taken(
        error_class=failure.error_class,
        failures=1 + (known.failures if known else 0),
        moved=moves + (known.moved if known else 0),
        datasets=(moves and failure.blocking) + (known.datasets if known else 0),
        example=known.example if known else failure.run,
    )
