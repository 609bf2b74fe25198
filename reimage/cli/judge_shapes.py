"""The shapes of ``--json`` for judging: logs that are brought, history judged again, rules looked after.

As for all shapes: fields are added, never renamed or removed, within a schema version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reimage import SCHEMA_VERSION
from reimage.desk.auditing import Question
from reimage.desk.drafting import Line
from reimage.desk.judging import ClassChange, Classified, Unreadable
from reimage.desk.preview import Taken
from reimage.desk.triage_quality import Quality
from reimage.model import Result, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A class that holds, and where that was seen first."""

    error_class: str
    source: str
    """A file, or ``fault``, ``supervisor``, ``plan`` for what is known without a log."""
    text: str
    at: datetime | None
    stage: Stage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What something that was brought is taken for."""

    path: str | None
    """None: all of it together."""
    kind: str
    """``log``, ``logs``, ``run``, ``evidence``, or ``together``."""
    result: Result | None
    """Of a run; a log has none."""
    error_class: str | None
    """An id, ``unclassified``, or null for a run that is imaged."""
    family: str | None
    title: str
    root: Seen | None
    symptoms: tuple[Seen, ...]
    signature: str | None
    masked: str | None
    """What the signature is of: the decisive message without what is one dataset's own."""
    decisive: str | None
    remedy: str
    fix: str | None
    fault: str | None
    """Who must act."""
    advice: str
    notes: tuple[str, ...]
    """What makes it less sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """``reimage triage``: one judgement for each path, and one of all together."""

    schema: int = SCHEMA_VERSION
    judged: tuple[Verdict, ...]
    together: Verdict
    """The judgement itself where one thing was brought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """``reimage failures classify``: what a person's judgement changed."""

    schema: int = SCHEMA_VERSION
    classified: Classified


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassified:
    """``reimage failures reclassify``: what today's classes change."""

    schema: int = SCHEMA_VERSION
    dry_run: bool
    recorded: int
    """Judgements that were written; 0 with ``--dry-run``."""
    judged: int
    same: int
    by_people: int
    """Left as a person judged them."""
    other_result: int
    """Would have another result, too, by today's rules; a result is never changed."""
    unreadable: int
    """Left, since their evidence is missing or cannot be read."""
    unreadable_ones: tuple[Unreadable, ...]
    """The first of them."""
    changes: tuple[ClassChange, ...]
    """Largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedClass:
    """``reimage failures new-class``: a drafted error class, and what it would match in history."""

    schema: int = SCHEMA_VERSION
    id: str
    family: str
    run: str
    attempt: int
    pattern: str
    text: str
    """Of its file."""
    file: str | None
    """Where it was saved; null without ``--save``."""
    lines: tuple[Line, ...]
    """What could be drafted from."""
    looked: int
    """Failures of history that it was held against, the newest."""
    of: int
    """All there are."""
    unreadable: int
    taken: tuple[Taken, ...]
    """By the class that they have now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSample:
    """``reimage failures audit``: judgements to confirm or refute; with answers filled in, `--answers` reads it."""

    schema: int = SCHEMA_VERSION
    seed: int
    questions: tuple[Question, ...]
    recorded: int = 0
    """Answers that were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """``reimage failures audit --report``: how good the triage is."""

    schema: int = SCHEMA_VERSION
    quality: Quality
