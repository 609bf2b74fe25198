"""Evidence: what is known of a failure, gathered once from the run directory and kept.

Judgements are made from it and may be made again later, when the directory's working files are
gone; so it is bounded, typed and written as JSON (`EVIDENCE_FILE`) even when nothing matches.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reimage import SCHEMA_VERSION
from reimage.model import ProductState, Stage
from reimage.run import Exit, Fault, Outcome
from reimage.triage.clues import Clue, scan
from reimage.triage.signature import is_useless

EVIDENCE_FILE = "evidence.json"
LOGS = ("casa.log", "stderr.log", "stdout.log")
MOST_BYTES = 32_000_000
"""Of one log: from its beginning, and as much from its end."""
MOST_LINE = 4000
TAIL_CHARACTERS = 2000
EXCERPT_CHARACTERS = 500
MOST_JOBS = 40
MOST_ABSENT = 200
DEEPEST = 3
_LAST = datetime.max.replace(tzinfo=UTC)
_NOT_ENTERED = ("home", "products", "files", "delivery", "tree", "calibrated")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvidence:
    """One start of a CASA job, from its directory; None where nothing was written."""

    job: str
    directory: str
    """Relative to the run directory."""
    stage: Stage | None
    exit_code: int | None = None
    signal: str | None = None
    why: str | None = None
    wall_s: float | None = None
    ok: bool = False
    """It wrote a result that says so."""


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
        The attempt whose runner log is read.
    """
    jobs = tuple(_jobs(run_dir))
    fault = outcome.fault if outcome else None
    stage = _stage(outcome, jobs)
    runner_log = run_dir / "attempts" / str(attempt) / "runner.log"
    clues = [clue for job in jobs for clue in _job_clues(run_dir, job)]
    clues += scan(_lines(runner_log), f"attempts/{attempt}/runner.log", stage)
    clues += _fault_clues(fault, seen=bool(jobs))
    failed = [run_dir / job.directory / name for job in jobs if not job.ok for name in LOGS[1:]]
    tails = {str(path.relative_to(run_dir)): _tail(path) for path in (*failed, runner_log)}
    planned = [product for product in (outcome.products if outcome else ()) if product.planned]
    missing = [one for one in planned if one.state in (ProductState.ABSENT, ProductState.PLANNED)]
    return Evidence(
        run=outcome.run if outcome else run_dir.name,
        attempt=attempt,
        stage=stage,
        fault=fault,
        exit=exit,
        clues=tuple(clues),
        jobs=jobs,
        absent=tuple(
            Absence(name=one.name, image=one.image, reason=one.reason)
            for one in missing[:MOST_ABSENT]
        ),
        n_planned=len(planned),
        n_made=len(planned) - len(missing),
        peak_mb=exit.peak_tree_mb if exit else None,
        disk_free_mb=shutil.disk_usage(run_dir).free // 2**20 if run_dir.is_dir() else None,
        tails={name: tail for name, tail in tails.items() if tail},
    )


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
    """Return the evidence of a log file, or of every ``*.log`` below a directory, outside any run."""
    logs = sorted(path.rglob("*.log")) if path.is_dir() else [path]
    clues = [clue for log in logs for clue in scan(_lines(log), str(log), None)]
    return Evidence(run="", attempt=0, clues=tuple(clues))


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


def _jobs(run_dir: Path) -> Iterator[JobEvidence]:
    """Yield the CASA jobs below the stages, earliest end first."""
    found = [place for stage in Stage for place in _job_directories(run_dir / stage, DEEPEST)]
    found.sort(key=_ended)
    for directory in found[-MOST_JOBS:]:
        relative = directory.relative_to(run_dir)
        ended, result = _json(directory / "exit.json"), _json(directory / "result.json")
        yield JobEvidence(
            job=str(_json(directory / "job.json").get("job", relative.name)),
            directory=str(relative),
            stage=Stage(relative.parts[0]),
            exit_code=ended.get("exit_code"),
            signal=ended.get("signal"),
            why=ended.get("why"),
            wall_s=ended.get("wall_s"),
            ok=bool(result.get("ok")) and ended.get("exit_code") == 0,
        )


def _job_directories(place: Path, depth: int) -> Iterator[Path]:
    """Yield directories that hold a job's logs; tables (they have a table.dat) are not entered."""
    if not place.is_dir() or place.is_symlink() or (place / "table.dat").exists():
        return
    if any((place / name).is_file() for name in ("stderr.log", "exit.json")):
        yield place
    if depth:
        for entry in sorted(os.scandir(place), key=lambda one: one.name):
            if entry.is_dir(follow_symlinks=False) and entry.name not in _NOT_ENTERED:
                yield from _job_directories(Path(entry.path), depth - 1)


def _ended(directory: Path) -> float:
    times = [(directory / name).stat().st_mtime for name in LOGS if (directory / name).exists()]
    return max(times, default=0.0)


def _job_clues(run_dir: Path, job: JobEvidence) -> Iterator[Clue]:
    """Yield what a job's logs say in order of time, then its end."""
    found: list[tuple[datetime, Clue]] = []
    for name in LOGS:
        source = f"{job.directory}/{name}"
        found += _timed(scan(_lines(run_dir / source), source, job.stage))
    yield from (clue for _, clue in sorted(found, key=lambda one: one[0]))
    ended_by_us = job.why in ("wall", "silent")
    if job.signal or job.exit_code or ended_by_us:
        yield Clue(
            source=f"{job.directory}/exit.json",
            stage=job.stage,
            exit_code=job.exit_code,
            signal=None if ended_by_us else job.signal,
            why=job.why if ended_by_us else None,
        )


def _timed(clues: tuple[Clue, ...]) -> list[tuple[datetime, Clue]]:
    """Give each clue a time: its own, else that of the next one in the same log, else the end."""
    timed, following = [], _LAST
    for clue in reversed(clues):
        following = clue.at or following
        timed.append((following, clue))
    return timed[::-1]


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


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file of any size and content; from a huge one its two ends."""
    if not path.is_file():
        return
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        while (size <= 2 * MOST_BYTES or stream.tell() < MOST_BYTES) and (
            line := stream.readline(MOST_LINE)
        ):
            yield line.decode(errors="replace")
        if size > 2 * MOST_BYTES:
            stream.seek(size - MOST_BYTES)
            stream.readline(MOST_LINE)
            while line := stream.readline(MOST_LINE):
                yield line.decode(errors="replace")


def _tail(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL_CHARACTERS))
        return stream.read().decode(errors="replace").strip()
