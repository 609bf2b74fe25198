"""Directions in FIELD are not those that the antennas pointed at (SACM-211).

Symptom: images of a target are displaced; the pointings of a mosaic do not fit together.
Cause: Field.xml of the ASDM was written with directions that disagree with the offsets in
Pointing.bin; the observatory's list names execution blocks of Cycles 1 to 3.
Remedy: as the observatory rewrites the ASDM: the field gets the direction that was pointed at, and uvw
are computed anew, which gives the same MS as an import of the mended ASDM; the phases were right.  Only
where POINTING is to be trusted: the calibrators of the same MS were pointed at within 1 arcsec of
their FIELD; the target was pointed at steadily; the two directions differ by more than a tenth of the
primary beam; and no ephemeris moves the field.
Not mended: smaller displacements.  The observatory asks for a tenth of the synthesized beam, and compares
sourceOffset of Pointing.bin, which importasdm does not copy into the MS; azimuth and elevation give
the direction to about an arcsecond.  A reader of Pointing.bin would be needed.
Source: fixSACM211.py and releaseImage.txt of SDK/sacm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

from reimage.fix import Facts, Fix, MsOperation
from reimage.model import Delivery, Stage

_ARCSEC = math.radians(1 / 3600)
_TRUSTED_RAD = 1.0 * _ARCSEC
_SHARE_OF_BEAM = 0.1
_BEAM = 1.13
"""FWHM of the primary beam in wavelengths per dish diameter."""
_LIGHT_M_S = 299792458.0
_BEFORE_MJD = (date(2016, 10, 1) - date(1858, 11, 17)).days
"""Cycle 4 began."""


def _offset(field: Mapping[str, Any]) -> float:
    """Return the angle in rad between what FIELD says and what was pointed at."""
    ra, dec = map(float, field["on_source"])
    other_ra, other_dec = float(field["ra_rad"]), float(field["dec_rad"])
    half = math.sin((dec - other_dec) / 2) ** 2
    half += math.cos(dec) * math.cos(other_dec) * math.sin((ra - other_ra) / 2) ** 2
    return 2 * math.asin(min(1.0, math.sqrt(half)))


def _steady(fact: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the fields that were pointed at in one direction, and whose direction is a fixed one."""
    moving = fact.get("ephemeris_fields", ())
    return [
        field
        for field in fact["fields"]
        if field.get("on_source")
        and field["on_source_spread_rad"] < _TRUSTED_RAD
        and field["id"] not in moving
        and (field["ra_rad"], field["dec_rad"]) != (0.0, 0.0)
    ]


def _tolerance(fact: Mapping[str, Any]) -> float:
    highest = max(float(spw["center_hz"]) for spw in fact["spws"])
    return _SHARE_OF_BEAM * _BEAM * _LIGHT_M_S / highest / float(fact.get("dish_m") or 12.0)


def _ill(facts: Facts) -> Iterator[tuple[MsOperation, float]]:
    for ms, fact in facts.items():
        steady = _steady(fact)
        others = [_offset(one) for one in steady if one["id"] not in fact["target_fields"]]
        if not others or max(others) > _TRUSTED_RAD or fact["observing_start_mjd"] >= _BEFORE_MJD:
            continue
        for field in steady:
            offset = _offset(field)
            if field["id"] in fact["target_fields"] and offset > _tolerance(fact):
                ra, dec = field["on_source"]
                arguments = {"field": field["id"], "ra_rad": ra, "dec_rad": dec}
                yield MsOperation(ms=ms, kind="set_field_direction", arguments=arguments), offset


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del delivery
    told = [
        f"{PurePath(one.ms).name} field {one.arguments['field']} by {offset / _ARCSEC:.1f} arcsec"
        for one, offset in _ill(facts)
    ]
    return f"fields beside what was pointed at: {', '.join(told)} (SACM-211)" if told else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[MsOperation, ...]:
    del delivery
    return tuple(one for one, _ in _ill(facts))


FIX = Fix(
    id="field-directions-displaced",
    issue="SACM-211",
    title="give fields the direction that was pointed at",
    before=Stage.IMAGE,
    applies=_applies,
    apply=_apply,
)
