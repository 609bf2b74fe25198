"""Runs on this machine: one detached supervisor per attempt, which outlives the controller.

A job's name is its supervisor's identity (`reimage.identity`), so that a controller that was killed
and started again finds its jobs, and never takes a stranger with the same pid for one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen

from reimage import identity
from reimage.executors.protocol import JobState, JobStatus, SubmissionFailed

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Runs share the machine: threads beyond the free cores cost more than they bring."""


class LocalExecutor:
    """Starts supervisors as processes of this machine.

    Parameters
    ----------
    program
        What carries out an attempt; empty for the runner.
    """

    name = "local"

    def __init__(self, program: Sequence[str] = ()) -> None:
        self._program = tuple(program)
        self._children: dict[str, int] = {}
        """Pids of those that this process has yet to reap."""

    def submit(self, run_dir: Path, attempt: int) -> str:
        """Start an attempt's supervisor in a session of its own."""
        directory = run_dir / "attempts" / str(attempt)
        command = [sys.executable, "-P", "-m", "reimage.supervisor", str(run_dir), str(attempt)]
        if self._program:
            command += ["--", *self._program]
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with (directory / "supervisor.log").open("ab") as log:
                child = Popen(  # noqa: S603 -- our own program
                    command,
                    cwd=run_dir,
                    env={**os.environ, **ONE_THREAD},  # noqa: TID251 -- passed on, not read
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise SubmissionFailed(
                f"cannot start a supervisor: {error}", evidence={"run_dir": str(run_dir)}
            ) from error
        who = identity.of_process(child.pid)
        if who is None:  # ended within microseconds; its exit code and log say why
            code = child.wait()
            raise SubmissionFailed(
                f"the supervisor ended at once with {code}",
                evidence={"log": str(directory / "supervisor.log"), "exit_code": code},
            )
        self._children[str(who)] = child.pid
        child.returncode = 0  # disowned: it outlives this object, and `_reap` waits for it
        return str(who)

    def recover(self, run_dir: Path, attempt: int) -> str | None:
        """Return who supervises an attempt, as its supervisor wrote."""
        path = run_dir / "attempts" / str(attempt) / "supervisor.json"
        try:
            return str(json.loads(path.read_bytes())["identity"])
        except FileNotFoundError:
            return None

    def poll(self, jobs: Sequence[str]) -> Mapping[str, JobStatus]:
        """Look for every supervisor in the process table."""
        self._reap()
        return {job: self._status(job) for job in jobs}

    def cancel(self, job: str) -> None:
        """Ask a supervisor to end its tree."""
        who = identity.Identity.parse(job)
        if who is not None and who.is_alive():
            with suppress(ProcessLookupError):
                os.kill(who.pid, signal.SIGTERM)

    def _reap(self) -> None:
        """Take leave of supervisors that ended, so that they do not stay as zombies."""
        for job, pid in list(self._children.items()):
            try:
                ended = os.waitpid(pid, os.WNOHANG)[0] == pid
            except ChildProcessError:  # somebody else reaped it
                ended = True
            if ended:
                del self._children[job]

    @staticmethod
    def _status(job: str) -> JobStatus:
        who = identity.Identity.parse(job)
        if who is None:
            return JobStatus(state=JobState.UNKNOWN, evidence={"reason": "not a local job"})
        alive = who.is_alive()
        if alive is None:
            return JobStatus(state=JobState.UNKNOWN, evidence={"reason": f"runs on {who.host}"})
        return JobStatus(state=JobState.ALIVE if alive else JobState.ENDED)
