"""What the ALMA pipeline made of a recipe's steps: the records that job ``pipeline_run`` writes, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImage:
    """An entry of the pipeline's list of images, and what became of it once it was tried."""

    name: str
    """As the list writes it: ``<ous>.sSTAGENUMBER.<field>_sci.spw0.mfs.regcal``."""
    target: str
    spw: str
    """Virtual spw ids, by commas."""
    specmode: str
    nterms: int
    datatype: str = ""
    made: str | None = None
    """CASA image that the pipeline says it made."""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A QA score of the pipeline's own; below 0 it could not be computed."""

    score: float
    short: str
    long: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was said while a step worked."""

    level: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStep:
    """One call of a pipeline task: ``records/<n>-<step>.json``."""

    step: str
    task: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    state: Literal["done", "failed", "died", "skipped"]
    reason: str | None = None
    """Why it failed or was skipped: the root of what was raised."""
    result: str | None = None
    """Class of what the task returned."""
    stage: int = 0
    images: tuple[ListedImage, ...] = ()
    qa: tuple[Score, ...] = ()
    messages: tuple[Message, ...] = ()
    mitigation: Mapping[str, str] = field(default_factory=dict)
    wall_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def is_broken(self) -> bool:
        """It did not do what it was called for."""
        return self.state in {"failed", "died"}

    @property
    def kind(self) -> str:
        """The task's name as it is called today, without prefix."""
        return {"hif_cleanlist": "makeimages", "hif_makecleanlist": "makeimlist"}.get(
            self.task, self.task.split("_", 1)[-1]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A file in the pipeline's ``products``."""

    bytes: int
    wrong: str | None = None
    """Why a FITS image is not sound."""
