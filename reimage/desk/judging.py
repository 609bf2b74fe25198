"""Judge failures again, by today's classes or by a person: one more judgement each, none overwritten.

What would change is written to a spool first, so that a person sees it before it is recorded, and so
that a history of any length fits into memory.  What was recorded before an interruption stays; called
again, it goes on with the rest.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reimage import mirror
from reimage.desk import acts, naming
from reimage.desk.judges import Judges
from reimage.errors import UsageError
from reimage.run import Judgement
from reimage.settings import Settings
from reimage.store import judged
from reimage.store.judged import JudgedFailure, Which
from reimage.store.session import Database
from reimage.triage.catalogue import ErrorClass
from reimage.triage.lookup import find_class
from reimage.triage.rejudging import Stored, Unjudged

EVENT = "failures.judged"
BATCH = 500
"""Judgements in one line of the ledger."""
MOST_TOLD = 20
"""Failures told by name where they could not be judged."""
_RULE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*@(?:\d+|sv\d+|[0-9a-f]{8,64})")


def is_rule(author: str) -> bool:
    """Whether a judgement's author is a rule (``<class>@<version>``), not a person."""
    return author == "none" or _RULE.fullmatch(author) is not None


def evidence_path(settings: Settings, failure: JudgedFailure) -> Path:
    """Return where the evidence of a failure is kept."""
    directory = settings.data / failure.directory
    return directory / "evidence" / f"attempt-{failure.attempt}.json"


# --- by a person -----------------------------------------------------------------------------------


class ReasonMissing(UsageError):
    """A person judges and does not say why."""

    code = "reason-missing"
    hint = "Say what you know: --why TEXT.  Whoever reads the judgement next year has nothing else."


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """What a person's judgement changed."""

    run: str
    attempt: int
    before: str
    after: str
    signature: str | None


def classify(
    settings: Settings,
    database: Database,
    name: str,
    error_class: str,
    classes: Sequence[ErrorClass],
    *,
    why: str,
    author: str,
    at: datetime,
) -> Classified:
    """Give a failure the class that a person says it has; no rule takes that back.

    Raises
    ------
    FailureUnknown, RunUnknown, ErrorClassUnknown, ReasonMissing
    """
    if not why.strip():
        raise ReasonMissing("a judgement without a reason")
    wanted = find_class(classes, error_class).id
    with database.read() as session:
        failure = naming.failure(session, settings.holding, name)
    mirror.error_classes(database, classes, at)
    kept = Judgement(
        result=failure.result,
        error_class=wanted,
        signature=failure.signature,
        rule=author,
        decisive=failure.decisive,
    )
    acts.record(
        settings,
        database,
        EVENT,
        author=author,
        reason=why,
        at=at,
        subject=failure.run,
        judgements=[_line(failure, kept)],
        why=why,
    )
    return Classified(
        run=failure.run,
        attempt=failure.attempt,
        before=failure.error_class,
        after=wanted,
        signature=failure.signature,
    )


# --- by today's classes ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChange:
    """Failures that would go from one class to another, or from one signature to another within it."""

    before: str
    after: str
    failures: int
    runs: int
    """Those among them that ended a run; the others were followed by another attempt."""
    datasets: int
    """Blocked now."""
    example: str
    """A run."""
    decisive: str | None
    """What the newest judgement of the example rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A failure whose evidence is missing or unreadable."""

    run: str
    attempt: int
    reason: str


@dataclass(slots=True, kw_only=True)
class Survey:
    """What judging again would change."""

    judged: int = 0
    same: int = 0
    by_people: int = 0
    """Left, since a person had judged them."""
    unreadable: int = 0
    told: list[Unreadable] = field(default_factory=list)
    """The first of the unreadable ones."""
    other_result: int = 0
    """Would also have another result by today's rules; results are never changed."""
    changes: dict[tuple[str, str], ClassChange] = field(default_factory=dict)

    @property
    def n_changes(self) -> int:
        """How many failures would be judged otherwise."""
        return sum(change.failures for change in self.changes.values())

    def ordered(self) -> tuple[ClassChange, ...]:
        """Return the changes, the largest first."""
        found = self.changes.values()
        return tuple(sorted(found, key=lambda one: (-one.failures, one.before, one.after)))

    def add(self, failure: JudgedFailure, today: Judgement) -> None:
        """Count one failure that is judged otherwise today."""
        key = (failure.error_class, today.error_class or "")
        known = self.changes.get(key)
        self.changes[key] = ClassChange(
            before=key[0],
            after=key[1],
            failures=1 + (known.failures if known else 0),
            runs=failure.final + (known.runs if known else 0),
            datasets=failure.blocking + (known.datasets if known else 0),
            example=known.example if known else failure.run,
            decisive=known.decisive if known else today.decisive,
        )


class Reclassification:
    """Judges stored failures by today's classes and keeps what differs; a context manager (its spool)."""

    def __init__(
        self, settings: Settings, database: Database, classes: Sequence[ErrorClass]
    ) -> None:
        self._settings, self._database, self._classes = settings, database, tuple(classes)
        self._spool = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 -- closed by __exit__
        self.survey = Survey()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close()

    def look(
        self,
        which: Which,
        *,
        also_people: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Survey:
        """Judge what is meant; write nothing but the spool."""
        with self._database.read() as session:
            n = judged.count(session, which)
        done = 0
        with Judges(self._classes, processes=self._settings.slots, n_failures=n) as judges:
            for page in self._pages(which):
                asked = [one for one in page if also_people or is_rule(one.author)]
                self.survey.by_people += len(page) - len(asked)
                stored = [self._stored(one) for one in asked]
                for failure, today in zip(asked, judges.judge(stored), strict=True):
                    self._take(failure, today)
                done += len(page)
                progress(done, n)
        return self.survey

    def record(self, *, author: str, why: str, at: datetime) -> int:
        """Record what `look` found, `BATCH` at a time; return how many judgements that were."""
        mirror.error_classes(self._database, self._classes, at)
        recorded = 0
        for lines in self._batches():
            acts.record(
                self._settings,
                self._database,
                EVENT,
                author=author,
                reason=why,
                at=at,
                judgements=lines,
                why=why,
            )
            recorded += len(lines)
        return recorded

    def _pages(self, which: Which) -> Iterator[tuple[JudgedFailure, ...]]:
        with self._database.read() as session:
            yield from judged.pages(session, which)

    def _stored(self, failure: JudgedFailure) -> Stored:
        path = evidence_path(self._settings, failure)
        return Stored(path=path, result=failure.result, caveats=failure.caveats)

    def _take(self, failure: JudgedFailure, today: Judgement | Unjudged) -> None:
        if isinstance(today, Unjudged):
            self.survey.unreadable += 1
            if len(self.survey.told) < MOST_TOLD:
                self.survey.told.append(
                    Unreadable(run=failure.run, attempt=failure.attempt, reason=today.reason)
                )
            return
        self.survey.judged += 1
        self.survey.other_result += today.result is not failure.result
        now = (today.error_class, today.signature)
        if today.error_class is None or now == (failure.error_class, failure.signature):
            self.survey.same += 1
            return
        self.survey.add(failure, today)
        self._spool.write(json.dumps(_line(failure, today)) + "\n")

    def _batches(self) -> Iterator[list[dict[str, Any]]]:
        self._spool.seek(0)
        lines: list[dict[str, Any]] = []
        for text in self._spool:
            lines.append(json.loads(text))
            if len(lines) == BATCH:
                yield lines
                lines = []
        if lines:
            yield lines


def _line(failure: JudgedFailure, today: Judgement) -> dict[str, Any]:
    """Return one judgement as the ledger keeps it."""
    return {
        "run": failure.run,
        "attempt": failure.attempt,
        "error_class": today.error_class,
        "signature": today.signature,
        "decisive": today.decisive,
        "symptoms": list(today.symptoms),
        "author": today.rule,
    }
