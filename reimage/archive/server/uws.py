"""Jobs of the asynchronous TAP (UWS 1.1): their phases, their files, their end."""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from reimage.archive.server.asking import Answer, Hold, Sent
from reimage.archive.server.database import Session
from reimage.errors import ReimageError

WORKERS: Final = 4
LONGEST_WAIT_S: Final = 60.0
"""That a request for a job is held back for."""


class Phase(StrEnum):
    """Where a job is."""

    PENDING = "PENDING"
    """Made, not yet told to run."""
    QUEUED = "QUEUED"
    """Waits for its turn."""
    EXECUTING = "EXECUTING"
    """Runs."""
    COMPLETED = "COMPLETED"
    """Its result is there."""
    ERROR = "ERROR"
    """It failed; there is a message."""
    ABORTED = "ABORTED"
    """It was told to end."""

    @property
    def is_active(self) -> bool:
        """Whether it can still change by itself."""
        return self in {Phase.PENDING, Phase.QUEUED, Phase.EXECUTING}


class JobUnknown(LookupError):
    """There is no such job, or it is gone."""


Begin = Callable[[Sent, float, Hold], Answer]
"""Begins the answer to what was sent, within so many seconds."""


@dataclass(slots=True, kw_only=True)
class Job:
    """One job; changed under its store's lock only."""

    id: str
    folder: Path
    parameters: dict[str, str]
    files: dict[str, bytes]
    duration_s: float
    destruction: datetime
    latest: datetime
    """When it is destroyed at the latest."""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None
    phase: Phase = Phase.PENDING
    message: str = ""
    media_type: str = ""
    session: Session | None = None

    @property
    def result(self) -> Path:
        """Where its answer is written to."""
        return self.folder / "result"


class Jobs:
    """All jobs of a service, in memory, their results in files."""

    def __init__(self, begin: Begin, *, duration_s: float, retention_s: float) -> None:
        self._begin, self.duration_s, self._retention_s = begin, duration_s, retention_s
        self._place = Path(tempfile.mkdtemp(prefix="reimage-uws-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)
        self._jobs: dict[str, Job] = {}
        self._change = threading.Condition()
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="uws")

    def create(self, sent: Sent) -> Job:
        """Make a job that waits to be told to run."""
        name = uuid.uuid4().hex[:16]
        folder = self._place / name
        folder.mkdir()
        latest = datetime.now(UTC) + timedelta(seconds=self._retention_s)
        job = Job(
            id=name,
            folder=folder,
            parameters=dict(sent.parameters),
            files=dict(sent.files),
            duration_s=self.duration_s,
            destruction=latest,
            latest=latest,
        )
        with self._change:
            self._jobs[name] = job
        return job

    def all(self) -> list[Job]:
        """Return the jobs, the newest first."""
        self._destroy_old()
        return sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)

    def one(self, name: str) -> Job:
        """Return a job.

        Raises
        ------
        JobUnknown
        """
        self._destroy_old()
        try:
            return self._jobs[name]
        except KeyError:
            raise JobUnknown(name) from None

    def wait(self, name: str, seconds: float, phase: str = "") -> Job:
        """Return a job when its phase changes, or after so many seconds; below zero: very long."""
        job = self.one(name)
        before = job.phase
        if (phase and phase != before) or not before.is_active:
            return job
        limit = LONGEST_WAIT_S if seconds < 0 else min(seconds, LONGEST_WAIT_S)
        with self._change:
            self._change.wait_for(lambda: job.phase is not before, timeout=limit)
        return job

    def run(self, job: Job) -> None:
        """Let a job run; one that was told before stays as it is."""
        with self._change:
            if job.phase is not Phase.PENDING:
                return
            self._set(job, Phase.QUEUED)
        self._pool.submit(self._execute, job).add_done_callback(partial(self._note_fault, job))

    def abort(self, job: Job) -> None:
        """End a job."""
        with self._change:
            if not job.phase.is_active:
                return
            self._set(job, Phase.ABORTED)
            if job.session is not None:
                job.session.stop()

    def change(self, job: Job, parameters: Mapping[str, str]) -> bool:
        """Set parameters of a job; False when it is too late for that."""
        with self._change:
            if job.phase is not Phase.PENDING:
                return False
            job.parameters.update(parameters)
            return True

    def delete(self, job: Job) -> None:
        """End and forget a job."""
        self.abort(job)
        with self._change:
            self._jobs.pop(job.id, None)
        for file in job.folder.glob("*"):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """End all jobs and remove their files."""
        for job in list(self._jobs.values()):
            self.abort(job)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._remove()

    def _execute(self, job: Job) -> None:
        with self._change:
            if job.phase is not Phase.QUEUED:
                return
            self._set(job, Phase.EXECUTING)
        try:
            sent = Sent(parameters=job.parameters, files=job.files)
            answer = self._begin(sent, job.duration_s, partial(self._hold, job))
            with job.result.open("wb") as stream:
                for chunk in answer.chunks():
                    stream.write(chunk)
        except ReimageError as error:
            self._finish(job, Phase.ERROR, error.message)
        except OSError as error:
            self._finish(job, Phase.ERROR, f"the service cannot write the result: {error}")
        else:
            job.media_type = answer.media_type
            self._finish(job, Phase.ERROR if answer.broken else Phase.COMPLETED, answer.broken)

    def _hold(self, job: Job, session: Session) -> None:
        """Keep a job's session at hand, so that the job can be ended."""
        with self._change:
            job.session = session
            if job.phase is Phase.ABORTED:
                session.stop()

    def _note_fault(self, job: Job, done: Future[None]) -> None:
        """End a job that our own bug broke, so that nobody waits for it."""
        fault = None if done.cancelled() else done.exception()
        if fault is not None:
            self._finish(job, Phase.ERROR, f"the service failed: {type(fault).__name__}: {fault}")

    def _finish(self, job: Job, phase: Phase, message: str = "") -> None:
        with self._change:
            job.session = None
            if job.phase is Phase.EXECUTING:
                job.message = message
                self._set(job, phase)

    def _set(self, job: Job, phase: Phase) -> None:
        """Move a job on; the lock is held."""
        job.phase = phase
        if phase is Phase.EXECUTING:
            job.started = datetime.now(UTC)
        elif not phase.is_active:
            job.ended = datetime.now(UTC)
        self._change.notify_all()

    def _destroy_old(self) -> None:
        now = datetime.now(UTC)
        for job in list(self._jobs.values()):
            if job.destruction <= now:
                self.delete(job)
