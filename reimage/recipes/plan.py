"""The imaging plan: which images a recipe is to make of what is in the MSs, and how they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reimage.errors import RecipeError
from reimage.model import PlannedImage
from reimage.recipes.recipe import Recipe, Step
from reimage.uid import path_name

REGCAL_SINCE = 2023
"""From this naming year on, names say which calibration the data have (PIPE-1710)."""
MULTI_TERM_ABOVE = 0.1
"""Fractional bandwidth above which the aggregate continuum gets a spectral slope (nterms 2)."""
_KINDS = {1: ("pbcor", "pb"), 2: ("tt0.pbcor", "tt1.pbcor", "alpha", "alpha.error", "pb.tt0")}


class PlanEmpty(RecipeError):
    """The recipe makes no image of what was observed."""

    code = "plan-empty"
    hint = "Look at `field` and `spw` of its hif_makeimlist steps."


@dataclass(frozen=True, slots=True, kw_only=True)
class SpwFacts:
    """A science spw of the first EB; edges are TOPO, Hz."""

    id: int
    low_hz: float
    high_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What was observed of one target name."""

    name: str
    spws: tuple[int, ...]
    flagged: tuple[int, ...]
    """Those of ``spws`` without an unflagged visibility."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingFacts:
    """What the plan needs to know of the MSs; job ``image_prepare`` finds it."""

    targets: tuple[TargetFacts, ...]
    spws: tuple[SpwFacts, ...]


def plan(facts: ImagingFacts, recipe: Recipe, mous: str) -> tuple[PlannedImage, ...]:
    """Return every image that the recipe is to make, in the order in which they are made.

    A spw that is flagged completely keeps its own images, to end *absent* with that reason; the aggregate
    continuum is made of the others.

    Raises
    ------
    PlanEmpty
    """
    images = [image for step in lists(recipe) for image in _of_step(step, facts, recipe, mous)]
    if not images:
        raise PlanEmpty(
            f"{recipe.id} makes no image of this dataset",
            evidence={"targets": [target.name for target in facts.targets]},
        )
    return tuple(images)


def lists(recipe: Recipe) -> Iterator[Step]:
    """Yield the steps that make lists of images and are followed by one that makes the images."""
    pending: Step | None = None
    for step in recipe.steps:
        if step.task == "hif_makeimlist":
            pending = step
        elif step.task == "hif_makeimages" and pending is not None:
            yield pending
            pending = None


def _of_step(step: Step, facts: ImagingFacts, recipe: Recipe, mous: str) -> Iterator[PlannedImage]:
    specmode = _specmode(str(step.parameters.get("specmode", "mfs")))
    names = file_names([target.name for target in facts.targets])
    for target, name in zip(facts.targets, names, strict=True):
        if not _chosen(target.name, str(step.parameters.get("field", ""))):
            continue
        spws = [
            spw for spw in target.spws if _chosen(str(spw), str(step.parameters.get("spw", "")))
        ]
        if specmode == "cont":
            usable = tuple(spw for spw in spws if spw not in target.flagged)
            groups = [usable] if usable else []
        else:
            groups = [(spw,) for spw in spws]
        for group in groups:
            nterms = _nterms(group, facts) if specmode == "cont" else 1
            yield _image(
                target.name,
                group,
                specmode,
                nterms=nterms,
                stem=f"{path_name(mous)}.{name}_sci",
                naming=recipe.naming,
            )


def _image(
    target: str,
    spws: tuple[int, ...],
    specmode: Literal["mfs", "cont", "cube"],
    *,
    nterms: int,
    stem: str,
    naming: int,
) -> PlannedImage:
    which = "_".join(str(spw) for spw in spws)
    datatype = ".regcal" if naming >= REGCAL_SINCE else ""
    basename = f"{stem}.spw{which}.{specmode}{datatype}.I"
    return PlannedImage(
        id=f"{target}.spw{which}.{specmode}",
        target=target,
        spws=spws,
        specmode=specmode,
        nterms=nterms,
        basename=basename,
        files={kind: f"{basename}.{kind}.fits" for kind in _KINDS[nterms]},
    )


def file_names(targets: Sequence[str]) -> list[str]:
    """Return target names as the pipeline writes them into file names, distinct even where it is not.

    Letters, digits and ``_.-+`` stay, anything else becomes ``_``.
    """
    names: list[str] = []
    for number, target in enumerate(targets):
        name = written = re.sub(r"[^A-Za-z0-9_.+-]", "_", target) or "_"
        while name in names:
            name = f"{written}_{number}"
            number += 1  # noqa: PLW2901 -- until nobody has it
        names.append(name)
    return names


def _specmode(text: str) -> Literal["mfs", "cont", "cube"]:
    match text:
        case "mfs" | "cont" | "cube":
            return text
        case _:
            raise PlanEmpty(f"no engine makes images of specmode {text!r}")


def _chosen(name: str, selection: str) -> bool:
    """Whether a comma-separated selection names this; an empty one names everything."""
    return not selection or name in [part.strip() for part in selection.split(",")]


def _nterms(spws: Sequence[int], facts: ImagingFacts) -> int:
    """Two Taylor terms when the spws span more than a tenth of their frequency."""
    chosen = [spw for spw in facts.spws if spw.id in spws]
    low, high = min(spw.low_hz for spw in chosen), max(spw.high_hz for spw in chosen)
    return 2 if 2 * (high - low) / (high + low) > MULTI_TERM_ABOVE else 1
