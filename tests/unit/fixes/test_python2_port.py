"""The offered port: all scripts of a restore or none, never those of the imaging."""

from __future__ import annotations

import pytest
from making_fixes import MANUAL_SCRIPT, SCRIPT, deliver, load, patched

FIX = load("python2_port")
PI, IMAGING = f"{SCRIPT}/scriptForPI.py", f"{SCRIPT}/scriptForImaging.py"
OLD = "print 'List of steps to be executed ...', mysteps\n"
UNSAFE = "n = 128\nprint 'edge', n / 16\n"


def test_it_is_offered_and_tells_on_the_outcome():
    assert FIX.offered
    assert FIX.python == "3"
    assert FIX.caveat == "scripts-ported-to-python-3"


def test_every_script_of_the_restore_is_ported(tmp_path):
    files = {PI: "execfile('x.py')\n", MANUAL_SCRIPT: OLD, IMAGING: UNSAFE}
    delivery = deliver(tmp_path, files)
    assert "scriptForPI.py (execfile)" in (FIX.applies(delivery, {}) or "")
    assert FIX.obstacles(delivery, {}) == ()
    texts = patched(FIX, delivery)
    assert set(texts) == {PI, MANUAL_SCRIPT}
    assert texts[MANUAL_SCRIPT] == "print('List of steps to be executed ...', mysteps)\n"
    assert (tmp_path / IMAGING).read_text() == UNSAFE


def test_one_unsafe_script_is_told_with_its_name_and_line(tmp_path):
    delivery = deliver(tmp_path, {PI: OLD, MANUAL_SCRIPT: UNSAFE})
    (why,) = FIX.obstacles(delivery, {})
    assert why.startswith(MANUAL_SCRIPT.rpartition("/")[2] + " line 2: / of ")


@pytest.mark.parametrize("text", ["print('x')\n", "# print 'x'\n", ""])
def test_python_3_needs_none(tmp_path, text):
    assert FIX.applies(deliver(tmp_path, {PI: text}), {}) is None
