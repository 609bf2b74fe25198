from __future__ import annotations

import pytest
from making import EB
from making_fixes import MS, PIPE_SCRIPT, deliver, load, make_facts

FIX = load("planets_not_fixed")
CALL = f"    fixplanets(vis='{EB}.ms', field='Titan', fixuvw=True){{}}# SACM/JAO - Fixes\n"


def delivery(root, text):
    return deliver(root, {PIPE_SCRIPT: text})


def test_the_same_call_is_made_once(tmp_path):
    ill = delivery(tmp_path, CALL)
    assert "Titan" in FIX.applies(ill, make_facts())
    (operation,) = FIX.apply(ill, make_facts())
    assert (operation.ms, operation.kind) == (MS, "fix_planets")
    assert operation.arguments == {"field": "Titan", "direction": "", "fixuvw": True}
    done = make_facts(history=[["importasdm", "6.7.0"], ["fixplanets", None]])
    assert FIX.applies(ill, done) is None


def test_a_direction_is_kept(tmp_path):
    text = CALL.replace("fixuvw=True", "fixuvw=True, direction='J2000 19h30m00 -40d00m00'")
    (operation,) = FIX.apply(delivery(tmp_path, text), make_facts())
    assert operation.arguments["direction"] == "J2000 19h30m00 -40d00m00"


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        f"#{CALL}",
        CALL.replace(EB, "uid___A002_Xdead_X1"),
        CALL.replace("'Titan'", "fields[0]"),
        CALL.replace("fixuvw=True", "direction='Titan.eph'"),
    ],
    ids=["none", "comment", "other EB", "no plain word", "ephemeris"],
)
def test_anything_else_is_left_alone(tmp_path, text):
    assert FIX.applies(delivery(tmp_path, text), make_facts()) is None


@pytest.mark.parametrize(("vis", "is_it"), [(EB, True), (EB[:-1], False), (f"{EB}.m", False)])
def test_an_execution_block_is_not_another_that_begins_alike(tmp_path, vis, is_it):
    ill = delivery(tmp_path, CALL.replace(f"{EB}.ms", vis))
    assert (FIX.applies(ill, make_facts()) is not None) is is_it


def test_ids_of_an_ms_that_was_split_are_not_trusted(tmp_path):
    text = CALL.replace("'Titan'", "'3'")
    split = make_facts(f"{MS}.split.cal")
    assert FIX.applies(delivery(tmp_path / "id", text), split) is None
    assert FIX.applies(delivery(tmp_path / "id", text), make_facts()) is not None
    assert FIX.applies(delivery(tmp_path / "name", CALL), split) is not None
