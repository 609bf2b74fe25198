"""What a project's code, dates and names tell: cycle, arrays, and by which habits it was calibrated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_CYCLES = {2011: 0, 2012: 1, 2013: 2, 2015: 3}
_FIRST_YEAR, _YEARS_WITHOUT_CALL = 2011, (2014, 2020)
_ARRAYS = {"D": "12m", "C": "7m", "P": "TP"}
"""By the first letter of an antenna's name: DA, DV; CM; PM.  A rule of thumb."""
_SCHEDBLOCK = re.compile(r"_(TM\d|7M|TP)(?:_|$)")
MANIFESTS_SINCE = datetime(2017, 10, 1, tzinfo=UTC)
"""Cycle 5 began: from then on pipeline deliveries hold a manifest."""


def cycle(code: str | None) -> int | None:
    """Return the observing cycle of a project code: 2011.0 is 0, 2019.1 is 7, 2021.1 is 8."""
    found = re.match(r"(\d{4})\.", code or "")
    year = int(found[1]) if found else 0
    if year < _FIRST_YEAR or year in _YEARS_WITHOUT_CALL:  # 0000.0.00180.CSV: commissioning
        return None
    return _CYCLES.get(year, year - 2012 - (year > _YEARS_WITHOUT_CALL[-1]))


def years(cycles: int) -> tuple[int, ...]:
    """Return the years whose project codes belong to a cycle."""
    last = _FIRST_YEAR + cycles + 3
    return tuple(y for y in range(_FIRST_YEAR, last + 1) if cycle(f"{y}.1") == cycles)


def era(of_cycle: int | None, observed: datetime | None) -> str | None:
    """Return by which habits the data were probably calibrated and delivered.

    ``cycle-0`` (calibrated data are inside), ``before-manifests``, or ``manifests``.  An estimate by
    date alone: data may have been calibrated anew and delivered again since.
    """
    if of_cycle == 0:
        return "cycle-0"
    if observed is not None:
        return "manifests" if observed >= MANIFESTS_SINCE else "before-manifests"
    if of_cycle is None:
        return None
    return "manifests" if of_cycle >= 5 else "before-manifests"  # noqa: PLR2004 -- Cycle 5


def antennas(texts: Iterable[str]) -> dict[str, int]:
    """Return how many antennas of each array ``antenna_arrays`` (``A109:DV09 ...``) names.

    Antennas are counted, not pads: one that was moved stands on two of them.
    """
    names = {item.partition(":")[2] for text in texts for item in text.split()} - {""}
    found: dict[str, int] = {}
    for name in sorted(names):
        array = _ARRAYS.get(name[0], "other")
        found[array] = found.get(array, 0) + 1
    return found


def arrays_by_name(schedblocks: Iterable[str]) -> list[str]:
    """Return the arrays that names of scheduling blocks tell (``_TM1 _7M _TP``, a rule of thumb)."""
    found = {match[1] for name in schedblocks if (match := _SCHEDBLOCK.search(name))}
    return sorted({"12m" if name.startswith("TM") else name.replace("M", "m") for name in found})
