"""What a recipe is: stages, and imaging steps with the names and parameters of the ALMA pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reimage import document
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
    optional: bool = False
    """An engine that cannot carry it out leaves it out, with a caveat."""
    enabled: bool = True
    """Only an optional step can be switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to process a dataset, as `run.json` freezes it."""

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
    weblog: bool = True
    """Whether a weblog goes with the images."""
    schema: int = 1


def digest(recipe: Recipe) -> str:
    """Return the sha256 of what a recipe does; its title and the wording of changes do not count."""
    said = document.dump(recipe)
    return document.digest({k: v for k, v in said.items() if k not in {"title", "overrides"}})
