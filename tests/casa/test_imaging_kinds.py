"""Images of many kinds of observation, made by `reimage image` as a person does, against what was simulated.

The tolerances stand in `tests.casa.truth`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from reimage.casa import builds
from reimage.products.fits_image import open_image
from tests.casa import kinds, truth
from tests.casa.truth import assert_true

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("kinds")]


@dataclass
class Made:
    """What `reimage image` said and left."""

    kind: kinds.Kind
    directory: Path
    code: int
    told: dict
    said: str

    def row(self, image):
        return next(row for row in self.told["images"] if row["image"].partition(".")[2] == image)

    @property
    def states(self):
        return {row["image"].partition(".")[2]: row["state"] for row in self.told["images"]}

    def open(self, image, kind="pbcor"):
        (found,) = (
            product["path"]
            for product in self.told["products"]
            if (product["image"] or "").partition(".")[2] == image and product["kind"] == kind
        )
        return open_image(self.directory / found)

    @property
    def continuum(self):
        return truth.read_continuum(self.directory / "products" / "cont.dat")

    @property
    def components(self):
        return self.kind.components


@pytest.fixture(scope="session")
def image(casa, cache, tmp_path_factory):
    """Image a kind's MSs; once for the same kind and words."""
    data = tmp_path_factory.mktemp("kinds-site")
    builds.register(casa, data / "builds", lambda _: None)
    known = {}

    def run(ebs, *words):
        key = (ebs, words)
        if key not in known:
            kind = kinds.make(ebs, casa, cache)
            place = tmp_path_factory.mktemp("images") / "o"
            known[key] = call(data, kind, place, *words)
        return known[key]

    return run


def call(data, kind, place, *words):
    command = [sys.executable, "-m", "reimage", "--data", str(data), "image", *map(str, kind.ms)]
    done = subprocess.run(
        [*command, "-o", str(place), "--json", *words],
        cwd=data,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout) if done.stdout else {}
    return Made(kind=kind, directory=place, code=done.returncode, told=told, said=done.stderr)


# --- kinds of observation -----------------------------------------------------------------------------


def test_single_pointing(image):
    made = image(kinds.single())
    assert (made.code, made.told["result"]) == (0, "imaged")
    assert set(made.states) == {"spw0.mfs", "spw1.mfs", "spw0_1.cont", "spw0.cube", "spw1.cube"}
    assert made.told["ms"][0]["column"] == "corrected"
    assert "calibration was applied" in made.told["ms"][0]["because"]
    assert {row["target"] for row in made.told["images"]} == {"Sim_One"}
    assert made.continuum[1][1], "no line in spw 1"
    assert_true(made)


@pytest.mark.parametrize("n", [3, 7])
@pytest.mark.imaging
def test_mosaic(image, n):
    made = image(kinds.mosaic(n))
    assert made.code == 0, made.said
    assert set(made.states) == {"spw0.mfs", "spw0.cont", "spw0.cube"}
    assert_true(made)


@pytest.mark.imaging
def test_two_execution_blocks(image):
    made = image(kinds.two_blocks())
    assert made.code == 0, made.said
    assert set(made.states) == {"spw0.mfs", "spw0.cont", "spw0.cube"}
    cube = made.open("spw0.cube")
    assert not [n for n in range(cube.n_channels) if not np.isfinite(cube.plane(n)).any()]
    assert_true(made)


@pytest.mark.imaging
def test_two_spectral_setups(image):
    made = image(kinds.two_setups())
    assert made.code == 0, made.said
    assert {name for name in made.states if name.endswith("mfs")} == {
        "spw0.mfs",
        "spw1.mfs",
        "spw2.mfs",
    }
    assert "spw0_1_2.cont" in made.states
    centres = [np.mean(made.open(f"spw{n}.mfs").frequency_hz) for n in range(3)]
    assert centres == pytest.approx([98e9, 100e9, 102e9], rel=2e-3)
    assert_true(made)


def test_fully_flagged_spw(image):
    made = image(kinds.flagged())
    assert (made.code, made.told["result"]) == (10, "partial")
    assert made.states == {
        "spw0.mfs": "made",
        "spw1.mfs": "absent",
        "spw0.cont": "made",
        "spw0.cube": "made",
        "spw1.cube": "absent",
    }
    for name in ("spw1.mfs", "spw1.cube"):
        assert "all data of spw 1 are flagged" in made.row(name)["reason"]
    assert any(caveat.startswith("spw-fully-flagged:") for caveat in made.told["caveats"])
    assert_true(made)


@pytest.mark.imaging
def test_line_forest(image):
    made = image(kinds.forest())
    assert made.code == 0, made.said
    assert not made.continuum[0][1]
    assert_true(made, line=0.05, peaks=True)  # few channels tell the continuum under the lines


@pytest.mark.imaging
def test_continuum_only(image):
    made = image(kinds.continuum())
    assert made.code == 0, made.said
    assert [is_all for _, is_all in made.continuum.values()] == [True, True]
    assert_true(made)


@pytest.mark.imaging
def test_seven_metre_array(image):
    made = image(kinds.seven_metre())
    assert made.code == 0, made.said
    cube = made.open("spw0.cube")
    assert 10 < cube.beam.major_arcsec < 30
    assert cube.shape[0] * cube.pixel_arcsec > 100, "the field of a 7-m dish at 3 mm"
    # The rules expect a dynamic range of 30 of one 7-m EB: clean ends at 1/15 of the peak.
    assert_true(made, peaks=True)


@pytest.mark.imaging
def test_a_moving_target_beside_a_fixed_one(image):
    made = image(kinds.moving())
    assert (made.code, made.told["result"]) == (10, "partial")
    for row in made.told["images"]:
        assert (row["state"] == "absent") == (row["target"] == "Sim_Comet")
        if row["state"] == "absent":
            assert "ephemeris" in row["reason"]


@pytest.mark.imaging
def test_nothing_but_a_moving_target(image):
    made = image(kinds.only_moving())
    assert made.code in {1, 4}
    assert "ephemeris" in made.said


@pytest.mark.imaging
def test_killed_it_goes_on(image, casa, cache, tmp_path):
    """SIGKILL after the first image: the same command makes the others, and nothing again."""
    kind = kinds.make(kinds.continuum(), casa, cache)
    builds.register(casa, tmp_path / "builds", lambda _: None)
    place = tmp_path / "o"
    words = ["--data", str(tmp_path), "image", str(kind.ms[0]), "-o", str(place)]
    words += ["--set", "makeimages.hm_masking=none"]
    first = subprocess.Popen([sys.executable, "-m", "reimage", *words], stderr=subprocess.DEVNULL)
    events = place / "journal.jsonl"
    while "image.made" not in (events.read_text() if events.exists() else ""):
        assert first.poll() is None
        time.sleep(0.1)
    children = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    first.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    records = sorted((place / "records").glob("*.I.json"))
    assert 0 < len(records) < 5
    before = {path: path.stat().st_mtime_ns for path in (place / "products").glob("*.I.pb*.fits")}
    made = [path for path in before if path.name.split(".I.")[0] in str(records)]
    assert made
    second = subprocess.run([sys.executable, "-m", "reimage", *words, "--json"], check=False,
                            capture_output=True, text=True)  # fmt: skip
    assert second.returncode == 0, second.stderr
    assert [row["state"] for row in json.loads(second.stdout)["images"]] == ["made"] * 5
    assert {path: path.stat().st_mtime_ns for path in made} == {path: before[path] for path in made}


SMALL = "checkproductsize.maxcubesize=0.001"


def test_a_cube_that_must_be_mitigated(image):
    limits = ("--set", SMALL, "--set", "checkproductsize.maxcubelimit=0.0015")
    made = image(kinds.flagged(), "--recipe", "hifa-image-2018", *limits)
    assert made.code == 10, made.said
    assert "mitigated-field" in made.told["caveats"]
    assert made.states == {
        "spw0.mfs": "mitigated",
        "spw1.mfs": "absent",
        "spw0.cont": "mitigated",
        "spw0.cube": "mitigated",
        "spw1.cube": "absent",
    }
    assert "field of view to" in made.row("spw0.cube")["reason"]
    cube = made.open("spw0.cube")
    assert 4 * cube.shape[0] * cube.shape[1] * 24 / 1e9 < 0.001
    assert_true(made)


@pytest.mark.imaging
def test_a_cube_that_cannot_be_mitigated(image):
    limits = [f"checkproductsize.{name}=0.00001" for name in ("maxcubesize", "maxcubelimit")]
    words = [word for limit in limits for word in ("--set", limit)]
    made = image(kinds.flagged(), "--recipe", "hifa-image-2018", *words)
    assert made.code == 1
    assert "error[product-size-unmitigable]" in made.said
    assert "--set checkproductsize.maxcubelimit" in made.said
