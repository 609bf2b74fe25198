"""Where two recipes differ: step by step, as changes of the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from reimage.recipes.recipe import Recipe, Step

_ABSENT = object()
KEYS = ("title", "holding", "engine", "naming", "heuristics", "stages", "weblog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key of the recipe, or one step."""

    kind: Literal["key", "added", "removed", "changed", "same"]
    name: str
    """Of the key, or the id of the step."""
    task: str | None = None
    before: Mapping[str, Any] | None = None
    """What the first recipe says; None where it has no such step."""
    after: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()
    """What of a changed step differs."""


def compare(one: Recipe, other: Recipe) -> tuple[Difference, ...]:
    """Return the keys that differ, then every step of both in order, with what differs in it."""
    keys = [
        Difference(
            kind="key",
            name=key,
            before={key: getattr(one, key)},
            after={key: getattr(other, key)},
        )
        for key in KEYS
        if getattr(one, key) != getattr(other, key)
    ]
    return (*keys, *_steps(one, other))


def differs(found: tuple[Difference, ...]) -> bool:
    """Whether anything that is done differs: titles do not count."""
    return any(one.kind != "same" and one.name != "title" for one in found)


def _steps(one: Recipe, other: Recipe) -> Iterator[Difference]:
    """Yield the steps of both; two are the same when id and task are, in the same order."""
    left = [(step.id, step.task) for step in one.steps]
    right = [(step.id, step.task) for step in other.steps]
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            for first, second in zip(one.steps[a:b], other.steps[c:d], strict=True):
                yield _same_step(first, second)
            continue
        for step in one.steps[a:b]:
            yield Difference(kind="removed", name=step.id, task=step.task, before=_said(step))
        for step in other.steps[c:d]:
            yield Difference(kind="added", name=step.id, task=step.task, after=_said(step))


def _same_step(first: Step, second: Step) -> Difference:
    left, right = _said(first), _said(second)
    changed = tuple(
        key
        for key in dict.fromkeys([*left, *right])
        if left.get(key, _ABSENT) != right.get(key, _ABSENT)
    )
    return Difference(
        kind="changed" if changed else "same",
        name=first.id,
        task=first.task,
        before=left,
        after=right,
        changed=changed,
    )


def _said(step: Step) -> dict[str, Any]:
    flags = {"optional": True} if step.optional else {}
    return {**step.parameters, **flags, **({} if step.enabled else {"enabled": False})}
