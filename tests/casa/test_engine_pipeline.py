"""The engine *pipeline* with the real ALMA pipeline, on referee A.

Skipped by name unless ``REIMAGE_TEST_PIPELINE`` is the path of a Python that has casatasks and the ALMA
pipeline (pages on the pipeline, sections 1 and 2), and without the referees' folder.
"""

from __future__ import annotations

import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from reimage import document
from reimage.casa import builds, environments
from reimage.imaging import engines
from reimage.imaging.request import ImagingMs, ImagingRequest
from reimage.model import ProductState
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits

VARIABLE = "REIMAGE_TEST_PIPELINE"
PYTHON = os.environ.get(VARIABLE)  # noqa: TID251 -- tests look at their surroundings
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "reference"
REFEREE = Path(os.environ.get("REIMAGE_REFEREES", BESIDE)) / "referee_a"  # noqa: TID251
pytestmark = [
    pytest.mark.casa,
    pytest.mark.slow,
    pytest.mark.xdist_group("pipeline"),
    pytest.mark.skipif(PYTHON is None, reason=f"no ALMA pipeline: {VARIABLE} unset"),
    pytest.mark.skipif(
        not (REFEREE / "numbers.json").exists(), reason="referee_a is missing: set REIMAGE_REFEREES"
    ),
]
MOUS = "uid://A001/X11a/X2d"
LIMITS = Limits(memory_mb=8000, wall_s=1500, silence_s=300)


@pytest.fixture(scope="module")
def pipeline(cache, tmp_path_factory):
    """Give the build that has the pipeline, registered as a site would."""
    build = builds.from_path(Path(str(PYTHON)), environments.casadata_path(cache))
    return builds.register(build, tmp_path_factory.mktemp("pipeline") / "builds", print)


@pytest.fixture(scope="module")
def ms(tmp_path_factory):
    """Give the referee's MS."""
    place = tmp_path_factory.mktemp("input")
    with tarfile.open(REFEREE / "input.ms.tgz") as tar:
        tar.extractall(place)  # noqa: S202 -- our own reference; Debian's 3.11.2 has no filters
    return next(place.glob("*.ms"))


def requested(root, ms, build, recipe, told):
    (root / "image").mkdir(parents=True, exist_ok=True)
    return ImagingRequest(
        ms=(ImagingMs(eb=ms.stem, path=ms, column="corrected"),),
        recipe=replace(recipe, engine="pipeline"),
        dataset=MOUS,
        root=root,
        directory=root / "image",
        build=build,
        limits=LIMITS,
        emit=lambda event, **data: told.append((event, data)),
        keywords={"RECIPE": recipe.id, "RUNID": "20260101T000000-000000"},
    )


@pytest.fixture(scope="module")
def imaged(pipeline, ms, tmp_path_factory):
    """Image referee A once with the recipe of 2017; give what was answered, told, and the directory."""
    root, told = tmp_path_factory.mktemp("imaged"), []
    recipe = load_recipe("hifatargets-2017")
    answer = engines.make(requested(root, ms, pipeline, recipe, told))
    return answer, told, root


def test_the_same_images_as_the_referees(imaged):
    answer, _, _ = imaged
    numbers = json.loads((REFEREE / "numbers.json").read_text())
    assert len(numbers["image_list"]) == 20
    images = [product for product in answer.products if product.image]
    assert sorted(product.name for product in images) == sorted(numbers["image_list"])
    assert {product.state for product in images} == {ProductState.MADE}
    assert len(answer.plan) == 9


def test_the_same_pixels_as_the_referees(imaged):
    _, _, root = imaged
    numbers = json.loads((REFEREE / "numbers_2025.1.json").read_text())
    for one in numbers["images"]:
        with fits.open(root / "image" / "products" / one["file"]) as opened:
            header, data = opened[0].header, opened[0].data
        assert list(data.shape)[::-1] == one["shape_fits"], one["file"]
        assert np.isfinite(data).sum() == one["n_finite"], one["file"]
        scale = max(abs(one["max"]), abs(one["min"]), 1e-30)
        assert abs(np.nanmax(data) - one["max"]) < 1e-5 * scale, one["file"]
        assert abs(np.nanmin(data) - one["min"]) < 1e-5 * scale, one["file"]
        assert header["RECIPE"] == "hifatargets-2017", one["file"]
        assert header["MEMBER"] == MOUS


def test_what_was_done_instead_is_said(imaged):
    answer, told, _ = imaged
    assert "names-not-of-recipe:2017" in answer.caveats
    assert any(one.startswith("pipeline-without-weblog:") for one in answer.caveats)
    assert any(one.startswith("pipeline-mask-of-primary-beam:") for one in answer.caveats)
    planned = [data for event, data in told if event == "image.planned"]
    assert planned[-1]["n"] == 9


def test_every_step_has_its_record(imaged):
    _, _, root = imaged
    records = [
        document.read_json(path)
        for path in sorted((root / "image" / "records").glob("[0-9]*.json"))
    ]
    assert {record["state"] for record in records} == {"done"}
    assert [record["stage"] for record in records] == list(range(1, len(records) + 1))
    assert sum(record["cpu_s"] for record in records) > 0
    assert not list((root / "image" / "working").rglob("table.dat"))
    assert (root / "image" / "working" / "cont.dat").exists()


def test_an_answer_is_given_again_without_work(imaged, pipeline, ms):
    """As after a crash between the last step and the proof of the stage."""
    answer, _, root = imaged
    told = []
    recipe = load_recipe("hifatargets-2017")
    assert engines.make(requested(root, ms, pipeline, recipe, told)).products == answer.products
    assert not [event for event, _ in told if event == "step.started"]


def test_a_killed_pipeline_goes_on_where_it_was(pipeline, ms, tmp_path):
    recipe = override(load_recipe("hifatargets-2017"), ['makeimlist.spw="1"'])
    wanted = {"hifa_importdata", "hif_mstransform", "hif_makeimlist", "hif_makeimages"}
    steps = [step for step in recipe.steps if step.task in wanted | {"hifa_exportdata"}]
    recipe = replace(recipe, steps=tuple(steps[:4] + steps[-1:]))
    told = []

    def kill(event, **data):
        told.append((event, data))
        started = [d["pid"] for e, d in told if e == "casa.started"]
        if event == "step.started" and data["k"] == 4 and len(started) == 1:
            (tmp_path / "image" / "working" / "left.iter9.image").mkdir()
            os.kill(started[0], 9)

    asked = replace(requested(tmp_path, ms, pipeline, recipe, told), emit=kill)
    answer = engines.make(asked)
    images = [product for product in answer.products if product.image]
    assert len(images) == 2
    assert {product.state for product in images} == {ProductState.MADE}
    begun = [data["step"] for event, data in told if event == "step.started"]
    again = begun[3]
    assert begun.count(again) == 2
    assert len(begun) == len(set(begun)) + 1
    assert not (tmp_path / "image" / "working" / "left.iter9.image").exists()
    assert not list((tmp_path / "image" / "working").rglob("table.dat"))


def test_todays_recipe_makes_the_referees_images(pipeline, ms, tmp_path):
    """Precheck, mitigation, self-calibration: the lists grow while the pipeline runs."""
    numbers = json.loads((REFEREE / "numbers_2025.1_hifa_image.json").read_text())
    told = []
    answer = engines.make(requested(tmp_path, ms, pipeline, load_recipe("hifa-image"), told))
    images = [product for product in answer.products if product.image]
    assert {p.name: p.reason for p in images if p.state is not ProductState.MADE} == {}
    assert sorted(product.name for product in images) == sorted(numbers["image_list"])
    assert any(image.id.endswith(".cont.selfcal") for image in answer.plan)
