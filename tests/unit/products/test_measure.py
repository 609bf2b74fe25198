from __future__ import annotations

import json

import numpy as np
import pytest
from making_images import BEAM, DEC, RA, gaussian, noise, primary_beam, write_image

from reimage.products.beam import BeamMissing
from reimage.products.fits_image import FitsBlank, open_image
from reimage.products.measure import flux_in_aperture, measure

SIZE = 160


@pytest.fixture
def field(tmp_path):
    """A point source of 50 mJy, noise of 1 mJy/beam, a primary beam, a mask round the source."""
    rng = np.random.default_rng(3)
    level = noise(rng, 1, SIZE, 1e-3)[0] + 0.05 * gaussian(SIZE, 80, 80)
    response = primary_beam(SIZE, 90.0)
    mask = gaussian(SIZE, 80, 80) > 0.1
    return (
        open_image(write_image(tmp_path / "a.pbcor.fits", level / response)),
        open_image(write_image(tmp_path / "a.pb.fits", response, BUNIT="")),
        open_image(write_image(tmp_path / "a.mask.fits", mask, BUNIT="")),
    )


def test_the_rms_is_that_of_the_flat_image_away_from_the_source(field):
    image, pb, mask = field
    numbers = measure(image, pb=pb, mask=mask)
    assert numbers["rms_region"] == "annulus"
    assert numbers["rms_jy_beam"] == pytest.approx(1e-3, rel=0.12)
    assert numbers["peak_jy_beam"] == pytest.approx(0.05, rel=0.06)
    assert numbers["dynamic_range"] == pytest.approx(50, rel=0.15)


def test_without_a_pb_the_mask_keeps_the_source_out(field):
    image, _, mask = field
    assert measure(image, mask=mask)["rms_region"] == "outside-mask"
    assert measure(image)["rms_region"] == "all"


def test_the_peak_is_found_where_it_is(field):
    image, pb, mask = field
    numbers = measure(image, pb=pb, mask=mask)
    assert numbers["peak_ra_deg"] == pytest.approx(RA, abs=0.2 / 3600)
    assert numbers["peak_dec_deg"] == pytest.approx(DEC, abs=0.2 / 3600)
    assert numbers["peak_channel"] is None


def test_beam_and_shape(field):
    numbers = measure(field[0], pb=field[1])
    assert numbers["beam_major_arcsec"] == pytest.approx(BEAM[0])
    assert numbers["beam_axial_ratio"] == pytest.approx(1.5)
    assert numbers["pixels_across_minor"] == pytest.approx(4.0)
    outside = np.isnan(primary_beam(SIZE, 90.0)).mean()
    assert numbers["nan_share"] == pytest.approx(outside)


def test_numbers_are_json(field):
    assert json.loads(json.dumps(measure(field[0], pb=field[1]), allow_nan=False))


def test_a_cube_names_its_peak_channel_and_counts_blank_ones(tmp_path):
    cube = noise(np.random.default_rng(1), 8, 32, 1e-3)
    cube[5] += 0.1 * gaussian(32, 16, 16)
    cube[0] = np.nan
    numbers = measure(open_image(write_image(tmp_path / "a.fits", cube)))
    assert numbers["peak_channel"] == 5
    assert numbers["blank_channels"] == 1
    assert numbers["blank_channel_share"] == pytest.approx(1 / 8)
    assert numbers["rms_jy_beam"] == pytest.approx(1e-3, rel=0.15)


def test_a_response_has_no_rms(field):
    numbers = measure(field[1])
    assert "rms_jy_beam" not in numbers
    assert numbers["peak"] == pytest.approx(1.0)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_blank_image_is_an_error(tmp_path, value):
    image = open_image(write_image(tmp_path / "a.fits", np.full((8, 8), value)))
    with pytest.raises(FitsBlank):
        measure(image)


def test_the_flux_of_a_point_source(tmp_path):
    data = 0.05 * gaussian(SIZE, 100, 60)
    image = open_image(write_image(tmp_path / "a.fits", data))
    sky = image.wcs.pixel_to_world(100, 60)
    flux = flux_in_aperture(image, sky.ra.deg, sky.dec.deg, 3.0)
    assert flux == pytest.approx(0.05, rel=0.01)
    assert flux_in_aperture(image, RA, DEC, 0.5) == pytest.approx(0.0, abs=1e-4)


def test_a_flux_needs_a_beam(tmp_path):
    path = write_image(tmp_path / "a.fits", np.ones((8, 8)), drop=["BMAJ", "BMIN"])
    with pytest.raises(BeamMissing):
        flux_in_aperture(open_image(path), RA, DEC, 1.0)
