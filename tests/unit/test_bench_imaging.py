"""The imaging bench measures what it says: ranges, numbers of an image, sources and lines of the truth."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

BENCH = Path(__file__).resolve().parents[2] / "ops" / "bench"
CELL = 0.1
BEAM = 0.6


@pytest.fixture
def continuum(monkeypatch):
    """Give the bench's module on ranges."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("image_continuum")


@pytest.fixture
def numbers(monkeypatch):
    """Give the bench's module on the numbers of images."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("image_numbers")


OURS = """Field: T

SpectralWindow: 0 A
100.0~100.4GHz LSRK
100.8~101.0GHz LSRK

SpectralWindow: 1 B
Flags: ALLCONT
110.0~111.0GHz LSRK
"""


def test_ranges_are_read_and_compared(continuum):
    ours = continuum.Ranges.parsed(OURS)
    entry = {"name": "A", "flags": [], "ranges_GHz": [[100.1, 100.4], [100.9, 101.0]]}
    theirs = continuum.Ranges.recorded({"cont_dat": {"T": {"0": entry}}})
    assert ours.pure == {"1"}
    assert ours.overlap(theirs, "0") == pytest.approx((1.0, 0.4 / 0.6))
    shifted = {**entry, "ranges_GHz": [[100.2, 100.6]]}
    theirs = continuum.Ranges.recorded({"cont_dat": {"T": {"0": shifted}}})
    assert ours.overlap(theirs, "0") == pytest.approx((0.5, 0.2 / 0.8))
    nothing = continuum.Ranges.recorded({"cont_dat": {"T": {"0": {**entry, "ranges_GHz": []}}}})
    assert ours.overlap(nothing, "0") == (0.0, 0.0)


def test_lines_within_ranges_are_named(continuum):
    def line(name, spw, ghz):
        return {"name": name, "spw": spw, "centre_LSRK_GHz": ghz, "fwhm_MHz": 50.0}

    ours = continuum.Ranges.parsed(OURS)
    truth = {
        "lines": [line("between", 0, 100.6), line("too near", 0, 100.44), line("in", 1, 110.5)]
    }
    assert ours.let_in(truth) == ["too near", "in"]


def write_image(folder, name, data, pb):
    header = fits.Header()
    header["BMAJ"] = header["BMIN"] = BEAM / 3600
    header["CRPIX1"] = header["CRPIX2"] = 33.0
    header["CDELT1"], header["CDELT2"] = -CELL / 3600, CELL / 3600
    header["CRVAL3"], header["CDELT3"] = 100e9, 10e6
    beam_name = name.replace(".pbcor", ".pb")
    fits.PrimaryHDU(np.asarray(data)[None], header).writeto(folder / name)
    fits.PrimaryHDU(np.asarray(pb)[None], header).writeto(folder / beam_name)
    return folder / name


def point(x, y, flux):
    """Return a point source of the beam's shape; x to the east."""
    rows, columns = np.mgrid[:64, :64]
    radius = np.hypot((columns - 32) * CELL + x, (rows - 32) * CELL - y)
    return flux * np.exp(-4 * np.log(2) * (radius / BEAM) ** 2)


def test_numbers_of_an_image(numbers, tmp_path):
    noise = np.random.default_rng(1).normal(scale=1e-3, size=(64, 64))
    pb = np.full((1, 64, 64), 0.8)
    path = write_image(tmp_path, "a.cont.I.pbcor.fits", (point(0, 0, 1.0) + noise)[None], pb)
    found = numbers.measure(path)
    assert found.rms == pytest.approx(0.8e-3, rel=0.1)
    assert found.peak == pytest.approx(1, rel=0.01)
    assert found.flux == pytest.approx(1, rel=0.02)
    assert (found.major, found.minor) == pytest.approx((BEAM, BEAM))


def test_cubes_are_integrated_over_frequency(numbers, tmp_path):
    data = np.stack([point(0, 0, 0.5)] * 4)
    path = write_image(tmp_path, "a.spw0.cube.I.pbcor.fits", data, np.ones_like(data))
    assert numbers.measure(path).flux == pytest.approx(0.5 * 4 * 10, rel=0.01)


CIRCLE = {"name": "one", "radius_arcsec": 1.2, "l_arcsec": 0.6, "m_arcsec": -0.9}


def test_sources_of_the_truth_are_found(numbers, tmp_path):
    data = point(0.6, -0.9, 0.2)[None]
    path = write_image(tmp_path, "a.spw0.cont.I.pbcor.fits", data, np.ones_like(data))
    source = {
        "name": "one",
        "l_arcsec": 0.6,
        "m_arcsec": -0.9,
        "flux_Jy": 0.2,
        "spectral_index": 0.0,
    }
    (found,) = numbers.continuum(path, {"continuum": [source], "apertures": [CIRCLE]})
    assert found.found == pytest.approx(found.true, rel=0.01)
    assert found.offset_beams < 0.1
    assert found.is_compact
    (away,) = numbers.continuum(
        write_image(
            tmp_path, "b.spw0.cont.I.pbcor.fits", point(0.9, -0.9, 0.2)[None], np.ones_like(data)
        ),
        {"continuum": [source], "apertures": [CIRCLE]},
    )
    assert away.offset_beams == pytest.approx(0.5, abs=0.01)


def test_lines_of_the_truth_are_found(numbers, tmp_path):
    at = 100e9 + 10e6 * np.arange(30)
    profile = np.exp(-4 * np.log(2) * ((at - 100.15e9) / 60e6) ** 2)
    data = profile[:, None, None] * point(0.6, -0.9, 0.2)
    path = write_image(tmp_path, "a.spw0.cube.I.pbcor.fits", data, np.ones_like(data))
    line = {
        "name": "one", "spw": 0, "l_arcsec": 0.6, "m_arcsec": -0.9,
        "centre_LSRK_GHz": 100.15, "fwhm_MHz": 60.0, "integrated_Jy_MHz": 0.2 * 63.87,
    }  # fmt: skip
    (found,) = numbers.lines(path, {"lines": [line], "apertures": [CIRCLE]}, 0)
    assert found.found == pytest.approx(found.true, rel=0.01)
    assert list(numbers.lines(path, {"lines": [line], "apertures": [CIRCLE]}, 1)) == []


def test_names(numbers):
    assert numbers.plain("x.spw0.cube.regcal.I.pbcor.fits") == "x.spw0.cube.I.pbcor.fits"
    assert numbers.pb_of(Path("x.I.tt0.pbcor.fits")).name == "x.I.pb.tt0.fits"
    with pytest.raises(ValueError, match="not corrected"):
        numbers.pb_of(Path("x.I.mask.fits"))
