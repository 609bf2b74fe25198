"""scriptForPI.py as users meet it: started in a tree by plain Python with stand-ins for CASA's names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reimage.demo import scripting

EB, OTHER = "uid___A002_Xc0_X1", "uid___A002_Xc0_X2"
CASA = """
import os
class casalog:
    post = staticmethod(lambda *words: None)
def split(vis, outputvis, **other):
    os.mkdir(outputvis)
"""
MAKES_MS = "import os\nos.mkdir(asdm_name + '.ms.split.cal')\nos.mkdir(asdm_name + '.ms.split')\n"


def _tree(root: Path, *, ebs=(EB,), scripts=(EB,), text=MAKES_MS) -> Path:
    for name in ("script", "calibration", "raw"):
        (root / name).mkdir()
    for eb in ebs:
        (root / "raw" / f"{eb}.asdm.sdm").mkdir()
    for eb in scripts:
        path = root / "script" / f"{eb}.ms.scriptForCalibration.py"
        path.write_text(f"asdm_name = {eb!r}\n{text}")
    return root


def _start(root: Path, before: str = "", where: str = "script") -> subprocess.CompletedProcess[str]:
    (root / "casa.py").write_text(
        f"{CASA}\n{before}\nexec(compile({scripting.script_for_pi()!r}, 'scriptForPI.py', 'exec'))\n"
    )
    return subprocess.run(
        [sys.executable, str(root / "casa.py")],
        cwd=root / where, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_manual_data_end_up_calibrated(tmp_path):
    ended = _start(_tree(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("Done.\n")
    assert (tmp_path / f"calibrated/{EB}.ms.split.cal").is_dir()
    assert (tmp_path / f"calibrated/{EB}.calibration/{EB}").is_symlink()


def test_space_saving_removes_what_is_between(tmp_path):
    _start(_tree(tmp_path), "SPACESAVING = 1")
    assert not (tmp_path / f"calibrated/{EB}.calibration/{EB}.ms.split").exists()


def test_the_script_is_told_to_apply_only(tmp_path):
    ended = _start(_tree(tmp_path, text=MAKES_MS + "print('told', applyonly)\n"))
    assert "told True" in ended.stdout


def test_a_script_that_makes_nothing_is_only_mentioned(tmp_path):
    """The real one's trap: no MS, exit 0 and "Done."."""
    ended = _start(_tree(tmp_path, text="pass\n"))
    assert f"ERROR: {EB}.ms.split.cal was not created." in ended.stdout
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "Done.")


def test_an_absent_asdm_is_skipped(tmp_path):
    ended = _start(_tree(tmp_path, scripts=(EB, OTHER)))
    assert "WARNING: Inconsistency between ASDMs and calibration scripts" in ended.stdout
    assert 'but are absent from directory "raw":' in ended.stdout
    assert "Will try to proceed with the rest ..." in ended.stdout
    assert ended.returncode == 0


def _pipeline(root: Path) -> Path:
    _tree(root, scripts=())
    (root / "script/member.x.hifa_cal.casa_piperestorescript.py").write_text("hifa_restoredata()\n")
    return root


def test_pipeline_data_need_the_pipeline_and_nothing_is_touched_without(tmp_path):
    ended = _start(_pipeline(tmp_path))
    assert "ERROR: Pipeline not available. Make sure you start CASA with option" in ended.stdout
    assert ended.returncode == 1
    assert not (tmp_path / "calibrated").exists()


@pytest.mark.parametrize(("dosplit", "made"), [("True", ".ms.split.cal"), ("False", ".ms")])
def test_with_a_pipeline_they_are_restored_in_working(tmp_path, dosplit, made):
    stand_in = f"DOSPLIT = {dosplit}\ndef hifa_restoredata():\n    os.mkdir('{EB}.ms')"
    ended = _start(_pipeline(tmp_path), stand_in)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / f"calibrated/working/{EB}.ms").is_dir()
    assert (tmp_path / f"calibrated/{EB}{made}").is_dir()
    assert (tmp_path / f"calibrated/rawdata/{EB}").is_symlink()


def _no(name):
    return lambda root: (root / name).rename(root / f"no-{name}")


def _again(root):
    (root / "calibrated").mkdir()


def _twice(root):
    for name in ("a", "b"):
        (root / f"script/{name}.casa_piperestorescript.py").write_text("")


def _no_scripts(root):
    (root / f"script/{EB}.ms.scriptForCalibration.py").unlink()


def _no_asdm(root):
    (root / f"raw/{EB}.asdm.sdm").rmdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no("calibration"), 'ERROR: Cannot find directory "calibration"'),
        (_no("raw"), 'ERROR: directory "raw" not present.'),
        (_again, "/calibrated already exists."),
        (_twice, "ERROR: non-unique piperestorescript"),
        (_no_scripts, "ERROR: No calibration script found."),
        (_no_asdm, 'ERROR: No ASDM found in directory "raw".'),
    ],
)
def test_what_stops_it_is_said(tmp_path, spoil, message):
    spoil(_tree(tmp_path))
    ended = _start(tmp_path)
    assert message in ended.stdout
    assert ended.returncode == 1


def test_it_must_be_started_in_its_directory(tmp_path):
    ended = _start(_tree(tmp_path), where="raw")
    assert 'ERROR: Please start this script in directory "script".' in ended.stdout


def test_a_wrong_option_is_refused(tmp_path):
    assert (
        'SPACESAVING value "7" not permitted' in _start(_tree(tmp_path), "SPACESAVING = 7").stdout
    )
