from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.triage.bounds import within
from reimage.triage.clues import MOST_CHARACTERS, scan
from reimage.triage.patterns import check

SLOW = [
    "(a+)+$",
    "(a*)*b",
    "(a|aa)*b",
    "(?:a|a)+$",
    r"(?:\w+\s?)+x",
    "(?:ab?)+c",
    "(?:a?){40}a{40}",
    "a?" * 30 + "a" * 30,
    "(a|a){30}b",
    "(.*)*",
    ".*.*.*.*x",
    "x(?=(a+)+$)",
    "(?:(?:a+){1,5}){1,5}",
    r"(\w+) \1",
    "(?:a{1,30}){1,30}b",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_a_log_could_make_slow_is_refused(pattern):
    began = time.process_time()
    with pytest.raises(ValueError, match="may be slow"):
        check(pattern)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "pattern",
    [
        "std::bad_alloc|MemoryError",
        r"Table \S+/[A-Z][A-Z_]+ does not exist",
        r"\d{1,3}(?:\.\d{1,3}){3}",
        "(?:abc)+d",
        "(?>a+)+",
        "a++b",
        "No such file.*(?:caltables|flags)\\.t(?:ar\\.)?gz",
    ],
)
def test_what_classes_need_is_let_through(pattern):
    assert check(pattern) == pattern


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "x" * 5000, "(?P<a>x)(?P<a>y)"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match="regular expression"):
        check(pattern)


PIECES = st.sampled_from(
    ["a", "b", ".", r"\w", r"\s", "[ab]", "a?", "a*", "a+", "b{2,5}", "(?:ab|a)", "(?:a|b)?"]
)
LAYERS = st.sampled_from(["{}", "(?:{})", "(?:{})?", "(?:{})+", "(?:{})*", "(?:{}){{1,4}}", "{}|b"])


@given(
    st.lists(st.tuples(LAYERS, PIECES), min_size=1, max_size=5), st.sampled_from(["", "(?:{})+"])
)
def test_what_is_let_through_is_quick(parts, around):
    """Over the longest text that a clue has, of the letters that the pattern is made of."""
    pattern = "".join(layer.format(piece) for layer, piece in parts)
    pattern = around.format(pattern) if around else pattern
    try:
        check(pattern + "x")
    except ValueError:
        return
    for text in ("a" * 60, "ab" * 30, "a b" * 20):
        began = time.process_time()
        re.search(pattern + "x", text)
        assert time.process_time() - began < 0.5, pattern


def test_a_clue_is_never_longer_than_what_patterns_are_measured_with():
    long = "word " * 100_000
    texts = (
        f"ERROR: {long}\n",
        f"2026-11-20 06:11:17\tSEVERE\tx::\t{long}\n",
        f'Traceback (most recent call last):\n  File "x", line 1, in f\nRuntimeError: {long}\n',
        "2026-11-20 06:11:17\tSEVERE\tx::\thead\n"
        + "".join(f"2026-11-20 06:11:17\tSEVERE\tx::+\t{long[:900]}\n" for _ in range(50)),
    )
    for text in texts:
        found = scan(text.splitlines(keepends=True), "x")
        assert found
        assert all(len(clue.text) <= MOST_CHARACTERS for clue in found)
        assert all(len(clue.origin) <= 2 * MOST_CHARACTERS for clue in found)


@pytest.mark.parametrize(
    ("version", "bounds", "is_within"),
    [
        ("6.5.6.22", ">=6.5,<6.7", True),
        ("6.7.0.31", ">=6.5,<6.7", False),
        ("6.4.4.31", ">=6.5,<6.7", False),
        ("4.7.2", "==4.7", True),
        ("4.7.2-REL", "<=4.7", True),
        ("5.1.1-5", ">5.1.1", False),
        ("5.1.1-5", ">=5.1.1-5", True),
        ("", ">=1", False),
        ("5.0", "!=5.0", False),
    ],
)
def test_a_version_is_compared_as_far_as_the_bound_says(version, bounds, is_within):
    assert within(version, bounds) is is_within
