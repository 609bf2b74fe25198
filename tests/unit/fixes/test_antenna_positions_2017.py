from __future__ import annotations

from datetime import date

import pytest
from making import EB
from making_fixes import caveats, load, make_facts, nothing

FIX = load("antenna_positions_2017")


def facts(day, *antennas):
    mjd = (day - date(1858, 11, 17)).days + 0.7
    return make_facts(observing_start_mjd=mjd, antennas=["DA41", *antennas])


@pytest.mark.parametrize(
    ("day", "antennas", "told"),
    [
        (date(2016, 12, 24), ["DA42", "DA50"], []),
        (date(2016, 12, 25), ["DA42", "DA50"], ["DA50"]),
        (date(2017, 1, 3), ["DA42", "DA50"], ["DA50", "DA42"]),
        (date(2017, 1, 31), ["DA42"], ["DA42"]),
        (date(2017, 2, 1), ["DA42", "DA50"], []),
        (date(2017, 1, 15), [], []),
    ],
)
def test_the_antenna_and_the_date_decide(day, antennas, told):
    expected = [f"antenna-position-wrong:{antenna} in {EB}.ms" for antenna in told]
    assert caveats(FIX, nothing(), facts(day, *antennas)) == expected


def test_the_first_log_dates_the_processing():
    ill, logs = facts(date(2017, 1, 15), "DA50"), ("x/log/casa-20170301-101112.log",)
    assert caveats(FIX, nothing(logs=logs), ill) == []
    logs = (*logs, "x/log/casa-20170118-101112.log", "x/log/casa-99999999-101112.log")
    assert "processed 2017-01-18" in FIX.applies(nothing(logs=logs), ill)
    assert "not known" in FIX.applies(nothing(), ill)
