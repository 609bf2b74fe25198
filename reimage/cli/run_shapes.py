"""The shapes of ``--json`` for what was done: runs, sweeps, failures, products.

A reader prints one object: ``schema`` and one key that says what is in it.  Fields are added, never
renamed or removed, within a schema version (ops/guide/reference/json.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reimage import SCHEMA_VERSION
from reimage.imaging.image_summary import ImageSummary
from reimage.model import Product, Result, Stage
from reimage.store.acts import NoteRow
from reimage.store.rows import (
    AttemptRow,
    ClassificationRow,
    DecisionRow,
    EventRow,
    EvidenceRow,
    FailureRow,
    ProductRow,
    RunRow,
    StageRow,
    StateCount,
    SweepRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """``reimage status``: runs, newest first."""

    schema: int = SCHEMA_VERSION
    runs: tuple[RunRow, ...]
    counts: tuple[StateCount, ...]
    """How many runs there are in each state, with each result, whatever the filters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """``reimage run`` and ``rerun``: the run, as queued (``--detach``) or as it ended."""

    schema: int = SCHEMA_VERSION
    run: RunRow
    earlier: tuple[RunRow, ...] = ()
    """Runs that it followed as a remedy, oldest first: the first is the one that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which CASA, and why."""

    build: str | None
    wanted: str | None
    """The version that the delivery asks for."""
    doubtful: bool
    """What is stated disagrees, is not certain, or another version stands in."""
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedFix:
    """A known fix that was applied."""

    fix: str
    before: Stage
    """The stage before which it was applied."""
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What an error class says to an operator."""

    error_class: str
    title: str
    meaning: str
    advice: str
    fault: str
    """Who must act."""
    remedy: str
    traceback: str | None
    """Of what is our bug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """``reimage show``: all about one run."""

    schema: int = SCHEMA_VERSION
    run: RunRow
    directory: Path
    """The run directory."""
    attempts: tuple[AttemptRow, ...]
    stages: tuple[StageRow, ...]
    notes: tuple[str, ...]
    """What is odd about the delivery, ``<id>: <what>`` each."""
    choice: Choice | None
    fixes: tuple[AppliedFix, ...]
    failures: tuple[FailureRow, ...]
    explanation: Explanation | None
    classifications: tuple[ClassificationRow, ...]
    evidence: tuple[EvidenceRow, ...]
    decisions: tuple[DecisionRow, ...]
    followed_by: tuple[str, ...] = ()
    """Runs that followed it, oldest first; the one that it follows is ``run.retry_of``."""
    annotations: tuple[NoteRow, ...] = ()
    """What people noted of the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """``reimage log``: the journal of a run, oldest line first."""

    schema: int = SCHEMA_VERSION
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """``reimage products``: what a run made of what it planned."""

    schema: int = SCHEMA_VERSION
    run: str | None
    products: tuple[ProductRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagedMs:
    """An MS that was imaged outside a run."""

    eb: str
    path: Path
    column: str
    """``data`` or ``corrected``."""
    because: str
    """Why the calibrated data are taken to be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """``reimage image``: what was made of MSs outside any run; also its ``outcome.json``."""

    schema: int = SCHEMA_VERSION
    directory: Path
    result: Result
    """``imaged`` or ``partial``."""
    recipe: str
    recipe_digest: str
    build: str
    ms: tuple[ImagedMs, ...]
    images: tuple[ImageSummary, ...]
    """The imaging plan, in the order in which it is made."""
    products: tuple[Product, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeps:
    """``reimage sweep status``: sweeps, newest first."""

    schema: int = SCHEMA_VERSION
    sweeps: tuple[SweepRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDetail:
    """``reimage sweep status SWEEP``: one sweep and its runs."""

    schema: int = SCHEMA_VERSION
    sweep: SweepRow
    counts: tuple[StateCount, ...]
    runs: tuple[RunRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A dataset of a category for which no run was queued."""

    dataset: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """``reimage sweep launch``: the sweep and the runs that were queued."""

    schema: int = SCHEMA_VERSION
    sweep: SweepRow | None
    """None with ``--dry-run``."""
    runs: tuple[RunRow, ...]
    datasets: tuple[str, ...]
    """What was, or would be, queued."""
    skipped: tuple[Skipped, ...]
