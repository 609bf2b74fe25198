"""What a job sees in a FITS file that is not an image."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from reimage.casa.jobs import _fits


@pytest.fixture
def write(tmp_path):
    def write(data, **keywords):
        path = tmp_path / "x.fits"
        header = fits.Header({"BMAJ": 1e-4, "OBJECT": "O'Neil / a", **keywords})
        fits.PrimaryHDU(np.asarray(data, dtype=np.float32), header).writeto(path, overwrite=True)
        return path

    return write


NOISE = np.random.default_rng(1).normal(size=(1, 3, 8, 8))


def test_sound_image(write):
    path = write(NOISE)
    assert _fits.check_fits(str(path)) == path.stat().st_size
    header, length = _fits.header_of(str(path))
    assert header["NAXIS"] == "4"
    assert length % 2880 == 0


def test_the_size_that_was_asked_for(write):
    path = str(write(NOISE))
    assert _fits.check_fits(path, shape=(3, 8, 8)) > 0
    with pytest.raises(_fits.NotAnImage, match="3 channels of 8 x 8, not 4 of 8 x 8"):
        _fits.check_fits(path, shape=(4, 8, 8))


def test_channels_without_data_are_allowed(write):
    data = NOISE.copy()
    data[0, 0] = np.nan
    assert _fits.check_fits(str(write(data))) > 0


@pytest.mark.parametrize(
    ("data", "keywords", "said"),
    [
        (np.full((1, 1, 8, 8), np.nan), {}, "no finite pixel"),
        (np.zeros((1, 1, 8, 8)), {}, "blank"),
        (NOISE, {"BMAJ": 0.0}, "no beam"),
        (NOISE, {"BMAJ": 1e-4, "BMIN": 2e-4}, "has a beam of"),
        (NOISE, {"BMAJ": 9e-4, "BMIN": 1e-4, "CDELT1": -1e-4}, "the image is 0.0008 wide"),
        (np.where(np.arange(200 * 200) == 5, 1, np.nan).reshape(200, 200), {}, "1 of 40000 pixels"),
    ],
)
def test_what_is_not_an_image(write, data, keywords, said):
    with pytest.raises(_fits.NotAnImage, match=said):
        _fits.check_fits(str(write(data, **keywords)))


def test_masks_may_be_constant_and_have_no_beam(write):
    assert _fits.check_fits(str(write(np.zeros((1, 1, 8, 8)), BMAJ=0.0)), beam=False) > 0


@pytest.mark.parametrize("size", [100, 2880, -2880, -1])
def test_truncated_file(write, size):
    path = write(NOISE)
    data = path.read_bytes()[:size]
    path.write_bytes(data)
    with pytest.raises(_fits.NotAnImage, match=r"promises|no end"):
        _fits.check_fits(str(path))


def test_absent_file(tmp_path):
    with pytest.raises(_fits.NotAnImage, match="was not written"):
        _fits.check_fits(str(tmp_path / "x.fits"))


def test_other_pixel_types(tmp_path):
    path = tmp_path / "x.fits"
    fits.PrimaryHDU(np.zeros((4, 4), dtype=np.int16)).writeto(path)
    with pytest.raises(_fits.NotAnImage, match="32-bit"):
        _fits.check_fits(str(path))
