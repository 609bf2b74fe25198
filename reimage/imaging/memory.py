"""How much memory an image takes, and how many CASA processes that allows side by side.

Measured with tclean of CASA 6.7.0 (ops/decisions/0014): resident memory above that of a bare process, per
pixel.  CASA cuts the gridding of a cube into blocks of channels that fit what it is told it may use; what
stays, whatever the blocks, are four planes of floats for each channel of the whole cube.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from reimage.model import PlannedImage

MB = 1 << 20
PROCESS_MB = 400
"""A CASA process that has loaded its libraries (260) and opened its tables and images."""
OURS_MB = 150
"""Runner and supervisor."""
CUBES = ("cube", "repBW")
_PLANE_BYTES = {"standard": 80, "mosaic": 145}
"""Of one pixel of a continuum image, or of one channel that is gridded."""
_SECOND_TERM = 1.8
"""A slope takes so much more."""
_CUBE_BYTES = 18
_CGROUPS = ("memory.max", "memory/memory.limit_in_bytes")


def pixels(image: PlannedImage, facts: Mapping[str, Any]) -> tuple[int, int]:
    """Return the pixels of a plane and the number of channels; (0, 1) where the target has no geometry."""
    width, height = _of(image, facts, "geometry").get("imsize", (0, 0))
    cube = image.specmode in CUBES
    axis = _of(image, facts, "axes").get(str(image.spws[0])) if cube else None
    return width * height, axis["nchan"] if axis else 1


def least_mb(image: PlannedImage, facts: Mapping[str, Any]) -> int:
    """Return the memory without which a process cannot make an image."""
    plane, channels = pixels(image, facts)
    gridder = _of(image, facts, "geometry").get("gridder", "standard")
    one = plane * _PLANE_BYTES.get(gridder, max(_PLANE_BYTES.values()))
    one = int(one * (_SECOND_TERM if image.nterms > 1 else 1))
    whole = _CUBE_BYTES * plane * channels if image.specmode in CUBES else 0
    return PROCESS_MB + (one + whole) // MB


def _of(image: PlannedImage, facts: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    """Return a target's ``geometry`` or ``axes`` for an image: its own kind's before what all share."""
    target = next(target for target in facts["targets"] if target["name"] == image.target)
    own = target.get("own", {}).get(image.specmode, {}).get(what) or {}
    return {**(target.get(what) or {}), **own}


def cost(image: PlannedImage, facts: Mapping[str, Any]) -> int:
    """Return how long an image takes beside others of its plan, in no unit: it orders them."""
    plane, channels = pixels(image, facts)
    return plane * max(channels, image.nterms**2 * len(image.spws))


def share_mb(memory_mb: int, processes: int) -> int:
    """Return what each CASA process may take for its data."""
    return max(100, (memory_mb - OURS_MB) // processes - PROCESS_MB)


def processes(most: int, needs_mb: Sequence[int], memory_mb: int) -> int:
    """Return how many processes fit: never more than images, and the largest images fit together."""
    count = max(1, min(most, len(needs_mb)))
    largest = sorted(needs_mb, reverse=True)
    while count > 1 and sum(largest[:count]) + OURS_MB > memory_mb:
        count -= 1
    return count


def room_mb(limit_mb: int) -> int:
    """Return the limit, or what the machine has left where that is less."""
    return min(limit_mb, psutil.virtual_memory().available // MB, *_allowed_mb())


def machine_mb() -> int:
    """Return the most that a run could ever have on this machine."""
    return min(psutil.virtual_memory().total // MB, *_allowed_mb())


def _allowed_mb() -> list[int]:
    """Return what the container, or whatever we run in, allows; nothing where it does not say."""
    known = [sys.maxsize]
    for name in _CGROUPS:
        with suppress(OSError, ValueError):  # absent, or "max"
            known.append(int(Path("/sys/fs/cgroup", name).read_text(encoding="ascii")) // MB)
    return known
