"""CASA jobs as evidence: how each start ended, and what its logs say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from reimage.model import Stage
from reimage.triage.clues import VERSION, Clue, scan
from reimage.triage.texts import json_object, lines

LOGS = ("casa.log", "stderr.log", "stdout.log")
MOST_JOBS = 40
MOST_HEAD = 50
"""Lines of a log in which CASA says its version."""
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
    casa: str | None = None
    """Version that its log names."""


def jobs(run_dir: Path) -> Iterator[JobEvidence]:
    """Yield the CASA jobs below the stages, earliest end first."""
    found = [place for stage in Stage for place in _job_directories(run_dir / stage, DEEPEST)]
    found.sort(key=_ended)
    for directory in found[-MOST_JOBS:]:
        relative = directory.relative_to(run_dir)
        ended, result = json_object(directory / "exit.json"), json_object(directory / "result.json")
        yield JobEvidence(
            job=str(json_object(directory / "job.json").get("job", relative.name)),
            directory=str(relative),
            stage=Stage(relative.parts[0]),
            exit_code=ended.get("exit_code"),
            signal=ended.get("signal"),
            why=ended.get("why"),
            wall_s=ended.get("wall_s"),
            ok=bool(result.get("ok")) and ended.get("exit_code") == 0,
            casa=version_in(directory / "casa.log"),
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


def last_word(run_dir: Path, found: tuple[JobEvidence, ...]) -> float | None:
    """Return when any job last wrote into a log, in seconds since 1970; None when none ever did."""
    return max((_ended(run_dir / job.directory) for job in found), default=0.0) or None


def version_in(log: Path) -> str | None:
    """Return the version that a log names near its beginning, as every CASA's does."""
    for line in islice(lines(log), MOST_HEAD):
        if found := VERSION.search(line):
            return found["version"]
    return None


def _ended(directory: Path) -> float:
    times = [(directory / name).stat().st_mtime for name in LOGS if (directory / name).exists()]
    return max(times, default=0.0)


def clues_of(run_dir: Path, job: JobEvidence) -> Iterator[Clue]:
    """Yield what a job's logs say in order of time, then its end."""
    found: list[tuple[datetime, Clue]] = []
    for name in LOGS:
        source = f"{job.directory}/{name}"
        found += _timed(scan(lines(run_dir / source), source, job.stage))
    for _, clue in sorted(found, key=lambda one: one[0]):
        yield replace(clue, casa=clue.casa or job.casa)
    ended_by_us = job.why in ("wall", "silent")
    if job.signal or job.exit_code or ended_by_us:
        yield Clue(
            source=f"{job.directory}/exit.json",
            stage=job.stage,
            exit_code=job.exit_code,
            signal=None if ended_by_us else job.signal,
            why=job.why if ended_by_us else None,
            casa=job.casa,
        )


def _timed(clues: tuple[Clue, ...]) -> list[tuple[datetime, Clue]]:
    """Give each clue a time: its own, else that of the next one in the same log, else the end."""
    timed, following = [], _LAST
    for clue in reversed(clues):
        following = clue.at or following
        timed.append((following, clue))
    return timed[::-1]
