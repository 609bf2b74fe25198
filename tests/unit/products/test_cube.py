from __future__ import annotations

import numpy as np
import pytest
from making_images import (
    CHANNEL_HZ,
    FREQUENCY,
    flat,
    gaussian,
    make_cube,
    primary_beam,
    write_image,
)

from reimage.products.channels import scan
from reimage.products.cube import analyse

KM_S = 299792.458 * CHANNEL_HZ / FREQUENCY
"""A channel."""
SIGMA = 2.0
PEAK = 80e-3
FLUX = PEAK * SIGMA * np.sqrt(2 * np.pi) * KM_S


@pytest.fixture
def path(tmp_path):
    return write_image(tmp_path / "cube.fits", make_cube(lines=[(30.0, SIGMA, PEAK)]))


def test_the_flux_of_a_point_source_is_not_clipped(path):
    (line,) = analyse(flat(path)).lines
    assert line.flux_jy_km_s == pytest.approx(FLUX, rel=0.05)
    assert line.clipped_flux_jy_km_s is not None
    assert line.clipped_flux_jy_km_s < line.flux_jy_km_s
    assert line.moment0[24, 24] == pytest.approx(FLUX, rel=0.05)


def test_the_flux_is_corrected_for_the_primary_beam(tmp_path):
    response = primary_beam(48, 40.0)
    cube = make_cube(lines=[(30.0, SIGMA, PEAK)])
    moved = np.roll(cube, 8, axis=2)  # where the response is 0.9
    path = write_image(tmp_path / "cube.fits", moved / response)
    pb = write_image(tmp_path / "pb.fits", response, BUNIT="")
    (line,) = analyse(flat(path, pb)).lines
    assert line.flux_jy_km_s == pytest.approx(FLUX / response[24, 32], rel=0.06)


def test_frequencies_are_the_outer_edges(path):
    (line,) = analyse(flat(path)).lines
    assert line.first_hz == FREQUENCY + (line.segment.first_channel - 0.5) * CHANNEL_HZ
    assert line.last_hz == FREQUENCY + (line.segment.last_channel + 0.5) * CHANNEL_HZ


def test_the_spectrum_is_of_the_source(path):
    spectra = analyse(flat(path)).spectra
    assert spectra.aperture == "lines"
    assert (spectra.x, spectra.y) == (24, 24)
    assert spectra.integrated[30] == pytest.approx(PEAK, rel=0.15)
    assert spectra.at_peak[30] == pytest.approx(PEAK, rel=0.1)
    assert abs(np.median(spectra.integrated[:15])) < PEAK / 10


def test_a_cube_of_noise_has_a_spectrum_all_the_same(tmp_path):
    analysis = analyse(flat(write_image(tmp_path / "cube.fits", make_cube())))
    assert analysis.lines == ()
    assert analysis.spectra.aperture == "beam"
    assert np.isfinite(analysis.spectra.integrated).all()


def test_blank_channels_stay_blank(tmp_path):
    cube = make_cube(lines=[(30.0, SIGMA, PEAK)])
    cube[4] = np.nan
    analysis = analyse(flat(write_image(tmp_path / "cube.fits", cube)))
    assert np.isnan(analysis.spectra.integrated[4])
    assert np.isnan(analysis.scan.table.sigma[4])
    assert np.isfinite(analysis.total).all()


def test_an_all_blank_cube_is_looked_into_without_harm(tmp_path):
    analysis = analyse(flat(write_image(tmp_path / "cube.fits", np.full((8, 16, 16), np.nan))))
    assert analysis.lines == ()
    assert np.isnan(analysis.scan.peak).all()


def test_channel_statistics(tmp_path):
    cube = make_cube(rms=2e-3)
    cube[7] += 50e-3 * gaussian(48, 10, 30)
    cube[9] -= 50e-3 * gaussian(48, 33, 12)
    table = scan(flat(write_image(tmp_path / "cube.fits", cube))).table
    assert np.median(table.sigma) == pytest.approx(2e-3, rel=0.05)
    assert (table.max_x[7], table.max_y[7]) == (10, 30)
    assert (table.min_x[9], table.min_y[9]) == (33, 12)
    np.testing.assert_allclose(table.maximum, cube.max(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(table.mean, cube.mean(axis=(1, 2)), atol=1e-7)


def test_the_peak_map_is_the_highest_value_of_each_pixel(tmp_path):
    cube = make_cube()
    cube[3, 5, 5] = np.nan
    found = scan(flat(write_image(tmp_path / "cube.fits", cube))).peak
    np.testing.assert_allclose(found, np.nanmax(cube, axis=0), rtol=1e-5)
