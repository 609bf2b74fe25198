"""The law of the error classes: every example is its own class's and no other's."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
import tomllib
from pathlib import Path

import pytest

import reimage
from reimage.casa import log
from reimage.errors import (
    CODES,
    ArchiveError,
    DeliveryError,
    FixError,
    ProductError,
    Refusal,
    ResourceError,
)
from reimage.settings import shipped
from reimage.triage import catalogue, rules
from reimage.triage.advice import advice
from reimage.triage.catalogue import Family, Sample
from reimage.triage.clues import MOST_CHARACTERS
from reimage.triage.evidence import Evidence, of_text
from reimage.triage.judge import judge_text
from reimage.triage.needles import needles

CLASSES = catalogue.load_classes()
PSEUDO_CODES = {
    "no-outcome",
    "no-exit-record",
    "plan-incomplete",
    "restored-partially",
    "cancelled",
    "internal",
}
"""What triage says itself where no error was raised."""
FOREIGN = ("reimage.casa.jobs", "reimage.demo.scripts", "reimage.__main__")
"""Code for other interpreters, and programs."""


@pytest.fixture(scope="module")
def declared():
    for module in pkgutil.walk_packages(reimage.__path__, "reimage."):
        if not module.name.startswith(FOREIGN):
            importlib.import_module(module.name)
    return CODES


def clues(example):
    return (rules.of_sample(example),) if isinstance(example, Sample) else of_text(example).clues


def samples(kind):
    return [
        pytest.param(one, example, id=f"{one.id}-{number}")
        for one in CLASSES
        for number, example in enumerate(getattr(one.evidence, kind))
    ]


@pytest.mark.parametrize(("error_class", "example"), samples("examples"))
def test_an_example_is_its_own_class_and_no_other(error_class, example):
    assert {one.error_class for one in rules.find(clues(example), CLASSES)} == {error_class.id}


@pytest.mark.parametrize(("error_class", "example"), samples("counterexamples"))
def test_a_counterexample_is_not_its_class(error_class, example):
    assert clues(example), "nothing is seen in it, so it proves nothing"
    assert error_class.id not in {one.error_class for one in rules.find(clues(example), CLASSES)}


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_every_match_has_an_example(error_class):
    seen = [clue for example in error_class.evidence.examples for clue in clues(example)]
    for match in error_class.match:
        assert any(rules.holds(match, clue) for clue in seen), match


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_every_class_says_where_its_examples_come_from(error_class):
    assert error_class.evidence.source


CORPUS = Path(__file__).parent.parent / "corpus"
SHOWN = {
    name
    for path in CORPUS.glob("*.expected.toml")
    for expected in [tomllib.loads(path.read_text())]
    for name in (expected["error_class"], *expected.get("symptoms", ()))
}
"""Classes that a log in the corpus shows, as root or as symptom."""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_every_class_was_met_for_real_or_says_why_not(error_class):
    """A log that CASA or the pipeline wrote, else a test that brings it about, else a reason."""
    said = error_class.evidence
    told = (error_class.id in SHOWN, bool(said.provoked_by), bool(said.not_provoked))
    assert sum(told) == 1, told


@pytest.mark.parametrize(
    "error_class", [one for one in CLASSES if one.evidence.provoked_by], ids=lambda one: one.id
)
def test_the_test_that_brings_a_class_about_speaks_of_it(error_class, declared):
    text = (ROOT / error_class.evidence.provoked_by).read_text()
    codes = {code for match in error_class.match for code in match.code or ()}
    names = {declared[code].__name__ for code in codes if code in declared}
    words = {  # a test may ask for the beginning of a message alone
        word[:12].strip()
        for match in error_class.match
        if match.message
        for word in needles(match.message) or ()
    }
    assert any(word in text for word in codes | names | words | {error_class.id})


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_every_class_says_what_it_is_not(error_class):
    assert error_class.evidence.counterexamples


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_no_pattern_of_a_shipped_class_is_slow(error_class):
    """Whatever a log repeats: the words of the pattern itself, or single letters."""
    for match in error_class.match:
        for pattern in filter(None, (match.message, match.origin, match.unless)):
            words = {word for word in re.findall(r"[A-Za-z_ ]+", pattern) if word.strip()}
            for word in words | set("a1 _-.:'/\"(\n"):
                text = (word * MOST_CHARACTERS)[:MOST_CHARACTERS]
                began = time.process_time()
                re.search(pattern, text)
                assert time.process_time() - began < 0.1, (pattern, word)


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_advice_is_prose_whatever_is_known(error_class):
    text = advice(error_class, Evidence(run="r1", attempt=1))
    assert not re.search(r"[{}]", text)
    assert text[0].isupper()
    assert text.rstrip().endswith((".", "!"))


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda one: one.id)
def test_meaning_and_title_are_prose(error_class):
    assert error_class.title[0].isupper()
    assert not error_class.title.endswith(".")
    assert error_class.meaning.rstrip().endswith(".")


def test_every_family_has_a_class():
    assert {one.family for one in CLASSES} == set(Family)


ASKED = {code for one in CLASSES for match in one.match for code in match.code or ()}


def test_codes_are_those_of_declared_errors(declared):
    """A code that no error has would be a rule that never fires."""
    assert set(declared) >= ASKED - PSEUDO_CODES


def test_what_a_run_can_die_of_has_a_class(declared):
    """Families that stages raise; a CASA job is judged by its lines, commands are not runs."""
    families = (ArchiveError, DeliveryError, FixError, ProductError, Refusal, ResourceError)
    codes = {
        code
        for code, error in declared.items()
        if issubclass(error, families) and error not in families
    }
    assert codes - ASKED <= set()


def test_a_fix_that_a_class_names_exists():
    fixes = {path.stem.replace("_", "-") for path in shipped("fixes").glob("*.py")}
    assert {one.fix for one in CLASSES if one.fix} <= fixes


HARMLESS = tomllib.loads((ROOT / "reimage" / "casa" / "harmless.toml").read_text())["line"]


@pytest.mark.parametrize("line", HARMLESS, ids=lambda line: line["message"])
def test_a_harmless_line_says_why_and_has_an_example_that_is_no_clue(line):
    assert set(line) == {"message", "why", "example"}
    assert re.search(line["message"], line["example"])
    assert clues(line["example"]) == ()
    found = of_text(line["example"].replace("\tSEVERE\t", "\tWARN\t"))
    assert found.clues == (), "whatever its severity"


@pytest.mark.parametrize("line", HARMLESS, ids=lambda line: line["message"])
def test_what_is_called_harmless_is_grave_without_the_list(line, monkeypatch):
    """An entry that hides nothing is not needed."""
    monkeypatch.setattr(log, "is_harmless", lambda _: False)
    assert of_text("Traceback (most recent call last):\n" + line["example"]).clues


@pytest.mark.parametrize("line", HARMLESS, ids=lambda line: line["message"])
def test_no_harmless_line_hides_what_a_class_or_the_corpus_shows(line):
    for one in CLASSES:
        for example in one.evidence.examples:
            text = example.text if isinstance(example, Sample) else example
            assert not re.search(line["message"], text), one.id
    for path in CORPUS.glob("*.log"):
        judgement = judge_text(of_text(path.read_text()), CLASSES)
        assert not re.search(line["message"], judgement.decisive or ""), path.name
