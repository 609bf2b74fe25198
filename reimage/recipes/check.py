"""What can be wrong with a recipe: found when it is read, and again when it is changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from itertools import pairwise
from math import inf, isfinite
from typing import Any

from reimage.errors import RecipeError
from reimage.recipes.dialect import (
    CARRIED,
    CHOICES,
    HEURISTICS,
    NAMED_SINCE,
    PATTERNS,
    RANGES,
    TASKS,
)
from reimage.recipes.effective import IMAGES, LIST, effective, pairs, specmode_of
from reimage.recipes.recipe import Recipe, Step, Value

_SIZES = ("maxcubesize", "maxcubelimit", "maxproductsize")
_SELECTION = frozenset({"specmode", "field", "spw", "datatype", "contfile"})
_RANKS: Mapping[str, int] = {
    "hifa_importdata": 0,
    "hif_mstransform": 1,
    "hifa_flagtargets": 1,
    "hifa_imageprecheck": 1,
    "hif_checkproductsize": 1,
    "hif_findcont": 2,
    "hif_uvcontfit": 3,
    "hif_uvcontsub": 4,
    "hif_makeimages": 5,
    "hifa_exportdata": 6,
}
"""The order in which the *tasks* engine works."""


class RecipeUnreadable(RecipeError):
    """The file of a recipe is not what it should be."""

    code = "recipe-unreadable"
    hint = "ops/guide has a worked example of a recipe."


class RecipeYearUnknown(RecipeError):
    """No engine here chooses parameters, or names products, as in this year."""

    code = "recipe-year-unknown"


def check(recipe: Recipe, *, origin: str) -> None:
    """Every step and parameter is known, carried out by the engine, and has a value of its type.

    Raises
    ------
    RecipeUnreadable, RecipeYearUnknown
    """
    repeated = [step for step, count in Counter(s.id for s in recipe.steps).items() if count > 1]
    if repeated:
        raise RecipeUnreadable(f"{origin}: several steps are called {repeated[0]!r}: give them ids")
    for step in recipe.steps:
        refuse_unknown({step.task: None}, set(TASKS), f"{origin}, step {step.id}")
        refuse_unknown(step.parameters, set(TASKS[step.task]), f"{origin}, step {step.id}")
        for wrong in _wrong_with_step(step, recipe.engine):
            raise RecipeUnreadable(f"{origin}, step {step.id}: {wrong}")
    if recipe.engine == "tasks":
        _check_years(recipe, origin)
        steps, _ = effective(recipe.steps, CARRIED.__contains__)
        _check_order(steps, origin)
        _check_lists(recipe, steps, origin)


def refuse_unknown(found: Mapping[str, Any], known: AbstractSet[str], origin: str) -> None:
    """Raise when something found is not known; the hint has what comes nearest."""
    unknown = sorted(set(found) - known)
    if unknown:
        near = get_close_matches(unknown[0], known, n=1)
        raise RecipeUnreadable(
            f"{origin}: nobody knows {unknown[0]!r}",
            hint=(f"Did you mean {near[0]}? " if near else "")
            + f"Known: {', '.join(sorted(known))}.",
            evidence={"origin": origin, "unknown": unknown},
        )


def typed(task: str, name: str, value: Value) -> Value:
    """Return a value of a known parameter in its type: 3.0 for 3 where that is a float."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(str(value)) if whole and isinstance(TASKS[task][name], float) else value


def unusable(task: str, name: str, value: Value, engine: str) -> str:
    """Say what is wrong with a value of a known parameter; empty when nothing is."""
    default = TASKS[task][name]
    value = typed(task, name, value)
    if type(value) is not type(default):
        return f"{name} is {value!r}, not of type {type(default).__name__}"
    if isinstance(value, float) and not isfinite(value):
        return f"{name} is {value!r}, which is no number"
    if engine != "tasks" or value == default:
        return ""
    if name not in CARRIED.get(task, TASKS[task]):
        return f"the tasks engine does not carry out {name}, only its default {default!r}"
    return _out_of_bounds(name, value)


def _out_of_bounds(name: str, value: Value) -> str:
    """Say what is wrong with a value that the *tasks* engine is to carry out; empty when nothing is."""
    if name in CHOICES and value not in CHOICES[name]:
        return f"{name} is {value!r}; the tasks engine knows {', '.join(CHOICES[name])}"
    least, most = RANGES.get(name, (-inf, inf))
    if isinstance(value, int | float) and not least <= value <= most:
        return f"{name} is {value!r}; the tasks engine takes {least:g} to {most:g}"
    if name in PATTERNS and not re.fullmatch(PATTERNS[name][0], str(value)):
        return f"{name} is {value!r}; write it as {PATTERNS[name][1]}"
    return ""


def _wrong_with_step(step: Step, engine: str) -> Iterator[str]:
    if not step.enabled and not step.optional:
        yield "only an optional step can be switched off"
    if engine == "tasks" and step.task not in CARRIED and not step.optional:
        yield f"the tasks engine does not carry out {step.task}, and the step is not optional"
    for name, value in step.parameters.items():
        wrong = unusable(step.task, name, value, engine)
        if wrong:
            yield wrong
    yield from _wrong_sizes(step)


def _wrong_sizes(step: Step) -> Iterator[str]:
    """Limits of hif_checkproductsize that are given grow; the pipeline makes no image when they do not."""
    if step.task != "hif_checkproductsize":
        return
    cube, limit, product = (float(str(step.parameters.get(name, -1))) for name in _SIZES)
    if min(cube, limit) >= 0 and limit < cube:
        yield f"maxcubelimit ({limit:g} GB) is below maxcubesize ({cube:g} GB)"
    if product >= 0 and product <= max(cube, limit):
        yield f"maxproductsize ({product:g} GB) is not above the limits for one cube"


def _check_years(recipe: Recipe, origin: str) -> None:
    if recipe.heuristics not in HEURISTICS:
        raise RecipeYearUnknown(
            f"{origin}: the tasks engine does not know the heuristics of {recipe.heuristics}",
            hint=f"Known years: {', '.join(map(str, HEURISTICS))}.",
            evidence={"key": "heuristics", "year": recipe.heuristics},
        )
    if recipe.naming < NAMED_SINCE:
        raise RecipeYearUnknown(
            f"{origin}: the tasks engine does not write the product names of {recipe.naming}",
            hint=f"Names of {NAMED_SINCE} and later carry specmode and Stokes.",
            evidence={"key": "naming", "year": recipe.naming},
        )


def _check_lists(recipe: Recipe, steps: Sequence[Step], origin: str) -> None:
    """One set of settings for each specmode, one cont.dat for all: that is what the engine can do."""
    used = {step.id for pair in pairs(steps) for step in pair}
    idle = [step.id for step in steps if step.task in {LIST, IMAGES} and step.id not in used]
    if idle:
        raise RecipeUnreadable(
            f"{origin}: step {idle[0]} would make nothing",
            hint=f"Each {LIST} is followed by one {IMAGES} before the next.",
            evidence={"steps": idle},
        )
    settings: dict[str, tuple[str, Any]] = {}
    for wanted, made in pairs(steps):
        said = {k: v for k, v in wanted.parameters.items() if k not in _SELECTION}
        specmode = specmode_of(wanted)
        first, other = settings.setdefault(specmode, (made.id, (said, dict(made.parameters))))
        if other != (said, dict(made.parameters)):
            raise RecipeUnreadable(
                f"{origin}: steps {first} and {made.id} make {specmode} images with other settings",
                hint="The tasks engine has one set of settings for each specmode: write two recipes.",
            )
    default = TASKS[LIST]["contfile"]
    files = {str(wanted.parameters.get("contfile", default)) for wanted, _ in pairs(steps)}
    if len(files) > 1:
        raise RecipeUnreadable(
            f"{origin}: lists of {recipe.id} take their continuum from {' and '.join(sorted(files))}",
            hint="The tasks engine takes one file for all: --set makeimlist.contfile=...",
        )


def _check_order(steps: Sequence[Step], origin: str) -> None:
    """Each task once, in the order in which the engine works; lists may stand anywhere."""
    ranked = [step for step in steps if step.task in _RANKS]
    for earlier, later in pairwise(ranked):
        if _RANKS[later.task] < _RANKS[earlier.task]:
            raise RecipeUnreadable(
                f"{origin}: {later.id} comes after {earlier.id}",
                hint="The tasks engine splits, looks ahead, finds and subtracts the continuum, and then "
                "makes images: put the steps in this order.",
            )
    counts = Counter(step.task for step in steps if step.task not in {LIST, IMAGES})
    twice = [task for task, count in counts.items() if count > 1]
    if twice:
        raise RecipeUnreadable(f"{origin}: the tasks engine carries {twice[0]} out once")
