"""What an executor is: it starts supervisors, says whether they live, and can end them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from reimage.errors import ReimageError


class SubmissionFailed(ReimageError):
    """The executor could not start an attempt."""

    code = "submission-failed"
    hint = "The controller tries again; look at the executor (memory, process limits, scheduler)."


class JobState(StrEnum):
    """What an executor knows of a job."""

    ALIVE = "alive"
    """Waiting or running."""
    ENDED = "ended"
    UNKNOWN = "unknown"
    """Not to be seen from here, or not known yet; never taken for ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """What an executor says of a job, and by what it knows."""

    state: JobState
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Executor(Protocol):
    """Where runs execute."""

    name: str

    def submit(self, run_dir: Path, attempt: int) -> str:
        """Start an attempt's supervisor, or have it started; return the job's name.

        Raises
        ------
        SubmissionFailed
        """
        ...

    def recover(self, run_dir: Path, attempt: int) -> str | None:
        """Return the name of a job that was submitted and whose name was lost; None if there is none."""
        ...

    def poll(self, jobs: Sequence[str]) -> Mapping[str, JobStatus]:
        """Say of every job whether it lives."""
        ...

    def cancel(self, job: str) -> None:
        """Ask for a job's end; its supervisor ends the tree and writes how it ended."""
        ...
