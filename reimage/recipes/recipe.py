"""What a recipe is: stages, and imaging steps with the names and parameters of the ALMA pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reimage.model import Stage

Value: TypeAlias = bool | int | float | str | list[str]
"""What a parameter may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a pipeline task."""

    id: str
    """Unique in the recipe; the task's name without prefix unless the task comes several times."""
    task: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Those that are set; the rest have the pipeline's defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to process a dataset, as `run.json` freezes it; its digest is that of this value."""

    id: str
    title: str
    holding: str
    engine: Literal["tasks", "pipeline"]
    naming: int
    """Year whose product names are used."""
    heuristics: int
    """Year whose imaging heuristics are used."""
    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]
    overrides: tuple[str, ...] = ()
    """What a person changed, as typed: ``makeimages.hm_cyclefactor=3``; already merged into the steps."""
    schema: int = 1
