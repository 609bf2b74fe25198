"""The imaging plan: which images a recipe is to make of what is in the MSs, and how they are called.

Deviation from the pipeline: the *tasks* engine does not self-calibrate, so every image is of regularly
calibrated data; lists of self-calibrated data make nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reimage.errors import RecipeError
from reimage.model import PlannedImage
from reimage.recipes.dialect import CARRIED
from reimage.recipes.effective import effective, pairs, specmode_of
from reimage.recipes.recipe import Recipe, Step
from reimage.recipes.selection import CAVEAT, chooses, not_found
from reimage.uid import path_name

REGCAL_SINCE = 2023
"""From this naming year on, names say which calibration the data have (PIPE-1710)."""
MULTI_TERM_ABOVE = 0.1
"""Fractional bandwidth above which the aggregate continuum gets a spectral slope (nterms 2)."""
UNMITIGABLE = "product-size-unmitigable"
"""How the reason of an image begins that no mitigation makes small enough."""
_KINDS = {1: ("pbcor", "pb"), 2: ("tt0.pbcor", "tt1.pbcor", "alpha", "alpha.error", "pb.tt0")}
Specmode = Literal["mfs", "cont", "cube", "repBW"]


class PlanEmpty(RecipeError):
    """The recipe makes no image of what was observed."""

    code = "plan-empty"
    hint = "Look at `field` and `spw` of its hif_makeimlist steps."


class PlanRepeats(RecipeError):
    """Two steps of the recipe make the same image."""

    code = "plan-repeats"
    hint = "Give its hif_makeimlist steps of one specmode different `field` or `spw`."


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
    pointings: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RepBwFacts:
    """The cube of the representative bandwidth: of one target and spw, ``nbin`` channels in one."""

    target: str
    spw: int
    nbin: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedFacts:
    """What the size limits leave no room for."""

    target: str
    spw: int | None
    """None: all of the target's."""
    specmode: str | None
    """None: whatever the specmode."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationFacts:
    """What hif_checkproductsize decided."""

    steps: tuple[str, ...] = ()
    """Rungs of the ladder that were taken: nbin, field, cell, targets, cubes."""
    nbin: Mapping[int, int] = field(default_factory=dict)
    """Channels in one of the cubes, by spw; those that are not here are not binned."""
    pb_level: float = 0.2
    """Images of single pointings end where the primary beam has this."""
    pixels_per_beam: float = 5.0
    dropped: tuple[DroppedFacts, ...] = ()
    error: str | None = None
    """Why nothing helps: then no image is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingFacts:
    """What the plan needs to know of the MSs; job ``image_prepare`` finds it."""

    targets: tuple[TargetFacts, ...]
    spws: tuple[SpwFacts, ...]
    repbw: RepBwFacts | None = None
    """None: unknown, or not above four channels of the cubes, so that no such cube is due."""
    mitigation: MitigationFacts | None = None
    """None: there are no limits."""


def plan(facts: ImagingFacts, recipe: Recipe, mous: str) -> tuple[PlannedImage, ...]:
    """Return every image that the recipe is to make, in the order in which they are made.

    A spw that is flagged completely keeps its own images, to end *absent* with that reason; the aggregate
    continuum is made of the others.  What is dropped for its size is planned with that reason.

    Raises
    ------
    PlanEmpty, PlanRepeats
    """
    images = [image for step in lists(recipe) for image in _of_step(step, facts, recipe, mous)]
    if not images:
        lacking = [caveat.partition(":")[2] for caveat in caveats(facts, recipe)]
        why = f": there is no {', '.join(lacking)}" if lacking else ""
        raise PlanEmpty(
            f"{recipe.id} makes no image of this dataset{why}",
            evidence={
                "targets": [target.name for target in facts.targets],
                "spws": [spw.id for spw in facts.spws],
            },
        )
    repeated = [name for name, n in Counter(image.id for image in images).items() if n > 1]
    if repeated:
        raise PlanRepeats(
            f"{recipe.id} makes {repeated[0]} twice", evidence={"images": sorted(repeated)}
        )
    return tuple(images)


def caveats(facts: ImagingFacts, recipe: Recipe) -> tuple[str, ...]:
    """Return what lists of the recipe name that was not observed, each once."""
    there = {target.name: target.spws for target in facts.targets}
    lacking = (one for step in lists(recipe) for one in not_found(step.parameters, there))
    return tuple(dict.fromkeys(f"{CAVEAT}:{one}" for one in lacking))


def lists(recipe: Recipe) -> Iterator[Step]:
    """Yield the steps that make lists of images and are followed by one that makes the images."""
    steps, _ = effective(recipe.steps, CARRIED.__contains__)
    for wanted, _made in pairs(steps):
        yield wanted


def _of_step(step: Step, facts: ImagingFacts, recipe: Recipe, mous: str) -> Iterator[PlannedImage]:
    specmode = _specmode(specmode_of(step))
    names = file_names([target.name for target in facts.targets])
    for target, name in zip(facts.targets, names, strict=True):
        if not chooses(step.parameters.get("field"), target.name):
            continue
        for group in _groups(step, specmode, target, facts):
            yield _image(
                target,
                group,
                specmode,
                nterms=_nterms(group, facts) if specmode == "cont" else 1,
                stem=f"{path_name(mous)}.{name}_sci",
                naming=recipe.naming,
                limits=facts.mitigation or MitigationFacts(),
            )


def _groups(
    step: Step, specmode: Specmode, target: TargetFacts, facts: ImagingFacts
) -> list[tuple[int, ...]]:
    """Return the spws that go into one image each: all into one of ``cont``."""
    spws = [spw for spw in target.spws if chooses(step.parameters.get("spw"), str(spw))]
    if specmode == "cont":
        usable = tuple(spw for spw in spws if spw not in target.flagged)
        return [usable] if usable else []
    if specmode == "repBW":
        due = facts.repbw
        spws = [spw for spw in spws if due and (due.target, due.spw) == (target.name, spw)]
    return [(spw,) for spw in spws]


def _image(
    target: TargetFacts,
    spws: tuple[int, ...],
    specmode: Specmode,
    *,
    nterms: int,
    stem: str,
    naming: int,
    limits: MitigationFacts,
) -> PlannedImage:
    which = "_".join(str(spw) for spw in spws)
    datatype = ".regcal" if naming >= REGCAL_SINCE else ""
    basename = f"{stem}.spw{which}.{specmode}{datatype}.I"
    return PlannedImage(
        id=f"{target.name}.spw{which}.{specmode}",
        target=target.name,
        spws=spws,
        specmode=specmode,
        nterms=nterms,
        basename=basename,
        files={kind: f"{basename}.{kind}.fits" for kind in _KINDS[nterms]},
        mitigation=_mitigation(specmode, spws, target.pointings, limits),
        dropped=_dropped(target.name, specmode, spws, limits),
    )


def _mitigation(
    specmode: Specmode, spws: Sequence[int], pointings: int, limits: MitigationFacts
) -> str | None:
    """Say what was done; repBW cubes have a bin of their own, and mosaics keep their field."""
    nbin = limits.nbin.get(spws[0], 1) if specmode == "cube" else 1
    said = {
        f"{nbin} channels in one": nbin > 1,
        f"field of view to primary beam {limits.pb_level:g}": "field" in limits.steps
        and pointings == 1,
        f"{limits.pixels_per_beam:g} pixels per beam": "cell" in limits.steps,
    }
    return ", ".join(text for text, done in said.items() if done) or None


def _dropped(
    target: str, specmode: Specmode, spws: Sequence[int], limits: MitigationFacts
) -> str | None:
    if limits.error:
        return f"{UNMITIGABLE}: {limits.error}"
    for one in limits.dropped:
        whole = one.spw is None or tuple(spws) == (one.spw,)
        if one.target == target and whole and one.specmode in {None, specmode}:
            return one.reason
    return None


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


def _specmode(text: str) -> Specmode:
    match text:
        case "mfs" | "cont" | "cube" | "repBW":
            return text
        case _:
            raise PlanEmpty(f"no engine makes images of specmode {text!r}")


def _nterms(spws: Sequence[int], facts: ImagingFacts) -> int:
    """Two Taylor terms when the spws span more than a tenth of their frequency."""
    chosen = [spw for spw in facts.spws if spw.id in spws]
    low, high = min(spw.low_hz for spw in chosen), max(spw.high_hz for spw in chosen)
    return 2 if 2 * (high - low) / (high + low) > MULTI_TERM_ABOVE else 1
