"""Makers of small FITS images with the headers that CASA writes, and with known contents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from reimage.products.fits_image import open_image
from reimage.products.noise import FlatImage

RA, DEC = 150.0, -30.0
FREQUENCY = 230e9
CHANNEL_HZ = 2e6
PIXEL = 0.2
BEAM = (1.2, 0.8, 30.0)
"""Major and minor axis in arcsec, position angle in degrees."""

Floats = npt.NDArray[np.float64]


def make_header(shape: tuple[int, ...], **other: Any) -> fits.Header:
    """A header in CASA's axis order for data of shape (stokes, channel, y, x)."""
    header = fits.Header()
    header["BMAJ"], header["BMIN"], header["BPA"] = BEAM[0] / 3600, BEAM[1] / 3600, BEAM[2]
    header["BTYPE"], header["OBJECT"], header["BUNIT"] = "Intensity", "NGC_1", "Jy/beam"
    header["RADESYS"] = "ICRS"
    axes = (
        ("RA---SIN", RA, -PIXEL / 3600, shape[3] // 2 + 1.0, "deg"),
        ("DEC--SIN", DEC, PIXEL / 3600, shape[2] // 2 + 1.0, "deg"),
        ("FREQ", FREQUENCY, CHANNEL_HZ, 1.0, "Hz"),
        ("STOKES", 1.0, 1.0, 1.0, ""),
    )
    for number, values in enumerate(axes, start=1):
        for key, value in zip(("CTYPE", "CRVAL", "CDELT", "CRPIX", "CUNIT"), values, strict=True):
            header[f"{key}{number}"] = value
    header["RESTFRQ"], header["SPECSYS"], header["TELESCOP"] = FREQUENCY, "LSRK", "ALMA"
    header.update(other)
    return header


def write_image(
    path: Path,
    data: npt.NDArray[Any],
    *,
    beams: Sequence[tuple[float, float, float]] = (),
    drop: Sequence[str] = (),
    **header: Any,
) -> Path:
    """Write (y, x), (channel, y, x) or (stokes, channel, y, x) as a 4-D FITS."""
    cube = data.reshape((1,) * (4 - data.ndim) + data.shape).astype(np.float32)
    keywords = make_header(cube.shape, **header)
    for keyword in drop:
        del keywords[keyword]
    hdus: list[Any] = [fits.PrimaryHDU(cube, keywords)]
    if beams:
        for keyword in ("BMAJ", "BMIN", "BPA"):
            keywords.remove(keyword, ignore_missing=True)
        keywords["CASAMBM"] = True
        hdus = [fits.PrimaryHDU(cube, keywords), _beam_table(beams)]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def _beam_table(beams: Sequence[tuple[float, float, float]]) -> fits.BinTableHDU:
    major, minor, angle = (np.array(values) for values in zip(*beams, strict=True))
    columns = [
        fits.Column(name="BMAJ", format="1E", unit="arcsec", array=major),
        fits.Column(name="BMIN", format="1E", unit="arcsec", array=minor),
        fits.Column(name="BPA", format="1E", unit="deg", array=angle),
        fits.Column(name="CHAN", format="1J", array=np.arange(len(beams))),
        fits.Column(name="POL", format="1J", array=np.zeros(len(beams))),
    ]
    return fits.BinTableHDU.from_columns(columns, name="BEAMS")


def gaussian(size: int, x: float, y: float, beam: tuple[float, float, float] = BEAM) -> Floats:
    """A beam of unit peak at a pixel."""
    rows, columns = np.mgrid[:size, :size].astype(float)
    angle = np.radians(beam[2])
    dx, dy = columns - x, rows - y
    major = (-dx * np.sin(angle) + dy * np.cos(angle)) * PIXEL / beam[0]
    minor = (dx * np.cos(angle) + dy * np.sin(angle)) * PIXEL / beam[1]
    return np.asarray(np.exp(-4 * np.log(2) * (major**2 + minor**2)))


def noise(rng: np.random.Generator, n_channels: int, size: int, rms: float) -> Floats:
    """Noise correlated by the beam, independent from channel to channel."""
    kernel = np.fft.rfft2(np.fft.ifftshift(gaussian(size, size // 2, size // 2)))
    white = rng.standard_normal((n_channels, size, size))
    smooth = np.fft.irfft2(np.fft.rfft2(white) * kernel, s=(size, size))
    return np.asarray(smooth * (rms / smooth.std()))


def primary_beam(size: int, fwhm: float) -> Floats:
    """A Gaussian response, NaN below 0.2."""
    rows, columns = np.mgrid[:size, :size] - size // 2
    response = np.exp(-4 * np.log(2) * (columns**2 + rows**2) / fwhm**2)
    return np.asarray(np.where(response < 0.2, np.nan, response))


def line_profile(n_channels: int, centre: float, sigma: float) -> Floats:
    """A Gaussian of unit peak along the channels."""
    return np.asarray(np.exp(-0.5 * ((np.arange(n_channels) - centre) / sigma) ** 2))


def make_cube(
    *,
    n_channels: int = 64,
    size: int = 48,
    rms: float = 1e-3,
    seed: int = 1,
    lines: Sequence[tuple[float, float, float]] = (),
    continuum: float = 0.0,
) -> Floats:
    """A cube with a point source at the centre; ``lines`` are (centre, sigma, peak in Jy)."""
    rng = np.random.default_rng(seed)
    cube = noise(rng, n_channels, size, rms)
    source = gaussian(size, size // 2, size // 2)
    spectrum = np.full(n_channels, continuum)
    for centre, sigma, peak in lines:
        spectrum += peak * line_profile(n_channels, centre, sigma)
    return np.asarray(cube + spectrum[:, np.newaxis, np.newaxis] * source)


def flat(path: Path, pb: Path | None = None) -> FlatImage:
    """Open a cube, with its primary beam."""
    return FlatImage(image=open_image(path), pb=open_image(pb) if pb else None)
