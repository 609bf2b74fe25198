from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reimage.model import Stage
from reimage.triage.catalogue import ErrorClass, Match, Scope
from reimage.triage.clues import Clue
from reimage.triage.evidence import Evidence
from reimage.triage.rules import find, for_run, holds

CLUE = Clue(
    source="image/make/casa.log",
    stage=Stage.IMAGE,
    severity="SEVERE",
    origin="Calibrater::setapply",
    text="Field Expression: No match found",
    signal="SIGABRT",
)


@pytest.mark.parametrize(
    "keys",
    [
        {"message": "No match"},
        {"message": "No match", "origin": "setapply"},
        {"signal": ("SIGSEGV", "SIGABRT")},
        {"signal": ("SIGABRT",), "stage": ("image",), "severity": ("SEVERE",)},
    ],
)
def test_a_match_holds_when_all_its_keys_do(keys):
    assert holds(Match(**keys), CLUE)


@pytest.mark.parametrize(
    "keys",
    [
        {"message": "Parse error"},
        {"message": "No match", "origin": "tclean"},
        {"message": "No match", "stage": ("restore",)},
        {"message": "No match", "unless": "Field"},
        {"message": "No match", "unless": "Calibrater::setapply"},
        {"signal": ("SIGKILL",)},
        {"code": ("casa-job-failed",), "message": "No match"},
        {"exit": (1,), "message": "No match"},
        {"why": ("memory",)},
        {"scheduler": ("TIMEOUT",)},
    ],
)
def test_a_match_fails_when_one_key_does(keys):
    assert not holds(Match(**keys), CLUE)


def error_class(name, **scope):
    return ErrorClass(
        id=name,
        family="data",
        title="A class of the tests",
        meaning="Something that happens in tests only.",
        advice="Nothing to do about it, it is a test.",
        fault="nobody",
        scope=Scope(**scope),
        match=[Match(message="No match")],
        evidence={"examples": ["x"]},
    )


@pytest.mark.parametrize(
    ("scope", "facts", "holds_there"),
    [
        ({"stage": ["image"]}, {}, True),
        ({"stage": ["restore"]}, {}, False),
        ({"stage": ["restore"]}, {"stage": None}, True),
        ({"builds": ">=6.5,<6.7"}, {"casa": "6.6.5.31"}, True),
        ({"builds": ">=6.5,<6.7"}, {"casa": "4.7.2"}, False),
        ({"builds": ">=6.5,<6.7"}, {}, True),
        ({"builds": ">=6.5", "stage": ["fetch"]}, {"casa": "6.6.5.31"}, False),
    ],
)
def test_a_class_holds_for_nothing_that_is_known_to_be_out_of_its_scope(scope, facts, holds_there):
    clue = replace(CLUE, **facts)
    assert bool(find([clue], [error_class("scoped", **scope)])) is holds_there


DAY = datetime(2017, 3, 20, 3, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scope", "facts", "is_within"),
    [
        ({}, {"recipe": "hifa-image"}, True),
        ({"recipe": ["hifa-*"]}, {"recipe": "hifa-image"}, True),
        ({"recipe": ["hifa-*"]}, {"recipe": "hifatargets-2017"}, False),
        ({"recipe": ["hifa-*"]}, {}, True),
        ({"observed_before": "2017-03-21"}, {"observed_at": DAY}, True),
        ({"observed_before": "2017-03-20"}, {"observed_at": DAY}, False),
        ({"observed_since": "2017-03-20"}, {"observed_at": DAY}, True),
        ({"observed_since": "2017-03-21"}, {"observed_at": DAY}, False),
        ({"observed_since": "2017-03-21"}, {}, True),
    ],
)
def test_a_class_is_not_asked_for_a_run_out_of_its_scope(scope, facts, is_within):
    known = (error_class("scoped", **scope),)
    evidence = Evidence(run="r1", attempt=1, **facts)
    assert for_run(known, evidence) == (known if is_within else ())


def test_of_two_classes_the_narrower_one_is_told_first():
    wide, narrow = error_class("a-wide-one"), error_class("narrow", stage=["image"])
    assert [one.error_class for one in find([CLUE], [wide, narrow])] == ["narrow", "a-wide-one"]
