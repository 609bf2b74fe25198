"""Which classes are worth asking about a clue: nearly none of the hundred and more matches.

A shortlist is only ever too long: what stands on it is asked in full (`reimage.triage.rules.holds`),
what does not cannot hold.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from reimage.triage.catalogue import ErrorClass, Match
from reimage.triage.clues import Clue
from reimage.triage.needles import needles

MOST_KEPT = 64
"""Selections of classes; a scope leaves one or another out (`reimage.triage.rules.for_run`)."""
_KEPT: OrderedDict[tuple[int, ...], Shortlist] = OrderedDict()


class Shortlist:
    """The matches of some classes, sorted by what a clue must have for them to hold."""

    def __init__(self, classes: tuple[ErrorClass, ...]) -> None:
        self.given = classes
        """Kept alive: the list is known by their identity."""
        self.classes = sorted(classes, key=lambda one: -len(one.scope))
        """Of two, the narrower one is asked first."""
        self._words: list[tuple[str, int]] = []
        """Text without which a class's match cannot hold, and the number of the class."""
        self._structural: set[int] = set()
        """Classes to ask where a clue has a code, a signal or the like."""
        self._always: set[int] = set()
        for number, one in enumerate(self.classes):
            for match in one.match:
                self._sort_in(number, match)

    def _sort_in(self, number: int, match: Match) -> None:
        structural = (match.code, match.exit, match.signal, match.why, match.scheduler)
        words = needles(match.message) if match.message is not None else None
        if any(key is not None for key in structural):
            self._structural.add(number)
        elif words is not None:
            self._words += [(word, number) for word in words]
        else:
            self._always.add(number)

    def of(self, clue: Clue) -> list[ErrorClass]:
        """Return the classes that may hold for a clue, narrow ones first, else in their order."""
        text = clue.text
        found = self._always | {number for word, number in self._words if word in text}
        told = (clue.code, clue.exit_code, clue.signal, clue.why, clue.scheduler)
        if any(key is not None for key in told):
            found |= self._structural
        return [self.classes[number] for number in sorted(found)]


def shortlist(classes: Iterable[ErrorClass]) -> Shortlist:
    """Return the shortlist of some classes; made once for the same ones."""
    known = tuple(classes)
    key = tuple(map(id, known))  # they live as long as the list that is kept
    if key not in _KEPT:
        _KEPT[key] = Shortlist(known)
        if len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    return _KEPT[key]
