"""Image: the plan of a recipe, carried out image by image, each proven or absent with a reason.

Two CASA jobs do the work.  ``image_prepare`` splits the targets off and chooses what their images share;
of what it finds the plan is made.  ``image_make`` makes the images and keeps a record of each.  When its
process dies, the image that it was making is recorded absent and the job is started again for the rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reimage import __version__, document
from reimage.casa import process
from reimage.errors import CasaError, DeliveryError, RecipeError
from reimage.model import PlannedImage, Product, ProductState, Stage
from reimage.recipes import Recipe, plan, tasks
from reimage.stages.context import StageContext
from reimage.stages.values import ImageValue, RestoreValue

MASK = "mask"
UNDERWAY = "underway.json"
"""In which the job says what it is doing."""
_FROM_OUTSIDE = ("SIGKILL", "SIGTERM")
"""Signals that CASA does not send itself: a person, a watchdog, the kernel's memory killer."""
_FATAL = ("No space left on device", "Disk quota exceeded")
"""What a dead job may have said that would kill every further image too."""
_TELLING = ("bad_alloc", "MemoryError", "what():", "Error")


class ImagingMadeNothing(CasaError):
    """Not one image of the plan could be made."""

    code = "imaging-made-nothing"
    hint = "The reasons of the single images are in the evidence; `reimage show RUN` has the log lines."


class RecipeEngineUnknown(RecipeError):
    """The recipe asks for an engine that this installation does not have."""

    code = "imaging-engine-missing"
    hint = 'Use a recipe with engine = "tasks".'


class ImagingNoTargets(DeliveryError):
    """No calibrated MS holds a science target that could be imaged."""

    code = "imaging-no-targets"
    hint = (
        "`reimage show RUN` lists the intents found; a calibration-only dataset has none to image."
    )


class ImagingColumnMissing(DeliveryError):
    """The column that should hold the calibrated data is not in the MS."""

    code = "imaging-column-missing"
    hint = "The restore proved another MS than the one that is here: re-run from *restore*."


class ImagingForeignTelescope(DeliveryError):
    """The data are not ALMA's, and the recipe's heuristics are."""

    code = "imaging-foreign-telescope"
    hint = "Choose a recipe of the data's own holding."


_CODED: Mapping[str, type[DeliveryError]] = {
    "NoTargets": ImagingNoTargets,
    "MissingColumn": ImagingColumnMissing,
    "ForeignTelescope": ImagingForeignTelescope,
}
"""What job ``image_prepare`` raises on data that are not as they should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """What became of one image: ``image/records/<basename>.json``, written by the job, last."""

    image: str
    state: ProductState
    reason: str | None = None
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{kind: {"name": file name, "bytes": size}}``"""
    caveats: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)


def run(context: StageContext) -> ImageValue:
    """Make every image of the plan.

    Raises
    ------
    PlanEmpty, RecipeEngineUnknown
        There is nothing that could be made.
    ImagingNoTargets, ImagingColumnMissing, ImagingForeignTelescope
        The MSs are not what they should be.
    CasaJobFailed, CasaSilent
        The job died where no single image is to blame.
    CasaTimeout
        The time of the run is over.
    ImagingCasaTooOld
        The build that restored cannot image, and no other is registered.
    ImagingMadeNothing
        Every image of the plan is absent.
    """
    recipe = document.load(Recipe, context.run.recipe, origin="run.json: recipe")
    if recipe.engine != "tasks":
        raise RecipeEngineUnknown(f"{recipe.id} wants the engine {recipe.engine!r}")
    work = context.work(Stage.IMAGE)
    for name in ("ms", "scratch", "records", "products"):
        (work / name).mkdir(exist_ok=True)
    facts = _prepare(context, recipe, work)
    planned = plan.plan(document.load(plan.ImagingFacts, facts), recipe, context.run.dataset)
    context.emit("image.planned", images=[image.id for image in planned], n=len(planned))
    caveats = _make(context, recipe, facts, planned, work)
    records = {image.id: _record(work, image) for image in planned}
    if not any(record.state is ProductState.MADE for record in records.values()):
        reasons = {name: record.reason for name, record in records.items()}
        raise ImagingMadeNothing(
            f"none of {len(planned)} images could be made: {next(iter(reasons.values()))}",
            evidence={"reasons": reasons},
        )
    shutil.rmtree(work / "scratch")
    return ImageValue(
        plan=planned,
        products=tuple(
            product
            for image in planned
            for product in _products(image, records[image.id], work.relative_to(context.directory))
        ),
        caveats=(
            *_other_build(context),
            *facts["caveats"],
            *caveats,
            *(f"{c}:{image.id}" for image in planned for c in records[image.id].caveats),
        ),
    )


def _other_build(context: StageContext) -> tuple[str, ...]:
    """Return the caveat that another CASA made the images than restored the data."""
    build = context.imaging_build()
    return () if build == context.build() else (f"imaged-with-other-casa:{build.version}",)


def _prepare(context: StageContext, recipe: Recipe, work: Path) -> dict[str, Any]:
    """Return what the images share: from an earlier start if its inputs were the same."""
    restored = context.value(Stage.RESTORE, RestoreValue)
    inputs = {
        "ms": [
            {"eb": ms.eb, "path": str(context.directory / ms.path), "column": ms.column}
            for ms in restored.ms
        ],
        "ms_directory": str(work / "ms"),
        "scratch": str(work / "scratch" / "trial"),
        **tasks.prepare_inputs(recipe),
    }
    kept, digest = work / "prepared.json", document.digest(inputs)
    if kept.exists():
        earlier = document.read_json(kept)
        if earlier["digest"] == digest:
            return dict(earlier["facts"])
    try:
        facts = context.run_job("image_prepare", inputs, work / "prepare", context.imaging_build())
    except process.CasaJobFailed as error:
        for name, coded in _CODED.items():
            if f": {name}: " in error.message:
                raise coded(error.message, evidence=error.evidence) from error
        raise
    document.write(kept, {"digest": digest, "facts": facts})
    return facts


def _make(
    context: StageContext,
    recipe: Recipe,
    facts: Mapping[str, Any],
    planned: Sequence[PlannedImage],
    work: Path,
) -> list[str]:
    """Run job ``image_make`` until every image has a record; return its caveats."""
    inputs = {
        "facts": facts,
        "images": [{**document.dump(image), "record": _record_name(image)} for image in planned],
        "records": str(work / "records"),
        "products": str(work / "products"),
        "scratch": str(work / "scratch"),
        "keywords": _keywords(context, recipe),
        **tasks.make_inputs(recipe),
    }
    while True:
        (work / "records" / UNDERWAY).unlink(missing_ok=True)
        try:
            value = context.run_job("image_make", inputs, work / "make", context.imaging_build())
            return list(value["caveats"])
        except (process.CasaJobFailed, process.CasaSilent) as error:
            context.still_current()
            _after_death(context, error, planned, work / "records")


def _after_death(
    context: StageContext,
    error: process.CasaJobFailed | process.CasaSilent,
    planned: Sequence[PlannedImage],
    records: Path,
) -> None:
    """Make sure that the next start of a job that died gets further, or raise.

    A signal that only others send is forgiven once.  Else the image that was being made is given up.
    """
    path = records / UNDERWAY
    what = document.read_json(path)["what"] if path.exists() else None
    if what is None or any(word in str(error.evidence) for word in _FATAL):
        raise error
    forgiven = records / f"killed-{document.digest(what)[:16]}.json"
    if error.evidence.get("signal") in _FROM_OUTSIDE and not forgiven.exists():
        document.write(forgiven, {"what": what, "message": error.message})
        context.emit("image.killed", what=what, reason=error.message)
        return
    image = next((image for image in planned if image.id == what), None)
    if image is None or (records / _record_name(image)).exists():
        raise error  # no single image is to blame
    reason = _reason(error)
    document.write(
        records / _record_name(image),
        ImageRecord(image=image.id, state=ProductState.ABSENT, reason=reason),
    )
    context.emit("image.absent", image=image.id, reason=reason)


def _reason(error: process.CasaJobFailed | process.CasaSilent) -> str:
    """Say in one line how a job died, with the first telling line of its stderr."""
    lines = str(error.evidence.get("stderr_tail", "")).splitlines()
    telling = (line.strip() for line in lines if any(word in line for word in _TELLING))
    return f"{error.code}: {error.message}: {next(telling, 'no word on stderr')}"[:500]


def _keywords(context: StageContext, recipe: Recipe) -> dict[str, str]:
    """Return what every FITS header says of where the image comes from; values fit one card."""
    words = {
        "REIMAGE": __version__,
        "RECIPE": recipe.id,
        "RECDIG": context.run.recipe_digest,
        "RUNID": context.run.run,
        "BUILD": context.imaging_build().id,
        "MEMBER": context.run.dataset,
        "PROPCODE": str(context.run.facts.get("proposal_id", "")),
    }
    return {key: value[:68] for key, value in words.items() if value}


def _record_name(image: PlannedImage) -> str:
    return f"{image.basename}.json"


def _record(work: Path, image: PlannedImage) -> ImageRecord:
    return document.read(ImageRecord, work / "records" / _record_name(image))


def _products(image: PlannedImage, record: ImageRecord, image_dir: Path) -> list[Product]:
    """Return a row for each planned file, and one for the mask when the clean left one."""
    made = record.state is ProductState.MADE
    names = {**image.files, **{kind: file["name"] for kind, file in record.files.items()}}
    return [
        Product(
            name=name,
            kind=kind,
            image=image.id,
            target=image.target,
            spws=",".join(str(spw) for spw in image.spws),
            specmode=image.specmode,
            state=ProductState.MADE if made else ProductState.ABSENT,
            planned=kind != MASK,
            reason=record.reason,
            path=str(image_dir / "products" / name) if made else None,
            n_bytes=record.files[kind]["bytes"] if made else None,
        )
        for kind, name in names.items()
    ]
