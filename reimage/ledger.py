"""What people and sweeps did, on disk first: ``<data>/ledger/*.jsonl``, append-only.

The lines have the shape of a journal's (`reimage.journal`); writers take turns by a lock.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from reimage import document, journal, log
from reimage.errors import StoreError
from reimage.journal import Event, Journal

FOLDER = "ledger"


class LedgerUnwritable(StoreError):
    """What was done cannot be written down, so it was not done."""

    code = "ledger-unwritable"
    hint = (
        "The folder `ledger` below the setting `data` must be writable by whoever does something."
    )


def append(data: Path, name: str, event: str, at: datetime, **facts: Any) -> int:  # noqa: ANN401 -- an event's own keys
    """Append one event to ``<data>/ledger/<name>.jsonl``, make it durable; return its number.

    Raises
    ------
    LedgerUnwritable, DiskFull
    """
    try:
        with document.full_disk_told(data / FOLDER):
            return _append(data, name, event, at, facts)
    except OSError as error:
        what = f"cannot write the ledger {name} below {data / FOLDER}: {error.strerror or error}"
        raise LedgerUnwritable(what, evidence={"path": str(error.filename or data)}) from error


def _append(data: Path, name: str, event: str, at: datetime, facts: Mapping[str, Any]) -> int:
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    with (folder / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        writer = Journal(path, 0, clock=lambda: at, known=_known(lock, path))
        try:
            return writer.emit(event, **facts)
        finally:
            _keep(lock, writer.measure)
            writer.close()


def _known(lock: TextIO, path: Path) -> tuple[int, int]:
    """Return what the last writer left in the lock: how many lines, in how many bytes.

    Counting a long ledger at each of thousands of appends would read it thousands of times.
    """
    lock.seek(0)
    try:
        lines, whole = map(int, lock.read().split())
        with path.open("rb") as stream:
            stream.seek(whole - 1)
            is_there = stream.read(1) == b"\n"
    except (OSError, ValueError):
        return 0, 0
    return (lines, whole) if is_there and lines > 0 else (0, 0)


def _keep(lock: TextIO, measure: tuple[int, int]) -> None:
    """Leave it for the next writer; what is not there is counted."""
    with suppress(OSError):
        lock.truncate(0)
        lock.write("{} {}".format(*measure))
        lock.flush()


def size(data: Path, name: str) -> int:
    """Return how many bytes a ledger has."""
    path = data / FOLDER / f"{name}.jsonl"
    return path.stat().st_size if path.exists() else 0


def read(data: Path, name: str) -> Iterator[Event]:
    """Yield the events of a ledger in order."""
    for event, _ in read_from(data, name, 0):
        yield event


def read_from(data: Path, name: str, offset: int) -> Iterator[tuple[Event, int]]:
    """Yield the events of a ledger from a byte on, each with the offset after it."""
    path = data / FOLDER / f"{name}.jsonl"
    return journal.read(path, offset, passed_over=log.line_passed_over(path))
