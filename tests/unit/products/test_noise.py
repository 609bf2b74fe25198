from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making_images import flat, gaussian, make_cube, noise, primary_beam, write_image

from reimage.products.fits_image import open_image
from reimage.products.noise import measure_noise, robust_sigma


@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_sigma_scales_and_does_not_move(offset, scale):
    values = np.random.default_rng(1).standard_normal(500)
    moved = robust_sigma(values * scale + offset)
    assert moved == pytest.approx(robust_sigma(values) * scale, rel=1e-6)


def test_sigma_disregards_nan_and_the_few():
    values = np.random.default_rng(1).standard_normal(10_000)
    wanted = robust_sigma(values)
    values[:100] = 1e6
    values[100:200] = np.nan
    assert wanted == pytest.approx(1.0, rel=0.03)
    assert robust_sigma(values) == pytest.approx(wanted, rel=0.03)
    assert np.isnan(robust_sigma(np.array([np.nan])))


def test_noise_of_the_flat_image_is_the_same_at_centre_and_edge(tmp_path):
    response = primary_beam(128, 80.0)
    level = noise(np.random.default_rng(1), 1, 128, 1e-3)[0]
    path = write_image(tmp_path / "a.fits", level / response)
    pb = write_image(tmp_path / "pb.fits", response, BUNIT="")
    assert measure_noise(flat(path, pb), None).rms == pytest.approx(1e-3, rel=0.15)
    assert measure_noise(flat(path), None).rms > 1.5e-3


def test_a_primary_beam_of_another_size_is_not_used(tmp_path):
    path = write_image(tmp_path / "a.fits", np.ones((8, 8)))
    pb = write_image(tmp_path / "pb.fits", np.full((4, 4), 0.5), BUNIT="")
    assert flat(path, pb).pb is None


def test_one_plane_of_response_serves_a_cube(tmp_path):
    path = write_image(tmp_path / "a.fits", np.ones((3, 8, 8)))
    pb = write_image(tmp_path / "pb.fits", np.full((8, 8), 0.5), BUNIT="")
    opened = flat(path, pb)
    assert (opened.plane(2) == 0.5).all()
    assert (opened.rows(2, slice(1, 3)) == 0.5).all()


def test_the_masked_source_is_left_out(tmp_path):
    bright = gaussian(96, 48, 48, (3.0, 3.0, 0.0))
    level = noise(np.random.default_rng(1), 1, 96, 1e-3)[0] + bright
    path = write_image(tmp_path / "a.fits", level)
    mask = open_image(write_image(tmp_path / "mask.fits", bright > 1e-5, BUNIT=""))
    found = measure_noise(flat(path), mask)
    assert found.region == "outside-mask"
    assert found.rms == pytest.approx(1e-3, rel=0.2)


def test_of_a_cube_line_channels_do_not_count(tmp_path):
    cube = make_cube(size=32, lines=[(30.0, 4.0, 1.0)])
    cube[:5] = np.nan
    path = write_image(tmp_path / "a.fits", cube)
    assert measure_noise(flat(path), None).rms == pytest.approx(1e-3, rel=0.2)
