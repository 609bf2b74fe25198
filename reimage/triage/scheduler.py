"""What a batch scheduler knows of an attempt: ``attempts/<n>/scheduler.json``, written by its executor.

The job's own row is not to be trusted alone: a job may be COMPLETED, or FAILED, while one of its steps
ran out of memory, and a node may fail because of it.  So every step is kept, and memory is asked for
first.  States are those of Slurm's ``sacct``; other schedulers are to be put into these words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reimage import SCHEMA_VERSION, document
from reimage.errors import DocumentUnreadable
from reimage.model import Result, Stage
from reimage.triage.clues import Clue

RECORD_FILE = "scheduler.json"
MEMORY = "OUT_OF_MEMORY"
OUT_OF_MEMORY_CODE = 125
"""Slurm's own: ExitCode ``0:125`` says that memory ran out, whatever the state says."""
WELL = frozenset(("COMPLETED", "COMPLETING", "RUNNING", "CONFIGURING", "FAILED", ""))
"""States that tell no more than the outcome and the exit record do."""
VANISHED = frozenset(
    ("NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED", "SUSPENDED", "RESV_DEL_HOLD", "PENDING")
)
"""States of a job that is not to blame: taken away, or never begun."""
_BY_SYSTEM = re.compile(r"\bby (?:0|root|slurm)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a job: ``batch``, ``extern``, ``0``."""

    id: str
    state: str
    exit_code: int | None = None
    signal: int | None = None
    max_rss_mb: int | None = None
    """As the scheduler sampled it: short peaks and children are missed."""
    elapsed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerRecord:
    """One attempt's job as the scheduler tells it; None where it does not."""

    scheduler: str
    """``slurm``."""
    source: str
    """Who said so: ``sacct``, ``scontrol``, ``jobcomp`` or ``wrapper``."""
    job: str
    state: str
    """As it was told: ``CANCELLED by 1000``."""
    reason: str = ""
    """Why it waits or ended: ``ReqNodeNotAvail``."""
    exit_code: int | None = None
    signal: int | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    elapsed_s: float | None = None
    limit_s: float | None = None
    memory_mb: int | None = None
    """Asked for."""
    nodes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    jobs: tuple[str, ...] = ()
    """Every job that this attempt ever had, oldest first; `job` is the last."""
    schema: int = SCHEMA_VERSION


def read(attempt: Path) -> SchedulerRecord | None:
    """Return what an attempt's directory has; None when there is none that can be read."""
    try:
        return document.read(SchedulerRecord, attempt / RECORD_FILE)
    except DocumentUnreadable:
        return None


def word(state: str) -> str:
    """Return a state by itself: ``CANCELLED`` of ``CANCELLED by 0`` and of ``CANCELLED+``."""
    return (state.split() or [""])[0].rstrip("+").upper()


def clues(record: SchedulerRecord | None, stage: Stage | None) -> tuple[Clue, ...]:
    """Return what the record says, memory first, then the job, then its steps; each state once."""
    if record is None:
        return ()
    told = dict.fromkeys(sorted(_told(record), key=lambda one: one[0] != MEMORY))
    first: dict[str, str] = {}
    for state, text in told:
        first.setdefault(state, text)
    return tuple(
        Clue(source="scheduler", stage=stage, scheduler=state, text=text, at=record.ended_at)
        for state, text in first.items()
    )


def _told(record: SchedulerRecord) -> Iterator[tuple[str, str]]:
    told = f"{record.scheduler} job {record.job}: {record.state}"
    told = f"{told} ({record.reason})" if record.reason not in ("", "None") else told
    if record.signal == OUT_OF_MEMORY_CODE:
        yield MEMORY, f"{told}, exit {record.exit_code}:{record.signal}"
    if word(record.state) not in WELL:
        yield word(record.state), told
    for step in record.steps:
        text = f"{told}, step {step.id} {step.state}"
        if step.signal == OUT_OF_MEMORY_CODE:
            yield MEMORY, text
        if word(step.state) not in WELL | {"CANCELLED"}:  # steps are cancelled with their job
            yield word(step.state), text


def result(record: SchedulerRecord | None) -> Result:
    """Return what came of an attempt that left no word itself: lost, unless the record says why."""
    if (
        record is not None
        and word(record.state) == "CANCELLED"
        and not _BY_SYSTEM.search(record.state)
    ):
        return Result.CANCELLED
    known = any(one.scheduler not in VANISHED for one in clues(record, None))
    return Result.FAILED if known else Result.LOST
