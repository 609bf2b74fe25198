"""The law of the error classes: every example is its own class's and no other's."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import reimage
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
from reimage.triage.evidence import Evidence, of_text

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


@pytest.fixture(scope="module")
def declared():
    for module in pkgutil.walk_packages(reimage.__path__, "reimage."):
        if not module.name.startswith(FOREIGN):
            importlib.import_module(module.name)
    return CODES


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
