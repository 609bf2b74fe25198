"""A recipe as the script that a person would run in a CASA with the ALMA pipeline.

It does what the pipeline's own ``hifatargets.py`` does: the tasks between ``h_init`` and ``h_save``; what
they raise is logged and the context is saved all the same.  Deviation: its exit code says that it was so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reimage.recipes.effective import LIST, specmode_of
from reimage.recipes.recipe import Recipe, Value
from reimage.recipes.releases import dialects, era_of
from reimage.recipes.translate import Call, Translation, translate

FUNCTION = "hifatargets"
_IMPORTS = ("hifa_importdata", "hifa_restoredata", "hif_restoredata")
_SAYS: Mapping[str, str] = {
    "hifa_importdata": "Load the data",
    "hifa_restoredata": "Load and restore the data",
    "hif_restoredata": "Load and restore the data",
    "hif_mstransform": "Split out the target data",
    "hifa_flagtargets": "Flag the target data",
    "hif_findroi": "Find regions of interest",
    "hifa_imageprecheck": "Check imaging parameters against what the PI asked for",
    "hif_checkproductsize": "Check product sizes and mitigate imaging parameters",
    "hif_findcont": "Find continuum frequency ranges",
    "hif_uvcontfit": "Fit the continuum in these ranges",
    "hif_uvcontsub": "Subtract the continuum",
    "hif_makeimages": "Make these images",
    "hif_cleanlist": "Make these images",
    "hif_selfcal": "Self-calibrate",
    "hifa_exportdata": "Export the products",
    "hif_exportdata": "Export the products",
}
_LISTS: Mapping[str, str] = {
    "mfs": "List the continuum images, one for each spw",
    "cont": "List the aggregate continuum images",
    "cube": "List the cubes",
    "repBW": "List the cube at the representative bandwidth",
}
_HEAD = '''\
# -*- coding: utf-8 -*-
"""{title}

Recipe {recipe}, for the ALMA pipeline {era} (CASA {casa}); written by
`reimage recipe show --as-script`.
Calibrated MSs on the command line or in `vislist` below; run it in a directory of its own:

    {how}
"""

import os
import sys
import traceback
{imports}
IMPORT_ONLY = "Import only"
VISLIST = {vis}


def {function}(vislist, importonly=False):
    """Carry the recipe out; return whether nothing was raised."""
    good = False
    try:
        # Initialize the pipeline
        h_init()
'''
_TAIL = """
        good = True

    except Exception as error:
        if str(error) == IMPORT_ONLY:
            good = True
            print("Exiting after import step ...")
        else:
            print("Error in procedure execution ...")
            print(traceback.format_exc())

    finally:
        # Save the results to the context
        h_save()
        print("Terminating procedure execution ...")

    return good


if __name__ == "__main__":
    given = [one.rstrip("/") for one in sys.argv[1:] if one.rstrip("/").endswith(".ms")]
    if not {function}([os.path.abspath(one) for one in given or VISLIST]):
        sys.exit(1)
"""
_IMPORT_ONLY = """\
        if importonly:
            raise Exception(IMPORT_ONLY)
"""


def as_script(recipe: Recipe, version: str | None, vis: Sequence[str] = ()) -> str:
    """Return a recipe as a runnable script in the words of a pipeline's version.

    Raises
    ------
    RecipeNotInDialect, PipelineVersionUnknown
    """
    told = translate(recipe, version)
    release = [one for one in dialects().release if era_of(one.era) <= era_of(told.era)][-1]
    how = _tasks_are(told.era)
    body = _body(recipe, told)
    return (
        _HEAD.format(
            title=_quotable(recipe.title),
            recipe=_quotable(" ".join([recipe.id, *(f"--set {one}" for one in recipe.overrides)])),
            era=told.era,
            casa=release.casa,
            how="python hifatargets.py x.ms"
            if how == "packages"
            else "casa --pipeline --nologger --nogui -c hifatargets.py x.ms",
            imports=_imports(told, how),
            vis=list(vis),
            function=FUNCTION,
        )
        + body
        + _TAIL.format(function=FUNCTION)
    )


def _quotable(text: str) -> str:
    """Return a text that says the same to people and can stand in a docstring."""
    return text.replace('"', "'").replace("\\", "/")


def _tasks_are(era: str) -> str:
    return next(one.tasks for one in dialects().script if one.holds(era_of(era)))


def _imports(told: Translation, how: str) -> str:
    """Return the lines that bring the tasks in."""
    tasks = sorted({call.task for call in told.calls} | {"h_init", "h_save"})
    if how == "task_cli":
        lines = [f"from {task}_cli import {task}_cli as {task}" for task in tasks]
        return "\n" + "\n".join(
            ["# A task that fails is to raise", "__rethrow_casa_exceptions = True", "", *lines, ""]
        )
    if how == "globals":
        return "\n# The tasks are among the globals of `casa --pipeline`\n"
    lines = []
    for package in sorted({task.split("_")[0] for task in tasks}):
        names = [task for task in tasks if task.split("_")[0] == package]
        lines += [f"from pipeline.{package}.cli import (", *(f"    {name}," for name in names), ")"]
    return "\n" + "\n".join(
        ["import casatasks  # before the pipeline, which wants its log", *lines, ""]
    )


def _body(recipe: Recipe, told: Translation) -> str:
    steps = {step.id: step for step in recipe.steps}
    lines: list[str] = []
    if told.caveats:
        lines += ["", *(f"        # reimage: {caveat}" for caveat in told.caveats)]
    for call in told.calls:
        step = steps.get(call.step)
        specmode = specmode_of(step) if step else ""
        is_list = step is not None and step.task == LIST
        said = _LISTS.get(specmode) if is_list else _SAYS.get(call.task)
        datatype = str(step.parameters.get("datatype", "")) if step else ""
        if is_list and datatype:
            said = f"{said}, of data type {datatype}"
        lines += ["", f"        # {said or call.task}", f"        {_written(call)}"]
        if call.task in _IMPORTS:
            lines += [_IMPORT_ONLY.rstrip()]
    return "\n".join(lines) + "\n"


def _written(call: Call) -> str:
    arguments: dict[str, Value] = dict(call.arguments)
    said = [f"{name}={value!r}" for name, value in arguments.items()]
    if call.task in _IMPORTS:
        said = ["vis=vislist", *said]
    return f"{call.task}({', '.join(said)})"
