"""Cutting a piece out of a FITS image where it lies: a box of the sky, a range of the spectrum."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy import constants, units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

Outline = npt.NDArray[np.float64]
"""Points of a boundary: ICRS right ascension and declination in deg, one row each."""

LIGHT = float(constants.c.value)
STEPS = 72
"""Points that stand for a circle, or for an edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A FITS image inside a file."""

    path: Path
    offset: int
    """Where its header begins, bytes."""


def outline(shape: str) -> Outline:
    """Return the boundary of ``CIRCLE ra dec r``, ``RANGE ra1 ra2 dec1 dec2`` or ``POLYGON ...`` (deg).

    Raises
    ------
    ValueError
        The shape cannot be understood.
    """
    kind, *words = shape.split()
    numbers = [float(word) for word in words]
    match kind.upper(), numbers:
        case "CIRCLE", [ra, dec, radius] if 0 < radius < 90:  # noqa: PLR2004 -- half the sky
            angles = np.linspace(0, 360, STEPS, endpoint=False)
            found = SkyCoord(ra, dec, unit="deg").directional_offset_by(
                angles * units.deg, radius * units.deg
            )
            return np.column_stack([found.ra.deg, found.dec.deg])
        case "RANGE", [ra1, ra2, dec1, dec2] if all(map(math.isfinite, numbers)):
            corners = [(ra1, dec1), (ra2, dec1), (ra2, dec2), (ra1, dec2)]
            return _edges(np.array(corners))
        case "POLYGON", _ if len(numbers) >= 6 and len(numbers) % 2 == 0:  # noqa: PLR2004 -- a triangle
            return _edges(np.array(numbers).reshape(-1, 2))
    raise ValueError(f"not a shape: {shape}")


def _edges(corners: Outline) -> Outline:
    ends = np.roll(corners, -1, axis=0)
    along = np.linspace(0, 1, STEPS, endpoint=False)[:, None, None]
    found: Outline = (corners + along * (ends - corners)).reshape(-1, 2)
    return found


def cut(image: Image, sky: Outline | None, band_m: Sequence[float] | None) -> bytes | None:
    """Return a FITS file of the box around a boundary and of a range of wavelengths.

    None where the image has nothing there.

    Raises
    ------
    ValueError
        This image cannot be cut so: no sky or frequency axis, or whole numbers as values.
    """
    with image.path.open("rb") as file:
        file.seek(image.offset)
        header = fits.Header.fromfile(file)
        begin = file.tell()
    n_axes, bits = int(header["NAXIS"]), int(header["BITPIX"])
    if bits > 0 or not n_axes:
        raise ValueError("only images of floating-point values are cut")
    shape = tuple(int(header[f"NAXIS{axis}"]) for axis in range(n_axes, 0, -1))
    spans = _spans(WCS(header), shape[::-1], sky, band_m)
    if any(first >= last for first, last in spans):
        return None
    data = np.memmap(image.path, f">f{-bits // 8}", mode="r", offset=begin, shape=shape)
    piece = np.array(data[tuple(slice(*span) for span in spans[::-1])])
    for axis, (first, _) in enumerate(spans, start=1):
        header[f"CRPIX{axis}"] = header.get(f"CRPIX{axis}", 0.0) - first
    out = io.BytesIO()
    fits.PrimaryHDU(piece, header).writeto(out, output_verify="silentfix+ignore")
    return out.getvalue()


def _spans(
    wcs: WCS, lengths: Sequence[int], sky: Outline | None, band_m: Sequence[float] | None
) -> list[tuple[int, int]]:
    """Return first and last-but-one pixel along each axis, in the header's order."""
    spans = [(0, length) for length in lengths]
    if sky is not None:
        if not wcs.has_celestial:
            raise ValueError("the image has no sky axes")
        x, y = wcs.celestial.wcs_world2pix(sky, 0).T
        for axis, pixels in ((wcs.wcs.lng, x), (wcs.wcs.lat, y)):
            spans[axis] = _span(pixels, lengths[axis])
    if band_m is not None:
        if not wcs.has_spectral or not wcs.wcs.ctype[wcs.wcs.spec].startswith("FREQ"):
            raise ValueError("the image has no frequency axis")
        hertz = [LIGHT / limit if limit else math.inf for limit in band_m]
        axis = wcs.wcs.spec
        edges = wcs.spectral.wcs_world2pix(np.clip(hertz, 0, 1e15), 0)[0]
        spans[axis] = _span(edges, lengths[axis])
    return spans


def _span(pixels: npt.NDArray[np.float64], length: int) -> tuple[int, int]:
    """Return the pixels of an axis that a range touches."""
    known = pixels[np.isfinite(pixels)]
    if not known.size:
        return (0, 0)
    first, last = math.floor(known.min() + 0.5), math.floor(known.max() + 0.5) + 1
    return (max(first, 0), min(last, length))
