from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reimage import fix
from reimage.model import Calibration, Delivery
from reimage.settings import shipped

FIX = fix.read(shipped("fixes") / "field_coordinates_zero.py")
DELIVERY = Delivery(root="", member="", layout="dated", calibration=Calibration.DELIVERED)
radians = st.floats(min_value=-1.5, max_value=1.5).filter(lambda x: abs(x) > 1e-6)


def facts(ra, dec, pointing):
    return {
        "a.ms": {
            "fields": [
                {"id": 3, "name": "Mars", "ra_rad": ra, "dec_rad": dec, "pointing": pointing}
            ]
        }
    }


@given(radians, radians)
def test_the_ill_field_gets_the_direction_that_was_observed(ra, dec):
    ill = facts(0.0, 0.0, [ra, dec])
    assert FIX.applies(DELIVERY, ill) is not None
    (operation,) = FIX.apply(DELIVERY, ill)
    assert operation.arguments == {"field": 3, "ra_rad": ra, "dec_rad": dec}


@given(radians, radians)
def test_a_clean_field_is_left_alone(ra, dec):
    assert FIX.applies(DELIVERY, facts(ra, dec, [ra, dec])) is None


def test_a_direction_is_never_guessed():
    assert FIX.applies(DELIVERY, facts(0.0, 0.0, None)) is None
    assert FIX.applies(DELIVERY, facts(0.0, 0.0, [0.0, 0.0])) is None


def test_the_offset_of_an_ephemeris_is_left_alone():
    ill = facts(0.0, 0.0, [1.0, 0.5])
    ill["a.ms"]["ephemeris_fields"] = [3]
    assert FIX.applies(DELIVERY, ill) is None
