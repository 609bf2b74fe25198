from __future__ import annotations

import math

import pytest
from making import EB
from making_fixes import MS, load, make_facts, nothing

FIX = load("field_directions_displaced")
ARCSEC = math.radians(1 / 3600)
CYCLE_3_MJD = 57300.0


def field(id_, *, beside=0.0, spread=0.0, **other):
    """Return a field of declination -60 deg that was pointed at some arcsec beside, in right ascension."""
    ra, dec = 6.28, -math.pi / 3
    on_source = [(ra + beside * ARCSEC / math.cos(dec)) % (2 * math.pi), dec]
    fact = {"id": id_, "name": f"F{id_}", "ra_rad": ra, "dec_rad": dec, "pointing": [ra, dec]}
    seen = {"on_source": on_source, "on_source_spread_rad": spread * ARCSEC}
    return {**fact, **seen, **other}


def facts(calibrator, target, **other):
    """230 GHz with 12 m dishes: a tenth of the beam is 2.5 arcsec."""
    return make_facts(
        **{"fields": [calibrator, target], "observing_start_mjd": CYCLE_3_MJD, **other}
    )


@pytest.mark.parametrize("beside", [3.0, -40.8])
def test_a_displaced_field_gets_what_was_pointed_at(beside):
    target = field(1, beside=beside)
    ill = facts(field(0), target)
    (one,) = FIX.apply(nothing(), ill)
    assert (one.ms, one.kind) == (MS, "set_field_direction")
    ra, dec = target["on_source"]
    assert one.arguments == {"field": 1, "ra_rad": ra, "dec_rad": dec}
    assert f"{EB}.ms field 1 by {abs(beside)} arcsec" in FIX.applies(nothing(), ill)
    cured = facts(field(0), {**target, "ra_rad": ra, "dec_rad": dec})
    assert FIX.applies(nothing(), cured) is None


@pytest.mark.parametrize(
    "well",
    [
        pytest.param(facts(field(0), field(1, beside=2.0)), id="less than a tenth of the beam"),
        pytest.param(facts(field(0, beside=1.5), field(1, beside=5)), id="calibrators are off too"),
        pytest.param(facts(field(0, spread=2), field(1, beside=5)), id="no calibrator is steady"),
        pytest.param(facts(field(0), field(1, beside=5, spread=2)), id="not steady"),
        pytest.param(facts(field(0), field(1, beside=5), ephemeris_fields=[1]), id="moves"),
        pytest.param(
            facts(field(0), field(1, beside=5), observing_start_mjd=57700.0), id="since Cycle 4"
        ),
        pytest.param(facts(field(0), field(1, on_source=None)), id="nobody saw"),
        pytest.param(
            facts(field(0), field(1, ra_rad=0.0, dec_rad=0.0)), id="field-coordinates-zero's"
        ),
        pytest.param(make_facts(), id="facts of another time"),
        pytest.param({}, id="nothing"),
    ],
)
def test_what_is_left_alone(well):
    assert FIX.applies(nothing(), well) is None
