"""Cut-outs keep every pixel where it is on the sky and in the spectrum."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from making_holdings import CUBE_SHAPE as SHAPE
from making_holdings import DEC, FIRST, PIXEL, RA, STEP, cube_bytes

from reimage.archive.server.cutting import LIGHT, Image, cut, outline

BEFORE = 1024
"""Bytes before the image, as in a tar."""


def make_image(path, dtype=">f4", **keys):
    path.write_bytes(b"x" * BEFORE + cube_bytes(dtype, **keys))
    return Image(path=path, offset=BEFORE)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return make_image(tmp_path_factory.mktemp("cut") / "image.tar")


def opened(piece):
    with fits.open(io.BytesIO(piece)) as found:
        found.verify("exception")
        return found[0].data, WCS(found[0].header)


def stays_where_it_was(piece):
    """Check that every value of the piece has the coordinates it has in the whole."""
    data, wcs = opened(piece)
    whole = WCS(fits.Header.fromstring(_header_of_the_whole()))
    there = np.array(np.unravel_index(data.astype(int).ravel(), SHAPE))[::-1].T
    here = np.array(np.unravel_index(np.arange(data.size), data.shape))[::-1].T
    np.testing.assert_allclose(
        wcs.wcs_pix2world(here, 0), whole.wcs_pix2world(there, 0), rtol=1e-12
    )
    return data


def _header_of_the_whole():
    header = fits.Header()
    header.update(CTYPE1="RA---SIN", CTYPE2="DEC--SIN", CTYPE3="FREQ", CTYPE4="STOKES")
    header.update(CRVAL1=RA, CRVAL2=DEC, CRVAL3=FIRST, CRVAL4=1.0, CRPIX1=20.0, CRPIX2=15.0)
    header.update(CRPIX3=1.0, CRPIX4=1.0, CDELT1=-PIXEL, CDELT2=PIXEL, CDELT3=STEP, CDELT4=1.0)
    header.update(CUNIT1="deg", CUNIT2="deg", CUNIT3="Hz", NAXIS=4)
    return header.tostring()


def test_a_circle(image):
    data = stays_where_it_was(cut(image, outline(f"CIRCLE {RA} {DEC} {5 * PIXEL}"), None))
    assert data.shape == (1, 6, 11, 11)


def test_a_range_and_a_polygon_of_the_same_corners(image):
    half = 3 * PIXEL
    left, right = RA + half / np.cos(np.radians(DEC)), RA - half / np.cos(np.radians(DEC))
    box = cut(image, outline(f"RANGE {left} {right} {DEC - half} {DEC + half}"), None)
    low, high = DEC - half, DEC + half
    polygon = f"POLYGON {left} {low} {right} {low} {right} {high} {left} {high}"
    assert stays_where_it_was(box).shape[2:] == (7, 7)
    assert cut(image, outline(polygon), None) == box


def test_a_band(image):
    band = (LIGHT / (FIRST + 3.2e6), LIGHT / (FIRST + 0.8e6))
    data = stays_where_it_was(cut(image, None, band))
    assert data.shape == (1, 3, 30, 40)
    assert cut(image, None, (0.0, np.inf)) == cut(image, None, (1e-6, 1.0))


@given(
    ra=st.floats(-0.03, 0.03), dec=st.floats(-0.03, 0.03), radius=st.floats(PIXEL, 0.03)
)  # fmt: skip
def test_nothing_outside_is_given_and_nothing_moves(image, ra, dec, radius):
    piece = cut(image, outline(f"CIRCLE {RA + ra} {DEC + dec} {radius}"), None)
    if piece is not None:
        assert stays_where_it_was(piece).size


def test_elsewhere_there_is_nothing(image):
    assert cut(image, outline("CIRCLE 50 20 0.1"), None) is None
    assert cut(image, outline("CIRCLE 190 20 0.1"), None) is None  # behind the tangent plane
    assert cut(image, None, (1e-6, 2e-6)) is None


@pytest.mark.parametrize(
    "shape",
    [
        *("CIRCLE 1 2", "CIRCLE 1 2 -3", "CIRCLE a b c", "POLYGON 1 2 3 4", "BOX 1 2 3 4"),
        *("RANGE -inf inf 0 1", "CIRCLE"),
    ],
)
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"not a shape|could not convert"):
        outline(shape)


def test_images_that_cannot_be_cut_say_why(tmp_path):
    whole = make_image(tmp_path / "i.tar", dtype=">i2")
    with pytest.raises(ValueError, match="floating-point"):
        cut(whole, None, (0.001, 0.002))
    velocity = make_image(tmp_path / "v.tar", CTYPE3="VRAD", CUNIT3="m/s")
    with pytest.raises(ValueError, match="frequency axis"):
        cut(velocity, None, (0.001, 0.002))
