"""The append-only record of a run: one JSON object a line, in ``attempts/<n>/journal.jsonl``.

A line carries ``v`` (schema), ``attempt``, ``seq`` (from 1, without gaps, within the attempt),
``at`` (UTC, ISO 8601) and ``event`` (``noun.verb``), then the event's own keys.  A reader keeps
events that it does not know, and leaves a last line without newline for later: it is being written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from reimage import SCHEMA_VERSION

Clock: TypeAlias = Callable[[], datetime]
Emit: TypeAlias = Callable[..., None]
"""``emit("stage.started", stage="fetch")``"""

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

    def __init__(self, path: Path, attempt: int, clock: Clock = now) -> None:
        self._path, self._attempt, self._clock = path, attempt, clock
        text = path.read_bytes() if path.exists() else b""
        if text and not text.endswith(b"\n"):  # torn by a kill: the line was never acted upon
            text = text[: text.rfind(b"\n") + 1]
            path.write_bytes(text)
        self._seq = text.count(b"\n")
        self._stream = path.open("ab", buffering=0)

    def emit(self, event: str, **data: Any) -> None:  # noqa: ANN401 -- an event's own keys
        """Append one event and make it durable."""
        self._seq += 1
        line = {
            "v": SCHEMA_VERSION,
            "attempt": self._attempt,
            "seq": self._seq,
            "at": self._clock().isoformat(),
            "event": event,
            **data,
        }
        self._stream.write(json.dumps(line, default=str).encode() + b"\n")
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read(path: Path, offset: int = 0) -> Iterator[tuple[Event, int]]:
    """Yield each whole event from a byte offset on, with the offset after it.

    A line that is whole and yet no event (a full disk can leave one) is passed over.
    """
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            try:
                event = _parse(line)
            except (ValueError, KeyError, TypeError):
                continue
            yield event, offset


def _parse(line: bytes) -> Event:
    data = json.loads(line)
    return Event(
        attempt=data["attempt"],
        seq=data["seq"],
        at=datetime.fromisoformat(data["at"]),
        event=data["event"],
        data={key: value for key, value in data.items() if key not in RESERVED},
    )
