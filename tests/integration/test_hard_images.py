"""Images at the edge of what an image is: each gives a result or a coded error, never a traceback."""

from __future__ import annotations

import json

import numpy as np
import pytest
from making_images import gaussian, make_cube, noise, write_image

from reimage.errors import ProductError
from reimage.products.admit import write_admit
from reimage.products.cube import analyse
from reimage.products.fits_image import open_image
from reimage.products.footprint import footprint
from reimage.products.measure import measure
from reimage.products.noise import FlatImage
from reimage.products.preview import write_preview

SIZE = 40


def plane(seed=0):
    return noise(np.random.default_rng(seed), 1, SIZE, 1e-3)[0] + 0.1 * gaussian(SIZE, 20, 20)


def ragged():
    cube = make_cube(n_channels=20, size=SIZE, lines=[(10.0, 1.5, 30e-3)])
    cube[np.random.default_rng(1).random(cube.shape) < 0.3] = np.nan
    return cube


BEAMS = [(0.0, 0.0, 0.0)] + [(1.2, 0.8, 30.0)] * 19
IMAGES = {
    "polar cap": (plane(), {"CRVAL2": 89.9999}),
    "south pole": (plane(), {"CRVAL2": -90.0}),
    "origin of right ascension": (plane(), {"CRVAL1": 0.0}),
    "galactic": (plane(), {"CTYPE1": "GLON-SIN", "CTYPE2": "GLAT-SIN"}),
    "one pixel": (np.ones((1, 1)), {}),
    "one row": (plane()[:1], {}),
    "one finite pixel": (np.where(gaussian(SIZE, 20, 20) == 1, 0.1, np.nan), {}),
    "four Stokes": (np.stack([plane(seed)[np.newaxis] for seed in range(4)]), {}),
    "infinite": (np.where(gaussian(SIZE, 9, 9) > 0.9, np.inf, plane()), {}),
    "negative only": (-np.abs(plane()), {}),
    "ragged cube": (ragged(), {}),
    "two channels": (make_cube(n_channels=2, size=SIZE), {}),
    "beam per channel": (make_cube(n_channels=20, size=SIZE), {"beams": BEAMS}),
    "no beam": (make_cube(n_channels=6, size=SIZE), {"drop": ["BMAJ", "BMIN", "BPA"]}),
    "no unit": (plane(), {"BUNIT": ""}),
    "kelvin": (plane(), {"BUNIT": "K"}),
    "velocity axis": (make_cube(n_channels=8, size=SIZE), {"CTYPE3": "VRAD", "CUNIT3": "m/s"}),
    "falling frequency": (make_cube(lines=[(20.0, 2.0, 0.03)]), {"CDELT3": -2e6}),
    "no frequency axis": (make_cube(n_channels=8, size=SIZE), {"CTYPE3": "PIXEL"}),
    "all NaN": (np.full((SIZE, SIZE), np.nan), {}),
    "all NaN cube": (np.full((6, SIZE, SIZE), np.nan), {}),
    "constant cube": (np.ones((6, SIZE, SIZE)), {}),
}
BLANK = {"all NaN", "all NaN cube"}
CONSTANT = {"constant cube", "one pixel", "one finite pixel"}


@pytest.fixture(params=IMAGES)
def hard(request, tmp_path):
    data, header = IMAGES[request.param]
    return request.param, open_image(write_image(tmp_path / "hard.fits", data, **header))


def test_preview(hard, tmp_path):
    name, image = hard
    if name in BLANK:
        with pytest.raises(ProductError):
            write_preview(image, tmp_path / "a.png")
    else:
        write_preview(image, tmp_path / "a.png")
        assert (tmp_path / "a.png").stat().st_size > 3000


def test_footprint(hard):
    name, image = hard
    if name in BLANK:
        with pytest.raises(ProductError):
            footprint(image)
    else:
        made = footprint(image)
        assert made.area_arcsec2 == pytest.approx(made.n_pixels * image.pixel_arcsec**2, rel=0.011)


def test_numbers(hard):
    name, image = hard
    if name in BLANK | CONSTANT:
        with pytest.raises(ProductError):
            measure(image)
    else:
        numbers = json.loads(json.dumps(measure(image), allow_nan=False))
        assert numbers["nan_share"] < 1


def test_admit(hard, tmp_path):
    name, image = hard
    if not image.is_cube:
        return
    analysis = analyse(FlatImage(image=image, pb=None))
    if name in BLANK:
        with pytest.raises(ProductError):
            write_admit(analysis, tmp_path / "a.admit")
    else:
        summary = write_admit(analysis, tmp_path / "a.admit")
        assert len(summary["segments"]) == (name in ("ragged cube", "falling frequency"))
