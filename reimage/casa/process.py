"""The boundary to CASA: one job, one process, JSON in and out.

CASA is a foreign program.  Each job has its own process group, HOME, working directory and log, one
OpenMP thread (more than free cores is catastrophic), and dies with the process that started it.
What a job says of itself is `result.json`; the exit code is hearsay.

Jobs run under the Python of a build; delivered scripts, where the build is a monolithic CASA, in its
shell, as people run them: ``casa --nogui --nologger --logfile FILE [--pipeline] -c SCRIPT`` (CASA pages
on configuration; the same words are used with casapy 4).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document
from reimage.casa import confine, following, log, watching
from reimage.casa.watching import CasaNotStarted, JobExit, Start
from reimage.errors import CasaError, ResourceError
from reimage.journal import Emit
from reimage.model import CasaBuild
from reimage.run import Limits

JOBS = Path(__file__).parent / "jobs"
SITE = JOBS / "site"


class CasaJobFailed(CasaError):
    """A CASA job ended without a result: an exception, a signal, or nothing at all."""

    code = "casa-job-failed"
    hint = "`reimage show RUN` has the decisive line; the job's directory keeps logs and inputs."


class CasaTimeout(ResourceError):
    """A CASA job crossed its wall-clock limit and was ended."""

    code = "casa-timeout"
    hint = "Re-run with a larger `wall_s` if the job was making progress."


class CasaSilent(ResourceError):
    """A CASA job wrote nothing for so long that it was taken to hang, and was ended."""

    code = "casa-silent"
    hint = "A table lock, or a hang after a memory error: look at the job's logs, then re-run."


class CasaOutputFlood(ResourceError):
    """A CASA job wrote more output than any job has to say, and was ended."""

    code = "casa-output-flood"
    hint = (
        "Read the beginning of the job's output, which is kept: something is repeated without end."
    )


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


def run_job(
    build: CasaBuild,
    job: str,
    inputs: Mapping[str, Any],
    *,
    directory: Path,
    limits: Limits,
    emit: Emit,
    writable: Path | None = None,
) -> dict[str, Any]:
    """Run ``jobs/<job>.py`` under the Python of a build and return the value of its result.

    Parameters
    ----------
    directory, limits, emit, writable
        See `Setting`.

    Raises
    ------
    CasaNotStarted, CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
    """
    if build.python is None:
        raise CasaNotStarted(
            f"build {build.id} has no Python that runs our jobs: its shell runs delivered scripts only",
            hint="Register a modular build beside it, or install one with `reimage casa install`.",
        )
    words = (str(JOBS / f"{job}.py"), str(directory / "job.json"))
    setting = Setting(directory=directory, limits=limits, emit=emit, writable=writable)
    return _run(build, job, inputs, (build.python, *words), setting)


def run_in_shell(
    build: CasaBuild,
    job: str,
    inputs: Mapping[str, Any],
    *,
    directory: Path,
    limits: Limits,
    emit: Emit,
    writable: Path | None = None,
    pipeline: bool = False,
) -> dict[str, Any]:
    """Run ``jobs/<job>.py`` in the shell of a monolithic CASA and return the value of its result.

    Parameters
    ----------
    directory, limits, emit, writable
        See `Setting`.
    pipeline
        Start CASA with the ALMA pipeline.

    Raises
    ------
    CasaNotStarted, CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
    """
    if build.casa is None:
        raise CasaNotStarted(f"build {build.id} is modular: it has no shell")
    words = ["--nogui", "--nologger", "--logfile", str(directory / "casa.log")]
    words += ["--pipeline"] if pipeline else []
    words += ["-c", str(JOBS / f"{job}.py")]  # last: what follows it is the script's
    setting = Setting(directory=directory, limits=limits, emit=emit, writable=writable)
    return _run(build, job, inputs, (build.casa, *words), setting)


def _run(
    build: CasaBuild,
    job: str,
    inputs: Mapping[str, Any],
    command: tuple[str, ...],
    setting: Setting,
) -> dict[str, Any]:
    directory, limits = setting.directory, setting.limits
    directory.mkdir(parents=True, exist_ok=True)
    _keep_earlier(directory)
    document.write(
        directory / "job.json",
        {
            "job": job,
            "result": str(directory / "result.json"),
            "progress": str(directory / "progress.jsonl"),
            "log": str(directory / "casa.log"),
            "input": dict(inputs),
        },
    )
    start = _start(build, job, command, setting)
    ended = watching.watch(start, directory=directory, limits=limits, emit=setting.emit)
    document.write(directory / "exit.json", ended)
    flooded = watching.cut_off(directory)
    evidence = {
        "job": job,
        "directory": str(directory),
        "build": build.id,
        "exit_code": ended.exit_code,
        "signal": ended.signal,
        "stderr_tail": following.tail(directory / "stderr.log"),
        "severe": log.severe_lines(directory / "casa.log", most=20),
    }
    if ended.why == "wall":
        raise CasaTimeout(f"{job} ran longer than {limits.wall_s:.0f} s", evidence=evidence)
    if ended.why == "silent":
        raise CasaSilent(f"{job} was silent for {limits.silence_s:.0f} s", evidence=evidence)
    if ended.why == "flood":
        raise CasaOutputFlood(
            f"{job} wrote more than {watching.MOST_OUTPUT_BYTES >> 20} MB into {', '.join(flooded)}",
            evidence=evidence,
        )
    return _value(directory / "result.json", start, ended, evidence)


def _start(build: CasaBuild, job: str, command: tuple[str, ...], setting: Setting) -> Start:
    program = command[0]
    if shutil.which(program, path=os.defpath) is None:  # bwrap would only say 1
        raise CasaNotStarted(
            f"cannot start {program}: there is no such program", evidence={"build": build.id}
        )
    writable = setting.writable
    return Start(
        job=job,
        build=build.id,
        program=program,
        words=command[1:],
        environment=environment(build, setting.directory),
        prefix=() if writable is None else tuple(confine.prefix(writable)),
        is_wrapped=program == build.casa,
    )


def _value(
    result: Path, start: Start, ended: JobExit, evidence: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a job gave; the code with which a shell leaves says nothing, a signal does."""
    told = document.read_json(result) if result.exists() else None
    is_well = ended.exit_code is not None if start.is_wrapped else ended.exit_code == 0
    if is_well and told is not None and told["ok"]:
        value: dict[str, Any] = told["value"]
        return value
    job = start.job
    if told is not None and not told["ok"]:
        error = told["error"]
        message = f"{job}: {error['type']}: {error['message']}"
    elif ended.signal:
        message = f"{job} was ended by {ended.signal}"
    else:
        message = f"{job} ended with code {ended.exit_code} and no result"
    raise CasaJobFailed(message, evidence=evidence)


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


def _keep_earlier(directory: Path) -> None:
    """Move what an earlier start of the same job said out of the way."""
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
