"""Change a recipe from the command line: ``--set step.param=value``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from reimage import document
from reimage.errors import DocumentUnreadable, RecipeError
from reimage.recipes.check import RecipeUnreadable, check, typed, unusable
from reimage.recipes.dialect import TASKS
from reimage.recipes.recipe import Recipe, Step, Value

KEYS: Mapping[str, str] = {
    "engine": "Engines: tasks, pipeline.",
    "naming": "A year: naming=2017.",
    "heuristics": "A year: heuristics=2024.",
    "weblog": "Write weblog=true or weblog=false.",
}
"""Keys of the recipe itself that can be changed, and how."""
ENABLED = "enabled"


class RecipeOverrideUnusable(RecipeError):
    """`--set` names no parameter, or several, or gives it a value that it cannot have."""

    code = "recipe-override-unusable"


def override(recipe: Recipe, assignments: Sequence[str]) -> Recipe:
    """Return a recipe with parameters changed: ``step.param=value``, value as in TOML.

    ``step`` is a step's id (that step), or a task with or without its prefix (every step of that task).
    ``selfcal.enabled=false`` switches an optional step off; ``engine=pipeline``, ``naming=2017`` and
    ``heuristics=2024`` change the recipe's own keys.

    Raises
    ------
    RecipeOverrideUnusable
        The hint lists what is known.
    RecipeYearUnknown
    """
    changed = recipe
    for assignment in sorted(assignments, key=lambda one: not _is_key(one)):
        changed = (
            _set_key(changed, assignment) if _is_key(assignment) else _set(changed, assignment)
        )
    try:
        check(changed, origin=f"{recipe.id} with {' '.join(assignments)}")
    except RecipeUnreadable as error:
        raise RecipeOverrideUnusable(
            error.message, hint=error.hint, evidence=error.evidence
        ) from error
    return replace(changed, overrides=(*recipe.overrides, *assignments))


def short_name(task: str) -> str:
    """Return a task's name without its prefix: ``makeimages`` for ``hif_makeimages``."""
    return task.split("_", 1)[-1]


def _is_key(assignment: str) -> bool:
    return assignment.partition("=")[0].strip() in KEYS


def _set_key(recipe: Recipe, assignment: str) -> Recipe:
    key, _, text = assignment.partition("=")
    key = key.strip()
    data: dict[str, Any] = {**document.dump(recipe), key: value_of(text.strip())}
    try:
        return document.load(Recipe, data, origin=assignment)
    except DocumentUnreadable as error:
        raise RecipeOverrideUnusable(error.message, hint=KEYS[key]) from error


def _set(recipe: Recipe, assignment: str) -> Recipe:
    where, equals, text = assignment.partition("=")
    address, dot, name = where.strip().rpartition(".")
    if not (equals and dot and address and name):
        raise RecipeOverrideUnusable(
            f"not a change of a recipe: {assignment!r}",
            hint=f"Write step.param=value, or one of {', '.join(KEYS)} without a step.",
        )
    steps = _addressed(recipe, address, name)
    value = value_of(text.strip(), TASKS[steps[0].task].get(name))
    chosen = {step.id for step in steps}
    if name == ENABLED:
        return _switch(recipe, steps, value, assignment)
    _check_parameter(steps, name, value, assignment, recipe.engine)
    return replace(
        recipe,
        steps=tuple(
            replace(step, parameters={**step.parameters, name: typed(step.task, name, value)})
            if step.id in chosen
            else step
            for step in recipe.steps
        ),
    )


def _check_parameter(
    steps: Sequence[Step], name: str, value: Value, assignment: str, engine: str
) -> None:
    task = steps[0].task
    if name not in TASKS[task]:
        near = get_close_matches(name, TASKS[task], n=1)
        raise RecipeOverrideUnusable(
            f"{task} has no parameter {name!r}",
            hint=(f"Did you mean {near[0]}? " if near else "")
            + f"Known: {', '.join(sorted(TASKS[task]))}.",
        )
    if len({repr(step.parameters.get(name)) for step in steps}) > 1:
        ids = ", ".join(step.id for step in steps)
        raise RecipeOverrideUnusable(
            f"{name} differs between the steps of {task}", hint=f"Name one of them: {ids}."
        )
    wrong = unusable(task, name, value, engine)
    if wrong:
        raise RecipeOverrideUnusable(
            f"{assignment}: {wrong}", hint="Values are written as in TOML."
        )


def _switch(recipe: Recipe, steps: Sequence[Step], value: Value, assignment: str) -> Recipe:
    fixed = [step.id for step in steps if not step.optional]
    if fixed or not isinstance(value, bool):
        optional = ", ".join(step.id for step in recipe.steps if step.optional)
        raise RecipeOverrideUnusable(
            f"{assignment}: only optional steps are switched, with true or false",
            hint=f"Optional in {recipe.id}: {optional or 'none'}.",
        )
    chosen = {step.id for step in steps}
    return replace(
        recipe,
        steps=tuple(
            replace(step, enabled=value) if step.id in chosen else step for step in recipe.steps
        ),
    )


def _addressed(recipe: Recipe, address: str, name: str) -> list[Step]:
    exact = [step for step in recipe.steps if step.id == address]
    steps = exact or [s for s in recipe.steps if address in (s.task, short_name(s.task))]
    tasks = sorted({step.task for step in steps})
    if len(tasks) > 1:
        raise RecipeOverrideUnusable(
            f"{address!r} may be {' or '.join(tasks)}", hint="Write the task's whole name."
        )
    if not steps:
        known = sorted({s.id for s in recipe.steps} | {short_name(s.task) for s in recipe.steps})
        near = get_close_matches(address, known, n=1)
        raise RecipeOverrideUnusable(
            f"{recipe.id} has no step {address!r} (for {name})",
            hint=(f"Did you mean {near[0]}? " if near else "") + f"Known: {', '.join(known)}.",
        )
    return steps


def value_of(text: str, default: Value | None = None) -> Value:
    """Read a value as TOML writes it; what is no TOML, or a number or date where words are due, is a string."""
    try:
        (value,) = tomllib.loads(f"value = {text}").values()
    except ValueError:  # no TOML, or several lines of it
        return text
    is_said = isinstance(value, str | bool | list)
    return text if isinstance(default, str) and not is_said else value
