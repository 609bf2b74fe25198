"""The messages of scriptForPI, as its revisions print them."""

from __future__ import annotations

from reimage.stages import said

A, B = "uid___A002_Xc0ffee_X1", "uid___A002_Xc0ffee_X2"
PARTIAL = f"""
*** ALMA scriptForPI ***
Found the following ASDMs: ['{A}']
WARNING: Inconsistency between ASDMs and calibration scripts
ERROR: the following ASDMs have calibration information but are absent from directory "raw":
['{B}']
Will try to proceed with the rest ...
Processing {A}
Done.
"""


def test_a_partial_restore_names_its_execution_blocks():
    found = said.find(PARTIAL.splitlines())
    assert found.absent == (B,)
    assert found.of(B) == "scriptForPI: no raw data"
    assert found.of(A) is None
    assert found.quoted[0] == "WARNING: Inconsistency between ASDMs and calibration scripts"
    assert found.quoted[-1] == "Will try to proceed with the rest ..."


def test_an_ms_that_was_not_created_is_told_of_its_execution_block():
    found = said.find([f"ERROR: {A}.ms.split.cal was not created.", "Done."])
    assert found.not_created == (f"{A}.ms.split.cal",)
    assert found.of(A) == f"scriptForPI: {A}.ms.split.cal was not created"
    assert found.of(A + "2") is None


def test_nothing_said_is_nothing():
    assert said.find(["Done."]) == said.Said()


def test_an_absent_file_said_nothing(tmp_path):
    assert said.read(tmp_path / "stdout.log") == said.Said()


def test_output_without_an_end_is_read_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(said, "MOST_LINES", 3)
    path = tmp_path / "stdout.log"
    path.write_bytes(b"x" * 10_000_000 + b"\nERROR: too late\n\xff")
    assert said.read(path) == said.Said()
