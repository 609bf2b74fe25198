"""The disk space that a restore needs, asked for before it starts: half an MS is worth nothing.

The factors upon the raw data are scriptForPI's own (archive pages, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reimage.errors import ResourceError

FACTORS = {0: 11, 1: 7, 2: 3}
"""Raw data times this, by SPACESAVING.  3 removes what we are to image, where it can."""
LATER_SCRIPTS = ("scriptForFluxCalibration", "scriptForPolCalibration", "scriptForImagingPrep")
LATER_FACTOR = 3
"""More, where one of these scripts runs, too."""
TABLES_FACTOR = 7
"""Of a restore by tables: it makes the MS and no split, as SPACESAVING 1 does."""
MARGIN = 1.05
"""scriptForPI counts its megabytes in its own way, and logs need room."""


class RestoreDiskShort(ResourceError):
    """There is no room for the calibrated data."""

    code = "restore-disk-short"
    hint = "Free space (`reimage doctor` shows what is used where) and re-run the dataset."


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a restore may take, in bytes."""

    raw: int
    needed: int
    free: int
    spacesaving: int = 0


def for_script(raw: int, free: int, scripts: Iterable[str]) -> Room:
    """Return the most generous SPACESAVING that there is room for.

    0 keeps what a split was made of, and with it the proof of every spw; 1 and 2 remove it.

    Raises
    ------
    RestoreDiskShort
    """
    later = LATER_FACTOR * any(word in name for name in scripts for word in LATER_SCRIPTS)
    for spacesaving, factor in FACTORS.items():
        needed = int(raw * (factor + later) * MARGIN)
        if needed <= free:
            return Room(raw=raw, needed=needed, free=free, spacesaving=spacesaving)
    return _require(raw, min(FACTORS.values()) + later, free)


def for_tables(raw: int, free: int) -> Room:
    """Return what a restore by tables needs.

    Raises
    ------
    RestoreDiskShort
    """
    return _require(raw, TABLES_FACTOR, free)


def for_copies(calibrated: int, free: int) -> Room:
    """Return what copies of delivered MSs need: CASA adds a column to each that it writes into.

    Raises
    ------
    RestoreDiskShort
    """
    return _require(calibrated, 2, free)


def size(path: Path) -> int:
    """Return the bytes of the files below a path, those behind links not counted twice."""
    if path.is_file():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def _require(raw: int, factor: int, free: int) -> Room:
    needed = int(raw * factor * MARGIN)
    if needed > free:
        raise RestoreDiskShort(
            f"the restore needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            evidence={
                "raw_bytes": raw,
                "factor": factor,
                "needed_bytes": needed,
                "free_bytes": free,
            },
        )
    return Room(raw=raw, needed=needed, free=free)
