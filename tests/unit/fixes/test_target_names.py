from __future__ import annotations

import pytest
from making import EB
from making_fixes import SCRIPT, deliver, load, patched

FIX = load("target_names")
NAME = f"{SCRIPT}/scriptForImagingPrep.py"


@pytest.mark.parametrize(
    ("left", "wanted"),
    [
        ("_targets.ms", "_target.ms"),
        ("_target.ms", "_targets.ms"),
        ("_target_line.ms", "_targets_line.ms"),
    ],
)
def test_what_is_there_gets_the_name_that_is_wanted(tmp_path, monkeypatch, left, wanted):
    ill = deliver(tmp_path / "d", {NAME: f"import os\nfound = os.listdir('{EB}{wanted}')\n"})
    assert "scriptForImagingPrep.py" in FIX.applies(ill, {})
    text = patched(FIX, ill)[NAME]
    (tmp_path / f"{EB}{left}").mkdir()
    (tmp_path / f"{EB}{left}" / "table.dat").touch()
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        names = {}
        exec(text, names)  # noqa: S102 -- our own patch, of our own text
        assert names["found"] == ["table.dat"]


def test_a_name_that_is_there_is_not_touched(tmp_path, monkeypatch):
    text = patched(FIX, deliver(tmp_path / "d", {NAME: f"vis = '{EB}_target.ms'\n"}))[NAME]
    (tmp_path / f"{EB}_target.ms").mkdir()
    monkeypatch.chdir(tmp_path)
    exec(text, {})  # noqa: S102 -- our own patch, of our own text
    assert [p.name for p in tmp_path.glob("*.ms")] == [f"{EB}_target.ms"]


@pytest.mark.parametrize(
    "text",
    ["vis = 'uid___A002_Xc0ffee_X1.ms'\n", "both = ['a_target.ms', 'a_targets.ms']\n", "x = 1\n"],
)
def test_a_clean_script_is_left_alone(tmp_path, text):
    assert FIX.applies(deliver(tmp_path, {NAME: text}), {}) is None
