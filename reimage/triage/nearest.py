"""Which messages are most like another one: suggested to a person, never merged.

A wrong merge hides a problem, so nothing here changes a group.  Both messages are masked
(`reimage.triage.signature.mask`); what is compared is their words, which of them follow each other, and
how alike they are letter by letter.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

LEAST = 0.5
MOST_COMPARED = 50
"""Compared letter by letter: the likest by their words."""
_WORD = re.compile(r"<\w+>|[A-Za-z][A-Za-z_]*")
_WORDS_SHARE = 0.6
"""Weight of words in the score; the rest is letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near(Generic[K]):
    """A message that is like the one asked about."""

    key: K
    score: float
    """1 for the same words, 0 for none in common."""
    message: str


def similarity(one: str, other: str) -> float:
    """Return how alike two masked messages are, 0 to 1; it does not matter which is which."""
    if one == other:
        return 1.0
    first, second = sorted((one, other))
    letters = SequenceMatcher(None, first, second, autojunk=False).ratio()
    return _WORDS_SHARE * _shared(_features(one), _features(other)) + (1 - _WORDS_SHARE) * letters


def nearest(
    message: str, others: Mapping[K, str], *, most: int = 5, least: float = LEAST
) -> tuple[Near[K], ...]:
    """Return the messages that are most like one, likest first; equal ones in the order given.

    Parameters
    ----------
    message
        Masked.
    others
        Masked messages by what names them: a signature.  The one asked about is to be left out.
    most, least
        How many at most, and how alike they have to be.
    """
    wanted = _features(message)
    likest = heapq.nlargest(
        MOST_COMPARED, others.items(), key=lambda item: _shared(wanted, _features(item[1]))
    )
    scored = [
        Near(key=key, score=score, message=other)
        for key, other in likest
        if (score := similarity(message, other)) >= least
    ]
    return tuple(sorted(scored, key=lambda one: -one.score)[:most])


def _features(message: str) -> frozenset[tuple[str, ...]]:
    """Return words that say something, and pairs of neighbours."""
    words = [word.lower() for word in _WORD.findall(message)]
    telling = [word for word in words if not word.startswith("<")]
    return frozenset([*((word,) for word in telling), *pairwise(words)])


def _shared(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """Return the share of all features that both have (Jaccard)."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0
