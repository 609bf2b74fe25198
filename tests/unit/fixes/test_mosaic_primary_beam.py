from __future__ import annotations

import pytest
from making import MEMBER
from making_fixes import caveats, deliver, load, make_facts, mosaic

FIX = load("mosaic_primary_beam")
MOSAIC = {"fields": mosaic(), "target_fields": [0, 1, 2]}
DELIVERED, OURS = "delivered-mosaic-flux-high", "mosaic-flux-high"


@pytest.mark.parametrize(
    ("dish_m", "delivered", "ours", "told"),
    [
        (7.0, "4.7.2-REL (r39762)", "6.7.0-31", [DELIVERED]),
        (7.0, "5.4.0", "6.7.0-31", []),
        (12.0, "4.7.2", "6.7.0-31", []),
        (12.0, "5.1.1-5", "6.7.0-31", [DELIVERED]),
        (12.0, "5.4.0", "5.1.1", [OURS]),
        (7.0, "", "4.7.2", [OURS]),
    ],
)
def test_the_array_and_the_imaging_casa_decide(tmp_path, dish_m, delivered, ours, told):
    header = f"ORIGIN  = 'CASA {delivered}'".encode()
    delivery = deliver(tmp_path, {f"{MEMBER}/product/a.fits": header})
    assert caveats(FIX, delivery, make_facts(**MOSAIC, dish_m=dish_m, imaging_casa=ours)) == told


def test_a_single_pointing_is_not_concerned(tmp_path):
    delivery = deliver(tmp_path, {f"{MEMBER}/product/a.fits": b"ORIGIN  = 'CASA 4.7.2'"})
    assert caveats(FIX, delivery, make_facts(dish_m=7.0)) == []
