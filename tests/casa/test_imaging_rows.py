"""Rows that are there and do not count, and rows that are not there: a mosaic, changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from reimage.casa import process
from reimage.run import Limits
from tests.casa import kinds

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("imaging-rows")]

JOB = str(Path(__file__).with_name("alter_ms"))
LIMITS = Limits(memory_mb=4000, wall_s=300, silence_s=200)


def silent(*_, **__):
    pass


def run(casa, job, inputs, directory):
    return process.run_job(casa, job, inputs, directory=directory, limits=LIMITS, emit=silent)


@pytest.fixture
def prepare(casa, cache, tmp_path):
    """Give a function that changes what was observed first and prepares its imaging."""

    def call(ebs, *changes):
        first, *others = kinds.make(ebs, casa, cache).ms
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        inputs = {"source": str(first), "copies": {"changed": list(changes)}}
        run(casa, JOB, inputs, place / "alter")
        paths = [place / "alter" / "out" / "changed.ms", *others]
        inputs = {
            "ms": [
                {"eb": f"eb{n}", "path": str(path), "column": "corrected"}
                for n, path in enumerate(paths)
            ],
            "ms_directory": str(place),
            "scratch": str(place / "trial"),
            "mstransform": {},
            "flagtargets": False,
            "robust": 0.5,
        }
        (target,) = run(casa, "image_prepare", inputs, place / "job")["targets"]
        return target

    return call


def two_pointings(seen=2):
    """Give a mosaic of two pointings in two spws, or as much of it as was seen."""
    pointings = (kinds.CENTRE, kinds.offset(kinds.CENTRE, 26.0, 0.0))[:seen]
    spws = (kinds.spw(1, 99.0, 32, 1875), kinds.spw(2, 101.0, 32, 1875))
    plan = kinds.observation((kinds.point(0.080),), spws, name="Sim_Rows", pointings=pointings)
    return (kinds.Eb(eb=f"uid___A002_X90a_X{seen}", plan=plan),)


def test_what_antennas_saw_by_themselves_is_no_data_of_the_target(prepare):
    target = prepare(kinds.single(), ["autos_alone", 0, 1])
    assert target["flagged"] == [1]
    assert target["axes"]["0"]["nchan"] > 1


def test_a_pointing_that_a_spw_missed_does_not_cost_the_spw(prepare):
    whole = prepare(two_pointings())
    assert whole["pointings"] == 2
    partly = prepare(two_pointings(), ["unobserved", 0, 1, 1])
    assert partly["axes"]["0"] == whole["axes"]["0"]
    one, other = partly["axes"]["1"], whole["axes"]["1"]
    assert one["width_hz"] == pytest.approx(other["width_hz"], rel=1e-4)
    assert 0 <= one["nchan"] - other["nchan"] <= 1  # of one range alone no channel is lost


def test_an_execution_block_that_ended_early_does_not_cut_the_mosaic(prepare):
    whole, early = two_pointings(), two_pointings(1)
    both, alone = prepare(early + whole), prepare(whole)
    assert both["pointings"] == 2
    for key in ("imsize", "phasecenter", "gridder"):
        assert both["geometry"][key] == alone["geometry"][key]
