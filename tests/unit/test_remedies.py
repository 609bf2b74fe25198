"""What happens after an attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.model import Result
from reimage.remedies import decide

CASE = {"attempt": 1, "max_attempts": 3, "cancelled": False}


@pytest.mark.parametrize(
    ("result", "remedy", "change", "kind"),
    [
        (Result.LOST, "retry", {}, "retry"),
        (Result.FAILED, "retry", {"attempt": 2}, "retry"),
        (Result.FAILED, "retry", {"attempt": 3}, "end"),
        (Result.FAILED, "retry", {"cancelled": True}, "end"),
        (Result.FAILED, "none", {}, "end"),
        (Result.FAILED, "more memory", {}, "end"),
        (Result.REFUSED, "retry", {}, "end"),
        (Result.PARTIAL, "retry", {}, "end"),
    ],
)
def test_decisions(result, remedy, change, kind):
    decision = decide(result, "some-class", remedy, **{**CASE, **change})
    assert decision.kind == kind
    assert "some-class" in decision.reason


def test_what_is_imaged_is_at_its_end():
    assert decide(Result.IMAGED, None, "none", **CASE).kind == "end"


@given(st.sampled_from(list(Result)), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_tries_always_end(result, attempt, most, cancelled):
    decision = decide(result, "c", "retry", attempt=attempt, max_attempts=most, cancelled=cancelled)
    if attempt >= most or cancelled:
        assert decision.kind == "end"
