"""The stand-in of tsysspwmap by real CASA: gencal, map and applycal, as old scripts calibrate Tsys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from making import EB
from making_fixes import MANUAL_SCRIPT, deliver, load, patched

from reimage import document
from reimage.casa import process
from reimage.demo.datasets import datasets
from reimage.run import Limits

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("tsys-map")]
LIMITS = Limits(memory_mb=3000, wall_s=300, silence_s=120)
CHECKS = str(Path(__file__).with_name("tsys_checks"))
MOSAIC = next(one for one in datasets() if one.letter == "c")
TDM_HZ = 2e9 / 128
KELVIN = {1: 100.0, 2: 400.0}
SCRIPT = """\
from recipes.almahelpers import tsysspwmap
from casatasks import applycal, gencal
gencal(vis=ms, caltable=ms + '.wvr', caltype='amp', parameter=[1.0])
tsysmap = tsysspwmap(vis=ms, tsystable=ms + '.tsys', tsysChanTol=1)
applycal(vis=ms, spw='3,4', gaintable=[ms + '.tsys', ms + '.wvr'], gainfield=['', ''],
         interp='linear,linear', spwmap=[tsysmap, []], calwt=True, flagbackup=False)
"""


def plan():
    """Plan a wvr spw, the Tsys spws of two basebands at the same frequencies, and a science spw of each.

    The science spw of baseband 2 overlaps the edge of its Tsys spw by half a Tsys channel.
    """
    plan = document.dump(MOSAIC.blocks[0].observation)
    plan["pads"], plan["antennas"] = plan["pads"][:4], plan["antennas"][:4]
    first, centre = plan["spws"][0], plan["spws"][0]["centre_hz"]
    edge = centre + 64.5 * TDM_HZ - 32 * TDM_HZ / 4
    windows = [
        *[("wvr", 4, 1.5e9, 183e9), ("tsys1", 128, TDM_HZ, centre), ("tsys2", 128, TDM_HZ, centre)],
        *[("fdm1", 64, TDM_HZ / 4, centre), ("fdm2", 64, TDM_HZ / 4, edge)],
    ]
    plan["spws"] = [
        {**first, "name": name, "channels": n, "width_hz": width, "centre_hz": middle}
        for name, n, width, middle in windows
    ]
    plan["sequence"] = [[field, 2] for field in range(len(plan["fields"]))]
    return plan


def _silent(event, **data):
    pass


@pytest.fixture(scope="module")
def call(casa, tmp_path_factory):
    def run(**inputs):
        directory = tmp_path_factory.mktemp("job") / "tsys"
        return process.run_job(
            casa, CHECKS, inputs, directory=directory, limits=LIMITS, emit=_silent
        )

    return run


@pytest.fixture(scope="module")
def observed(call, tmp_path_factory):
    """Give the directory of an MS and of its Tsys table."""
    directory = tmp_path_factory.mktemp("observed")
    path = str(directory / f"{EB}.ms")
    basebands, kelvin = [0, 1, 2, 1, 2], {str(spw): value for spw, value in KELVIN.items()}
    call(do="make", plan=plan(), ms=path, basebands=basebands, lower=[2, 4], kelvin=kelvin)
    return directory


@pytest.fixture
def ms(observed, tmp_path):
    shutil.copytree(observed, tmp_path / "calibrated")
    return str(tmp_path / "calibrated" / f"{EB}.ms")


STRICT = "from recipes.almahelpers import tsysspwmap\ntsysmap = tsysspwmap(ms, ms + '.tsys')\n"
"""Without tolerance: the edge of spw 4 is not covered."""


def script(root, text):
    return patched(load("recipes_almahelpers"), deliver(root, {MANUAL_SCRIPT: text}))[MANUAL_SCRIPT]


def test_each_science_spw_is_calibrated_by_the_tsys_of_its_baseband(call, ms, tmp_path):
    """Both Tsys spws cover both science spws: DATA of 1 times Tsys tells which one was taken."""
    assert call(do="run_script", text=script(tmp_path, SCRIPT), ms=ms) == [0, 1, 2, 1, 2]
    found = call(do="corrected", ms=ms)
    assert found["3"] == [pytest.approx(KELVIN[1])] * 2
    assert found["4"] == [pytest.approx(KELVIN[2])] * 2


def test_a_science_spw_without_tsys_stops_the_script_and_others_do_not(call, ms, tmp_path):
    said = call(do="run_script", text=script(tmp_path, STRICT), ms=ms)
    assert "science spws [4] of" in said
    call(do="forget_target", ms=ms)
    assert call(do="run_script", text=script(tmp_path / "again", STRICT), ms=ms) == [0, 1, 2, 1]
