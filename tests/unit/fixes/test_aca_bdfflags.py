from __future__ import annotations

import pytest
from making import EB
from making_fixes import MANUAL_SCRIPT, caveats, deliver, load, make_facts

FIX = load("aca_bdfflags")
OLD = {"correlators": ["ALMA_ACA"], "history": [["importasdm", "4.2.2"], ["applycal", "6.7.0"]]}


def test_an_old_import_of_aca_data_is_told(tmp_path):
    delivery = deliver(tmp_path, {MANUAL_SCRIPT: "importasdm(asdm)\n"})
    assert caveats(FIX, delivery, make_facts(**OLD)) == [f"aca-flags-misread:{EB}.ms"]


def test_what_a_script_repairs_is_not(tmp_path):
    repaired = "os.system('bdflags2MS -f \"COR DELA INT MIS SIG SYN TFB WVR ZER\" a a.ms')\n"
    delivery = deliver(tmp_path, {MANUAL_SCRIPT: repaired})
    assert caveats(FIX, delivery, make_facts(**OLD)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"correlators": ["ALMA_BASELINE"]},
        {"history": [["importasdm", "4.7.1"]]},
        {"history": [["split", None]]},
    ],
)
def test_other_data_and_other_imports_are_not(tmp_path, other):
    assert caveats(FIX, deliver(tmp_path, {}), make_facts(**{**OLD, **other})) == []
