"""Read recipes, and change them from the command line.

A recipe is a TOML file ``<id>.toml`` in the package or in a folder of the site; a site's file hides the
package's.  What a file says that nobody knows is an error, never a warning.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reimage import SCHEMA_VERSION, document
from reimage.errors import DocumentUnreadable, RecipeError
from reimage.recipes.dialect import CARRIED, CHOICES, TASKS
from reimage.recipes.recipe import Recipe, Step, Value

SHIPPED = Path(__file__).parent
_KEYS = {"schema", "title", "holding", "engine", "naming", "heuristics", "stages", "step"}
_STEP_KEYS = {"id", "task", "parameters"}


class RecipeUnknown(RecipeError):
    """No recipe has this id."""

    code = "recipe-unknown"


class RecipeUnreadable(RecipeError):
    """The file of a recipe is not what it should be."""

    code = "recipe-unreadable"
    hint = "ops/guide has a worked example of a recipe."


class RecipeOverrideUnusable(RecipeError):
    """`--set` names no parameter, or several, or gives it a value that it cannot have."""

    code = "recipe-override-unusable"


def find_recipes(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Return every recipe by id; later folders hide earlier ones, all hide the package."""
    return {
        path.stem: path for folder in (SHIPPED, *folders) for path in sorted(folder.glob("*.toml"))
    }


def load_recipe(recipe: str, folders: Sequence[Path] = ()) -> Recipe:
    """Read a recipe by id.

    Raises
    ------
    RecipeUnknown, RecipeUnreadable
    """
    known = find_recipes(folders)
    if recipe not in known:
        raise RecipeUnknown(
            f"no recipe {recipe!r}",
            hint=f"Known: {', '.join(sorted(known))}.",
            evidence={"id": recipe},
        )
    return read_recipe(known[recipe])


def read_recipe(path: Path) -> Recipe:
    """Read the file of a recipe.

    Raises
    ------
    RecipeUnreadable
        Not TOML, a key or a step that nobody knows, a parameter of the wrong type, another schema.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeUnreadable(f"{path}: {error}", evidence={"file": str(path)}) from error
    if data.get("schema") != SCHEMA_VERSION:
        raise RecipeUnreadable(f"{path}: schema {data.get('schema')!r}, not {SCHEMA_VERSION}")
    _refuse_unknown(data, _KEYS, f"{path}")
    steps = data.pop("step", [])
    for number, step in enumerate(steps, 1):
        _refuse_unknown(step, _STEP_KEYS, f"{path}, step {number}")
        step.setdefault("id", short_name(str(step.get("task"))))
    try:
        recipe = document.load(Recipe, {**data, "id": path.stem, "steps": steps}, origin=str(path))
    except DocumentUnreadable as error:
        raise RecipeUnreadable(error.message, evidence=error.evidence) from error
    check(recipe, origin=str(path))
    return recipe


def short_name(task: str) -> str:
    """Return a task's name without its prefix: ``makeimages`` for ``hif_makeimages``."""
    return task.split("_", 1)[-1]


def check(recipe: Recipe, *, origin: str) -> None:
    """Every step and parameter is known, carried out by the engine, and has a value of its type.

    Raises
    ------
    RecipeUnreadable
    """
    repeated = [step for step, count in Counter(s.id for s in recipe.steps).items() if count > 1]
    if repeated:
        raise RecipeUnreadable(f"{origin}: several steps are called {repeated[0]!r}: give them ids")
    for step in recipe.steps:
        _refuse_unknown({step.task: None}, set(TASKS), f"{origin}, step {step.id}")
        _refuse_unknown(step.parameters, set(TASKS[step.task]), f"{origin}, step {step.id}")
        for name, value in step.parameters.items():
            wrong = unusable(step.task, name, value, recipe.engine)
            if wrong:
                raise RecipeUnreadable(f"{origin}, step {step.id}: {wrong}")


def unusable(task: str, name: str, value: Value, engine: str) -> str:
    """Say what is wrong with a value of a known parameter; empty when nothing is."""
    default = TASKS[task][name]
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        return f"{name} is {value!r}, not of type {type(default).__name__}"
    if engine == "tasks" and name in CHOICES and value not in CHOICES[name]:
        return f"{name} is {value!r}; the tasks engine knows {', '.join(CHOICES[name])}"
    if engine == "tasks" and name not in CARRIED[task] and value != default:
        return f"the tasks engine does not carry out {name}, only its default {default!r}"
    return ""


def override(recipe: Recipe, assignments: Sequence[str]) -> Recipe:
    """Return a recipe with parameters changed: ``step.param=value``, value as in TOML.

    ``step`` is a step's id (that step), or a task with or without its prefix (every step of that task).

    Raises
    ------
    RecipeOverrideUnusable
        The hint lists what is known.
    """
    for assignment in assignments:
        recipe = _override(recipe, assignment)
    return replace(recipe, overrides=(*recipe.overrides, *assignments))


def _override(recipe: Recipe, assignment: str) -> Recipe:
    where, equals, text = assignment.partition("=")
    address, dot, name = where.strip().rpartition(".")
    if not (equals and dot and address and name):
        raise RecipeOverrideUnusable(
            f"not a change of a recipe: {assignment!r}", hint="Write step.param=value."
        )
    steps = _addressed(recipe, address, name)
    task = steps[0].task
    if name not in TASKS[task]:
        raise RecipeOverrideUnusable(
            f"{task} has no parameter {name!r}", hint=f"Known: {', '.join(sorted(TASKS[task]))}."
        )
    if len({repr(step.parameters.get(name)) for step in steps}) > 1:
        ids = ", ".join(step.id for step in steps)
        raise RecipeOverrideUnusable(
            f"{name} differs between the steps of {task}", hint=f"Name one of them: {ids}."
        )
    value = _value(text.strip())
    wrong = unusable(task, name, value, recipe.engine)
    if wrong:
        raise RecipeOverrideUnusable(
            f"{assignment}: {wrong}", hint="Values are written as in TOML."
        )
    chosen = {step.id for step in steps}
    return replace(
        recipe,
        steps=tuple(
            replace(step, parameters={**step.parameters, name: value})
            if step.id in chosen
            else step
            for step in recipe.steps
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


def _value(text: str) -> Value:
    """Read a value as TOML writes it; what is no TOML is a string."""
    try:
        value: Value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value


def _refuse_unknown(found: Mapping[str, Any], known: set[str], origin: str) -> None:
    unknown = sorted(set(found) - known)
    if unknown:
        near = get_close_matches(unknown[0], known, n=1)
        raise RecipeUnreadable(
            f"{origin}: nobody knows {unknown[0]!r}",
            hint=(f"Did you mean {near[0]}? " if near else "")
            + f"Known: {', '.join(sorted(known))}.",
            evidence={"origin": origin, "unknown": unknown},
        )
