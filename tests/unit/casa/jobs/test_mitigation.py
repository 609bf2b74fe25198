"""The ladder of size mitigation: what is given up, in which order, and when nothing helps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.casa.jobs import _mitigation as mitigation

NO_LIMITS = {"maxcubesize": -1, "maxcubelimit": -1, "maxproductsize": -1}
STEPS = ["nbin", "field", "cell", "targets", "cubes"]


def target(name="A", pointings=1, spws=(17, 19), *, mixed=False):
    return {
        "name": name,
        "pointings": pointings,
        "mixed": mixed,
        "radius": 30.0,
        "spread": (0.0, 0.0) if pointings == 1 else (40.0, 40.0),
        "beam_minor": 0.5,
        "spws": list(spws),
    }


def spw(nchan, smoothing=1.0, mean_hz=230e9):
    return {"nchan": nchan, "smoothing": smoothing, "mean_hz": mean_hz}


def climb(targets, spws, limits, robust=0.5, representative=None):
    chosen = representative or (targets[0]["name"], min(spws))
    return mitigation.mitigate(targets, spws, {**NO_LIMITS, **limits}, chosen, robust)


def cube(pixels, channels):
    return 4.0 * pixels**2 * channels / 1e9


# 1.1 FWHM sqrt(log2 5) / 0.1 arcsec = 461 pixels; the next that the FFT likes
SIDE = 480
SPWS = {17: spw(3840), 19: spw(128)}


def test_nothing_is_given_up_without_need():
    found = climb([target()], SPWS, {"maxcubesize": 4, "maxcubelimit": 60, "maxproductsize": 500})
    assert found["steps"] == []
    assert found["error"] is None
    assert found["sizes_gb"]["cube"] == pytest.approx(cube(SIDE, 3840))
    both = 2 * (cube(SIDE, 3840) + cube(SIDE, 128) + 2 * cube(SIDE, 1))
    assert found["sizes_gb"]["products"] == pytest.approx(both)
    assert mitigation.told(found, target()) is None


@pytest.mark.parametrize(
    ("nchan", "smoothing", "binned"),
    [
        (3840, 1.0, True),
        (7680, 2.667, True),
        (1920, 2.667, True),
        (1920, 2.6666, True),
        (960, 2.667, True),
        (480, 2.667, True),
        (480, 1.6, False),
        (1920, 1.0, False),
        (240, 2.667, False),
    ],
)
def test_which_channels_are_binned(nchan, smoothing, binned):
    size = cube(SIDE, nchan)
    found = climb(
        [target(spws=(17,))],
        {17: spw(nchan, smoothing)},
        {"maxcubesize": 0.6 * size, "maxcubelimit": 2 * size},
    )
    assert ("nbin" in found["steps"]) is binned
    assert found["nbin"] == ({"17": 2} if binned else {})
    if binned:
        assert found["steps"] == ["nbin"]
        assert found["sizes_gb"]["cube"] == pytest.approx(size / 2)


def test_binning_leaves_other_spws_alone():
    found = climb([target()], SPWS, {"maxcubesize": 2.0})
    assert found["nbin"] == {"17": 2}
    assert mitigation.told(found, target()) == "2 channels of spw 17 as one"


def test_the_field_of_view_comes_second():
    size = cube(SIDE, 100)
    found = climb([target(spws=(17,))], {17: spw(100)}, {"maxcubesize": 0.8 * size})
    assert found["steps"] == ["field"]
    expected = math.exp(-math.log(2) * 2.2064 * 0.8 / 1.01)
    assert found["pb_level"] == round(expected, 2)
    assert found["sizes_gb"]["cube"] <= 0.8 * size
    assert "field of view to PB" in mitigation.told(found, target())


def test_the_field_of_view_ends_at_0_7():
    found = climb([target(spws=(17,))], {17: spw(100)}, {"maxcubesize": 1e-9})
    assert found["pb_level"] == 0.7


def test_mosaics_keep_their_field():
    found = climb([target(pointings=5, spws=(17,))], {17: spw(100)}, {"maxcubesize": 0.05})
    assert "field" not in found["steps"]
    assert found["steps"] == ["cell"]
    assert "field" not in mitigation.told(found, target(pointings=5))


@pytest.mark.parametrize(("robust", "pixels"), [(0.5, 3.0), (2.0, 3.25)])
def test_cells_come_third(robust, pixels):
    size = cube(SIDE, 100)
    limits = {"maxcubesize": 0.1 * size, "maxcubelimit": size}
    found = climb([target(spws=(17,))], {17: spw(100)}, limits, robust)
    assert found["steps"] == ["field", "cell"]
    assert found["pixels_per_beam"] == pixels
    assert found["error"] is None


def test_above_the_limit_is_an_error():
    size = cube(SIDE, 100)
    limits = {"maxcubesize": 0.001 * size, "maxcubelimit": 0.002 * size}
    found = climb([target(spws=(17,))], {17: spw(100)}, limits)
    assert found["steps"] == ["field", "cell"]
    assert found["error"].startswith("the largest cube has ")


def test_between_size_and_limit_is_none():
    size = cube(SIDE, 100)
    limits = {"maxcubesize": 0.001 * size, "maxcubelimit": size}
    assert climb([target(spws=(17,))], {17: spw(100)}, limits)["error"] is None


def test_targets_are_left_out_for_the_product_size():
    targets = [target(name, spws=(17,)) for name in "DBCA"]
    size = cube(SIDE, 100)
    limits = {"maxcubesize": 2 * size, "maxcubelimit": 4 * size, "maxproductsize": 5 * size}
    found = climb(targets, {17: spw(100)}, limits, representative=("C", 17))
    assert found["targets"] == ["C", "A"]
    assert found["steps"] == ["targets"]
    assert [one["target"] for one in found["dropped"]] == ["D", "B"]
    assert all(one["spw"] is None for one in found["dropped"])
    assert found["error"] is None


def test_a_single_target_is_mitigated_for_the_product_size():
    size = cube(SIDE, 3840)
    limits = {"maxcubesize": 1.1 * size, "maxcubelimit": 2 * size, "maxproductsize": 1.5 * size}
    found = climb([target(spws=(17,))], {17: spw(3840)}, limits)
    assert found["steps"][0] == "nbin"
    assert found["error"] is None
    assert found["sizes_gb"]["products"] <= 1.5 * size


def test_one_large_cube_is_kept():
    spws = {17: spw(1000), 19: spw(1000), 21: spw(1000), 23: spw(10)}
    size = cube(SIDE, 1000)
    limits = {"maxcubesize": 1.1 * size, "maxcubelimit": 1.5 * size, "maxproductsize": 100 * size}
    targets = [target(spws=tuple(spws))]
    found = climb(targets, spws, limits, representative=("A", 19))
    assert found["spws"] == [19, 23]
    assert {(one["spw"], one["specmode"]) for one in found["dropped"]} == {
        (17, "cube"),
        (21, "cube"),
    }
    found = climb(targets, spws, limits, representative=("A", 23))
    assert found["spws"] == [17, 23]


def test_small_cubes_are_kept_while_there_is_room():
    spws = {n: spw(100, mean_hz=n * 1e9) for n in (1, 2, 3, 4)}
    size = cube(SIDE, 100)
    limits = {"maxcubesize": 1.1 * size, "maxcubelimit": 4 * size, "maxproductsize": 3 * size}
    found = climb([target(spws=(1, 2, 3, 4))], spws, limits, representative=("A", 3))
    assert 3 in found["spws"]
    assert found["error"] is None
    assert found["sizes_gb"]["products"] <= 3 * size


def test_products_that_stay_too_large_are_an_error():
    size = cube(SIDE, 100)
    found = climb([target(spws=(17,))], {17: spw(100)}, {"maxproductsize": 0.01 * size})
    assert found["error"].startswith("all products have ")


def test_arrays_of_two_dish_sizes_count_as_mosaics():
    alone, mixed = (mitigation.image_size(target(mixed=m), 0.2, 5.0) for m in (False, True))
    assert mixed[0] > alone[0]


LIMIT = st.one_of(st.just(-1.0), st.floats(min_value=1e-4, max_value=20))


@settings(max_examples=150, deadline=None)
@given(
    nchan=st.lists(st.sampled_from([60, 128, 480, 960, 1920, 3840, 7680]), min_size=1, max_size=4),
    pointings=st.lists(st.sampled_from([1, 2, 7]), min_size=1, max_size=3),
    limits=st.tuples(LIMIT, LIMIT, LIMIT),
    robust=st.sampled_from([0.5, 2.0]),
)
def test_the_ladder_only_goes_down(nchan, pointings, limits, robust):
    spws = {17 + 2 * n: spw(count, 2.667) for n, count in enumerate(nchan)}
    targets = [target(f"T{n}", count, tuple(spws)) for n, count in enumerate(pointings)]
    asked = dict(zip(NO_LIMITS, limits, strict=True))
    found = climb(targets, spws, asked, robust)
    sizes = found["sizes_gb"]
    assert sizes["cube"] <= sizes["cube_before"] + 1e-12
    assert sizes["products"] <= sizes["products_before"] + 1e-12
    assert "T0" in found["targets"]
    assert 17 in found["spws"]
    assert found["steps"] == list(dict.fromkeys(found["steps"]))
    assert set(found["steps"]) <= set(STEPS)
    if found["error"] is None:
        assert asked["maxproductsize"] == -1 or sizes["products"] <= asked["maxproductsize"]
        bounded = -1 not in (asked["maxcubesize"], asked["maxcubelimit"])
        most = max(asked["maxcubesize"], asked["maxcubelimit"])
        assert not bounded or sizes["cube"] <= most or found["steps"][-1:] == ["cubes"]
