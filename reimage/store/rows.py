"""What the queries return: frozen rows, whose `document.dump` is the shape of ``--json``.

Fields are only ever added (ops/guide: JSON shapes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reimage.model import ProductState, Result, Stage, State
from reimage.store.run_tables import StageState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run, as the index knows it."""

    run: str
    holding: str
    dataset: str
    state: State
    stage: Stage | None
    result: Result | None
    error_class: str | None
    signature: str | None
    category: str | None
    recipe: str
    build: str | None
    products_made: int
    products_planned: int
    created_at: datetime
    submitted_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    """Starts of the runner so far; the number of the current attempt."""
    wall_s: float | None
    caveats: tuple[str, ...]
    sweep: str | None
    retry_of: str | None
    decisive: str | None
    """The line that decided the error class."""
    directory: str
    """Relative to the data directory."""
    cancel_at: datetime | None = None
    memory_mb: int | None = None
    """Limit of its process tree."""
    limit_s: float | None = None
    """Wall-clock limit of an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One start of the runner."""

    attempt: int
    executor: str
    job: str | None
    submitted_at: datetime
    host: str | None
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    signal: str | None
    why: str | None
    wall_s: float | None
    cpu_s: float | None
    casa_wall_s: float | None
    peak_tree_mb: int | None
    peak_process_mb: int | None
    oom_kills: int | None
    journal_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """A stage of an attempt."""

    attempt: int
    stage: Stage
    state: StageState
    started_at: datetime
    ended_at: datetime | None
    wall_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of a journal; attempt 0 is the controller's."""

    id: int
    attempt: int
    seq: int
    at: datetime
    event: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    """One planned or made thing."""

    run: str
    name: str
    kind: str
    image: str | None
    target: str | None
    spws: str | None
    specmode: str | None
    state: ProductState
    planned: bool
    reason: str | None
    path: str | None
    """Relative to the run directory."""
    n_bytes: int | None
    sha256: str | None
    preview: str | None
    footprint: str | None
    admit: str | None
    numbers: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """An attempt that did not end imaged, as last judged."""

    id: int
    run: str
    attempt: int
    stage: Stage | None
    result: Result
    error_class: str
    signature: str | None
    code: str | None
    message: str | None
    decisive: str | None
    failed_at: datetime
    final: bool
    """Whether the run ended with it; other failures were followed by another attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRow:
    """One judgement of a failure."""

    attempt: int
    error_class: str
    signature: str | None
    author: str
    reason: str | None
    symptoms: tuple[str, ...]
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """A kept file that tells about an attempt's end."""

    attempt: int
    kind: str
    path: str
    n_bytes: int
    sha256: str
    excerpt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRow:
    """A dataset of a holding."""

    holding: str
    dataset: str
    title: str | None
    n_bytes: int | None
    release_at: datetime | None
    modified_at: datetime | None
    synced_at: datetime
    gone_at: datetime | None
    facts: Mapping[str, Any]
    """The archive's row, by value."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The holding's own typed columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCounts:
    """What a synchronisation of holdings did."""

    added: int
    changed: int
    unchanged: int
    gone: int

    @property
    def seen(self) -> int:
        """How many datasets the archive listed."""
        return self.added + self.changed + self.unchanged

    def __add__(self, other: SyncCounts) -> SyncCounts:
        """Return the sums."""
        return SyncCounts(
            added=self.added + other.added,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            gone=self.gone + other.gone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """How far the mirror of a holding follows its archive."""

    archive: str
    begun_at: datetime | None
    """Of the synchronisation that has not ended."""
    whole_at: datetime | None
    """Up to when nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """The running of a category with one recipe."""

    sweep: str
    category: str
    holding: str
    recipe: str
    pilot: bool
    datasets: int
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """What was decided about a run after an attempt."""

    attempt: int
    kind: str
    reason: str | None
    author: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A wish of an operator that is not yet granted."""

    id: int
    kind: str
    run: str | None
    author: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """Who leads."""

    owner: str
    token: int
    acquired_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many runs are so."""

    state: State
    result: Result | None
    n: int
