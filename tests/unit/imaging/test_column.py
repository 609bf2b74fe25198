"""Which column is imaged where nobody has proven it, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from reimage.imaging.column import MsColumnMissing, choose

BOTH = ["DATA", "CORRECTED_DATA", "FLAG"]


def seen(columns=BOTH, *, differs=True, amplitude=0.1):
    return {"columns": columns, "differs": differs, "corrected_amplitude": amplitude}


@pytest.mark.parametrize(
    ("name", "facts", "column", "because"),
    [
        ("a.ms", seen(), "corrected", "DATA is different"),
        ("a.ms", seen(differs=False), "data", "the same"),
        ("a.ms", seen(amplitude=0.0), "data", "zero"),
        ("a.ms", seen(amplitude=None), "data", "zero"),
        ("a.ms.split.cal", seen(["DATA"]), "data", "the only one"),
        ("a.ms", seen(["CORRECTED_DATA"]), "corrected", "the only one"),
        ("a_targets.ms", seen(), "data", "split for imaging"),
        ("a_target.ms", seen(), "data", "split for imaging"),
        ("a_targets_cont.ms", seen(), "data", "split for imaging"),
        ("on_targets_and_off.ms", seen(), "corrected", "DATA is different"),
    ],
)
def test_the_column_is_found(name, facts, column, because):
    chosen = choose(Path("/x") / name, facts)
    assert chosen.column == column
    assert because in chosen.because


def test_a_person_wins():
    assert choose(Path("a_targets.ms"), seen(), "corrected").column == "corrected"
    assert choose(Path("a.ms"), seen(), "data").because == "asked for"


@pytest.mark.parametrize(
    ("columns", "asked", "said"),
    [
        (["DATA"], "corrected", "no column CORRECTED_DATA"),
        (["FLOAT_DATA"], None, "no column DATA or CORRECTED_DATA"),
        ([], "data", "no column DATA"),
    ],
)
def test_a_column_that_is_not_there(columns, asked, said):
    with pytest.raises(MsColumnMissing, match=said):
        choose(Path("a.ms"), seen(columns), asked)
