"""Driving the ALMA pipeline: one CASA job, started again where it died or hung and can get further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reimage import document
from reimage.casa import process
from reimage.casa.imaging import PipelineNotInBuild
from reimage.errors import CasaError, RecipeError
from reimage.imaging import deaths, pipeline_display
from reimage.imaging.pipeline_steps import ExportedFile, PipelineStep
from reimage.imaging.request import ImagingRequest

JOB, IN_SHELL = "pipeline_run", "shell_pipeline"
UNDERWAY, HUNG = "underway.json", "hung.json"
PLOT_SILENCE_S = 900.0
"""With a weblog on: plotms is known to hang, and a step may then be done again without one."""


class PipelineStepMissing(RecipeError):
    """The pipeline of the build has no such task."""

    code = "pipeline-step-missing"
    hint = "Take a recipe of this pipeline's years (`reimage recipe list`), or a build with another pipeline."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the job gave."""

    steps: tuple[PipelineStep, ...]
    files: Mapping[str, ExportedFile]
    errorexit: tuple[str, ...]
    without_weblog: str | None


def drive(request: ImagingRequest, inputs: Mapping[str, Any]) -> Told:
    """Run the job until it ends by itself; return what it gave.

    Raises
    ------
    PipelineNotInBuild, PipelineStepMissing, CasaJobFailed, CasaSilent, CasaTimeout, CasaOutputFlood
    """
    hung = request.directory / "records" / HUNG
    while True:
        try:
            if inputs["weblog"] is False or hung.exists():
                value = _start(request, inputs, weblog=False, display=None)
            else:
                with pipeline_display.started() as display:
                    weblog = inputs["weblog"]
                    value = _start(_impatient(request), inputs, weblog=weblog, display=display)
        except (process.CasaJobFailed, process.CasaSilent) as error:
            request.still_current()
            _after_death(request, error, inputs["steps"])
        else:
            why = document.read_json(hung)["why"] if hung.exists() else value["without_weblog"]
            return document.load(Told, {**value, "without_weblog": why}, origin=JOB)


def _start(
    request: ImagingRequest, inputs: Mapping[str, Any], *, weblog: bool | None, display: str | None
) -> dict[str, Any]:
    asked = {**inputs, "weblog": weblog, "display": display}
    if request.build.python is not None:
        return request.run_job(JOB, asked, request.directory / "pipeline")
    return process.run_in_shell(
        request.build,
        IN_SHELL,
        asked,
        directory=request.directory / "pipeline",
        limits=request.limits,
        emit=request.emit,
        writable=request.root,
        pipeline=True,
    )


def _impatient(request: ImagingRequest) -> ImagingRequest:
    """Return a request that takes a job for hung sooner."""
    silence_s = min(request.limits.silence_s, PLOT_SILENCE_S)
    return replace(request, limits=replace(request.limits, silence_s=silence_s))


def _after_death(
    request: ImagingRequest,
    error: process.CasaJobFailed | process.CasaSilent,
    steps: Sequence[Mapping[str, Any]],
) -> None:
    """Make sure that the next start of a job that died gets further, or raise."""
    for name, coded in _CODED.items():
        if f": {name}: " in error.message:
            raise coded(error.message, evidence=error.evidence) from error
    records = request.directory / "records"
    path = records / UNDERWAY
    if not path.exists() or deaths.is_fatal(error):
        raise error
    note = document.read_json(path)
    number, what = int(note["number"]), str(note["what"])
    record = records / f"{number:02d}-{what}.json"
    if record.exists():
        raise error  # no step is to blame
    request.emit("step.died", step=what, reason=error.message)
    forgiven = records / f"forgiven-{number:02d}.json"
    if isinstance(error, process.CasaSilent) and note["weblog"]:
        document.write(records / HUNG, {"why": f"the pipeline hung in {what}, plotting"})
    elif deaths.is_from_outside(error) and not forgiven.exists():
        document.write(forgiven, {"what": what, "message": error.message})
    elif steps[number - 1]["task"] in {"hif_makeimages", "hif_cleanlist"}:
        document.write(record, _died(steps[number - 1], deaths.reason(error)))
    else:
        raise error


_CODED: Mapping[str, type[CasaError | RecipeError]] = {
    "StepMissing": PipelineStepMissing,
    "PipelineUnusable": PipelineNotInBuild,
}


def _died(step: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Return the record of a step in which the process died: as the job writes it, without a context."""
    died = PipelineStep(
        step=step["id"],
        task=step["task"],
        arguments=step["arguments"],
        state="died",
        reason=reason,
    )
    return {**document.dump(died), "context": None, "raised": None}
