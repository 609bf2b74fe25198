"""The tasks engine against the real ALMA pipeline, image by image, on the referee datasets.

Their folder is no part of the project: REIMAGE_REFEREES names it, else ``../shared/reference`` is tried.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from reimage import document
from reimage.model import CalibratedMs, Calibration, CasaChoice, Delivery
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits
from reimage.stages import image
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue, RestoreValue
from reimage.uid import Uid
from tests.making import make_run

pytestmark = [pytest.mark.casa, pytest.mark.slow]

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "reference"
REFEREES = Path(os.environ.get("REIMAGE_REFEREES", BESIDE))  # noqa: TID251 -- tests look around
MOUS = {"referee_a": "uid://A001/X11a/X2d", "referee_c": "uid://A001/X33c/X22"}


def make_context(directory, ms, mous, casa, recipe):
    proven = {
        "choose": ChooseValue(
            delivery=Delivery(root=".", member=".", layout="x", calibration=Calibration.NONE),
            choice=CasaChoice(build=casa.id, wanted=None, because=()),
        ),
        "restore": RestoreValue(
            ms=(
                CalibratedMs(
                    eb=ms.stem, path=str(ms), column="corrected", rows=1, promised_rows=None
                ),
            ),
            method="delivered",
            facts={},
        ),
    }
    for stage, value in proven.items():
        (directory / stage).mkdir()
        document.write(directory / stage / PROVEN, {"value": document.dump(value)})
    run = make_run(
        directory,
        dataset=mous,
        recipe=document.dump(recipe),
        recipe_digest=document.digest(recipe),
        builds=(casa,),
        limits=Limits(memory_mb=8000, wall_s=1200, silence_s=300),
        created_at=datetime.now(UTC),
    )
    return StageContext(
        run=run,
        directory=directory,
        attempt=1,
        emit=lambda *_, **__: None,
        still_current=lambda: None,
    )


def write_continuum(path, numbers):
    """Write the pipeline's ranges: images are compared for given continuum."""
    lines = []
    for name, spws in numbers["cont_dat"].items():
        lines += [f"Field: {name}", ""]
        for spw, entry in spws.items():
            lines.append(f"SpectralWindow: {spw} {entry['name']}")
            lines += [f"Flags: {flag}" for flag in entry["flags"]]
            lines += [f"{low:.10f}~{high:.10f}GHz LSRK" for low, high in entry["ranges_GHz"]]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module", params=sorted(MOUS))
def imaged(request, tmp_path_factory, casa):
    """Image a referee once with the pipeline's continuum; give numbers, stage value, directory."""
    folder = REFEREES / request.param
    if not (folder / "numbers.json").exists():
        pytest.skip(f"{request.param} is missing: REIMAGE_REFEREES must name the referees' folder")
    numbers = json.loads((folder / "numbers.json").read_text())
    directory = tmp_path_factory.mktemp(request.param)
    with tarfile.open(folder / "input.ms.tgz") as tar:
        tar.extractall(directory / "input")  # noqa: S202 -- our own reference; Debian's 3.11.2 has no filters
    contfile = write_continuum(directory / "cont.dat", numbers)
    recipe = override(load_recipe("hifatargets-2017"), [f'makeimlist.contfile="{contfile}"'])
    ms = next((directory / "input").glob("*.ms"))
    context = make_context(directory, ms, MOUS[request.param], casa, recipe)
    return numbers, image.run(context), directory


def calls_of(numbers, stages):
    """Return the pipeline's last tclean of each image, by ``spw0.mfs`` and the like."""
    found = {}
    for call in numbers["calls"]:
        name = re.search(r"_sci\.(spw[\d_]+\.\w+)\.", call["parameters"].get("imagename", ""))
        if call["task"] == "tclean" and name and call["stage"] in stages:
            found[name[1]] = call["parameters"]
    return found


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
