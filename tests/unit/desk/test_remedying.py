"""Which datasets are tried first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reimage.cases import Change
from reimage.desk.remedying import Planned, canaries


def planned(number, n_bytes):
    return Planned(
        dataset=f"d{number}",
        run=f"r{number}",
        error_class="memory",
        remedy="more memory",
        category=None,
        reason="memory: more",
        change=Change(memory_mb=1),
        n_bytes=n_bytes,
    )


@given(st.lists(st.none() | st.integers(0, 10**12), max_size=30), st.integers(1, 40))
def test_canaries_are_spread_over_the_sizes(sizes, number):
    every = [planned(place, size) for place, size in enumerate(sizes)]
    chosen = canaries(every, number)
    assert len(chosen) == len({one.dataset for one in chosen}) == min(number, len(every))
    assert set(chosen) <= set(every)
    if number > 1 and every:
        told = {one.n_bytes or 0 for one in chosen}
        assert {
            min(one.n_bytes or 0 for one in every),
            max(one.n_bytes or 0 for one in every),
        } <= told
