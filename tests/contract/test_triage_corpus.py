"""Judge pieces of logs that CASA really wrote: `tests/corpus/<case>.log` and `.expected.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from reimage.triage.catalogue import load_classes
from reimage.triage.clues import Clue
from reimage.triage.evidence import excerpt, of_text
from reimage.triage.judge import judge_text

CORPUS = Path(__file__).parent.parent / "corpus"
CASES = sorted(path.stem for path in CORPUS.glob("*.log"))
CLASSES = load_classes()


def judged(case):
    expected = tomllib.loads((CORPUS / f"{case}.expected.toml").read_text())
    evidence = of_text((CORPUS / f"{case}.log").read_text())
    if "signal" in expected:
        end = Clue(source="exit.json", signal=expected["signal"])
        evidence = replace(evidence, clues=(*evidence.clues, end))
    return evidence, judge_text(evidence, CLASSES), expected


@pytest.mark.parametrize("case", CASES)
def test_the_class_is_found_or_honestly_not(case):
    _, judgement, expected = judged(case)
    assert judgement.error_class == expected["error_class"]
    assert [one.error_class for one in judgement.symptoms] == expected.get("symptoms", [])


@pytest.mark.parametrize("case", CASES)
def test_the_signature_stays(case):
    """A changed signature splits history: raise the version in signature.py instead."""
    _, judgement, expected = judged(case)
    assert judgement.signature == expected["signature"]


@pytest.mark.parametrize("case", CASES)
def test_the_excerpt_is_short_and_says_something(case):
    evidence, judgement, _ = judged(case)
    assert 0 < len(excerpt(evidence)) <= 500
    if evidence.clues and judgement.root and judgement.root.clue.text:
        assert excerpt(evidence) != "no outcome and no exit record"


def test_versions_of_casa_that_say_it_alike_share_a_signature():
    for case in ("asdm-bad-xml", "oom-tclean-2g", "disk-full-split"):
        assert judged(case)[1].signature == judged(f"{case}-casa-6.2")[1].signature


def test_every_log_has_its_expectation_and_the_reverse():
    expectations = {path.name.removesuffix(".expected.toml") for path in CORPUS.glob("*.toml")}
    assert expectations == set(CASES)
    assert len(CASES) >= 45
