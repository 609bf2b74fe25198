"""The shapes of ``--json``: stable, documented (ops/guide/reference/json.md), with a schema version.

A reader prints one object: ``schema`` and one key that says what is in it.  Fields are added, never
renamed or removed, within a schema version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reimage import SCHEMA_VERSION
from reimage.model import Calibration, CasaBuild, Delivery, Result, Stage, VersionStatement
from reimage.store.rows import (
    AttemptRow,
    ClassificationRow,
    DatasetRow,
    DecisionRow,
    EventRow,
    EvidenceRow,
    FailureRow,
    ProductRow,
    RunRow,
    StageRow,
    StateCount,
    SweepRow,
    SyncCounts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """``reimage status``: runs, newest first."""

    schema: int = SCHEMA_VERSION
    runs: tuple[RunRow, ...]
    counts: tuple[StateCount, ...]
    """How many runs there are in each state, with each result, whatever the filters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which CASA, and why."""

    build: str | None
    wanted: str | None
    """The version that the delivery asks for."""
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasaReasons:
    """``reimage casa choose``: which CASA a delivery needs, which would be used, and why."""

    schema: int = SCHEMA_VERSION
    wanted: str | None
    """The version that the calibration needs; None when nothing is said about it."""
    version: str | None
    """Of the build that would be used; None when no registered one will do."""
    installed: bool
    """Whether there is a build that would be used."""
    doubtful: bool
    """The statements disagree or are uncertain, or the build is not of the wanted version."""
    because: tuple[VersionStatement, ...]
    """Every statement about CASA, the most trusted first."""
    calibration: Calibration
    """How the data were calibrated, as far as what is there tells."""
    build: str | None
    reasons: tuple[str, ...]
    """The whole reasoning, in words."""
    alternatives: tuple[str, ...]
    """Ids of builds that come near, the best first."""
    install: str | None
    """What makes the wanted version available; None when it is, or when none is known."""


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
    choice: Choice | None
    fixes: tuple[AppliedFix, ...]
    failures: tuple[FailureRow, ...]
    explanation: Explanation | None
    classifications: tuple[ClassificationRow, ...]
    evidence: tuple[EvidenceRow, ...]
    decisions: tuple[DecisionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """``reimage log``: the journal of a run, oldest line first."""

    schema: int = SCHEMA_VERSION
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureShare:
    """Runs that ended in the same way."""

    by: str
    key: str
    result: Result
    datasets: int
    """How many datasets it blocks now: their latest run ended so."""
    runs: int
    share: float
    """Of the runs of all groups that are failures, from 0 to 1; 0 for what was refused."""
    first_at: datetime
    last_at: datetime
    example: str | None
    """The newest run that ended so."""
    title: str | None
    family: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """``reimage failures``: the group that blocks most datasets first; what was refused apart."""

    schema: int = SCHEMA_VERSION
    failures: tuple[FailureShare, ...]
    refused: tuple[FailureShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """``reimage products``: what a run made of what it planned."""

    schema: int = SCHEMA_VERSION
    run: str | None
    products: tuple[ProductRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasets:
    """``reimage holdings list``: datasets by key."""

    schema: int = SCHEMA_VERSION
    datasets: tuple[DatasetRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDetail:
    """``reimage holdings show``: one dataset and its runs, newest first."""

    schema: int = SCHEMA_VERSION
    dataset: DatasetRow
    runs: tuple[RunRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """``reimage holdings sync``: what changed."""

    schema: int = SCHEMA_VERSION
    holding: str
    archive: str
    counts: SyncCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """``reimage casa list``: registered builds."""

    schema: int = SCHEMA_VERSION
    builds: tuple[CasaBuild, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a delivery would be refused."""

    code: str
    """``no-recipe``, ``nothing-to-restore`` or ``delivery-empty`` (ops/guide/reference/errors.md)."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """``reimage delivery inspect``: what a delivery holds."""

    schema: int = SCHEMA_VERSION
    delivery: Delivery
    refused: Refused | None
    """None where its files suffice to restore from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallableBuild:
    """A line of the table of builds."""

    version: str
    python: str
    """The Python that its wheels need."""
    build: str
    """Id of the build that an installation makes."""
    broken: str | None
    """Why it cannot be installed; None where it can."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallableBuilds:
    """``reimage casa list --installable``: what `casa install` knows, the default first."""

    schema: int = SCHEMA_VERSION
    installable: tuple[InstallableBuild, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """``recipe list``, ``category list``, ``classes list``, ``fix list``: what is declared."""

    schema: int = SCHEMA_VERSION
    declared: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicableFix:
    """A known fix that a dataset needs."""

    fix: str
    title: str
    before: Stage
    reports: bool
    """It changes nothing: the run gets a caveat."""
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicable:
    """``reimage fix applicable``: the fixes that a delivery or its restored MSs need."""

    schema: int = SCHEMA_VERSION
    applicable: tuple[ApplicableFix, ...]
    ms: tuple[str, ...]
    """The restored MSs that were looked at, by their facts."""
    unasked: tuple[str, ...]
    """Fixes that look at restored MSs, where there are none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """``recipe show``, ``category show``, ``classes show``: one declaration, with all its keys."""

    schema: int = SCHEMA_VERSION
    declaration: Mapping[str, Any]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """``reimage run`` and ``rerun``: the run, as queued (``--detach``) or as it ended."""

    schema: int = SCHEMA_VERSION
    run: RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """``reimage db current``: the schema of the run database."""

    schema: int = SCHEMA_VERSION
    database: str
    """Its URL, without password."""
    revision: str | None
    """None while it has no tables."""
    head: str
    """What this program needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: str
    """ok, note (worth knowing, and nothing is broken) or bad."""
    found: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting and where its value comes from."""

    name: str
    value: Any
    origin: str
    """``default``, a file, a variable ``REIMAGE_...``, or ``option``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """``reimage doctor``: what is there, what is missing."""

    schema: int = SCHEMA_VERSION
    checks: tuple[Check, ...]
    settings: tuple[Setting, ...]
