from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.triage.nearest import nearest, similarity
from reimage.triage.signature import mask

WORDS = st.lists(
    st.sampled_from(["table", "error", "spw", "flagged", "missing", "memory", "<n>", "<path>"]),
    max_size=8,
).map(" ".join)


def masked(*messages):
    return {number: mask(message) for number, message in enumerate(messages)}


def test_the_likest_message_comes_first():
    others = masked(
        "std::bad_alloc",
        "Flag version x.tbl does not exist",
        "Caltable uid___A002_X1_X2.tbl does not exist.",
        "No space left on device",
    )
    found = nearest(mask("Table /data/x.tbl does not exist."), others)
    assert [one.key for one in found] == [2, 1]
    assert found[0].score > found[1].score
    assert found[0].message == others[2]


def test_what_is_not_alike_is_not_suggested():
    assert nearest(mask("std::bad_alloc"), masked("No match found for name 'X'", "")) == ()
    assert nearest("", masked("std::bad_alloc")) == ()


def test_no_more_are_suggested_than_asked_for():
    others = {number: f"the same words {chr(97 + number)}" for number in range(20)}
    assert len(nearest("the same words z", others, most=3)) == 3


@given(WORDS, WORDS)
def test_likeness_is_between_none_and_the_same_and_both_ways_equal(one, other):
    score = similarity(one, other)
    assert 0 <= score <= 1
    assert score == pytest.approx(similarity(other, one))
    assert similarity(one, one) == 1


@given(st.lists(WORDS, min_size=1, max_size=30, unique=True), st.data())
def test_a_message_that_is_there_is_its_own_nearest(messages, data):
    wanted = data.draw(st.sampled_from(messages))
    found = nearest(wanted, dict(enumerate(messages)))
    assert found[0].score == 1
    assert found[0].message == wanted
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
