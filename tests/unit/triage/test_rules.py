from __future__ import annotations

import pytest

from reimage.model import Stage
from reimage.triage.catalogue import Match
from reimage.triage.clues import Clue
from reimage.triage.rules import holds

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
