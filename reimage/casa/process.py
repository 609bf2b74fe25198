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
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from reimage import document
from reimage.casa import confine, place, watching
from reimage.casa.place import Setting
from reimage.casa.watching import CasaNotStarted, JobExit, Start
from reimage.errors import CasaError, ReimageError, ResourceError
from reimage.journal import Emit
from reimage.model import CasaBuild
from reimage.run import Limits

JOBS = place.JOBS


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
class Call:
    """A job that is to be run."""

    build: CasaBuild
    job: str
    inputs: Mapping[str, Any]
    command: tuple[str, ...]
    """What starts it: a program of the build and its words."""
    setting: Setting


Answer: TypeAlias = dict[str, Any] | CasaError | ResourceError
"""What came of a job: the value of its result, or the error that `run_job` would raise."""


def call_of(build: CasaBuild, job: str, inputs: Mapping[str, Any], setting: Setting) -> Call:
    """Return the call of ``jobs/<job>.py`` under the Python of a build.

    Raises
    ------
    CasaNotStarted
        The build has no Python for our jobs.
    """
    if build.python is None:
        raise CasaNotStarted(
            f"build {build.id} has no Python that runs our jobs: its shell runs delivered scripts only",
            hint="Register a modular build beside it, or install one with `reimage casa install`.",
        )
    words = (str(JOBS / f"{job}.py"), str(setting.directory / "job.json"))
    command = (build.python, *words)
    return Call(build=build, job=job, inputs=inputs, command=command, setting=setting)


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
    setting = Setting(directory=directory, limits=limits, emit=emit, writable=writable)
    return _run(call_of(build, job, inputs, setting))


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
    command = (build.casa, *words)
    return _run(Call(build=build, job=job, inputs=inputs, command=command, setting=setting))


def run_jobs(
    calls: Sequence[Call],
    *,
    at_once: int,
    then: Callable[[Call, Answer], Call | None] = lambda *_: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Run jobs side by side; return what came of each, in the order of their ends.

    One loop of one thread watches them all.  Whatever is raised here or in what is called ends every one.

    Parameters
    ----------
    at_once
        How many may run at a time.
    then
        Asked at each end; what it returns is started next.
    meanwhile
        Called at every look.

    Raises
    ------
    CasaNotStarted
    """
    waiting, running, answers = deque(calls), list[_Running](), list[Answer]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_Running(waiting.popleft()))
            for one in tuple(running):
                if (ended := one.look()) is not None:
                    running.remove(one)
                    answers.append(answer := one.answer(ended))
                    if (following_one := then(one.call, answer)) is not None:
                        waiting.appendleft(following_one)
            meanwhile()
            if running and not (waiting and len(running) < at_once):
                time.sleep(watching.POLL_S)
    finally:
        for one in running:
            one.stop()
    return answers


def _run(call: Call) -> dict[str, Any]:
    (answer,) = run_jobs([call], at_once=1)
    if isinstance(answer, ReimageError):
        raise answer
    return answer


class _Running:
    """A call under way."""

    def __init__(self, call: Call) -> None:
        self.call = call
        directory, limits = call.setting.directory, call.setting.limits
        place.prepare(directory, call.setting.casa_memory_mb)
        document.write(
            directory / "job.json",
            {
                "job": call.job,
                "result": str(directory / "result.json"),
                "progress": str(directory / "progress.jsonl"),
                "log": str(directory / "casa.log"),
                "input": dict(call.inputs),
            },
        )
        self._start = _start(call)
        emit = call.setting.emit
        self._watched = watching.Watched(self._start, directory=directory, limits=limits, emit=emit)

    def stop(self) -> None:
        """End it at once."""
        self._watched.stop()

    def look(self) -> JobExit | None:
        """Return how it ended; None while it runs."""
        return self._watched.look()

    def answer(self, ended: JobExit) -> Answer:
        """Return what came of it: None is a value too."""
        document.write(self.call.setting.directory / "exit.json", ended)
        try:
            return _value(self.call, self._start, ended)
        except (CasaError, ResourceError) as error:
            return error


def _start(call: Call) -> Start:
    build, setting, program = call.build, call.setting, call.command[0]
    if shutil.which(program, path=os.defpath) is None:  # bwrap would only say 1
        raise CasaNotStarted(
            f"cannot start {program}: there is no such program", evidence={"build": build.id}
        )
    writable = setting.writable
    return Start(
        job=call.job,
        build=build.id,
        program=program,
        words=call.command[1:],
        environment=place.environment(build, setting.directory),
        prefix=() if writable is None else tuple(confine.prefix(writable)),
        is_wrapped=program == build.casa,
    )


def _value(call: Call, start: Start, ended: JobExit) -> dict[str, Any]:
    """Return what a job gave; the code with which a shell leaves says nothing, a signal does.

    Raises
    ------
    CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
    """
    job, directory, limits = call.job, call.setting.directory, call.setting.limits
    flooded = watching.cut_off(directory)
    evidence = {"job": job, "build": call.build.id, **place.evidence(directory, ended)}
    if ended.why == "wall":
        raise CasaTimeout(f"{job} ran longer than {limits.wall_s:.0f} s", evidence=evidence)
    if ended.why == "silent":
        raise CasaSilent(f"{job} was silent for {limits.silence_s:.0f} s", evidence=evidence)
    if ended.why == "flood":
        raise CasaOutputFlood(
            f"{job} wrote more than {watching.MOST_OUTPUT_BYTES >> 20} MB into {', '.join(flooded)}",
            evidence=evidence,
        )
    result = directory / "result.json"
    told = document.read_json(result) if result.exists() else None
    is_well = ended.exit_code is not None if start.is_wrapped else ended.exit_code == 0
    if is_well and told is not None and told["ok"]:
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
