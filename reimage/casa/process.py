"""The boundary to CASA: one job, one process, JSON in and out.

CASA is a foreign program.  Each job has its own process group, HOME, working directory and log, one
OpenMP thread (more than free cores is catastrophic), and dies with the process that started it.
What a job says of itself is `result.json`; the exit code is hearsay.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document, kernel
from reimage.casa import confine, following, log
from reimage.errors import CasaError, ResourceError
from reimage.journal import Emit
from reimage.model import CasaBuild, Limits

JOBS = Path(__file__).parent / "jobs"
SITE = JOBS / "site"
GRACE_S = 5.0
"""Between SIGTERM and SIGKILL.  SIGINT is of no use: CASA defers it until C++ returns."""
POLL_S = 0.1
WATCHED = ("casa.log", "stdout.log", "stderr.log", "progress.jsonl")
"""What a job writes for us: while one of them grows, it lives."""
MOST_OUTPUT_BYTES = 256 << 20
"""Of one of the files that a job writes for us to read; a whole restore's log has some megabytes."""
KEPT_OUTPUT_BYTES = 8 << 20
"""Of a file that grew beyond it: its beginning."""


class CasaNotStarted(CasaError):
    """The interpreter or executable of a build cannot be started."""

    code = "casa-not-started"
    hint = "`reimage casa probe BUILD` shows what is wrong with it; `casa install` makes it again."


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
class JobExit:
    """How a job's process ended: ``exit.json`` in its directory."""

    exit_code: int | None
    signal: str | None
    why: str
    """``exit``, ``signal``, or what we ended it for: ``wall``, ``silent``, ``flood``."""
    wall_s: float
    peak_process_mb: int


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
    """Run ``jobs/<job>.py`` in a build and return the value of its result.

    Parameters
    ----------
    directory
        The job's own; made if absent.  The logs of an earlier start are kept beside it as
        ``<directory>.<n>``; other files stay, so that a job can resume.
    emit
        Receives ``casa.started``, what the job reports, and ``casa.exited``.
    writable
        The one directory that the process may write to, where the machine can confine it; None
        leaves it unconfined.

    Raises
    ------
    CasaNotStarted, CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
    """
    directory.mkdir(parents=True, exist_ok=True)
    _keep_earlier(directory)
    result = directory / "result.json"
    progress = directory / "progress.jsonl"
    document.write(
        directory / "job.json",
        {
            "job": job,
            "result": str(result),
            "progress": str(progress),
            "log": str(directory / "casa.log"),
            "input": dict(inputs),
        },
    )
    if build.python is None:
        raise CasaNotStarted(
            f"build {build.id} is monolithic: its jobs cannot be started yet",
            hint="Register a modular build, or install one with `reimage casa install`.",
        )
    if shutil.which(build.python, path=os.defpath) is None:  # bwrap would only say 1
        raise CasaNotStarted(
            f"cannot start {build.python}: there is no such program", evidence={"build": build.id}
        )
    shut_in = confine.prefix(writable) if writable is not None else []
    command = [*shut_in, build.python, str(JOBS / f"{job}.py"), str(directory / "job.json")]
    ended = _watch(command, build, job, directory=directory, limits=limits, emit=emit)
    document.write(directory / "exit.json", ended)
    flooded = _cut_off(directory)
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
            f"{job} wrote more than {MOST_OUTPUT_BYTES >> 20} MB into {', '.join(flooded)}",
            evidence=evidence,
        )
    return _value(result, job, ended, evidence)


def _cut_off(directory: Path) -> list[str]:
    """Keep the beginning of files that grew beyond the bound; return their names."""
    flooded = [name for name in WATCHED if following.size(directory / name) > MOST_OUTPUT_BYTES]
    for name in flooded:
        os.truncate(directory / name, KEPT_OUTPUT_BYTES)
    return flooded


def _value(result: Path, job: str, ended: JobExit, evidence: Mapping[str, Any]) -> dict[str, Any]:
    told = document.read_json(result) if result.exists() else None
    if ended.exit_code == 0 and told is not None and told["ok"]:
        value: dict[str, Any] = told["value"]
        return value
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
        "REIMAGE_CASADATA": build.casadata,
        "REIMAGE_CASA_LOG": str(directory / "casa.log"),
        "REIMAGE_CASA_CACHE": str(directory / "home" / "cache"),
    }


def _watch(
    command: list[str],
    build: CasaBuild,
    job: str,
    *,
    directory: Path,
    limits: Limits,
    emit: Emit,
) -> JobExit:
    (directory / "home").mkdir(exist_ok=True)
    watched = [directory / name for name in WATCHED]
    start = time.monotonic()
    with (directory / "stdout.log").open("wb") as out, (directory / "stderr.log").open("wb") as err:
        try:
            child = subprocess.Popen(  # noqa: S603 -- a registered build's own interpreter
                command,
                cwd=directory,
                env=environment(build, directory),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=kernel.Birth(os.getpid()),  # noqa: PLW1509 -- the runner has one thread
            )
        except OSError as error:
            raise CasaNotStarted(
                f"cannot start {command[0]}: {error}", evidence={"build": build.id}
            ) from error
    emit(
        "casa.started",
        job=job,
        build=build.id,
        pid=child.pid,
        directory=str(directory),
        confined=command[0] != build.python,
    )
    told = following.Appended(directory / "progress.jsonl")
    why, last_size, last_change = "", -1, start
    try:
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            following.relay(told, emit)
            if pid:
                break
            sizes, now = [following.size(path) for path in watched], time.monotonic()
            size = sum(sizes)
            if size != last_size:
                last_size, last_change = size, now
            if now - start > limits.wall_s:
                why = "wall"
            elif now - last_change > limits.silence_s:
                why = "silent"
            elif max(sizes) > MOST_OUTPUT_BYTES:
                why = "flood"
            if why:
                stop_group(child.pid)
                pid, status, usage = os.wait4(child.pid, 0)
                break
            time.sleep(POLL_S)
    except BaseException:
        stop_group(child.pid, grace_s=0)
        raise
    child.returncode = os.waitstatus_to_exitcode(status)
    code = confine.own_status(child.returncode) if command[0] != build.python else child.returncode
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what the job left behind
    following.relay(told, emit)
    ended = JobExit(
        exit_code=code if code >= 0 else None,
        signal=signal.Signals(-code).name if code < 0 else None,
        why=why or ("signal" if code < 0 else "exit"),
        wall_s=round(time.monotonic() - start, 3),
        peak_process_mb=usage.ru_maxrss // 1024,
    )
    emit(
        "casa.exited",
        job=job,
        exit_code=ended.exit_code,
        signal=ended.signal,
        why=ended.why,
        wall_s=ended.wall_s,
        peak_process_mb=ended.peak_process_mb,
    )
    return ended


def stop_group(group: int, grace_s: float | None = None) -> None:
    """End a process group: SIGTERM, and SIGKILL to what is left."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + (GRACE_S if grace_s is None else grace_s)
        while time.monotonic() < deadline and not _is_zombie(group):
            time.sleep(POLL_S)
        os.killpg(group, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return True


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
