"""How much memory an image is said to need, and how many processes that allows."""

from __future__ import annotations

import pytest

from reimage.imaging import memory
from reimage.model import PlannedImage


def planned(specmode="mfs", nterms=1, spws=(0,), target="T"):
    return PlannedImage(
        id=f"{target}.{specmode}",
        target=target,
        spws=spws,
        specmode=specmode,
        nterms=nterms,
        basename="x",
        files={},
    )


def facts(side=1000, channels=100, gridder="standard", **own):
    target = {
        "name": "T",
        "geometry": {"imsize": [side, side], "gridder": gridder},
        "axes": {"0": {"nchan": channels}, "1": None},
        "own": own,
    }
    return {"targets": [target, {"name": "moving"}]}


@pytest.mark.parametrize(
    ("image", "found", "measured_mb"),
    [
        (planned(), facts(4096), 1383),
        (planned(nterms=2), facts(2048), 820),
        (planned(), facts(2048, gridder="mosaic"), 736),
        (planned("cube"), facts(1024, 100), 2020),
        (planned("cube"), facts(512, 160), 1011),
    ],
)
def test_a_little_more_than_was_measured(image, found, measured_mb):
    assert measured_mb <= memory.least_mb(image, found) <= 1.45 * measured_mb


def test_what_has_no_geometry_needs_a_process():
    moving = planned(target="moving")
    assert memory.pixels(moving, facts()) == (0, 1)
    assert memory.least_mb(moving, facts()) == memory.PROCESS_MB
    assert memory.pixels(planned("cube", spws=(1,)), facts()) == (1_000_000, 1)


def test_a_kind_of_image_may_have_a_size_of_its_own():
    found = facts(
        1000, 100, cube={"geometry": {"imsize": [500, 500]}, "axes": {"0": {"nchan": 50}}}
    )
    assert memory.pixels(planned("cube"), found) == (250_000, 50)
    assert memory.pixels(planned(), found) == (1_000_000, 1)


def test_a_cube_comes_before_a_continuum_image():
    images = [planned(), planned("cont", nterms=2, spws=(0, 1)), planned("cube")]
    costs = [memory.cost(image, facts()) for image in images]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("most", "needs", "memory_mb", "count"),
    [
        (4, [500, 500, 500], 8000, 3),
        (2, [500, 500, 500], 8000, 2),
        (4, [3000, 3000, 3000, 500], 8000, 2),
        (4, [7000, 500], 8000, 2),
        (4, [7800, 500], 8000, 1),
        (4, [9000], 8000, 1),
        (4, [], 8000, 1),
    ],
)
def test_as_many_as_fit_together(most, needs, memory_mb, count):
    assert memory.processes(most, needs, memory_mb) == count


def test_shares_fit_together():
    for processes in (1, 2, 4):
        share = memory.share_mb(8000, processes) + memory.PROCESS_MB
        assert processes * share <= 8000
    assert memory.share_mb(500, 2) > 0


def test_never_more_room_than_the_limit():
    assert memory.room_mb(100) == 100
    assert memory.room_mb(10**9) < 10**9
