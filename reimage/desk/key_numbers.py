"""Key numbers of a run: what its images come to in one line, and beside another run's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reimage.store.matrix import Image

CONTINUUM = ("cont", "mfs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Key numbers of a run's images: medians over its continuum images, or its cubes where it has no other."""

    images: int
    rms_jy_beam: float | None
    dynamic_range: float | None
    beam_major_arcsec: float | None
    rms_ratio: float | None = None
    """To the column that is compared with, of the images that both have: the median."""


def of(images: Sequence[Image], beside: Sequence[Image] = ()) -> Numbers | None:
    """Return the key numbers of a run's images, and how its noise is beside another run's."""
    bright = [one for one in images if one.numbers.get("rms_jy_beam") is not None]
    shown = [one for one in bright if one.specmode in CONTINUUM] or bright
    if not shown:
        return None
    others = {one.name: one.numbers.get("rms_jy_beam") for one in beside}
    ratios = [
        one.numbers["rms_jy_beam"] / others[one.name] for one in bright if others.get(one.name)
    ]
    return Numbers(
        images=len(shown),
        rms_jy_beam=_median(shown, "rms_jy_beam"),
        dynamic_range=_median(shown, "dynamic_range"),
        beam_major_arcsec=_median(shown, "beam_major_arcsec"),
        rms_ratio=median(ratios) if ratios else None,
    )


def _median(images: Sequence[Image], name: str) -> float | None:
    values = [one.numbers[name] for one in images if one.numbers.get(name) is not None]
    return float(median(values)) if values else None
