from __future__ import annotations

import pytest
from making import EB
from making_fixes import caveats, load, make_facts, nothing

FIX = load("syscal_scans")


@pytest.mark.parametrize(("outside", "without"), [(8, []), (0, [3]), (2, [3])])
def test_wrong_times_are_told(outside, without):
    ill = make_facts(syscal={"rows": 8, "rows_outside": outside, "scans_without": without})
    assert caveats(FIX, nothing(), ill) == [f"syscal-times-wrong:{EB}.ms"]
    assert f"{outside} of 8" in FIX.applies(nothing(), ill)


@pytest.mark.parametrize("outside", [0, None])
def test_right_times_and_unknown_ones_are_not(outside):
    well = make_facts(syscal={"rows": 8, "rows_outside": outside, "scans_without": []})
    assert caveats(FIX, nothing(), well) == []


def test_an_ms_that_was_split_is_not_judged():
    split = make_facts(
        syscal={"rows": 8, "rows_outside": 4, "scans_without": []},
        history=[["importasdm", "6.7.0"], ["split", "6.7.0"]],
    )
    assert caveats(FIX, nothing(), split) == []
