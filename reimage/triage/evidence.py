"""Evidence: what is known of a failure, gathered once from the run directory and kept.

Judgements are made from it and may be made again later, when the directory's working files are
gone; so it is bounded, typed and written as JSON (`EVIDENCE_FILE`) even when nothing matches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reimage import SCHEMA_VERSION, document
from reimage import __version__ as service_version
from reimage.errors import DocumentUnreadable
from reimage.model import ProductState, Stage
from reimage.run import Exit, Fault, Limits, Outcome, Run
from reimage.triage import job_evidence, scheduler
from reimage.triage.clues import MOST_CHARACTERS, Clue, scan
from reimage.triage.job_evidence import LOGS, JobEvidence
from reimage.triage.scheduler import SchedulerRecord
from reimage.triage.signature import is_useless
from reimage.triage.texts import lines, tail

EVIDENCE_FILE = "evidence.json"
EXCERPT_CHARACTERS = 500
MOST_ABSENT = 200
MOST_FINDINGS = 100
MOST_CLUES_FIRST, MOST_CLUES_LAST = 500, 1000
"""Of all jobs together: the first ones have the root, the last ones are of what failed."""
MOST_LOGS = 400
"""Of a directory that somebody brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A planned product that is not there, and what the stage said about it."""

    name: str
    image: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that one attempt left for a judge."""

    run: str
    attempt: int
    stage: Stage | None = None
    fault: Fault | None = None
    exit: Exit | None = None
    clues: tuple[Clue, ...] = ()
    """In the order in which they happened, job by job."""
    jobs: tuple[JobEvidence, ...] = ()
    absent: tuple[Absence, ...] = ()
    n_planned: int = 0
    n_made: int = 0
    peak_mb: int | None = None
    """Largest memory of the process tree."""
    disk_free_mb: int | None = None
    files_free: int | None = None
    """How many files the file system still takes: a disk may be full of small ones."""
    silent_s: float | None = None
    """From the last word in any job's log to the attempt's end: long for what stood still."""
    scheduler: SchedulerRecord | None = None
    findings: tuple[str, ...] = ()
    """What the ALMA pipeline said and scored without raising it."""
    casa: str | None = None
    """Version of the CASA of the last job."""
    build: str | None = None
    recipe: str | None = None
    observed_at: datetime | None = None
    limits: Limits | None = None
    """What the attempt was allowed."""
    reimage: str = ""
    """Version of the service that collected it."""
    tails: Mapping[str, str] = field(default_factory=dict)
    """End of the output of every job that failed, and of the runner."""
    schema: int = SCHEMA_VERSION


def collect(
    run_dir: Path,
    attempt: int,
    outcome: Outcome | None,
    exit: Exit | None,  # noqa: A002 -- its name
) -> Evidence:
    """Read the run directory; whatever is missing there is missing in the evidence, never an error.

    Parameters
    ----------
    run_dir
        ``runs/<dataset>/<run id>``; CASA job directories are looked for below its stages.
    attempt
        The attempt whose runner log and scheduler record are read.
    """
    jobs = tuple(job_evidence.jobs(run_dir))
    fault = outcome.fault if outcome else None
    stage = _stage(outcome, jobs)
    runner_log = run_dir / "attempts" / str(attempt) / "runner.log"
    failed = [run_dir / job.directory / name for job in jobs if not job.ok for name in LOGS[1:]]
    tails = {str(path.relative_to(run_dir)): tail(path) for path in (*failed, runner_log)}
    clues = [clue for job in jobs for clue in job_evidence.clues_of(run_dir, job)]
    clues += scan(lines(runner_log), f"attempts/{attempt}/runner.log", stage)
    clues += _fault_clues(fault, seen=bool(jobs))
    found = Evidence(
        run=outcome.run if outcome else run_dir.name,
        attempt=attempt,
        stage=stage,
        fault=fault,
        exit=exit,
        clues=_bounded(clues),
        jobs=jobs,
        peak_mb=exit.peak_tree_mb if exit else None,
        scheduler=scheduler.read(run_dir / "attempts" / str(attempt)),
        casa=next((job.casa for job in reversed(jobs) if job.casa), None),
        build=outcome.build if outcome else None,
        reimage=service_version,
        tails={name: text for name, text in tails.items() if text},
    )
    found = replace(found, **_planned(outcome), **_asked(run_dir), **_room(run_dir))
    return replace(found, silent_s=_silence(found, run_dir))


def _bounded(clues: list[Clue]) -> tuple[Clue, ...]:
    if len(clues) <= MOST_CLUES_FIRST + MOST_CLUES_LAST:
        return tuple(clues)
    return (*clues[:MOST_CLUES_FIRST], *clues[-MOST_CLUES_LAST:])


def _planned(outcome: Outcome | None) -> dict[str, Any]:
    """Return how the plan was met, and what the pipeline said of it."""
    planned = [product for product in (outcome.products if outcome else ()) if product.planned]
    missing = [one for one in planned if one.state in (ProductState.ABSENT, ProductState.PLANNED)]
    fault = outcome.fault if outcome else None
    findings = fault.evidence.get("findings") if fault else None
    return {
        "absent": tuple(
            Absence(
                name=one.name,
                image=one.image,
                reason=one.reason[:MOST_CHARACTERS] if one.reason else None,
            )
            for one in missing[:MOST_ABSENT]
        ),
        "n_planned": len(planned),
        "n_made": len(planned) - len(missing),
        "findings": tuple(str(one)[:EXCERPT_CHARACTERS] for one in findings or ())[:MOST_FINDINGS],
    }


def _asked(run_dir: Path) -> dict[str, Any]:
    """Return what the run was to do and of what; nothing where its record is not as it should be."""
    try:
        run = document.read(Run, run_dir / "run.json")
        observed = run.facts.get("observed_at")
        at = datetime.fromisoformat(str(observed)) if observed else None
    except (DocumentUnreadable, ValueError):
        return {}
    at = at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
    return {"recipe": run.recipe.get("id"), "observed_at": at, "limits": run.limits}


def _room(run_dir: Path) -> dict[str, Any]:
    """Return what the file system of the run still takes."""
    try:
        free = os.statvfs(run_dir)
    except OSError:
        return {}
    files = free.f_favail if free.f_files else None  # some file systems do not count them
    return {"disk_free_mb": free.f_bavail * free.f_frsize // 2**20, "files_free": files}


def _silence(evidence: Evidence, run_dir: Path) -> float | None:
    """Return for how long no job had written when the attempt ended."""
    last = job_evidence.last_word(run_dir, evidence.jobs)
    ended = evidence.exit or evidence.scheduler
    if last is None or ended is None or ended.ended_at is None:
        return None
    return max(0.0, ended.ended_at.timestamp() - last)


def _stage(outcome: Outcome | None, jobs: tuple[JobEvidence, ...]) -> Stage | None:
    """Return where it ended: by the fault, else the outcome, else the last CASA job."""
    if outcome is None:
        return jobs[-1].stage if jobs else None
    return (outcome.fault.stage if outcome.fault else None) or outcome.stage


def of_text(text: str, *, source: str = "log", stage: Stage | None = None) -> Evidence:
    """Return the evidence that a piece of a log is by itself, outside any run."""
    clues = scan(text.splitlines(keepends=True), source, stage)
    return Evidence(run="", attempt=0, stage=stage, clues=clues)


def of_path(path: Path) -> Evidence:
    """Return the evidence of a log file, or of every log below a directory, outside any run.

    Logs are ``*.log`` and ``*.log.gz``; those of one directory are of one CASA.
    """
    logs = [path]
    if path.is_dir():
        found = (one for name in ("*.log", "*.log.gz") for one in path.rglob(name))
        logs = sorted(found)[:MOST_LOGS]
    clues = [clue for log in logs for clue in scan(lines(log), str(log), None)]
    versions = {log.parent: said for log in logs if (said := job_evidence.version_in(log))}
    told = (replace(one, casa=one.casa or versions.get(Path(one.source).parent)) for one in clues)
    return Evidence(run="", attempt=0, clues=tuple(told))


def decisive(clues: tuple[Clue, ...]) -> Clue | None:
    """Return the clue that says most when no class is known.

    The first exception that does not only point elsewhere; else the first grave line, the first
    line of output, the first warning.
    """
    for severity in ("EXCEPTION", "SEVERE", "OUTPUT", "", "WARN"):
        for clue in clues:
            if clue.severity == severity and clue.text and not is_useless(clue.text):
                return clue
    return None


def excerpt(evidence: Evidence) -> str:
    """Return what a table of failures shows: the decisive text, at most 500 characters."""
    clue = decisive(evidence.clues)
    if clue is not None:
        text = f"{clue.source}: {clue.text}"
    elif evidence.fault is not None:
        text = evidence.fault.message
    elif evidence.exit is not None:
        text = f"ended by {evidence.exit.signal or evidence.exit.exit_code} ({evidence.exit.why})"
    else:
        text = "no outcome and no exit record"
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1] + "…"


def _fault_clues(fault: Fault | None, *, seen: bool) -> Iterator[Clue]:
    """Yield what the fault itself carries; lines of a job only when its directory was not read."""
    if fault is None:
        return
    if fault.traceback:
        yield from scan(fault.traceback.splitlines(), "fault", fault.stage)
    if not seen:
        lines = [str(line) for line in fault.evidence.get("severe", ())]
        lines += str(fault.evidence.get("stderr_tail", "")).splitlines()
        yield from scan(lines, "fault", fault.stage)
