"""Versions of CASA as numbers: compared by three of them, ``-`` and ``.`` before a build alike."""

from __future__ import annotations

import re
from functools import reduce

EXACT = 3
"""Numbers of a version that must agree: 5.6.1-8 and 5.6.1-5 restore alike."""
Numbers = tuple[int, ...]


def numbers(version: str) -> Numbers:
    """Return all numbers of a version, the build's too: ``4.7.0-1`` is (4, 7, 0, 1)."""
    return tuple(int(part) for part in re.split(r"[.-]", version.strip()) if part.isdigit())


def triple(version: str) -> Numbers:
    """Return major, minor and patch, as far as they are stated."""
    return numbers(version)[:EXACT]


def options(version: str) -> tuple[str, ...]:
    """Return the versions that each would do: one, or several of ``4.2, 4.3``; none of a bound."""
    parts = [part.strip() for part in version.split(",")]
    return tuple(part for part in parts if part[:1].isdigit())


def agree(one: str, other: str) -> bool:
    """Whether two versions can be the same: 4.1 and 4.1.0 can, 4.1.0 and 4.1.2 cannot."""
    first, second = triple(one), triple(other)
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]


def common(one: str, other: str) -> str:
    """Return what two statements leave open together, narrowest spelling; empty: they disagree."""
    both = [
        max(a, b, key=lambda version: (len(triple(version)), version == a))
        for a in options(one)
        for b in options(other)
        if agree(a, b)
    ]
    return ", ".join(dict.fromkeys(both))


def narrowest(stated: list[str]) -> str:
    """Return the first statement, narrowed by later ones that do not disagree with it."""
    return reduce(lambda known, next_: common(known, next_) or known, stated[1:], stated[0])
