"""The numbers of an image that the imaging bench compares: from FITS, or as a referee recorded them.

Noise is 1.4826 times the median absolute deviation before the primary-beam correction, for cubes the median
over the channels; flux is what lies where the primary beam is above 0.5, for cubes times the channel width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

Json = Mapping[str, Any]
Array = np.ndarray[Any, np.dtype[np.float64]]
ARCSEC = 3600.0
MHZ = 1e6
REACH = 1.5
"""A line's flux is looked for within this many of its widths (FWHM) to either side."""
COMPACT = 2.0
"""Sources larger than this many beams lose flux that no array of this size sees: told without limit."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Of one image corrected for the primary beam: Jy/beam, Jy (cubes: Jy MHz), arcsec."""

    rms: float
    peak: float
    flux: float
    major: float
    minor: float
    flux_noise: float = 0.0
    """0: not measured."""


def plain(name: str) -> str:
    """Return a file name without the kind of data that newer pipelines put into it."""
    return re.sub(r"\.(regcal|selfcal)", "", name)


def pb_of(path: Path) -> Path:
    """Return the primary beam that belongs to a corrected image."""
    for corrected, beam in ((".tt0.pbcor", ".pb.tt0"), (".pbcor", ".pb")):
        if corrected in path.name:
            return path.with_name(path.name.replace(corrected, beam))
    raise ValueError(f"{path.name} is not corrected for the primary beam")


def measure(path: Path) -> Numbers:
    """Measure a corrected image; its primary beam lies beside it."""
    data, pb, header = _open(path)
    flat = data * pb
    middle = np.nanmedian(flat, axis=(1, 2), keepdims=True)
    rms = 1.4826 * np.nanmedian(np.abs(flat - middle), axis=(1, 2))
    width = abs(header["CDELT3"]) / MHZ if len(data) > 1 else 1.0
    beams = float((pb > 0.5).sum()) / _beam_pixels(header)
    flux = np.nansum(np.where(pb > 0.5, data, 0)) / _beam_pixels(header) * width
    return Numbers(
        rms=float(np.median(rms)),
        peak=float(np.nanmax(data)),
        flux=float(flux),
        major=header["BMAJ"] * ARCSEC,
        minor=header["BMIN"] * ARCSEC,
        flux_noise=float(np.median(rms)) * np.sqrt(beams) * width,
    )


def recorded(image: Json) -> Numbers:
    """Return what a referee's file says of an image."""
    cube = "robust_rms_flat_noise_channel_median" in image
    return Numbers(
        rms=image["robust_rms_flat_noise_channel_median" if cube else "robust_rms_flat_noise"],
        peak=image["max"],
        flux=image["flux_pb_gt_0.5_integrated_Jy_MHz" if cube else "flux_pb_gt_0.5_Jy"],
        major=image["beam"]["bmaj_arcsec"],
        minor=image["beam"]["bmin_arcsec"],
    )


# --- the simulated truth ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Found:
    """A source or a line of the simulation, and what an image says of it."""

    name: str
    true: float
    found: float
    noise: float
    """Of ``found``, from the image's noise."""
    offset_beams: float
    """Between true place and peak, in beams."""
    is_compact: bool


def continuum(path: Path, truth: Json) -> Iterator[Found]:
    """Look for the simulated sources in the aggregate continuum."""
    data, _, header = _open(path)
    for source in truth["continuum"]:
        aperture = _aperture_at(truth, source)
        if aperture is None:
            continue
        reference = source.get("flux_Jy_at_reference", source.get("flux_Jy"))
        ghz = truth.get("reference_frequency_GHz", header["CRVAL3"] / 1e9)
        true = reference * (header["CRVAL3"] / 1e9 / ghz) ** source["spectral_index"]
        flux, noise, offset = _look(data[0], header, aperture)
        yield Found(
            name=source["name"],
            true=true,
            found=flux,
            noise=noise,
            offset_beams=offset,
            is_compact=_size(source) < COMPACT * header["BMAJ"] * ARCSEC,
        )


def lines(path: Path, truth: Json, spw: int) -> Iterator[Found]:
    """Look for the simulated lines of a spw in its cube."""
    data, _, header = _open(path)
    ghz = (header["CRVAL3"] + header["CDELT3"] * np.arange(len(data))) / 1e9
    for line in truth["lines"]:
        aperture = _aperture_at(truth, line)
        if line["spw"] != spw or aperture is None:
            continue
        half = REACH * line["fwhm_MHz"] / 1e3
        channels = np.abs(ghz - line["centre_LSRK_GHz"]) <= half
        if not channels.any():
            continue
        width = abs(header["CDELT3"]) / MHZ
        flux, noise, offset = _look(data[channels].sum(axis=0), header, aperture)
        yield Found(
            name=line["name"],
            true=line["integrated_Jy_MHz"],
            found=flux * width,
            noise=noise * width,
            offset_beams=offset,
            is_compact=_size(line) < COMPACT * header["BMAJ"] * ARCSEC,
        )


def _aperture_at(truth: Json, source: Json) -> Json | None:
    """Return the circle that was drawn around a source."""
    place = (source["l_arcsec"], source["m_arcsec"])
    circles: list[Json] = truth["apertures"]
    return next((one for one in circles if (one["l_arcsec"], one["m_arcsec"]) == place), None)


def _size(source: Json) -> float:
    return float(source.get("major", source.get("fwhm_arcsec", 0.0)))


def _look(plane: Array, header: fits.Header, aperture: Json) -> tuple[float, float, float]:
    """Return flux within a circle, its noise, and how far its peak is from the centre, in beams."""
    rows, columns = np.indices(plane.shape)
    cell = header["CDELT2"] * ARCSEC
    x = header["CRPIX1"] - 1 - aperture["l_arcsec"] / cell
    y = header["CRPIX2"] - 1 + aperture["m_arcsec"] / cell
    inside = np.hypot(columns - x, rows - y) <= aperture["radius_arcsec"] / cell
    beams = inside.sum() / _beam_pixels(header)
    middle = np.nanmedian(plane)
    rms = 1.4826 * float(np.nanmedian(np.abs(plane - middle)))
    row, column = np.unravel_index(np.nanargmax(np.where(inside, plane, np.nan)), plane.shape)
    offset = np.hypot(column - x, row - y) * cell / (header["BMAJ"] * ARCSEC)
    flux = np.nansum(plane[inside]) / _beam_pixels(header)
    return float(flux), rms * float(np.sqrt(beams)), float(offset)


def _beam_pixels(header: fits.Header) -> float:
    cells = abs(header["CDELT1"] * header["CDELT2"])
    return float(np.pi / (4 * np.log(2)) * header["BMAJ"] * header["BMIN"] / cells)


def _open(path: Path) -> tuple[Array, Array, fits.Header]:
    """Return image, primary beam (both channel, row, column) and header."""
    with fits.open(path) as image, fits.open(pb_of(path)) as beam:
        header = image[0].header.copy()
        data, pb = (np.squeeze(one[0].data).astype(float) for one in (image, beam))
    planes = [one[None] if one.ndim == 2 else one for one in (data, pb)]
    return planes[0], planes[1], header
