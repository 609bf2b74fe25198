"""Following files that a running CASA process writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from reimage.journal import Emit

TAIL_CHARACTERS = 4000
MOST_EVENTS = 100_000
"""Of one job: a journal is read again and again."""


class Appended:
    """Whole lines appended to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0
        self.count = 0
        """Events passed on so far."""

    def lines(self) -> Iterator[bytes]:
        """Yield the new lines; one that is still being written waits."""
        if size(self._path) <= self._offset:
            return
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield line


def relay(told: Appended, emit: Emit) -> None:
    """Pass on the events that a job has written since the last look.

    A delivered script can write into the file, too: what is no event is passed over.
    """
    for line in told.lines():
        try:
            event = json.loads(line)
            name = event.pop("event")
        except (ValueError, AttributeError, KeyError, TypeError):
            continue
        if isinstance(name, str) and told.count < MOST_EVENTS:
            told.count += 1
            emit(name, **event)


def size(path: Path) -> int:
    """Return a file's length, 0 where it is absent."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def tail(path: Path) -> str:
    """Return the end of a text file; an absent one says nothing."""
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, size(path) - TAIL_CHARACTERS))
        return stream.read().decode(errors="replace")
