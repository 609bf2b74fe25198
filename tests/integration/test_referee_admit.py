"""Line segments on cubes with known truth, beside what the real ADMIT found in them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from making_images import flat

from reimage.products.cube import analyse

REFEREE = Path(__file__).parents[3] / "shared" / "reference" / "referee_admit"
pytestmark = pytest.mark.skipif(
    not REFEREE.is_dir(), reason=f"the referee cubes are not here: {REFEREE.parts[-3:]}"
)
CUBES = ("ref_coiso", "ref_noise", "ref_forest", "ref_contabs")


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Make every cube; return its folder and its truth by name."""
    folder = tmp_path_factory.mktemp("referee")
    program = runpy.run_path(str(REFEREE / "make_cubes.py"))
    made = [program["make"](spec, folder, with_pb=True) for spec in program["CUBES"]]
    return folder, {item["name"]: item for item in made}


@pytest.fixture(scope="module")
def analysed(truth):
    folder, _ = truth
    return {name: analyse(flat(folder / f"{name}.fits")) for name in CUBES}


def ends(segments):
    return [(item.first_channel, item.last_channel) for item in segments]


def matches(found, wanted):
    return all(abs(a - b) <= 1 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", CUBES)
def test_every_line_has_its_own_segment_right_to_a_channel(truth, analysed, name):
    wanted = sorted(tuple(line["channels_ge_1sigma"]) for line in truth[1][name]["lines"])
    found = ends(analysed[name].segments)
    assert len(found) == len(wanted)
    assert all(matches(*pair) for pair in zip(found, wanted, strict=True)), (found, wanted)


@pytest.mark.parametrize("name", CUBES)
def test_emission_and_absorption_are_told_apart(truth, analysed, name):
    lines = sorted(truth[1][name]["lines"], key=lambda line: line["channel_centre"])
    assert [item.sign for item in analysed[name].segments] == [line["sign"] for line in lines]


@pytest.mark.parametrize("name", ["ref_coiso", "ref_forest"])
def test_what_admit_found_whole_we_find_too(truth, analysed, name):
    """Segments of ADMIT that hold one line lie in ours, which end where a line falls to 1 sigma.

    ADMIT's end at 5 sigma, one or two channels inside.
    """
    recorded = json.loads((REFEREE / "admit_found.json").read_text())["cubes"][name]
    lines = [line["channels_ge_1sigma"] for line in truth[1][name]["lines"]]
    for item in recorded["admit1_vlsr_given"]["segments"]:
        first, last = item["first_channel"], item["last_channel"]
        if sum(a <= last and first <= b for a, b in lines) > 1:
            continue  # lines that it merged
        (ours,) = [
            found for found in ends(analysed[name].segments) if found[0] <= first <= found[1]
        ]
        assert ours[0] in range(first - 3, first + 1)
        assert ours[1] in range(last, last + 3)


def test_the_corrected_cube_with_its_beam_has_the_same_lines(truth, analysed):
    folder, _ = truth
    corrected = analyse(flat(folder / "ref_coiso.pbcor.fits", folder / "ref_coiso.pb.fits"))
    assert ends(corrected.segments) == ends(analysed["ref_coiso"].segments)


@pytest.mark.parametrize("name", ["ref_coiso", "ref_forest"])
def test_fluxes_are_nearer_the_truth_than_clipped_ones(truth, analysed, name):
    lines = sorted(truth[1][name]["lines"], key=lambda line: line["channel_centre"])
    ours, clipped = [], []
    for found, line in zip(analysed[name].lines, lines, strict=True):
        ours.append(found.flux_jy_km_s / line["flux_jy_kms"])
        clipped.append(found.clipped_flux_jy_km_s / line["flux_jy_kms"])
    assert all(0.88 < ratio < 1.08 for ratio in ours), ours
    assert sum(abs(1 - ratio) for ratio in ours) < sum(abs(1 - ratio) for ratio in clipped)


def test_channel_rms_is_that_of_the_truth(truth, analysed):
    noise = truth[1]["ref_noise"]["rms_jy_per_beam"]
    sigma = analysed["ref_noise"].scan.table.sigma
    assert sigma[:32].mean() == pytest.approx(noise["first_channel"] * 1.036, rel=0.03)
    assert sigma[-32:].mean() == pytest.approx(noise["last_channel"] * 0.972, rel=0.03)
