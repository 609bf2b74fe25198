"""Starting a CASA process, watching it, and ending it: limits, silence, floods, what it leaves behind.

What ended it is said by `JobExit`; whether it did its work is for its files to say.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reimage import kernel
from reimage.casa import confine, following
from reimage.errors import CasaError
from reimage.journal import Emit
from reimage.run import Limits

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is started: one job of one build."""

    job: str
    build: str
    """Id of the build."""
    program: str
    """Interpreter or executable of the build."""
    words: tuple[str, ...]
    """What the program is given."""
    environment: Mapping[str, str]
    """All of it: nothing of ours leaks into CASA."""
    prefix: tuple[str, ...] = ()
    """What shuts it in; empty where it runs unconfined."""
    is_wrapped: bool = False
    """The program is a shell script that runs CASA: it says 128 + N where signal N ended CASA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExit:
    """How a job's process ended: ``exit.json`` in its directory."""

    exit_code: int | None
    signal: str | None
    why: str
    """``exit``, ``signal``, or what we ended it for: ``wall``, ``silent``, ``flood``."""
    wall_s: float
    peak_process_mb: int


class Watched:
    """A process that was started in a directory, and is stayed with until it and its group are gone.

    Several are looked at in turn by one thread: children die with the thread that started them.

    Raises
    ------
    CasaNotStarted
    """

    def __init__(self, start: Start, *, directory: Path, limits: Limits, emit: Emit) -> None:
        self._start, self._emit = start, emit
        self._child = _born(start, directory)
        self._began = time.monotonic()
        self._told = following.Appended(directory / "progress.jsonl")
        self._ending = _Ending([directory / name for name in WATCHED], limits, self._began)
        try:
            emit(
                "casa.started",
                job=start.job,
                build=start.build,
                pid=self._child.pid,
                directory=str(directory),
                confined=bool(start.prefix),
            )
        except BaseException:
            self.stop()
            raise

    def look(self) -> JobExit | None:
        """Pass on what it reports, end it where it must be; return how it ended, None while it runs."""
        pid = self._child.pid
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        following.relay(self._told, self._emit)
        why = "" if ended else self._ending.why(time.monotonic())
        if why:
            stop_group(pid)
            ended, status, usage = os.wait4(pid, 0)
        return self._taken_leave_of(status, usage, why) if ended else None

    def stop(self) -> None:
        """End it at once: nobody waits for it any more."""
        if self._child.returncode is None:
            stop_group(self._child.pid, grace_s=0)
            self._child.wait()

    def _taken_leave_of(self, status: int, usage: resource.struct_rusage, why: str) -> JobExit:
        self._child.returncode = code = os.waitstatus_to_exitcode(status)
        if self._start.prefix or self._start.is_wrapped:
            code = confine.own_status(code)
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)  # what the job left behind
        following.relay(self._told, self._emit)
        ended = JobExit(
            exit_code=code if code >= 0 else None,
            signal=signal.Signals(-code).name if code < 0 else None,
            why=why or ("signal" if code < 0 else "exit"),
            wall_s=round(time.monotonic() - self._began, 3),
            peak_process_mb=usage.ru_maxrss // 1024,
        )
        self._emit("casa.exited", job=self._start.job, **dataclasses.asdict(ended))
        return ended


def _born(start: Start, directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "stdout.log").open("wb") as out, (directory / "stderr.log").open("wb") as err:
        try:
            return subprocess.Popen(  # noqa: S603 -- a registered build's own program
                [*start.prefix, start.program, *start.words],
                cwd=directory,
                env=dict(start.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=kernel.Birth(os.getpid()),  # noqa: PLW1509 -- the runner has one thread
            )
        except OSError as error:
            raise CasaNotStarted(
                f"cannot start {start.program}: {error}", evidence={"build": start.build}
            ) from error


class _Ending:
    """Whether a process must be ended: too long, silent for too long, or too much output."""

    def __init__(self, files: list[Path], limits: Limits, began: float) -> None:
        self._files, self._limits = files, limits
        self._began = self._changed = began
        self._size = -1

    def why(self, now: float) -> str:
        """Return ``wall``, ``silent`` or ``flood``; empty while it may go on."""
        sizes = [following.size(path) for path in self._files]
        if sum(sizes) != self._size:
            self._size, self._changed = sum(sizes), now
        if now - self._began > self._limits.wall_s:
            return "wall"
        if now - self._changed > self._limits.silence_s:
            return "silent"
        return "flood" if max(sizes) > MOST_OUTPUT_BYTES else ""


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


def cut_off(directory: Path) -> list[str]:
    """Keep the beginning of files that grew beyond the bound; return their names."""
    flooded = [name for name in WATCHED if following.size(directory / name) > MOST_OUTPUT_BYTES]
    for name in flooded:
        os.truncate(directory / name, KEPT_OUTPUT_BYTES)
    return flooded
