"""The parts of what a CASA call found when it began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reimage.desk.capsule_call import Call

OUTSIDE = "outside"
"""Folder of what an input names outside the run directory."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Entry:
    """One thing that the call found; its path is relative to the run directory."""

    kind: Literal["folder", "text", "read", "copy", "link", "unpack"]
    """``read``: only read, so a link will do; ``copy``: CASA writes into it; ``text``: it names places;
    ``unpack``: a tar that is unpacked into ``target``."""
    path: str
    target: str = ""
    """Of a link, or of what is unpacked; of what lies outside the run, where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one job needs; places are named as the job was told them."""

    inputs: Mapping[str, Any]
    entries: tuple[Entry, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    """Contents of small files that name places, by path."""
    cut: tuple[str, ...] = ()
    """How the call was cut down, and what is not as it was; for a reader."""
    looked: tuple[str, ...] = ()
    """Directories besides the job's where it says how it went."""


def data(call: Call, place: str, kind: Literal["read", "copy"]) -> Entry:
    """Return the entry of data that an input names, in the run directory or elsewhere."""
    inside = call.relative(place)
    if inside is None:
        return Entry(kind=kind, path=f"{OUTSIDE}/{Path(place).name}", target=place)
    return Entry(kind=kind, path=str(inside))


def folder(call: Call, place: str) -> Iterator[Entry]:
    """Yield the entry of a folder that is to be there, empty."""
    inside = call.relative(place)
    if inside is not None:
        yield Entry(kind="folder", path=str(inside))
