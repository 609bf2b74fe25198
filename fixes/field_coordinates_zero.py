"""Fields whose coordinates were written as 0,0.

Symptom: FIELD.PHASE_DIR is (0, 0); images are of nothing, at RA = Dec = 0, and uvw are wrong.
Cause: fields with an ephemeris, and some others, of Cycles 0 to 3: the correlator tracked the right
direction, the Field table got zeros.
Remedy: take the direction that the antennas pointed at (POINTING table) and let ``fixplanets`` put
it into FIELD and recompute uvw; the visibilities' phases were right all along.  A field without
pointing data is left alone: a direction is never guessed.  So is one that follows an ephemeris table
(Cycle 3 and later): there FIELD holds the offset from the ephemeris, and 0,0 is right.
Source: CASA documentation of fixplanets; ALMA QA2 calibration script generator ("SACM/JAO - Fixes").
"""

from __future__ import annotations

from collections.abc import Iterator

from reimage.fix import Facts, Fix, MsOperation
from reimage.model import Delivery, Stage

_NEARLY_ZERO_RAD = 1e-9


def _ill(facts: Facts) -> Iterator[MsOperation]:
    for ms, fact in facts.items():
        for field in fact["fields"]:
            at_zero = (
                abs(field["ra_rad"]) < _NEARLY_ZERO_RAD and abs(field["dec_rad"]) < _NEARLY_ZERO_RAD
            )
            pointing = field["pointing"]
            follows = field["id"] in fact.get("ephemeris_fields", ())
            if at_zero and not follows and pointing and max(map(abs, pointing)) > _NEARLY_ZERO_RAD:
                yield MsOperation(
                    ms=ms,
                    kind="set_field_direction",
                    arguments={"field": field["id"], "ra_rad": pointing[0], "dec_rad": pointing[1]},
                )


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del delivery
    n = sum(1 for _ in _ill(facts))
    return f"{n} fields at 0,0 with pointing data elsewhere" if n else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[MsOperation, ...]:
    del delivery
    return tuple(_ill(facts))


FIX = Fix(
    id="field-coordinates-zero",
    issue="https://casa.nrao.edu/casadocs: fixplanets",
    title="give fields at 0,0 the direction that was observed",
    before=Stage.IMAGE,
    applies=_applies,
    apply=_apply,
)
