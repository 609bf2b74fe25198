"""The engine *tasks*: the plan of a recipe, carried out image by image, each proven or absent with a reason.

CASA processes share the work (job ``image_make``): they split the targets off and find what their images
have in common; of that the plan is made here; they make the images and keep a record of each.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from reimage import document
from reimage.casa import process
from reimage.errors import RecipeError
from reimage.imaging import accompany, bad_input, calls, records
from reimage.imaging.request import Imaged, ImagingRequest
from reimage.imaging.workers import Workers
from reimage.model import PlannedImage, ProductState
from reimage.recipes import plan, tasks

Kept: TypeAlias = Sequence[tuple[PlannedImage, records.ImageRecord]]
KEPT = ("ms", "records", "products")
"""Directories of what is not made again."""


class ContfileUnreadable(RecipeError):
    """The recipe names a file of continuum ranges that is not there."""

    code = "imaging-contfile-unreadable"
    hint = "Write the whole path of a cont.dat: `--set makeimlist.contfile=/data/cont.dat`."


def make(request: ImagingRequest) -> Imaged:
    """Make every image of the plan.

    Raises
    ------
    ContfileUnreadable
    PlanEmpty
        There is nothing that could be made.
    ReimageError
        The MSs are not what they should be: see `bad_input`.
    CasaJobFailed, CasaSilent
        A process died where no single image is to blame.
    CasaTimeout
        The time of the run is over.
    ImagingMadeNothing, ProductSizeUnmitigable
        Every image of the plan is absent.
    """
    work = request.directory
    inputs = _inputs(request)
    _begin(work, inputs["digest"])
    workers = Workers(request, inputs, lambda facts: _planned(request, facts))
    try:
        workers.run()
    except process.CasaJobFailed as error:
        raise bad_input.coded(error) from error
    kept = [(image, records.read(work, image)) for image in workers.planned]
    _require_some(kept)
    shutil.rmtree(work / "scratch")
    facts = document.read_json(work / "prepared.json")["facts"]
    known = document.load(plan.ImagingFacts, facts)
    imaged = Imaged(
        plan=workers.planned,
        products=tuple(
            product
            for image, record in kept
            for product in records.products(image, record, work.relative_to(request.root))
        ),
        caveats=(
            *tasks.caveats(request.recipe),
            *plan.caveats(known, request.recipe),
            *facts["caveats"],
            *_caveats(work, kept),
        ),
    )
    return accompany.accompany(request, imaged, facts)


def _inputs(request: ImagingRequest) -> dict[str, Any]:
    """Return the input of the job; its digest is the same wherever the work is done."""
    work, root = request.directory, request.root
    chosen = tasks.prepare_inputs(request.recipe), tasks.make_inputs(request.recipe)
    ms = [
        {
            "eb": ms.eb,
            "path": str(ms.path.relative_to(root) if ms.path.is_relative_to(root) else ms.path),
            "column": ms.column,
        }
        for ms in request.ms
    ]
    given = _contents(chosen[1]["contfile"])
    return {
        "digest": document.digest([ms, *chosen, *given]),
        "prepared": str(work / "prepared.json"),
        "prepare": {
            "ms": [{**one, "path": str(root / str(one["path"]))} for one in ms],
            "ms_directory": str(work / "ms"),
            "scratch": str(work / "scratch" / "trial"),
            **chosen[0],
        },
        "ms_directory": str(work / "ms"),
        "records": str(work / "records"),
        "products": str(work / "products"),
        "scratch": str(work / "scratch"),
        "keywords": dict(request.keywords),
        **chosen[1],
    }


def _contents(contfile: str) -> list[str]:
    """Return the digest of the file of continuum ranges that the recipe names; nothing where it names none.

    Raises
    ------
    ContfileUnreadable
    """
    if not contfile:
        return []
    path = Path(contfile)
    if not path.is_absolute():
        raise ContfileUnreadable(f"contfile is {contfile!r}, not a whole path")
    try:
        return [document.file_sha256(path)]
    except OSError as error:
        raise ContfileUnreadable(
            f"cannot read {contfile}: {error.strerror}", evidence={"path": contfile}
        ) from error


def _begin(work: Path, digest: str) -> None:
    """Make the directories; what was made of other inputs is of no use."""
    known = work / "inputs.json"
    if known.exists() and document.read_json(known) != {"digest": digest}:
        for name in KEPT:
            shutil.rmtree(work / name, ignore_errors=True)
        (work / "prepared.json").unlink(missing_ok=True)
        for path in work.glob(f"*/{calls.FILE}"):
            path.unlink()
    document.write(known, {"digest": digest})
    for name in (*KEPT, "scratch"):
        (work / name).mkdir(exist_ok=True)
    prepared = work / "prepared.json"
    if prepared.exists():
        made = [Path(eb["ms"]).name for eb in document.read_json(prepared)["facts"]["ebs"]]
        if not all((work / "ms" / name).exists() for name in made):
            prepared.unlink()


def _planned(request: ImagingRequest, facts: Mapping[str, Any]) -> Sequence[PlannedImage]:
    """Return the plan of what was found, and tell it."""
    known = document.load(plan.ImagingFacts, facts)
    planned = plan.plan(known, request.recipe, request.dataset)
    images = [{"datatype": "regcal", **document.dump(image)} for image in planned]
    request.emit("image.planned", images=images, n=len(images))
    return planned


def _require_some(kept: Kept) -> None:
    if not any(record.state is ProductState.MADE for _, record in kept):
        raise bad_input.made_nothing({image.id: record.reason for image, record in kept})


def _caveats(work: Path, kept: Kept) -> Iterator[str]:
    continuum = work / records.RECORDS / "continuum.json"
    if continuum.exists():  # it is not where every image needs more memory than there is
        yield from document.read_json(continuum)["caveats"]
    for image, record in kept:
        yield from (f"{caveat}:{image.id}" for caveat in record.caveats)
