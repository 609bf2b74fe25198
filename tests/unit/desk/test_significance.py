"""Exact tests: the numbers of the reference, and what must hold of any."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.desk.significance import fisher, holm, mcnemar, mcnemar_two_sided

COUNTS = st.integers(0, 60)


def test_five_newly_failing_and_none_newly_passing():
    """operations.md, 4: McNemar, p = .031."""
    assert mcnemar(5, 0) == pytest.approx(0.03125)
    assert mcnemar_two_sided(5, 0) == pytest.approx(0.0625)


def test_nothing_that_flips_says_nothing():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar_two_sided(0, 0) == 1.0
    assert mcnemar(3, 3) > 0.5


@pytest.mark.parametrize(
    ("before", "after", "chance"), [(0, 4, 0.043), (1, 6, 0.029), (2, 7, 0.035)]
)
def test_two_samples_of_ten(before, after, chance):
    """operations.md, 4: what two independent samples of ten need before it means anything."""
    assert fisher((before, 10), (after, 10)) == pytest.approx(chance, abs=5e-4)
    assert fisher((before, 10), (after - 1, 10)) > 0.05


@given(COUNTS, COUNTS)
def test_both_directions_share_the_middle(failing, passing):
    both = mcnemar(failing, passing) + mcnemar(passing, failing)
    middle = comb(failing + passing, failing) / 2 ** (failing + passing)
    assert both == pytest.approx(1 + middle)
    assert mcnemar(failing + 1, passing) <= mcnemar(
        failing, passing
    )  # near 1 both are rounded to it


@given(COUNTS, COUNTS, st.data())
def test_fishers_chances_of_all_outcomes_are_one(n_before, n_after, data):
    failed = data.draw(st.integers(0, n_before + n_after))
    least = max(0, failed - n_before)
    assert fisher((failed - least, n_before), (least, n_after)) == pytest.approx(1)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_makes_anything_likelier_and_keeps_the_order(chances):
    adjusted = holm(chances)
    assert all(before <= after <= 1 for before, after in zip(chances, adjusted, strict=True))
    by_chance = [after for _, after in sorted(zip(chances, adjusted, strict=True))]
    assert by_chance == sorted(by_chance)


def test_holm_of_three():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()
