from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from making_images import DEC, PIXEL, RA, write_image

from reimage import document
from reimage.products.fits_image import FitsBlank, open_image
from reimage.products.footprint import Footprint, footprint, outline, write_footprint

ROWS, COLUMNS = np.mgrid[:160, :160]


def disc(x, y, radius):
    return np.hypot(COLUMNS - x, ROWS - y) <= radius


def image_of(tmp_path, finite, **header):
    return open_image(write_image(tmp_path / "a.fits", np.where(finite, 1.0, np.nan), **header))


def test_a_circle_has_its_area_in_few_vertices(tmp_path):
    made = footprint(image_of(tmp_path, disc(80, 80, 60)))
    assert made.area_arcsec2 == pytest.approx(np.pi * (60 * PIXEL) ** 2, rel=0.01)
    assert made.n_vertices < 80
    assert (made.centre_ra_deg, made.centre_dec_deg) == (
        pytest.approx(RA, abs=1e-6),
        pytest.approx(DEC, abs=1e-6),
    )


def test_a_ring_keeps_its_hole(tmp_path):
    made = footprint(image_of(tmp_path, disc(80, 80, 60) & ~disc(80, 80, 25)))
    wanted = np.pi * (60**2 - 25**2) * PIXEL**2
    assert made.area_arcsec2 == pytest.approx(wanted, rel=0.01)
    (region,) = made.regions
    assert len(region.holes) == 1
    assert re.fullmatch(r"Polygon ICRS [-0-9. ]+ Not \(Polygon [-0-9. ]+\)", made.stcs)


def test_two_parts_are_a_union_without_a_frame_inside(tmp_path):
    made = footprint(image_of(tmp_path, disc(40, 80, 30) | disc(120, 80, 20)))
    assert re.fullmatch(r"Union ICRS \( Polygon [-0-9. ]+ Polygon [-0-9. ]+ \)", made.stcs)
    assert len(made.regions) == 2


def test_vertices_lie_on_the_sky_where_the_pixels_are(tmp_path):
    made = footprint(image_of(tmp_path, disc(80, 80, 60)))
    for ra, dec in made.regions[0].outer:
        east = (ra - RA) * np.cos(np.radians(DEC)) * 3600
        assert np.hypot(east, (dec - DEC) * 3600) == pytest.approx(60 * PIXEL, abs=1.5 * PIXEL)


def test_rings_run_counter_clockwise_on_the_sky(tmp_path):
    made = footprint(image_of(tmp_path, disc(80, 80, 60) & ~disc(80, 80, 25)))
    (region,) = made.regions

    def east_left(ring):
        return shapely.LinearRing([(-ra, dec) for ra, dec in ring])

    assert east_left(region.outer).is_ccw
    assert not east_left(region.holes[0]).is_ccw


def test_j2000_is_turned_into_icrs(tmp_path):
    made = footprint(image_of(tmp_path, disc(80, 80, 60), RADESYS="FK5", EQUINOX=2000.0))
    assert made.frame == "ICRS"
    assert made.centre_ra_deg != pytest.approx(RA, abs=1e-7)
    assert made.centre_ra_deg == pytest.approx(RA, abs=1e-4)


def test_across_the_origin_of_right_ascension(tmp_path):
    made = footprint(image_of(tmp_path, disc(80, 80, 60), CRVAL1=0.0))
    assert made.area_arcsec2 == pytest.approx(np.pi * (60 * PIXEL) ** 2, rel=0.01)
    assert all(0 <= ra < 360 for ra, _ in made.regions[0].outer)


def test_one_pixel_is_a_square():
    only = np.zeros((5, 7), dtype=bool)
    only[2, 3] = True
    shape = outline(only)
    assert shape.area == 1.0
    assert shape.bounds == (2.5, 1.5, 3.5, 2.5)


def test_a_primary_beam_has_the_footprint_of_its_image(tmp_path):
    of = image_of(tmp_path, disc(80, 80, 30))
    mask = open_image(write_image(tmp_path / "mask.fits", np.zeros((160, 160))))
    made = footprint(mask, of)
    assert (made.file, made.of) == ("mask.fits", "a.fits")
    assert made.n_pixels == disc(80, 80, 30).sum()


def test_of_another_size_nothing_is_taken(tmp_path):
    other = open_image(write_image(tmp_path / "b.fits", np.zeros((20, 20))))
    assert footprint(other, image_of(tmp_path, disc(80, 80, 30))).of == "b.fits"


def test_a_blank_image_has_none(tmp_path):
    with pytest.raises(FitsBlank):
        footprint(image_of(tmp_path, disc(80, 80, -1)))


def test_the_file_says_it_all(tmp_path):
    made = write_footprint(image_of(tmp_path, disc(80, 80, 60)), tmp_path / "a.json")
    assert document.read(Footprint, tmp_path / "a.json") == made


@given(hnp.arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24))))
@settings(max_examples=80, deadline=None)
def test_the_area_is_that_of_the_pixels(mask):
    if not mask.any():
        return
    shape = outline(mask)
    assert shape.is_valid
    assert shape.area == pytest.approx(mask.sum(), rel=0.0101)


@given(
    st.lists(
        st.tuples(st.integers(0, 159), st.integers(0, 159), st.integers(5, 50)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None)
def test_mosaics_of_discs_keep_their_area(discs):
    mask = np.logical_or.reduce([disc(*each) for each in discs])
    shape = outline(mask)
    assert shape.is_valid
    assert shape.area == pytest.approx(mask.sum(), rel=0.0101)
