"""The append-only record of a run: one JSON object a line, in ``attempts/<n>/journal.jsonl``.

A line carries ``v`` (schema), ``attempt``, ``seq`` (from 1, without gaps, within the attempt),
``at`` (UTC, ISO 8601) and ``event`` (``noun.verb``), then the event's own keys.  A reader keeps
events that it does not know, and leaves a last line without newline for later: it is being written.
"""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from reimage import SCHEMA_VERSION

Clock: TypeAlias = Callable[[], datetime]
Emit: TypeAlias = Callable[..., object]
"""``emit("stage.started", stage="fetch")``"""

BLOCK = 1 << 20
"""Bytes looked at once: a ledger may be long."""
RESERVED = ("v", "attempt", "seq", "at", "event")


def now() -> datetime:
    """Return the present, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a journal."""

    attempt: int
    seq: int
    at: datetime
    event: str
    data: Mapping[str, Any]


class Journal:
    """Writer of one attempt's journal; one writer per file."""

    def __init__(
        self, path: Path, attempt: int, clock: Clock = now, known: tuple[int, int] = (0, 0)
    ) -> None:
        self._path, self._attempt, self._clock = path, attempt, clock
        self._seq, self._whole = _measure(path, *known)
        self._stream = path.open("ab", buffering=0)
        self._stream.truncate(self._whole)  # torn by a kill: the line was never acted upon

    @property
    def measure(self) -> tuple[int, int]:
        """How many whole lines there are, and the byte after the last: ``known`` to the next writer."""
        return self._seq, self._whole

    def emit(self, event: str, **data: Any) -> int:  # noqa: ANN401 -- an event's own keys
        """Append one event, make it durable; return its number.

        Raises
        ------
        OSError
            The disk is full, or broken; nothing of a line that did not fit is left behind.
        """
        line = {
            "v": SCHEMA_VERSION,
            "attempt": self._attempt,
            "seq": self._seq + 1,
            "at": self._clock().isoformat(),
            "event": event,
            **data,
        }
        self._append(json.dumps(line, default=str).encode() + b"\n")
        os.fsync(self._stream.fileno())
        return self._seq

    def _append(self, line: bytes) -> None:
        """Write all of a line: a disk that fills up takes a part of it, and only then refuses."""
        left, begin = memoryview(line), os.fstat(self._stream.fileno()).st_size
        try:
            while left:
                left = left[self._stream.write(left) :]
        except OSError:
            self._stream.truncate(begin)
            raise
        self._seq, self._whole = self._seq + 1, begin + len(line)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read(
    path: Path, offset: int = 0, *, passed_over: Callable[[int, bytes], object] | None = None
) -> Iterator[tuple[Event, int]]:
    """Yield each whole event from a byte offset on, with the offset after it.

    A line that is whole and yet no event (a full disk can leave one) is passed over; ``passed_over`` is
    told where it begins, and the line.
    """
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            begin, offset = offset, offset + len(line)
            try:
                event = _parse(line)
            except (ValueError, KeyError, TypeError):
                if passed_over is not None:
                    passed_over(begin, line)
                continue
            yield event, offset


def read_new(
    path: Path,
    offset: int,
    *,
    attempt: int,
    last: int,
    until: int | None = None,
    passed_over: Callable[[int, bytes], object],
) -> tuple[tuple[Event, ...], int]:
    """Return an attempt's events from a byte on (at most to another), and the byte after them.

    ``last`` is the number of the event before.  One of another attempt, or one that was there already (a
    copied line), is passed over, too.
    """
    found: list[Event] = []
    after = offset
    for event, end in read(path, offset, passed_over=passed_over):
        if until is not None and end > until:
            break
        after = end
        if event.attempt == attempt and event.seq > last:
            found.append(event)
            last = event.seq
        else:
            passed_over(end, f"attempt {event.attempt}, line {event.seq}".encode())
    return tuple(found), after


def _measure(path: Path, lines: int = 0, whole: int = 0) -> tuple[int, int]:
    """Return how many whole lines a file has, and the byte after the last; so many are known already."""
    begin = whole
    if path.exists():
        with path.open("rb") as stream:
            stream.seek(begin)
            while block := stream.read(BLOCK):
                lines += block.count(b"\n")
                whole = begin + block.rfind(b"\n") + 1 if b"\n" in block else whole
                begin += len(block)
    return lines, whole


def _parse(line: bytes) -> Event:
    data = json.loads(line)
    at = datetime.fromisoformat(data["at"])
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return Event(
        attempt=operator.index(data["attempt"]),
        seq=operator.index(data["seq"]),
        at=at,
        event=str(data["event"]),
        data={key: value for key, value in data.items() if key not in RESERVED},
    )
