"""Words without which a pattern cannot match: looked for first, since that costs a tenth of a search.

A judge asks some hundred patterns of every clue, and nearly every answer is no.  The words are read
off the pattern itself; where it is not plain that one of them must be there, nothing is said, and the
pattern is always asked.
"""

from __future__ import annotations

import re
from functools import cache

SHORTEST = 3
"""A shorter word is found everywhere."""
_OPTIONAL = re.compile(r"[*?]|\{0*[,}]")
_QUANTIFIER = re.compile(r"[*+?][?+]?|\{\d*(?:,\d*)?\}[?+]?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_PLAIN_GROUP = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")
_SPECIAL = "^$.|()[]{}*+?\\"

Needles = frozenset[str]


@cache
def needles(pattern: str) -> Needles | None:
    """Return words of which every text that matches has at least one; None where that is not known."""
    if re.search(
        r"\(\?[a-zA-Z-]*[ix]", pattern
    ):  # whatever the case, or with blanks that mean nothing
        return None
    reader = _Reader(pattern)
    found = reader.any_of()
    return found if reader.is_at_end() else None


class _Reader:
    """Reads a regular expression from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0

    def is_at_end(self) -> bool:
        return self._at >= len(self._pattern)

    def any_of(self) -> Needles | None:
        """Read alternatives; each has to have words for the whole to have them."""
        found: Needles | None = self._sequence()
        while self._pattern[self._at : self._at + 1] == "|":
            self._at += 1
            other = self._sequence()
            found = None if found is None or other is None else found | other
        return found

    def _sequence(self) -> Needles | None:
        """Read what stands side by side; return the part that says most."""
        parts: list[Needles] = []
        run = ""
        while not self.is_at_end() and self._pattern[self._at] not in "|)":
            letter, group = self._item()
            quantifier = _QUANTIFIER.match(self._pattern, self._at)
            self._at = quantifier.end() if quantifier else self._at
            optional = quantifier is not None and _OPTIONAL.match(quantifier[0]) is not None
            if letter is not None and not optional:
                run += letter
            if letter is None or quantifier is not None:
                parts.append(frozenset((run,)))
                run = ""
            if group is not None and not optional:
                parts.append(group)
        parts.append(frozenset((run,)))
        best = max(parts, key=lambda words: min(map(len, words)))
        return best if min(map(len, best)) >= SHORTEST else None

    def _item(self) -> tuple[str | None, Needles | None]:
        """Step over one item: a letter that stands for itself, a group with words, or neither."""
        one = self._pattern[self._at]
        if one == "\\":
            escaped = self._pattern[self._at + 1 : self._at + 2]
            self._at += 2
            return (None if escaped.isalnum() else escaped), None
        if one == "(":
            return None, self._group()
        if one == "[":
            found = _CLASS.match(self._pattern, self._at)
            self._at = found.end() if found else len(self._pattern) + 1
            return None, None
        self._at += 1
        return (None if one in _SPECIAL else one), None

    def _group(self) -> Needles | None:
        plain = _PLAIN_GROUP.match(self._pattern, self._at)
        self._at = plain.end() if plain else self._at + 2  # a look around: read, and not believed
        found = self.any_of()
        self._at += 1
        return found if plain else None
