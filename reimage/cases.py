"""What is decided on after an attempt, and what can be decided: frozen values of `reimage.remedies`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from reimage.model import Result
from reimage.triage.catalogue import Remedy

Mode: TypeAlias = Literal["auto", "ask", "off"]
Kind: TypeAlias = Literal["end", "retry", "rerun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a run was given that a remedy may change."""

    run: str
    memory_mb: int
    wall_s: float
    cores: int = 1
    build: str | None = None
    """That it ran with; None where it did not come to that."""
    fixes: tuple[str, ...] = ()
    cube_gb: float | None = None
    """Size that cubes are kept below; None where the recipe has no step for that, 0 for no limit."""
    automatic: bool = False
    """Queued by the controller, to remedy the run before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An attempt that ended, and all that deciding needs to know."""

    result: Result
    error_class: str | None
    family: str | None = None
    remedy: Remedy = Remedy.NONE
    """That of the error class; NONE also for a passive class."""
    fix: str | None = None
    attempt: int = 1
    uncounted: int = 0
    """Earlier attempts of the run that machines or the archive cut short."""
    cancelled: bool = False
    """Somebody asked for the run's end: nothing is tried again."""
    inputs: Inputs | None = None
    """None where the run's record cannot be read: then there is no new run."""
    earlier: tuple[Inputs, ...] = ()
    """Runs that this one follows, the latest first."""
    is_build_asked: bool = False
    """Somebody named the build; another one is taken only where somebody wants that, too."""
    builds: tuple[str, ...] = ()
    """Builds that would do, as *choose* ranked them."""
    peak_mb: int | None = None
    needed_mb: int | None = None
    """What an image was predicted to need, and was not tried for."""
    silent_s: float | None = None
    silence_s: float | None = None
    """What is silent for so long stands still."""
    resumable: bool = False
    """Images that are made are kept by a new run with the same recipe and build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far remedies go."""

    mode: Mode = "auto"
    """``ask``: new runs wait for a person; ``off``: nothing is tried again."""
    max_attempts: int = 3
    max_interruptions: int = 10
    """Attempts of one run that machines or the archive may cut short."""
    max_remedies: int = 3
    """New runs that follow one another of themselves."""
    memory_mb: int = 0
    """Of the largest machine."""
    wall_s: float = 0.0
    """The longest that a run may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a new run has that the earlier one had not; None leaves a thing as it was."""

    memory_mb: int | None = None
    wall_s: float | None = None
    cores: int | None = None
    casa: str | None = None
    fix: str | None = None
    cube_gb: float | None = None
    keeps_images: bool = False
    """Only the images that are missing are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, and why."""

    kind: Kind
    """``retry``: the next attempt of this run; ``rerun``: a new run, with `change`."""
    reason: str
    change: Change | None = None
    counts: bool = True
    """Whether the attempt is one of those that ``max_attempts`` allows."""
