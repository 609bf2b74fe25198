"""Read recipes.

A recipe is a TOML file ``<id>.toml`` in the package or in a folder of the site; a site's file hides the
package's.  It may extend another one: see `reimage.recipes.layers`.  What a file says that nobody knows is
an error, never a warning.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reimage import SCHEMA_VERSION, document
from reimage.errors import DocumentUnreadable, RecipeError
from reimage.recipes.check import RecipeUnreadable, check, refuse_unknown, typed
from reimage.recipes.layers import OWN, resolve
from reimage.recipes.override import RecipeOverrideUnusable, override, short_name
from reimage.recipes.recipe import Recipe, Step

__all__ = [
    "SHIPPED",
    "RecipeOverrideUnusable",
    "RecipeUnknown",
    "RecipeUnreadable",
    "find_recipes",
    "load_recipe",
    "override",
    "read_recipe",
]

SHIPPED = Path(__file__).parent
_KEYS = {"schema", "title", "holding", "engine", "naming", "heuristics", "stages", "step", "weblog"}
_STEP_KEYS = {"id", "task", "parameters", "optional", "enabled"}


class RecipeUnknown(RecipeError):
    """No recipe has this id."""

    code = "recipe-unknown"


def find_recipes(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Return every recipe by id; later folders hide earlier ones, all hide the package."""
    return {
        path.stem: path for folder in (SHIPPED, *folders) for path in sorted(folder.glob("*.toml"))
    }


def load_recipe(recipe: str, folders: Sequence[Path] = ()) -> Recipe:
    """Read a recipe by id.

    Raises
    ------
    RecipeUnknown, RecipeUnreadable, RecipeLayersUnusable, RecipeYearUnknown
    """
    return _load(recipe, find_recipes(folders))


def read_recipe(path: Path, folders: Sequence[Path] = ()) -> Recipe:
    """Read the file of a recipe; ``folders`` is where those are that it may extend.

    Raises
    ------
    RecipeUnreadable
        Not TOML, a key or a step that nobody knows, a parameter of the wrong type, another schema.
    RecipeUnknown, RecipeLayersUnusable, RecipeYearUnknown
    """
    return _load(path.stem, {**find_recipes([path.parent, *folders]), path.stem: path})


def _load(recipe: str, known: Mapping[str, Path]) -> Recipe:
    data = resolve(recipe, lambda name: _table(name, known, wanted_by=recipe))
    origin = str(known[recipe])
    data = {**data, "id": recipe, "steps": data.pop("step", [])}
    try:
        found = document.load(Recipe, data, origin=origin)
    except DocumentUnreadable as error:
        raise RecipeUnreadable(error.message, evidence=error.evidence) from error
    check(found, origin=origin)
    return replace(found, steps=tuple(_typed(step) for step in found.steps))


def _typed(step: Step) -> Step:
    said = {name: typed(step.task, name, value) for name, value in step.parameters.items()}
    return replace(step, parameters=said)


def _table(recipe: str, known: Mapping[str, Path], *, wanted_by: str) -> dict[str, Any]:
    """Return what the file of a recipe says, each step with an id."""
    if recipe not in known:
        near = get_close_matches(recipe, known, n=1)
        raise RecipeUnknown(
            f"no recipe {recipe!r}" + (f" ({wanted_by} extends it)" if wanted_by != recipe else ""),
            hint=(f"Did you mean {near[0]}? " if near else "")
            + f"Known: {', '.join(sorted(known))}.",
            evidence={"id": recipe},
        )
    path = known[recipe]
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeUnreadable(f"{path}: {error}", evidence={"file": str(path)}) from error
    if data.get("schema") != SCHEMA_VERSION:
        raise RecipeUnreadable(f"{path}: schema {data.get('schema')!r}, not {SCHEMA_VERSION}")
    refuse_unknown(data, {*_KEYS, "extends"}, str(path))
    layered, steps = "extends" in data, data.get("step", [])
    if not isinstance(data.get("extends", ""), str) or not isinstance(steps, list):
        raise RecipeUnreadable(f"{path}: extends is an id, and steps are tables [[step]]")
    for number, step in enumerate(steps, 1):
        _check_step(step, f"{path}, step {number}", layered=layered)
        step.setdefault("id", short_name(str(step.get("task"))))
    return data


def _check_step(step: object, where: str, *, layered: bool) -> None:
    """Refuse the table of a step with other keys than it may have, or that does not say which step it is."""
    if not isinstance(step, dict) or not isinstance(step.get("parameters", {}), dict):
        raise RecipeUnreadable(f"{where}: a step and its parameters are tables")
    refuse_unknown(step, _STEP_KEYS | (OWN if layered else set()), where)
    if "id" not in step and "task" not in step:
        raise RecipeUnreadable(f"{where}: it has neither id nor task")
