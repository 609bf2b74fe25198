"""The engine *pipeline*: the ALMA pipeline itself, step by step, in a build that has it.

One CASA job drives it and keeps a record of each step.  What it returns is not believed: its own lists are
the plan, its files are looked at, and what it merely logs or scores becomes the reason of an image that is
absent, or a caveat.  When the process dies in a step that makes images, those are given up and the job is
started again for the rest; when it hangs while it plots, it goes on without a weblog.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reimage import document
from reimage.casa.imaging import PipelineNotInBuild
from reimage.errors import CasaError
from reimage.imaging import (
    accompany,
    pipeline_beside,
    pipeline_findings,
    pipeline_outcome,
    pipeline_plan,
    pipeline_release,
)
from reimage.imaging.bad_input import ImagingMadeNothing
from reimage.imaging.pipeline_driving import Told, drive
from reimage.imaging.pipeline_findings import Finding
from reimage.imaging.request import Imaged, ImagingRequest
from reimage.model import Product, ProductState


class PipelineFailed(CasaError):
    """A step of the pipeline failed before any image was made."""

    code = "pipeline-failed"
    hint = (
        "The job's directory keeps the pipeline's log and a record of each step (`image/records`)."
    )


def make(request: ImagingRequest) -> Imaged:
    """Run the recipe's steps in the pipeline and look at what they made.

    Raises
    ------
    PipelineNotInBuild, PipelineStepMissing, RecipeNotInDialect, PipelineVersionUnknown
        The build cannot carry out the recipe.
    PipelineFailed
        A step failed, and nothing was made before it.
    ImagingMadeNothing
        No step failed, and nothing was made.
    CasaJobFailed, CasaSilent, CasaTimeout
        The process died or hung where no step that makes images is to blame.
    """
    if request.build.pipeline is None:
        raise PipelineNotInBuild(
            f"build {request.build.id} has no ALMA pipeline", evidence={"build": request.build.id}
        )
    asked = pipeline_release.ask(request.recipe, request.build)
    inputs = _inputs(request, asked)
    _forget_other_inputs(request.directory, document.digest(inputs))
    told = drive(request, inputs)
    findings = pipeline_findings.find(told.steps)
    expected = pipeline_plan.expect(told.steps, findings, request.dataset)
    request.emit("image.planned", images=[one.image.id for one in expected], n=len(expected))
    where = str((request.directory / "products").relative_to(request.root))
    products = pipeline_outcome.products(expected, told.steps, findings, told.files, where)
    _report(request, findings, products)
    _require_something(told, findings, products)
    beside = tuple(
        pipeline_beside.rows(
            request.directory,
            request.root,
            told.files,
            dataset=request.dataset,
            without_weblog=told.without_weblog,
        )
    )
    carried = accompany.carried_over(request, (*products, *beside))
    _clean_up(request.directory / "working")
    return Imaged(
        plan=tuple(one.image for one in expected),
        products=(*products, *beside, *carried),
        caveats=(
            *asked.caveats,
            *_caveats(request, told, findings, products),
        ),
    )


def _inputs(request: ImagingRequest, asked: pipeline_release.Asked) -> dict[str, Any]:
    work = request.directory
    for name in ("rawdata", "working", "products", "records"):
        (work / name).mkdir(exist_ok=True)
    return {
        "ms": [{"eb": ms.eb, "path": str(ms.path), "column": ms.column} for ms in request.ms],
        "steps": list(asked.steps),
        "dataset": request.dataset,
        "recipe": re.sub(r"-\d{4}$", "", request.recipe.id).replace("-", "_"),
        "root": str(work),
        "records": str(work / "records"),
        "weblog": _weblog(request),
        "keywords": dict(request.keywords),
        "proposal": request.keywords.get("PROPCODE", ""),
        "data_types": asked.has_data_types,
    }


def _weblog(request: ImagingRequest) -> bool | None:
    """Whether a weblog is wanted: None takes it where plots can be made."""
    return None if request.recipe.weblog else False


def _forget_other_inputs(work: Path, digest: str) -> None:
    """Begin anew where an earlier start had other inputs."""
    kept = work / "inputs.json"
    if kept.exists() and document.read_json(kept)["digest"] != digest:
        for name in ("rawdata", "working", "products", "records"):
            shutil.rmtree(work / name)
            (work / name).mkdir()
    document.write(kept, {"digest": digest})


# --- what came of it --------------------------------------------------------------------------------


def _report(
    request: ImagingRequest, findings: Sequence[Finding], products: Sequence[Product]
) -> None:
    for one in findings:
        request.emit(
            "pipeline.finding", step=one.step, kind=one.kind, weight=one.weight, message=one.message
        )
    state: dict[str, Product] = {}
    for product in products:
        if product.planned and (product.image not in state or product.state is ProductState.ABSENT):
            state[product.image] = product
    for number, (image, product) in enumerate(state.items(), 1):
        if product.state is not ProductState.ABSENT:
            request.emit("image.made", image=image, k=number, n=len(state), caveats=[])
        else:
            told = {"image": image, "k": number, "n": len(state), "reason": product.reason}
            request.emit("image.absent", **told)


def _require_something(
    told: Told, findings: Sequence[Finding], products: Sequence[Product]
) -> None:
    """Raise where nothing was made, with the cause that is known best."""
    if any(product.state is not ProductState.ABSENT for product in products):
        return
    evidence = {
        "reasons": {product.image: product.reason for product in products},
        "findings": [f"{one.step}: {one}" for one in findings if one.weight != "note"],
        "errorexit": list(told.errorexit),
    }
    broken = next((step for step in told.steps if step.is_broken), None)
    lost = next((one for one in findings if one.weight == "lost"), None)
    if broken is not None:
        before = f"; the pipeline had said {lost}" if lost and not lost.symptom else ""
        raise PipelineFailed(
            f"{broken.task} ({broken.step}) failed: {broken.reason}{before}", evidence=evidence
        )
    cause = str(lost) if lost else next((p.reason for p in products), "no list has an image")
    raise ImagingMadeNothing(f"the pipeline made no image: {cause}", evidence=evidence)


def _caveats(
    request: ImagingRequest,
    told: Told,
    findings: Sequence[Finding],
    products: Sequence[Product],
) -> Iterator[str]:
    """Yield what is to be known of images that are there."""
    reasons = " ".join({product.reason or "" for product in products})
    doubts = [one for one in findings if one.weight == "doubt" or _cost_nothing(one, reasons)]
    yield from dict.fromkeys(f"pipeline-{one.kind}:{_place(one)}" for one in doubts)
    yield from pipeline_plan.caveats(told.steps, findings)
    for step in told.steps:
        mitigated = {
            k: v for k, v in step.mitigation.items() if k not in {"status", "reason"} and v
        }
        for name, value in mitigated.items():
            yield f"pipeline-mitigated:{name}={value}"
        if step.is_broken:
            yield f"pipeline-step-failed:{step.step}"
    yield from (f"pipeline-errorexit:{name}" for name in told.errorexit)
    if told.without_weblog:
        yield f"pipeline-without-weblog:{told.without_weblog}"
    has_datatype = any(".regcal." in one.name or ".selfcal." in one.name for one in products)
    if has_datatype != pipeline_release.names_datatype(request.recipe.naming):
        yield f"names-not-of-recipe:{request.recipe.naming}"


def _cost_nothing(one: Finding, reasons: str) -> bool:
    """Whether a loss is no image's reason to be absent: that of one execution block of several."""
    return one.weight == "lost" and not one.symptom and one.message[:300] not in reasons


def _place(one: Finding) -> str:
    if one.target is None and not one.spws:
        return one.step
    return f"{one.step}:{one.target or ''}.spw{'_'.join(map(str, one.spws))}"


def _clean_up(working: Path) -> None:
    """Remove MSs, CASA images and what self-calibration worked in; logs, cont.dat and weblog stay."""
    for path in working.iterdir():
        is_table = (path / "table.dat").exists() or path.suffix == ".flagversions"
        is_ours = is_table or path.name.startswith("sc_workdir")
        if is_ours and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
