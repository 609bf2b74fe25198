"""Waiting for a host: longer each time, never all at once, never less than it asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reimage.archive.backoff import LONGEST_S, wait_s


@given(failures=st.integers(0, 10_000), share=st.floats(0, 1), asked=st.floats(0, 1e6))
def test_it_stays_within_its_bounds(failures, share, asked):
    waited = wait_s(failures, first_s=0.5, asked_s=asked, jitter=lambda: share)
    assert max(asked, 0.25) <= waited <= max(asked, LONGEST_S)


def test_it_doubles_until_it_is_long():
    waits = [wait_s(n, first_s=1, jitter=lambda: 1.0) for n in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
