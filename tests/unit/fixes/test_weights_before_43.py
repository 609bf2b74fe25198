from __future__ import annotations

import pytest
from making import EB
from making_fixes import caveats, load, make_facts, nothing

from reimage.model import Calibration

FIX = load("weights_before_43")


@pytest.mark.parametrize(
    ("calibration", "version", "ill"),
    [
        (Calibration.PIPELINE, "4.2.1", True),
        (Calibration.PIPELINE, "4.2.2", False),
        (Calibration.MANUAL, "4.2.2", True),
        (Calibration.MANUAL, "4.3.0", False),
        (Calibration.DELIVERED, "3.4.0", True),
        (Calibration.DELIVERED, None, True),
        (Calibration.MANUAL, None, False),
    ],
)
def test_the_calibrating_casa_decides(calibration, version, ill):
    told_by = [["applycal", version], ["split", "6.7.0" if version else None]]
    facts = make_facts(history=told_by)
    told = [f"weights-not-absolute:{EB}.ms"] if ill else []
    assert caveats(FIX, nothing(calibration=calibration), facts) == told
