from __future__ import annotations

import pytest
from making_fixes import load, make_facts, mosaic, nothing

FIX = load("pointing_table_mosaic")
ILL = {"imaging_casa": "4.2.2", "fields": mosaic(), "target_fields": [0, 1, 2]}


def test_an_old_casa_gets_no_pointing_table_with_a_mosaic():
    assert "1 mosaics" in FIX.applies(nothing(), make_facts(**ILL))
    (operation,) = FIX.apply(nothing(), make_facts(**ILL))
    assert operation.arguments["subtable"] == "POINTING"
    assert FIX.applies(nothing(), make_facts(**ILL, pointing_rows=0)) is None


@pytest.mark.parametrize(
    "other", [{"imaging_casa": "4.5.0"}, {"imaging_casa": "6.7.0-31"}, {"target_fields": [1]}]
)
def test_the_rest_is_left_alone(other):
    assert FIX.applies(nothing(), make_facts(**{**ILL, **other})) is None
