"""What is asked of one release of the ALMA pipeline, and whether it runs in the CASA it came with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reimage.model import CasaBuild
from reimage.recipes import Recipe, Step
from reimage.recipes.releases import dialects, era_of, named
from reimage.recipes.translate import translate

_EXPORT = Step(id="exportdata", task="hifa_exportdata", parameters={"imaging_products_only": True})
_DATATYPE_IN_NAMES_SINCE = 2023
"""PIPE-1710."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A recipe in the words of a build's pipeline."""

    steps: tuple[Mapping[str, Any], ...]
    """``id``, ``task``, ``arguments`` each."""
    caveats: tuple[str, ...]
    has_data_types: bool
    """Import can be told what the columns of an MS hold."""


def ask(recipe: Recipe, build: CasaBuild) -> Asked:
    """Return what is asked of the pipeline of a build; a recipe that exports nothing gets an export.

    Raises
    ------
    RecipeNotInDialect, PipelineVersionUnknown
    """
    if not any(step.task == _EXPORT.task for step in recipe.steps):
        recipe = replace(recipe, steps=(*recipe.steps, _EXPORT))
    said = translate(recipe, build.pipeline)
    column = dialects().task["hifa_importdata"].arguments["datacolumns"]
    return Asked(
        steps=tuple(
            {"id": call.step, "task": call.task, "arguments": dict(call.arguments)}
            for call in said.calls
        ),
        caveats=(*said.caveats, *pairing(build.pipeline, build.version)),
        has_data_types=column.holds(era_of(said.era)),
    )


def pairing(version: str | None, casa: str) -> tuple[str, ...]:
    """Return a caveat where a pipeline was released with another CASA than it runs in.

    The pipeline itself writes a line about it into its log, and goes on.
    """
    era, doubts = named(version)
    if doubts:
        return ()  # which one it is is not known, and has been said
    official = next((one.casa for one in dialects().release if one.era == era), None)
    if official is None or _numbers(official) == _numbers(casa):
        return ()
    return (f"pipeline-casa-unpaired:{era} came with CASA {official}, this is {casa}",)


def names_datatype(naming: int) -> bool:
    """Whether names of a year say which calibration the data have."""
    return naming >= _DATATYPE_IN_NAMES_SINCE


def _numbers(version: str) -> tuple[str, ...]:
    """Return the three numbers that make a release; the fourth counts builds."""
    return tuple(version.replace("-", ".").split(".")[:3])
