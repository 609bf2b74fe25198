"""Recipes that are changes of another one: ``extends = "<id>"``.

A file that extends another says only what differs.  Its keys replace those of the other.  A ``[[step]]``
with the id of one of the other's steps changes that step, its parameters one by one; with ``remove = true``
the step goes; with ``after`` or ``before`` it is a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from reimage.errors import RecipeError

Table = Mapping[str, Any]
OWN = frozenset({"after", "before", "remove"})
"""Keys of a step that only a file which extends another may have."""


class RecipeLayersUnusable(RecipeError):
    """A recipe extends another in a way that cannot be."""

    code = "recipe-layers-unusable"
    hint = "ops/guide has a worked example of a recipe that extends another."


def resolve(name: str, read: Callable[[str], Table]) -> dict[str, Any]:
    """Return the tables of a recipe with those that it extends merged in; ``read`` gives a file's by id.

    Raises
    ------
    RecipeLayersUnusable
        It extends itself in the end, or changes a step that is not there.
    """
    chain: list[tuple[str, Table]] = []
    following: str | None = name
    while following is not None:
        if following in (seen for seen, _ in chain):
            circle = " -> ".join([*(seen for seen, _ in chain), following])
            raise RecipeLayersUnusable(f"recipes extend each other in a circle: {circle}")
        table = read(following)
        chain.append((following, table))
        following = table.get("extends")
    merged = {key: value for key, value in chain.pop()[1].items() if key != "extends"}
    for layer, table in reversed(chain):
        merged = _merge(merged, table, layer)
    return merged


def _merge(below: Table, layer: Table, name: str) -> dict[str, Any]:
    keys = {k: value for k, value in layer.items() if k not in {"extends", "step"}}
    steps = [dict(step) for step in below.get("step", ())]
    for step in layer.get("step", ()):
        _apply(steps, step, name)
    return {**below, **keys, "step": steps}


def _apply(steps: list[dict[str, Any]], step: Table, name: str) -> None:
    """Change, remove or insert one step."""
    said = {key: value for key, value in step.items() if key not in OWN}
    places = [key for key in ("after", "before") if key in step]
    if len(places) > 1 or (places and "remove" in step):
        raise RecipeLayersUnusable(f"{name}, step {step['id']}: one of after, before, remove")
    if places:
        at = _find(steps, str(step[places[0]]), name) + (places[0] == "after")
        steps.insert(at, said)
        return
    at = _find(steps, str(step["id"]), name)
    if step.get("remove") is True:
        del steps[at]
        return
    if "task" in step and step["task"] != steps[at]["task"]:
        raise RecipeLayersUnusable(
            f"{name}: step {step['id']} is {steps[at]['task']}, not {step['task']}",
            hint="Remove that step, and insert a new one with another id.",
        )
    parameters = {**steps[at].get("parameters", {}), **step.get("parameters", {})}
    steps[at] = {**steps[at], **said, "parameters": parameters}


def _find(steps: Sequence[Table], wanted: str, name: str) -> int:
    known = [str(step["id"]) for step in steps]
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1)
        raise RecipeLayersUnusable(
            f"{name}: what it extends has no step {wanted!r}",
            hint=(f"Did you mean {near[0]}? " if near else "")
            + f"Known: {', '.join(known)}. A new step says `after` or `before`.",
            evidence={"recipe": name, "step": wanted},
        )
    return known.index(wanted)
