"""What ``field`` and ``spw`` of a list of images choose, and what they name that is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

CAVEAT = "selection-not-found"
_FOREIGN = frozenset("*?~<>\"'")
"""Letters of CASA's selections, which only the pipeline reads."""


def names(selection: object) -> tuple[str, ...]:
    """Return what a comma-separated selection names; nothing when it is empty."""
    return tuple(part for part in map(str.strip, str(selection or "").split(",")) if part)


def chooses(selection: object, name: str) -> bool:
    """Whether a selection names this; an empty one names everything."""
    return not selection or name in names(selection)


def not_found(parameters: Mapping[str, Any], there: Mapping[str, Collection[int]]) -> Iterator[str]:
    """Yield what a list of images names and nobody has: ``field=NGC_9``, ``spw=7``.

    Parameters
    ----------
    there
        Spws of each target that was observed.  One that none of the chosen targets has is not there.
    """
    fields, spws = names(parameters.get("field")), names(parameters.get("spw"))
    chosen = [target for target in there if chooses(parameters.get("field"), target)]
    known = {str(spw) for target in chosen for spw in there[target]}
    yield from (f"field={name}" for name in fields if name not in there)
    if chosen:  # else no spw is there either
        yield from (f"spw={spw}" for spw in spws if spw not in known)


def plain(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return a selection without what CASA's syntax says by other means than a name: ids, patterns, ranges."""
    fields, spws = names(parameters.get("field")), names(parameters.get("spw"))
    is_plain = not any(name.isdigit() or set(name) & _FOREIGN for name in fields)
    return {
        "field": ",".join(fields) if is_plain else "",
        "spw": ",".join(spw for spw in spws if spw.isdigit()),
    }
