"""What is drafted from a line finds it again, and its like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.model import Stage
from reimage.triage import draft_pattern, draft_text, patterns, rules
from reimage.triage.catalogue import Family, Sample
from reimage.triage.clues import Clue
from reimage.triage.draft_text import DraftImpossible
from reimage.triage.evidence import of_path, of_text

CORPUS = Path(__file__).parents[2] / "corpus"
SEEN = {clue.text: clue for path in CORPUS.glob("*.log") for clue in of_path(path).clues}


def drafted(clue, name="drafted"):
    text = draft_text.text_of(
        clue,
        family=Family.IMAGING,
        title=draft_text.title_of(clue.text),
        run="r1",
        attempt=1,
        stage=Stage.IMAGE,
        author="somebody",
    )
    return draft_text.parsed(name, text)


@pytest.mark.parametrize("text", SEEN, ids=lambda text: text[:40])
def test_a_pattern_finds_what_it_was_made_from_and_is_quick(text):
    made = draft_pattern.pattern(text)
    if made is not None:
        assert re.search(made, text)
        patterns.check(made)


def test_most_lines_of_real_logs_have_a_pattern():
    without = [text for text in SEEN if draft_pattern.pattern(text) is None]
    assert len(without) < len(SEEN) / 10


@pytest.mark.parametrize(
    ("message", "pattern", "like"),
    [
        (
            "RuntimeError: WVR data of antenna DA41 end at scan 17",
            r"WVR data of antenna \S+ end at scan",
            "WVR data of antenna DV02 end at scan 3",
        ),
        (
            "Table /a/b/uid___A002_X1_X2.ms/FIELD is of another kind (7)",
            r"Table \S+ is of another kind \(\S+\)",
            "Table c.ms/SPW is of another kind (12)",
        ),
        (
            "Spectral window(s) 0, 1, \n  could not be swallowed due to bad taste\n    in all",
            "could not be swallowed due to bad taste",
            "Spectral window(s) 9\n  could not be swallowed due to bad taste",
        ),
        ("12 34 56", None, None),
    ],
)
def test_what_is_a_datasets_own_becomes_a_gap(message, pattern, like):
    assert draft_pattern.pattern(message) == pattern
    if pattern is not None:
        assert re.search(pattern, like)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=300))
def test_no_text_is_too_odd(text):
    made = draft_pattern.pattern(text)
    if made is None:
        return
    assert re.search(made, text)
    try:
        one = drafted(Clue(source="casa.log", text=text, severity="OUTPUT"))
    except DraftImpossible:
        return
    for example in one.evidence.examples:
        clues = (
            (rules.of_sample(example),) if isinstance(example, Sample) else of_text(example).clues
        )
        assert any(rules.holds(one.match[0], clue) for clue in clues)


def test_a_line_of_a_log_is_an_example_as_it_was_written():
    line = "2026-11-20 06:13:54\tSEVERE\ttclean::::casa\tthe moon is in the beam of spw 3\n"
    (clue,) = of_text(line).clues
    one = drafted(clue)
    assert one.evidence.examples == (line.rstrip("\n"),)
    assert one.mode == "passive"


def test_what_no_log_shows_is_an_example_by_its_facts():
    clue = Clue(source="fault", code="some-code", text="the moon is in the beam", stage=Stage.IMAGE)
    (example,) = drafted(clue).evidence.examples
    assert (example.code, example.text) == ("some-code", "the moon is in the beam")


def test_a_line_without_words_makes_no_class():
    with pytest.raises(DraftImpossible, match="no words of its own"):
        drafted(Clue(source="fault", text="1234 5678"))


@pytest.mark.parametrize("name", ["../etc", "Upper", "", "a b", "-x"])
def test_an_id_that_is_none_is_refused(name):
    clue = Clue(source="fault", text="the moon is in the beam")
    with pytest.raises(DraftImpossible, match="id"):
        drafted(clue, name)
