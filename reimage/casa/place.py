"""The place of a CASA job: its directory and limits, the environment of its process, what it leaves."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage.casa import following, log
from reimage.casa.watching import JobExit
from reimage.journal import Emit
from reimage.model import CasaBuild
from reimage.run import Limits

JOBS = Path(__file__).parent / "jobs"
SITE = JOBS / "site"
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""Bytes: CASA makes and drops an image's worth of memory without end.  glibc gave it back to the kernel each
time, which then cleared it again: a sixth of all CPU seconds of a mosaic's cubes.  Larger blocks still go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a job runs, with what limits, and who is told."""

    directory: Path
    """The job's own; made if absent.  The logs of an earlier start are kept beside it as
    ``<directory>.<n>``; other files stay, so that a job can resume."""
    limits: Limits
    emit: Emit
    """Receives ``casa.started``, what the job reports, and ``casa.exited``."""
    writable: Path | None = None
    """The one directory that the process may write to, where the machine can confine it; None
    leaves it unconfined."""
    casa_memory_mb: int | None = None
    """What CASA may count on for gridding a cube, which it does in blocks of channels; None: all that is
    free on the machine."""


def environment(build: CasaBuild, directory: Path) -> dict[str, str]:
    """Return the whole environment of a CASA process: nothing of ours leaks into it."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(directory / "home"),
        "TMPDIR": str(directory / "home"),
        "MPLCONFIGDIR": str(directory / "home" / "mpl"),
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **MALLOC,
        "PYTHONPATH": str(SITE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",  # what was printed outlives an abort, and shows that the job lives
        "CASASITECONFIG": str(SITE / "casasiteconfig.py"),
        # Shells differ in what they leave of the arguments: what runs in one finds its job by these.
        "REIMAGE_JOB": str(directory / "job.json"),
        "REIMAGE_JOBS": str(JOBS),
        "REIMAGE_CASADATA": build.casadata,
        "REIMAGE_CASA_LOG": str(directory / "casa.log"),
        "REIMAGE_CASA_CACHE": str(directory / "home" / "cache"),
    }


def prepare(directory: Path, casa_memory_mb: int | None = None) -> None:
    """Make a job's directory; move what an earlier start of the same job said out of the way."""
    (directory / "home").mkdir(parents=True, exist_ok=True)
    rules = directory / "home" / ".casarc"
    rules.unlink(missing_ok=True)
    if casa_memory_mb is not None:
        rules.write_text(f"system.resources.memory: {casa_memory_mb}\n", encoding="ascii")
    said = [
        directory / name
        for name in (
            "result.json",
            "exit.json",
            "progress.jsonl",
            "casa.log",
            "stdout.log",
            "stderr.log",
        )
    ]
    present = [path for path in said if path.exists()]
    if not present:
        return
    number = 1
    while (kept := directory.with_name(f"{directory.name}.{number}")).exists():
        number += 1
    kept.mkdir()
    for path in present:
        shutil.move(path, kept / path.name)


def evidence(directory: Path, ended: JobExit) -> dict[str, Any]:
    """Return what a job that ended left to judge it by."""
    return {
        "directory": str(directory),
        "exit_code": ended.exit_code,
        "signal": ended.signal,
        "stderr_tail": following.tail(directory / "stderr.log"),
        "severe": log.severe_lines(directory / "casa.log", most=20),
    }
