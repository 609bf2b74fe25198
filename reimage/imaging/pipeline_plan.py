"""The imaging plan of the ALMA pipeline, read from its own lists.

The pipeline decides while it runs which images it makes.  Its lists are the plan; to them come images
that no list has although they should be there: of a spw that dropped out of a list, and of lists that a
failed step kept from being made.  Names are the pipeline's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard

from reimage.imaging.pipeline_findings import Finding, numbers
from reimage.imaging.pipeline_steps import ListedImage, PipelineStep
from reimage.model import PlannedImage
from reimage.recipes import selection
from reimage.recipes.plan import file_names
from reimage.uid import path_name

KINDS: Mapping[int, tuple[str, ...]] = {
    1: ("pbcor", "pb"),
    2: ("tt0.pbcor", "tt1.pbcor", "alpha", "alpha.error", "pb.tt0"),
}
"""Files of an image, by its number of Taylor terms; a mask comes when cleaning made one."""
MASK = "mask"
_STAGE = re.compile(r"\.s(?:STAGENUMBER|\d+_\d+)\.")
_NAME = re.compile(
    r"(?P<ous>.+)\.(?P<field>[^.].*)_sci\.spw[\d_]+\.(?:mfs|cont|cube|repBW)(?P<data>\.\w+)?$"
)
_Specmode = Literal["mfs", "cont", "cube", "repBW"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A planned image, the step that listed or should have listed it, and what the pipeline said of it."""

    image: PlannedImage
    step: str
    """That of the list."""
    listed: ListedImage | None = None
    """None: no list has it."""
    tried: ListedImage | None = None
    """As the step that made images returned it; None: none tried it."""
    dropped: str | None = None
    """What hif_checkproductsize left out, where no list has the image."""


def expect(
    steps: Sequence[PipelineStep], findings: Sequence[Finding], dataset: str
) -> tuple[Expected, ...]:
    """Return every image that the steps were to make, in their order."""
    names = _Names(steps, dataset)
    found: dict[str, Expected] = {}
    wanted = _wanted(steps, findings)
    limits = {key: value for step in steps for key, value in step.mitigation.items()}
    dropped = ", ".join(f"{key}={limits[key]}" for key in ("field", "spw") if limits.get(key))
    for number, step in enumerate(steps):
        if step.kind != "makeimlist" or not _makes_images(steps[number + 1 :]):
            continue
        tried = {_stem(one.name): one for one in _tried(steps[number + 1 :])}
        for listed in step.images:
            specmode = listed.specmode
            if _is_known(specmode):
                done = tried.get(_stem(listed.name))
                image = _image(done or listed, specmode, limits)
                found.setdefault(
                    image.id, Expected(image=image, step=step.step, listed=listed, tried=done)
                )
        for image in _unlisted(step, wanted, names):
            lacking = Expected(image=image, step=step.step, dropped=dropped or None)
            found.setdefault(image.id, lacking)
    return tuple(found.values())


def caveats(steps: Sequence[PipelineStep], findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what steps that make lists name and no list has, each once.

    Ids, patterns and ranges of CASA's syntax are the pipeline's own business.
    """
    there: dict[str, set[int]] = {}
    for target, spw in _wanted(steps, findings):
        there.setdefault(target, set()).add(spw)
    lacking = (
        what
        for number, step in enumerate(steps)
        if step.kind == "makeimlist" and step.state == "done" and _makes_images(steps[number + 1 :])
        for what in selection.not_found(selection.plain(step.arguments), there)
    )
    return tuple(dict.fromkeys(f"{selection.CAVEAT}:{what}" for what in lacking))


def _makes_images(later: Iterable[PipelineStep]) -> bool:
    """Whether a list is followed by a step that makes its images, before another list replaces it."""
    kinds = [step.kind for step in later if step.kind in {"makeimages", "makeimlist"}]
    return kinds[:1] == ["makeimages"]


def _tried(later: Iterable[PipelineStep]) -> tuple[ListedImage, ...]:
    return next((step.images for step in later if step.kind == "makeimages"), ())


def _stem(name: str) -> str:
    """Return a name without the number of the stage."""
    return _STAGE.sub(".", name)


def _is_known(specmode: str) -> TypeGuard[_Specmode]:
    return specmode in {"mfs", "cont", "cube", "repBW"}


def _image(listed: ListedImage, specmode: _Specmode, limits: Mapping[str, str]) -> PlannedImage:
    spws = numbers(listed.spw)
    image = _planned(
        listed.target,
        spws,
        specmode,
        nterms=listed.nterms,
        basename=f"{_stem(listed.name)}.I",
    )
    return replace(image, mitigation=_mitigation(specmode, spws, limits))


def _mitigation(specmode: _Specmode, spws: Sequence[int], limits: Mapping[str, str]) -> str | None:
    """Say what hif_checkproductsize did to an image; cubes alone are binned."""
    bins: dict[str, str] = dict(re.findall(r"(\d+|\*):(\d+)", limits.get("nbins", "")))
    nbin = int(bins.get(str(spws[0])) or bins.get("*") or 1) if specmode == "cube" and spws else 1
    said = [
        f"{nbin} channels in one" if nbin > 1 else "",
        f"image size {limits['hm_imsize']}" if limits.get("hm_imsize") else "",
        f"cell {limits['hm_cell']}" if limits.get("hm_cell") else "",
    ]
    return ", ".join(filter(None, said)) or None


def _planned(
    target: str, spws: tuple[int, ...], specmode: _Specmode, *, nterms: int, basename: str
) -> PlannedImage:
    which = "_".join(str(spw) for spw in spws)
    again = ".selfcal" if ".selfcal." in basename else ""
    return PlannedImage(
        id=f"{target}.spw{which}.{specmode}{again}",
        target=target,
        spws=spws,
        specmode=specmode,
        nterms=nterms,
        basename=basename,
        files={kind: f"{basename}.{kind}.fits" for kind in KINDS[nterms]},
    )


# --- images that no list has ------------------------------------------------------------------------


def _wanted(
    steps: Iterable[PipelineStep], findings: Iterable[Finding]
) -> tuple[tuple[str, int], ...]:
    """Return targets with each of their spws: of all lists, and those found flagged completely."""
    listed = [
        (image.target, spw)
        for step in steps
        for image in step.images
        if step.kind == "makeimlist"
        for spw in numbers(image.spw)
    ]
    targets = {target for target, _ in listed}
    flagged = [
        (target, spw)
        for one in findings
        if one.kind == "spw-flagged"
        for target in ([one.target] if one.target in targets or not targets else sorted(targets))
        if target
        for spw in one.spws
    ]
    return tuple(sorted(set(listed) | set(flagged)))


def _unlisted(
    step: PipelineStep, wanted: Sequence[tuple[str, int]], names: _Names
) -> Iterator[PlannedImage]:
    """Yield the images that a list lacks; a list that was asked for less lacks nothing.

    Lists of self-calibrated data and of the representative window may be empty with reason.
    """
    specmode = str(step.arguments.get("specmode", "cube"))
    chosen = any(step.arguments.get(key) for key in ("field", "spw"))
    again = str(step.arguments.get("datatype", "")).startswith("selfcal")
    if chosen or again or not _is_known(specmode) or specmode == "repBW":
        return
    there = {(one.target, spw) for one in step.images for spw in numbers(one.spw)}
    if specmode != "cont":
        groups: list[tuple[str, tuple[int, ...]]] = [
            (target, (spw,)) for target, spw in wanted if (target, spw) not in there
        ]
    else:
        targets = dict.fromkeys(target for target, _ in wanted)
        missing = [target for target in targets if not any(t == target for t, _ in there)]
        groups = [(t, tuple(spw for name, spw in wanted if name == t)) for t in missing]
    for target, spws in groups:
        basename = names.basename(target, spws, specmode)
        yield _planned(target, spws, specmode, nterms=1, basename=basename)


class _Names:
    """How this pipeline names images, learnt from those that it listed."""

    def __init__(self, steps: Iterable[PipelineStep], dataset: str) -> None:
        self._ous, self._datatype = path_name(dataset), ""
        self._fields: dict[str, str] = {}
        for image in (image for step in steps for image in step.images):
            match = _NAME.match(_stem(image.name))
            if match:
                self._ous, self._datatype = match["ous"], ".regcal" if match["data"] else ""
                self._fields[image.target] = match["field"]

    def basename(self, target: str, spws: Sequence[int], specmode: str) -> str:
        """Return the name that an image would have had."""
        name = self._fields.get(target) or file_names([target])[0]
        which = "_".join(str(spw) for spw in spws)
        return f"{self._ous}.{name}_sci.spw{which}.{specmode}{self._datatype}.I"
