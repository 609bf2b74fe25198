"""The tasks engine against the real ALMA pipeline, image by image, on the referee datasets.

Their folder is no part of the project: REIMAGE_REFEREES names it, else ``../shared/reference`` is tried.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from astropy.io import fits

from reimage import document
from reimage.recipes.load import load_recipe, override
from reimage.stages import image
from reimage.uid import Uid
from tests.casa.referees import calls_of, each_at_once, image_referee, make_context

pytestmark = [pytest.mark.casa, pytest.mark.slow]


@pytest.fixture(scope="module", params=each_at_once("referees"))
def imaged(request, tmp_path_factory, casa):
    """Image a referee once by the recipe of 2017; give numbers, stage value, directory."""
    directory = tmp_path_factory.mktemp(request.param)
    recipe, told = "hifatargets-2017", "numbers.json"
    return *image_referee(request.param, directory, casa, recipe=recipe, told=told), directory


def test_same_list_of_images(imaged):
    numbers, value, _ = imaged
    assert sorted(product.name for product in value.products if product.image) == sorted(
        name.replace(".regcal", "") for name in numbers["image_list"]
    )


def test_same_parameters(imaged):
    numbers, value, directory = imaged
    theirs = calls_of(numbers, (7, 9, 11))
    assert len(theirs) == len(value.plan)
    same = ("imsize", "phasecenter", "gridder", "mosweight", "robust", "spw", "antenna", "scan")
    for planned in value.plan:
        record = document.read_json(directory / "image" / "records" / f"{planned.basename}.json")
        ours = record["numbers"]["parameters"]
        expected = theirs[planned.id.split(".", 1)[1]]
        for key in (*same, "weighting", "deconvolver", "specmode", "nchan", "start", "width"):
            assert ours.get(key, "") == expected.get(key, ""), (planned.id, key)
        assert ours["cell"] == expected["cell"][0]
        if record["numbers"]["threshold"] is not None:
            assert f"{record['numbers']['threshold']:g}Jy" == expected["threshold"], planned.id
        assert ours.get("reffreq") == expected.get("reffreq")


def test_same_pixels(imaged):
    numbers, _, directory = imaged
    for one in numbers["images"]:
        name = one["file"].replace(".regcal", "")
        with fits.open(directory / "image" / "products" / name) as opened:
            header, data = opened[0].header, opened[0].data
            assert list(data.shape)[::-1] == one["shape_fits"], name
            assert np.isfinite(data).sum() == one["n_finite"], name
            scale = max(abs(one["max"]), abs(one["min"]), 1e-30)
            assert abs(np.nanmax(data) - one["max"]) < 1e-5 * scale, name
            assert abs(np.nanmin(data) - one["min"]) < 1e-5 * scale, name
            if one.get("beam") and "BMAJ" in header:
                assert header["BMAJ"] * 3600 == pytest.approx(one["beam"]["bmaj_arcsec"], rel=1e-5)
            for key in ("CRVAL1", "CRVAL2", "CDELT1", "CDELT2", "CRVAL3", "CDELT3"):
                assert header[key] == pytest.approx(one["wcs"][key], rel=1e-9), (name, key)


def test_headers_say_where_images_come_from(imaged):
    _, value, directory = imaged
    made = [product for product in value.products if product.image and product.kind != "mask"]
    for product in made:
        header = fits.getheader(directory / product.path)
        assert header["ORIGIN"].startswith("CASA")
        assert header["RECIPE"] == "hifatargets-2017"
        assert header["SPECMODE"] == product.specmode
        assert header["MEMBER"].startswith("uid://A001/")


def test_continuum_finder_agrees(imaged, tmp_path, casa):
    """Find the continuum ourselves, and compare ranges with the pipeline's and with the truth."""
    numbers, _, directory = imaged
    recipe = override(
        load_recipe("hifatargets-2017"),
        ["makeimages.hm_masking=none", 'makeimlist.spw="0"'],
    )
    run = make_context(
        tmp_path,
        next((directory / "input").glob("*.ms")),
        str(Uid.find(numbers["image_list"][0])),
        casa,
        recipe,
    )
    image.run(run)
    found = (tmp_path / "image" / "products" / "cont.dat").read_text()
    (theirs,) = numbers["cont_dat"].values()
    blocks = found.split("SpectralWindow: ")[1:]
    assert len(blocks) == len(theirs)
    for block in blocks:
        spw = block.split()[0]
        ranges = [
            (float(low), float(high)) for low, high in re.findall(r"([\d.]+)~([\d.]+)GHz", block)
        ]
        assert ("ALLCONT" in block) == ("ALLCONT" in theirs[spw]["flags"]), spw
        covered = sum(
            max(0.0, min(high, their_high) - max(low, their_low))
            for low, high in ranges
            for their_low, their_high in theirs[spw]["ranges_GHz"]
        )
        width = sum(high - low for low, high in theirs[spw]["ranges_GHz"])
        assert covered / min(width, sum(high - low for low, high in ranges)) >= 0.95, spw
        for line in numbers["truth"]["lines"]:
            if str(line["spw"]) == spw:
                half = line["fwhm_MHz"] / 1e3
                low, high = line["centre_LSRK_GHz"] - half, line["centre_LSRK_GHz"] + half
                assert all(b <= low or a >= high for a, b in ranges), line["name"]
