"""What goes with the images, made by real CASA: the log of the commands makes the same images again."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits

from reimage import document
from reimage.casa import place
from reimage.imaging import calls, engines
from reimage.imaging.request import ImagingMs, ImagingRequest
from reimage.model import ProductState
from reimage.recipes.load import load_recipe
from reimage.run import Limits
from tests.casa import kinds

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("accompany")]

EB = "uid___A002_X9a0_X1"


@pytest.fixture(scope="module")
def done(casa, cache, tmp_path_factory):
    """Image one pointing with a line in its only spw; give the request and the answer."""
    plan = kinds.observation((kinds.MAIN,), (kinds.spw(1, 99.0, 32, 1875),))
    kind = kinds.make((kinds.Eb(eb=EB, plan=plan),), casa, cache)
    root = tmp_path_factory.mktemp("accompany")
    (root / "image").mkdir()
    request = ImagingRequest(
        ms=(ImagingMs(eb=EB, path=kind.ms[0], column="data"),),
        recipe=load_recipe("hifatargets-2017"),
        dataset="uid://A001/X9a0/X2",
        root=root,
        directory=root / "image",
        build=casa,
        limits=Limits(memory_mb=4000, wall_s=600, silence_s=300),
        emit=lambda *_, **__: None,
    )
    return request, engines.make(request)


def path_of(done, kind):
    request, imaged = done
    return request.root / next(p.path for p in imaged.products if p.kind == kind)


@pytest.fixture(scope="module")
def again(done, tmp_path_factory):
    """Run the log of the commands in an empty directory that holds the calibrated MS."""
    request, _ = done
    where = tmp_path_factory.mktemp("replay")
    shutil.copytree(request.ms[0].path, where / f"{EB}.ms")
    (where / "home").mkdir()
    ended = subprocess.run(
        [request.build.python, str(path_of(done, "casa_commands"))],
        cwd=where,
        env=place.environment(request.build, where),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return where


def test_the_commands_make_every_image_again_to_the_last_bit(done, again):
    request, imaged = done
    made = [p for p in imaged.products if p.image and p.state is ProductState.MADE]
    assert len(made) >= 6
    for product in made:
        ours = fits.getdata(request.root / product.path)
        theirs = fits.getdata(again / product.name)
        assert np.array_equal(ours, theirs, equal_nan=True), product.name


def test_every_call_has_its_step_its_time_and_its_image(done):
    request, imaged = done
    placed = calls.place(calls.read_calls(request.directory), request.recipe, imaged.plan)
    assert {one.call.task for one in placed} >= {"mstransform", "tclean", "uvcontsub", "exportfits"}
    assert all(one.step for one in placed)
    assert all(one.call.seconds >= 0 and one.call.error is None for one in placed)
    of_images = {one.image for one in placed} - {""}
    assert of_images == {image.id for image in imaged.plan}


def test_the_spectrum_of_the_continuum_finder_is_drawn_with_its_line(done):
    request, _ = done
    steps = (request.directory / "weblog" / "steps.html").read_text()
    assert steps.count("<polyline") == 1
    assert steps.count('class="range"') >= 1
    (record,) = request.directory.glob("records/findcont-*.json")
    spectrum = document.read_json(record)["spectrum"]
    assert max(spectrum) > 10 * np.median(np.abs(spectrum))


def test_cont_dat_is_the_one_that_was_used(done):
    request, _ = done
    text = path_of(done, "cont.dat").read_text()
    assert text.startswith("Field: Sim_One")
    assert text == (request.directory / "products" / "cont.dat").read_text()


def test_the_script_is_python_and_names_the_measurement_set(done):
    script = path_of(done, "casa_pipescript").read_text()
    compile(script, "casa_pipescript.py", "exec")
    assert f"{EB}.ms" in script


def test_a_second_start_makes_nothing_again(done):
    request, imaged = done
    before = {path: path.stat().st_mtime_ns for path in request.directory.glob("products/*.fits")}
    n_calls = len(calls.read_calls(request.directory))
    again = engines.make(request)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(calls.read_calls(request.directory)) == n_calls
    assert json.dumps(document.dump(again)) == json.dumps(document.dump(imaged))
