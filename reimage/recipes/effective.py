"""The steps of a recipe that an engine carries out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reimage.recipes.dialect import TASKS
from reimage.recipes.recipe import Step

LIST, IMAGES, SELFCAL = "hif_makeimlist", "hif_makeimages", "hif_selfcal"


def pairs(steps: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """Yield the steps that make lists of images, each with the one that makes the images of it."""
    pending: Step | None = None
    for step in steps:
        if step.task == LIST:
            pending = step
        elif step.task == IMAGES and pending is not None:
            yield pending, step
            pending = None


def effective(
    steps: Sequence[Step], can: Callable[[str], bool]
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Return the steps to carry out, and a caveat for each optional one that ``can`` denies.

    Where nothing calibrates itself, lists of self-calibrated data are left out with their images: the
    pipeline makes none of them either when it does not accept a self-calibration.
    """
    left = [step for step in steps if step.optional and step.enabled and not can(step.task)]
    kept = [step for step in steps if step.enabled and step not in left]
    if not any(step.task == SELFCAL for step in kept):
        idle = [pair for pair in pairs(kept) if of_selfcal(pair[0])]
        gone = {step.id for pair in idle for step in pair}
        kept = [step for step in kept if step.id not in gone]
    return tuple(kept), tuple(f"step-left-out:{step.task}" for step in left)


def specmode_of(step: Step) -> str:
    """Return what a list is of; where it does not say, of cubes, as the pipeline's are."""
    return str(step.parameters.get("specmode", TASKS[LIST]["specmode"]))


def of_selfcal(step: Step) -> bool:
    """Whether a list is of self-calibrated data and nothing else."""
    said = str(step.parameters.get("datatype", "")).lower().split(",")
    return all(part.strip().startswith("selfcal") for part in said)
