"""Samples that reach every class, and intervals that are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reimage.desk.auditing import allot
from reimage.desk.judging import is_rule
from reimage.desk.triage_quality import interval

SIZES = st.dictionaries(
    st.text(min_size=1, max_size=3), st.integers(min_value=0, max_value=1000), max_size=12
)


@given(SIZES, st.integers(min_value=1, max_value=300))
def test_every_stratum_is_reached_as_far_as_there_is_room(sizes, n):
    drawn = allot(sizes, n)
    there = {name for name, size in sizes.items() if size}
    assert sum(drawn.values()) == min(n, sum(sizes.values()))
    assert all(1 <= k <= sizes[name] for name, k in drawn.items())
    assert len(drawn) == min(n, len(there))
    left_out = there - drawn.keys()
    assert all(sizes[out] <= sizes[taken] for out in left_out for taken in drawn)


def test_the_rest_goes_by_size():
    assert allot({"large": 90, "small": 10}, 12) == {"large": 10, "small": 2}


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 10, 0.0, 0.308), (1, 10, 0.003, 0.445), (2, 10, 0.025, 0.556), (3, 10, 0.067, 0.652)],
)
def test_intervals_are_those_of_the_book(k, n, low, high):
    """reference/operations.md section 4."""
    assert interval(k, n) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


@given(st.integers(min_value=1, max_value=200), st.data())
def test_intervals_agree_with_scipy(n, data):
    k = data.draw(st.integers(min_value=0, max_value=n))
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    assert interval(k, n) == (pytest.approx(expected.low), pytest.approx(expected.high))


@pytest.mark.parametrize(
    ("author", "rule"),
    [
        ("memory@2", True),
        ("unclassified@sv1", True),
        ("structure@1", True),
        ("too-large@0123456789abcdef", True),
        ("none", True),
        ("ann", False),
        ("ann@observatory.org", False),
        ("Ann Onymous", False),
        ("", False),
    ],
)
def test_rules_and_people_are_told_apart(author, rule):
    assert is_rule(author) is rule
