"""A cube looked into: its channels, line segments, moment maps and spectra, as one value.

Maps and spectra are of the lines alone: continuum that was left in the cube is taken off.
Fluxes are sums over a mask in the sky and all channels of the segment, not clipped by value: a clip
at 2 sigma, as ADMIT's moments have it, loses 2 to 18 % of the flux.  The clipped map is kept beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.constants import speed_of_light

from reimage.products.channels import CubeScan
from reimage.products.fits_image import Floats, Pixels, Plane
from reimage.products.noise import FlatImage, robust_sigma
from reimage.products.segments import Finder, Segment, find_segments

CLIP_SIGMA = 2.0
"""ADMIT's clip of moment maps: voxels below are left out."""
SUM_SIGMA = 4.0
"""ADMIT's clip of the sum over the whole cube."""
MASK_SIGMA = 4.0
"""Significance in the moment map from which a pixel belongs to a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMap:
    """The moment 0 of one segment, corrected for the primary beam, in Jy/beam km/s."""

    segment: Segment
    moment0: Plane
    clipped: Plane
    mask: Pixels
    """The source, grown by a beam."""
    first_hz: float | None
    last_hz: float | None
    """Outer edges of the first and the last channel."""
    flux_jy_km_s: float | None
    clipped_flux_jy_km_s: float | None
    """As ADMIT's maps give it: all pixels, voxels above 2 sigma only."""
    peak_snr: float
    """Of the map with flat noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """Spectra of the cube, corrected for the primary beam."""

    at_peak: Floats
    """Jy/beam at the pixel of the highest value."""
    integrated: Floats
    """Jy, over the lines' sources; over the beam around the peak where there is no line."""
    x: int
    y: int
    aperture: str
    """``lines`` or ``beam``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeAnalysis:
    """All that is derived from a cube."""

    flat: FlatImage
    scan: CubeScan
    segments: tuple[Segment, ...]
    lines: tuple[LineMap, ...]
    spectra: Spectra
    total: Plane
    """Sum of all channels where abs(x) > 4 sigma, times the channel width (ADMIT's CubeSum)."""


def analyse(flat: FlatImage, finder: Finder | None = None) -> CubeAnalysis:
    """Look into a cube, a few planes in memory at a time."""
    scan, segments = find_segments(flat, finder)
    lines = tuple(_line_map(flat, scan, segment) for segment in segments)
    return CubeAnalysis(
        flat=flat,
        scan=scan,
        segments=segments,
        lines=lines,
        spectra=_spectra(flat, scan, lines),
        total=_total(flat, scan),
    )


def line_plane(flat: FlatImage, scan: CubeScan, channel: int) -> tuple[Plane, Plane]:
    """Return a channel without its continuum: with flat noise, and corrected for the beam."""
    plane = flat.plane(channel)
    if scan.continuum is not None:
        plane = plane - scan.continuum
    response = flat.response(channel)
    return plane, plane if response is None else plane / response


def channel_km_s(flat: FlatImage, channel: int) -> float:
    """Return the width of a channel in radio velocity at its own frequency; 1 if unknown."""
    frequency, width = flat.image.frequency_hz, flat.image.channel_hz
    if frequency is None or width is None:
        return 1.0
    return float(abs(width) / frequency[channel] * speed_of_light / 1e3)


def _line_map(flat: FlatImage, scan: CubeScan, segment: Segment) -> LineMap:
    shape = flat.image.shape
    level, corrected, clipped = (np.zeros(shape) for _ in range(3))
    seen = np.zeros(shape, dtype=bool)
    flux_weight = channel_km_s(flat, segment.peak_channel)
    for channel in segment.channels:
        plane, true = line_plane(flat, scan, channel)
        finite = np.isfinite(true)
        seen |= finite
        level[finite] += plane[finite]
        corrected[finite] += true[finite]
        strong = finite & (np.abs(plane) > CLIP_SIGMA * scan.table.noise[channel])
        clipped[strong] += true[strong]
    snr = _significance(level, seen)
    mask = _source_mask(flat, snr if segment.sign == "emission" else -snr)
    beam = flat.image.pixels_per_beam
    moment0 = np.where(seen, corrected * flux_weight, np.nan).astype(np.float32)
    clipped_map = np.where(seen, clipped * flux_weight, np.nan).astype(np.float32)
    edges = _edges(flat, segment)
    return LineMap(
        segment=segment,
        moment0=moment0,
        clipped=clipped_map,
        mask=mask,
        first_hz=edges[0] if edges else None,
        last_hz=edges[1] if edges else None,
        flux_jy_km_s=_flux(moment0[mask], beam),
        clipped_flux_jy_km_s=_flux(clipped_map, beam),
        peak_snr=float(np.nanmax(np.abs(snr))) if seen.any() else 0.0,
    )


def _flux(values: Plane, beam: float | None) -> float | None:
    """Return the sum of pixels over the beam's area in pixels, None without a beam."""
    return float(np.nansum(values, dtype=np.float64) / beam) if beam else None


def _significance(level: Floats, seen: Pixels) -> Floats:
    """Return a summed map in units of its noise."""
    level = np.where(seen, level, np.nan)
    sigma = robust_sigma(level)
    return level / sigma if sigma > 0 else np.full(level.shape, np.nan)


def _source_mask(flat: FlatImage, snr: Floats) -> Pixels:
    core = np.nan_to_num(snr) > MASK_SIGMA
    beam = flat.image.beam
    radius = beam.major_arcsec / flat.image.pixel_arcsec if beam else 1.0
    distance = ndimage.distance_transform_edt(~core) if core.any() else np.full(core.shape, np.inf)
    return np.asarray((distance <= radius) & np.isfinite(snr))


def _edges(flat: FlatImage, segment: Segment) -> tuple[float, float] | None:
    frequency, width = flat.image.frequency_hz, flat.image.channel_hz
    if frequency is None or width is None:
        return None
    return (
        float(frequency[segment.first_channel] - width / 2),
        float(frequency[segment.last_channel] + width / 2),
    )


def _spectra(flat: FlatImage, scan: CubeScan, lines: tuple[LineMap, ...]) -> Spectra:
    x, y = _peak_pixel(scan)
    if lines:
        mask, aperture = np.logical_or.reduce([line.mask for line in lines]), "lines"
    else:
        mask, aperture = _around(flat, x, y), "beam"
    at_peak, integrated = [], []
    for channel in range(flat.image.n_channels):
        _, true = line_plane(flat, scan, channel)
        at_peak.append(float(true[y, x]))
        values = true[mask]
        live = np.isfinite(values).any()
        integrated.append(float(np.nansum(values, dtype=np.float64)) if live else np.nan)
    beam = flat.image.pixels_per_beam or 1.0
    return Spectra(
        at_peak=np.array(at_peak),
        integrated=np.array(integrated) / beam,
        x=x,
        y=y,
        aperture=aperture,
    )


def _peak_pixel(scan: CubeScan) -> tuple[int, int]:
    table = scan.table
    significance = table.maximum / table.noise
    if not np.isfinite(significance).any():
        return 0, 0
    channel = int(np.nanargmax(significance))
    return int(table.max_x[channel]), int(table.max_y[channel])


def _around(flat: FlatImage, x: int, y: int) -> Pixels:
    beam = flat.image.beam
    radius = beam.major_arcsec / flat.image.pixel_arcsec if beam else 2.0
    rows, columns = np.ogrid[: flat.image.shape[0], : flat.image.shape[1]]
    return np.asarray(np.hypot(columns - x, rows - y) <= radius)


def _total(flat: FlatImage, scan: CubeScan) -> Plane:
    total = np.zeros(flat.image.shape)
    noise = scan.table.noise
    for channel in range(flat.image.n_channels):
        plane, true = line_plane(flat, scan, channel)
        strong = np.abs(plane) > SUM_SIGMA * noise[channel]
        total[strong] += true[strong] * channel_km_s(flat, channel)
    return np.where(np.isfinite(scan.peak), total, np.nan).astype(np.float32)
