"""Delivered mosaics have fluxes that are too high.

Symptom: a new mosaic and the delivered one disagree in flux: by about 10 % for the 7m array, by more than
5 % for oblong mosaics and at their edges.
Cause: the primary beam of mosaics of the 7m array was wrong before CASA 5.1.1 (Cycles 1 to 4); from 5.1.1 to
5.3, that of mosaics with an aspect ratio of 1.5 and more, and of all where pb < 0.5.
Remedy: image with CASA 5.4 or later, as this software does.  That the delivered images are not the
measure is reported; and that the new ones are not, where an older CASA is going to image.
Source: ESO announcement on mosaics (archive pages on known issues).
"""

from __future__ import annotations

from collections.abc import Iterator

from reimage.fix import Facts, Report, is_mosaic, products_casa, reporting, version
from reimage.model import Delivery

_SEVEN_M, _RIGHT_SINCE = (5, 1, 1), (5, 4, 0)
_COMPACT_DISH_M = 8.0


def _is_ill(casa: tuple[int, ...], dish_m: float) -> bool:
    compact = 0 < dish_m < _COMPACT_DISH_M
    return bool(casa) and casa < _RIGHT_SINCE and (compact or casa >= _SEVEN_M)


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    mosaics = [fact for fact in facts.values() if is_mosaic(fact)]
    if not mosaics:
        return
    dish_m = min(fact.get("dish_m", 0.0) for fact in mosaics)
    ours = min(version(fact.get("imaging_casa", "")) for fact in mosaics)
    for caveat, casa in (
        ("delivered-mosaic-flux-high", products_casa(delivery)),
        ("mosaic-flux-high", ours),
    ):
        if _is_ill(casa, dish_m):
            yield Report(
                caveat=caveat,
                text=f"a mosaic with {dish_m:g} m dishes, imaged by CASA {'.'.join(map(str, casa))}",
            )


FIX = reporting(
    name="mosaic-primary-beam",
    issue="ESO announcement: fluxes of mosaics",
    title="report mosaics with fluxes that are too high",
    find=_find,
)
