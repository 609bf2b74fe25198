"""What is not on the shortlist cannot hold: the quick answer is the slow one's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.triage import rules
from reimage.triage.catalogue import ErrorClass, Sample, load_classes
from reimage.triage.clues import Clue
from reimage.triage.evidence import of_text
from reimage.triage.needles import needles
from reimage.triage.rules import Finding
from reimage.triage.shortlist import MOST_KEPT, shortlist

CLASSES = load_classes()
PATTERNS = sorted({m.message for one in CLASSES for m in one.match if m.message})


def slowly(clues, classes):
    return tuple(
        Finding(error_class=one.id, clue=clue)
        for clue in clues
        for one in sorted(classes, key=lambda one: -len(one.scope))
        if one.scope.covers(clue.stage, clue.casa)
        and any(rules.holds(match, clue) for match in one.match)
    )


def example_clues():
    for one in CLASSES:
        for example in (*one.evidence.examples, *one.evidence.counterexamples):
            if isinstance(example, Sample):
                yield rules.of_sample(example)
            else:
                yield from of_text(example).clues


CLUES = tuple(example_clues())


def test_every_example_is_found_as_without_it():
    assert len(CLUES) > 200
    assert rules.find(CLUES, CLASSES) == slowly(CLUES, CLASSES)


def test_it_is_short():
    """Else nothing is gained by it."""
    asked = shortlist(CLASSES)
    lines = [clue for clue in CLUES if clue.text and clue.code is None and clue.why is None]
    assert len(lines) > 100
    assert sum(len(asked.of(clue)) for clue in lines) < len(lines) * len(CLASSES) / 10


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_text_that_a_pattern_finds_has_one_of_its_words(data):
    pattern = data.draw(st.sampled_from(PATTERNS))
    text = data.draw(st.from_regex(pattern))
    assert re.search(pattern, text)
    words = needles(pattern)
    assert words is None or any(word in text for word in words)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_clues_with_and_without_structure_are_found_as_without_it(data):
    clue = data.draw(st.sampled_from(CLUES))
    changed = replace(
        clue,
        text=data.draw(st.sampled_from([clue.text, "", clue.text + " and more"])),
        signal=data.draw(st.sampled_from([clue.signal, None, "SIGSEGV"])),
        code=data.draw(st.sampled_from([clue.code, None, "no-outcome"])),
    )
    assert rules.find((changed,), CLASSES) == slowly((changed,), CLASSES)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("memory", {"memory"}),
        ("^out of memory$", {"out of memory"}),
        ("alpha|beta", {"alpha", "beta"}),
        (r"file \S+ (?:missing|damaged)", {"missing", "damaged"}),
        (r"files? missing", {" missing"}),
        ("(?:optional part)?needed", {"needed"}),
        ("(?:twice)+", {"twice"}),
        ("(?:none){0,3}other", {"other"}),
        (r"(?<!not )found it", {"found it"}),
        (r"[abc]+|sure", None),
        ("(?i)memory", None),
        ("alpha|", None),
        ("ab", None),
        (r"\S", None),
        (r"write error .*: Success", {"write error "}),
        (r"size\[0\]", {"size[0]"}),
    ],
)
def test_words_of_a_pattern(pattern, words):
    assert needles(pattern) == (None if words is None else frozenset(words))


def a_class(number, message):
    return ErrorClass(
        id=f"made-{number}",
        family="imaging",
        title="Made for a test",
        meaning="Nothing at all, it is a test.",
        advice="Nothing has to be done here.",
        fault="us",
        match=({"message": message},),
        evidence={"examples": [message]},
    )


def test_many_selections_are_forgotten_and_found_again():
    first = (a_class(0, "first words"),)
    clue = Clue(source="x", text="first words of it")
    for number in range(3 * MOST_KEPT):
        shortlist((a_class(number, f"words number {number}"),))
    assert [one.error_class for one in rules.find((clue,), first)] == ["made-0"]
