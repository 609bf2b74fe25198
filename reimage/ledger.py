"""What people and sweeps did, on disk first: ``<data>/ledger/*.jsonl``, append-only.

The lines have the shape of a journal's (`reimage.journal`); writers take turns by a lock.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from reimage import journal
from reimage.journal import Event, Journal

FOLDER = "ledger"


def append(data: Path, name: str, event: str, at: datetime, **facts: Any) -> None:  # noqa: ANN401 -- an event's own keys
    """Append one event to ``<data>/ledger/<name>.jsonl`` and make it durable."""
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        writer = Journal(folder / f"{name}.jsonl", 0, clock=lambda: at)
        try:
            writer.emit(event, **facts)
        finally:
            writer.close()


def read(data: Path, name: str) -> Iterator[Event]:
    """Yield the events of a ledger in order."""
    for event, _ in journal.read(data / FOLDER / f"{name}.jsonl"):
        yield event
