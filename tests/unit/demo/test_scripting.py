from __future__ import annotations

import pytest

from reimage.demo import scripting
from reimage.demo.datasets import datasets
from reimage.model import Calibration

MANUAL = [d for d in datasets() if d.calibration in {Calibration.MANUAL, Calibration.DELIVERED}]


@pytest.fixture(params=MANUAL, ids=lambda dataset: dataset.letter)
def manual(request):
    return request.param


def test_a_script_is_python_and_nothing_is_left_to_fill_in(manual):
    text = scripting.script_for_calibration(manual, manual.blocks[0], version=manual.casa)
    compile(text, "scriptForCalibration.py", "exec")
    assert "@" not in text


def test_a_script_names_its_version_twice_in_its_gate(manual):
    text = scripting.script_for_calibration(manual, manual.blocks[0], version=manual.casa)
    gate = [line for line in text.splitlines() if manual.casa in line]
    assert gate[0].startswith(f'if re.search("^{manual.casa}", ')
    assert gate[1].endswith(f'FOR GENERATING THE SCRIPT: {manual.casa}")')


def test_the_gate_asks_the_casa_of_its_day():
    assert "casadef.casa_version" in scripting.gate("4.2.2")
    assert "casatasks.version_string()" in scripting.gate("6.7.0")


def test_the_gate_stops_any_other_version():
    said = {"re": __import__("re"), "sys": __import__("sys")}
    casadef = type("casadef", (), {"casa_version": "4.3.1"})
    with pytest.raises(SystemExit, match="PLEASE USE THE SAME VERSION OF CASA"):
        exec(scripting.gate("4.2.2"), {**said, "casadef": casadef})  # noqa: S102 -- our own text
    casadef.casa_version = "4.2.2"
    exec(scripting.gate("4.2.2"), {**said, "casadef": casadef})  # noqa: S102 -- our own text


def test_the_import_that_modular_casa_lacks_stands_before_its_call(manual):
    lines = scripting.script_for_calibration(
        manual, manual.blocks[0], version=manual.casa
    ).splitlines()
    imported = next(k for k, line in enumerate(lines) if "from recipes.almahelpers" in line)
    called = next(k for k, line in enumerate(lines) if "fixsyscaltimes(vis=vis)" in line)
    assert imported < called
