"""The arithmetic of the simulated sky, against closed forms; the job's file needs numpy alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import reimage.casa

_FILE = Path(reimage.casa.__file__).parent / "jobs" / "_demo_sky.py"
_SPEC = importlib.util.spec_from_file_location("_demo_sky", _FILE)
sky = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(sky)

CENTRE = (1.0, -0.5)
FREQUENCY = np.array([9.0e10, 1.0e11, 1.1e11])
UVW = np.array([[30.0, -80.0, 0.0], [10.0, 60.0, 0.0], [5.0, -20.0, 0.0]])


def _point(direction=CENTRE, **other):
    fields = {"shape": "point", "flux_jy": 2.0, "reference_hz": 1e11, "spectral_index": -0.7}
    return {"direction": direction, "line": None, **fields, **other}


@given(st.floats(-40, 40))
def test_j1_is_scipys(x):
    assert sky.bessel_j1(x) == pytest.approx(special.j1(x), abs=1e-12)


def test_a_point_at_the_centre_is_its_spectrum_on_every_baseline():
    seen = sky.visibilities([_point()], FREQUENCY, UVW, CENTRE)
    expected = 2.0 * (FREQUENCY / 1e11) ** -0.7
    np.testing.assert_allclose(seen, np.repeat(expected[:, None], 3, axis=1))


def test_an_offset_point_turns_with_u():
    east = (CENTRE[0] + 3 * sky.ARCSEC / np.cos(CENTRE[1]), CENTRE[1])
    seen = sky.visibilities([_point(east)], FREQUENCY, UVW, CENTRE)
    expected = 2 * np.pi * UVW[0, 0] * 3 * sky.ARCSEC * 1e11 / sky.LIGHT
    assert np.angle(seen[1, 0]) == pytest.approx(expected, rel=1e-3)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_a_reversed_baseline_sees_the_conjugate(east, north):
    there = (
        CENTRE[0] + east * sky.ARCSEC / np.cos(CENTRE[1]),
        CENTRE[1] + north * sky.ARCSEC,
    )
    components = [_point(there), _point(shape="gaussian", fwhm_arcsec=2.0)]
    forth = sky.visibilities(components, FREQUENCY, UVW, CENTRE)
    back = sky.visibilities(components, FREQUENCY, -UVW, CENTRE)
    np.testing.assert_allclose(back, forth.conj(), atol=1e-12)


def test_a_gaussian_keeps_its_flux_on_the_zero_baseline_and_loses_it_on_long_ones():
    seen = sky.visibilities([_point(shape="gaussian", fwhm_arcsec=4.0)], FREQUENCY, UVW, CENTRE)
    assert abs(seen[1, 2]) == pytest.approx(2.0)
    assert abs(seen[1, 1]) < 0.8 * 2.0


def test_a_gaussian_has_half_its_flux_where_its_transform_says():
    """The transform of a Gaussian of width w halves at 2 ln2 / (pi w)."""
    length = 2 * np.log(2) / np.pi / (4 * sky.ARCSEC) * sky.LIGHT / 1e11
    uvw = np.array([[length], [0.0], [0.0]])
    seen = sky.visibilities([_point(shape="gaussian", fwhm_arcsec=4.0)], FREQUENCY, uvw, CENTRE)
    assert abs(seen[1, 0]) == pytest.approx(1.0)


def test_the_primary_beam_is_casas_for_alma():
    """CASA's 12-m beam: FWHM about 1.13 lambda / 12 m, first null near 1.22 lambda / 10.7 m."""
    lam = sky.LIGHT / 1e11
    assert sky.primary_beam(0.0, 1e11) == pytest.approx(1.0)
    assert sky.primary_beam(1.13 * lam / 12 / 2, 1e11) == pytest.approx(0.5, abs=0.03)
    assert sky.primary_beam(1.22 * lam / 10.7, 1e11) < 1e-3


def test_a_line_adds_its_peak_at_its_centre_and_half_of_it_at_the_half_width():
    line = {"centre_hz": 1e11, "fwhm_hz": 2e8, "peak_jy": 0.3}
    frequency = np.array([1e11, 1e11 + 1e8, 1e11 + 2e9])
    flux = sky.spectrum(_point(flux_jy=0.0, line=line), frequency)
    np.testing.assert_allclose(flux, [0.3, 0.15, 0.0], atol=1e-12)


def test_direction_cosines_of_the_centre_are_zero():
    np.testing.assert_allclose(sky.direction_cosines(CENTRE, CENTRE), 0.0, atol=1e-15)
