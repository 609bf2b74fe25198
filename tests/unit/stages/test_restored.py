"""The proof: each way in which CASA says 0 and the data are not there."""

from __future__ import annotations

import pytest

from reimage.model import Calibration
from reimage.stages import identify, restored

EB = "uid___A002_Xc0ffee_X1"


def facts(*spws, rows=100, columns=("DATA", "CORRECTED_DATA"), target_rows=80):
    """Make facts; a spw is "ok", "raw", "flagged", "zero"."""
    told = []
    for number, what in enumerate(spws):
        told.append(
            {
                "spw": number,
                "rows": 20,
                "flagged": 1.0 if what == "flagged" else 0.1,
                "data_amplitude": 0.0 if what in ("flagged", "zero") else 0.5,
                "corrected_amplitude": (0.0 if what == "flagged" else 0.7)
                if "CORRECTED_DATA" in columns
                else None,
                "corrected_differs": what == "ok" and "CORRECTED_DATA" in columns,
            }
        )
    return {
        "rows": rows,
        "columns": list(columns),
        "target_rows": target_rows,
        "target_flagged": 0.1,
        "data_amplitude": 0.5,
        "target_spws": told,
        "spws": [
            {"id": n, "name": f"BB_{n}", "n_channels": 128, "center_hz": 1e11 + 2e9 * n}
            for n in range(len(spws))
        ],
    }


def candidate(name=f"{EB}.ms", calibration=Calibration.PIPELINE):
    (one,) = identify.identify([name], (EB,), calibration).chosen
    return one


WHOLE, SPLIT = candidate(), candidate(f"{EB}.ms.split.cal")


def test_whole_and_well():
    assert restored.prove(WHOLE, facts("ok", "ok"), 100) == restored.Proof(column="corrected")


def test_rows_of_a_missing_binary():
    with pytest.raises(restored.RestoreRowsMissing, match=r"99 rows .* promised are 100"):
        restored.prove(WHOLE, facts("ok", rows=99), 100)


def test_no_row_of_a_target():
    with pytest.raises(restored.RestoreRowsMissing):
        restored.prove(SPLIT, facts("ok", target_rows=0), 100)


def test_no_corrected_column():
    with pytest.raises(restored.RestoreNotCalibrated, match=r"spws 0,1"):
        restored.prove(WHOLE, facts("ok", "ok", columns=("DATA",)), 100)


def test_everything_flagged():
    with pytest.raises(restored.RestoreAllFlagged):
        restored.prove(WHOLE, facts("flagged", "flagged"), 100)


def test_a_spw_that_no_table_knows_is_named():
    """The caltable lacks a spw: with calflag its CORRECTED_DATA stays DATA, unflagged."""
    proof = restored.prove(WHOLE, facts("ok", "raw", "flagged", "ok"), 100)
    assert (proof.uncalibrated, proof.flagged) == ((1,), (2,))
    assert restored.caveats(EB, proof) == (
        f"spw-uncalibrated:1 of {EB}",
        f"spw-flagged:2 of {EB}",
    )


def test_all_that_is_not_flagged_is_raw():
    with pytest.raises(restored.RestoreNotCalibrated):
        restored.prove(WHOLE, facts("raw", "flagged"), 100)


def test_a_split_may_have_fewer_rows_and_has_no_corrected_column():
    proof = restored.prove(SPLIT, facts("ok", rows=7, columns=("DATA",)), 100)
    assert proof == restored.Proof(column="data")


def test_a_split_of_raw_data_is_told_by_what_it_was_split_from():
    """The split numbers its spws anew: those of the origin are found by name and frequency."""
    origin = facts("flagged", "ok", "raw")
    split = facts("ok", "ok", columns=("DATA",))
    split["spws"] = [dict(one, id=n) for n, one in enumerate(origin["spws"][1:])]
    proof = restored.prove(SPLIT, split, 100, origin)
    assert proof.uncalibrated == (1,)


def test_an_origin_without_a_corrected_column_tells_nothing():
    origin = facts("ok", "ok", columns=("DATA",))
    proof = restored.prove(SPLIT, facts("ok", "ok", columns=("DATA",)), 100, origin)
    assert proof.uncalibrated == ()


def test_zeros_are_not_calibrated_data():
    proof = restored.prove(SPLIT, facts("ok", "zero", columns=("DATA",)), 100)
    assert proof.uncalibrated == (1,)


def test_delivered_data_have_no_raw_to_be_compared_with():
    one = candidate(calibration=Calibration.DELIVERED)
    assert restored.prove(one, facts("raw"), None).column == "corrected"
    assert restored.prove(one, facts("raw", columns=("DATA",)), None).column == "data"


def test_what_was_split_for_imaging_is_imaged_from_data():
    """CORRECTED_DATA of target.ms is without continuum, of targets.ms self-calibrated."""
    one = candidate(f"{EB}_targets.ms")
    assert restored.prove(one, facts("ok"), 100).column == "data"
