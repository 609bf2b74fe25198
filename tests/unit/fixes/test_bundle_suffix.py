from __future__ import annotations

from making_fixes import CALIBRATION, deliver, load, patched

FIX = load("bundle_suffix")
FLAGS = f"{CALIBRATION}/uid___A002_Xc0ffee_X1.ms.flagversions"
TABLES = f"{CALIBRATION}/uid___A001_X1_X2.session_1.caltables"


def test_old_bundles_get_their_other_name(tmp_path):
    ill = deliver(tmp_path, {f"{FLAGS}.tar.gz": "flags", f"{TABLES}.tar.gz": "tables"})
    assert "2_Xc0ffee_X1.ms.flagversions.tar.gz" in FIX.applies(ill, {})
    patched(FIX, ill)
    assert (tmp_path / f"{FLAGS}.tgz").read_text() == "flags"
    assert (tmp_path / f"{TABLES}.tgz").read_text() == "tables"


def test_new_bundles_are_left_alone(tmp_path):
    assert FIX.applies(deliver(tmp_path / "new", {f"{FLAGS}.tgz": ""}), {}) is None
    both = deliver(tmp_path / "both", {f"{FLAGS}.tgz": "", f"{FLAGS}.tar.gz": ""})
    assert FIX.applies(both, {}) is None
