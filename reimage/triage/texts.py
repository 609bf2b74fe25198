"""Texts that somebody else wrote, of any size and content, read in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

MOST_BYTES = 32_000_000
"""Of one text: from its beginning, and as much from its end; of a compressed one twice as much from its
beginning, since its end is not to be had without all before it."""
MOST_LINE = 4000
"""Bytes of one line; what follows counts as the next one."""
TAIL_CHARACTERS = 2000
MOST_DOCUMENT = 16_000_000
"""Bytes of a JSON file that a run wrote about itself."""


class _Lines(Protocol):
    """What is read line by line."""

    def readline(self, size: int = -1, /) -> bytes: ...


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text; from a huge one its two ends, of what is not there or not readable none."""
    try:
        if path.is_file():
            with path.open("rb") as stream:
                yield from of_stream(stream)
    except OSError:
        return


def of_stream(stream: IO[bytes]) -> Iterator[str]:
    """Yield the lines of an open file, unpacked where it is compressed, without what is no text."""
    packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    for line in _unpacked(stream) if packed else _ends(stream):
        text = line.replace(b"\0", b"") if b"\0" in line else line
        if text:
            yield text.decode(errors="replace")


def tail(path: Path) -> str:
    """Return the last characters of a text; empty where it is not there."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL_CHARACTERS))
            return stream.read().replace(b"\0", b"").decode(errors="replace").strip()
    except OSError:
        return ""


def json_object(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where it is absent, damaged, huge or something else."""
    try:
        data = json.loads(path.read_bytes()) if path.stat().st_size <= MOST_DOCUMENT else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _ends(stream: IO[bytes]) -> Iterator[bytes]:
    size = os.fstat(stream.fileno()).st_size
    if size <= 2 * MOST_BYTES:
        return _up_to(stream, size)
    return chain(_up_to(stream, MOST_BYTES), _last(stream, size - MOST_BYTES))


def _last(stream: IO[bytes], start: int) -> Iterator[bytes]:
    """Yield what follows the first whole line after a place."""
    stream.seek(start)
    stream.readline(MOST_LINE)
    yield from _up_to(stream, MOST_BYTES)


def _unpacked(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what can be unpacked: a file that was cut off has a beginning all the same."""
    try:
        with gzip.open(stream) as unpacked:
            yield from _up_to(unpacked, 2 * MOST_BYTES)
    except (OSError, EOFError, zlib.error):
        return


def _up_to(stream: _Lines, most: int) -> Iterator[bytes]:
    n_read = 0
    while n_read < most and (line := stream.readline(MOST_LINE)):
        n_read += len(line)
        yield line
