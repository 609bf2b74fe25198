from __future__ import annotations

import pytest
from making import EB
from making_fixes import MS, load, make_facts, nothing

FIX = load("syscal_times")


def syscal(**torn):
    return make_facts(syscal={"rows": 8, "rows_outside": 0, "scans_without": [], **torn})


def test_torn_measurements_are_joined():
    assert FIX.applies(nothing(), syscal(torn=3)) == (
        f"{EB}.ms: 3 Tsys measurements have several times"
    )
    (one,) = FIX.apply(nothing(), syscal(torn=3))
    assert (one.ms, one.kind, one.arguments) == (MS, "join_syscal_times", {"interval_s": 2.0})


@pytest.mark.parametrize("torn", [{"torn": 0}, {}])
def test_times_that_agree_are_left_alone(torn):
    assert FIX.applies(nothing(), syscal(**torn)) is None
    assert FIX.applies(nothing(), {}) is None
