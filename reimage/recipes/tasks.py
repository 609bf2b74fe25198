"""What the steps of a recipe mean to the *tasks* engine: the inputs of its CASA jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reimage.recipes.dialect import CARRIED, TASKS
from reimage.recipes.effective import effective, pairs, specmode_of
from reimage.recipes.plan import lists
from reimage.recipes.recipe import Recipe, Step, Value

FINDER_ROBUST = 1.0
"""The continuum finder's cubes are made with this, whatever the images' robust."""
DEFAULT_ROBUST = 0.5
"""Of lists that set none, where nothing chooses one."""
_UNSET = -999
_SHAPE = ("nbins", "hm_cell", "hm_imsize", "uvtaper")


def prepare_inputs(recipe: Recipe) -> dict[str, Any]:
    """Return the part of job ``image_prepare``'s input that the recipe decides.

    A list that sets ``robust`` itself has that one: so has the pipeline's.  All others share one.
    """
    split = _step(recipe, "hif_mstransform")
    chanbin = split.get("chanbin", 1)
    timebin = split.get("timebin", "0s")
    averaging: dict[str, Value] = {}
    if chanbin != 1:
        averaging |= {"chanaverage": True, "chanbin": chanbin}
    if timebin != "0s":
        averaging |= {"timeaverage": True, "timebin": timebin}
    tasks = {step.task for step in steps(recipe)}
    wanted = list(lists(recipe))
    own = [robust for robust in map(_robust, wanted) if robust is not None]
    is_open = not own or len(own) < len(wanted)
    return {
        "mstransform": averaging,
        "flagtargets": "hifa_flagtargets" in tasks
        and _step(recipe, "hifa_flagtargets").get("template", True),
        "robust": DEFAULT_ROBUST if is_open else max(own),
        "imageprecheck": "hifa_imageprecheck" in tasks and is_open,
        "checkproductsize": _sizes(recipe) if "hif_checkproductsize" in tasks else None,
        "lists": [_geometry(step) for step in wanted],
    }


def caveats(recipe: Recipe) -> tuple[str, ...]:
    """Return what the engine leaves out of a recipe."""
    return effective(recipe.steps, CARRIED.__contains__)[1]


def _sizes(recipe: Recipe) -> dict[str, Value]:
    """Return the limits in GB; -1 is none."""
    known = TASKS["hif_checkproductsize"]
    said = _step(recipe, "hif_checkproductsize")
    names = ("maxcubesize", "maxcubelimit", "maxproductsize")
    return {name: said.get(name, known[name]) for name in names}


def _geometry(step: Step) -> dict[str, Value]:
    """Return what a list says of the shape of its images; empty, or no robust: it is chosen."""
    said = {name: step.parameters.get(name, "") for name in _SHAPE}
    robust = _robust(step)
    own: dict[str, Value] = {} if robust is None else {"robust": robust}
    return {"specmode": specmode_of(step), **said, **own}


def make_inputs(recipe: Recipe) -> dict[str, Any]:
    """Return the part of job ``image_make``'s input that the recipe decides."""
    tasks = {step.task for step in steps(recipe)}
    subtract = _step(recipe, "hif_uvcontfit") | _step(recipe, "hif_uvcontsub")
    default = TASKS["hif_makeimlist"]["contfile"]
    files = {step.parameters.get("contfile", default) for step in lists(recipe)} - {default}
    return {
        "settings": _settings(recipe),
        "findcont": {"robust": FINDER_ROBUST} if "hif_findcont" in tasks else None,
        "uvcontsub": {"fitorder": subtract.get("fitorder", 1)}
        if "hif_uvcontsub" in tasks
        else None,
        "contfile": str(next(iter(files), "")),
    }


def _settings(recipe: Recipe) -> dict[str, Any]:
    """Return tclean's settings by specmode: those of the makeimages step that follows each list."""
    found: dict[str, Any] = {}
    for wanted, made in pairs(steps(recipe)):
        found[specmode_of(wanted)] = {"robust": _robust(wanted), **_clean_settings(made.parameters)}
    return found


def _clean_settings(parameters: Mapping[str, Value]) -> dict[str, Any]:
    mask = {
        name.removeprefix("hm_"): parameters[name]
        for name in (
            "hm_sidelobethreshold",
            "hm_noisethreshold",
            "hm_lownoisethreshold",
            "hm_negativethreshold",
            "hm_minbeamfrac",
            "hm_growiterations",
            "hm_dogrowprune",
            "hm_minpercentchange",
            "hm_fastnoise",
        )
        if parameters.get(name, _UNSET) != _UNSET
    }
    cycle = parameters.get("hm_cyclefactor", _UNSET)
    return {
        "masking": parameters.get("hm_masking", "auto"),
        "tlimit": parameters.get("tlimit", 2.0),
        "nsigma": parameters.get("hm_nsigma", 0.0),
        "cyclefactor": None if cycle == _UNSET else cycle,
        "mask": mask,
    }


def _robust(step: Step) -> float | None:
    """Return what a list sets itself; None where it leaves that to others."""
    value = step.parameters.get("robust")
    return float(value) if isinstance(value, int | float) else None


def steps(recipe: Recipe) -> tuple[Step, ...]:
    """Return the steps that the engine carries out."""
    return effective(recipe.steps, CARRIED.__contains__)[0]


def _step(recipe: Recipe, task: str) -> dict[str, Value]:
    """Return the parameters of the first step of a task; empty when there is none."""
    found = next((step for step in steps(recipe) if step.task == task), None)
    return dict(found.parameters) if found else {}
