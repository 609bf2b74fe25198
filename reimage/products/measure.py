"""Numbers of an image: rms, peak, dynamic range, beam, share of NaN; the flux in an aperture.

Units stand in the names where the image is in Jy/beam, as all images of a run's plan are; a ratio
(alpha) or a response (pb) has ``peak`` and ``minimum`` without a unit, and no rms.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from reimage.products.beam import BeamMissing
from reimage.products.fits_image import FitsBlank, FitsImage, Floats
from reimage.products.noise import FlatImage, measure_noise

Numbers: TypeAlias = dict[str, float | int | str | None]

JY_BEAM = "Jy/beam"


def measure(
    image: FitsImage, *, pb: FitsImage | None = None, mask: FitsImage | None = None
) -> Numbers:
    """Return the numbers of an image as JSON values.

    Brightness images give ``rms_jy_beam`` (flat noise, `noise.measure_noise`), ``rms_region``,
    ``peak_jy_beam`` with its position and channel, ``min_jy_beam`` and ``dynamic_range`` (flat peak
    over rms).  Every image gives shape, NaN share, blank channels, frequency and beam.

    Raises
    ------
    FitsBlank
        No pixel is finite, or a brightness is the same everywhere (as CASA leaves it when all
        data are flagged).
    """
    numbers = _geometry(image) | _beam(image)
    flat = FlatImage(image=image, pb=pb)
    extremes = _extremes(flat)
    constant = image.unit == JY_BEAM and not extremes.peak > extremes.minimum
    if extremes.n_finite == 0 or constant:
        what = "no finite pixel" if extremes.n_finite == 0 else "one value everywhere"
        raise FitsBlank(f"{image.path.name} holds {what}", evidence={"file": image.path.name})
    total = image.n_channels * image.shape[0] * image.shape[1]
    numbers["nan_share"] = 1 - extremes.n_finite / total
    numbers["blank_channels"] = extremes.blank_channels
    numbers["blank_channel_share"] = extremes.blank_channels / image.n_channels
    if image.unit != JY_BEAM:
        return numbers | {"peak": extremes.peak, "minimum": extremes.minimum}
    noise = measure_noise(flat, mask)
    channel, y, x = extremes.peak_at
    sky = image.wcs.pixel_to_world(x, y).icrs
    return numbers | {
        "rms_jy_beam": _json(noise.rms),
        "rms_region": noise.region,
        "peak_jy_beam": extremes.peak,
        "min_jy_beam": extremes.minimum,
        "peak_ra_deg": float(sky.ra.deg),
        "peak_dec_deg": float(sky.dec.deg),
        "peak_channel": channel if image.is_cube else None,
        "dynamic_range": _json(extremes.flat_peak / noise.rms) if noise.rms > 0 else None,
    }


def flux_in_aperture(
    image: FitsImage, ra_deg: float, dec_deg: float, radius_arcsec: float, channel: int = 0
) -> float:
    """Return the flux in Jy within a circle on the sky: the sum of its pixels over the beam's area.

    Raises
    ------
    BeamMissing
        Without a beam a sum of Jy/beam has no meaning.
    """
    beam = image.pixels_per_beam
    if beam is None:
        raise BeamMissing(f"{image.path.name} has no beam", evidence={"file": image.path.name})
    x, y = image.wcs.all_world2pix(ra_deg, dec_deg, 0)
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    inside = np.hypot(columns - x, rows - y) * image.pixel_arcsec <= radius_arcsec
    return float(np.nansum(image.plane(channel)[inside], dtype=np.float64) / beam)


class _Extremes:
    """What one pass over all planes finds."""

    def __init__(self) -> None:
        self.n_finite = self.blank_channels = 0
        self.peak = self.flat_peak = -np.inf
        self.minimum = np.inf
        self.peak_at = (0, 0, 0)

    def add(self, channel: int, flat: FlatImage) -> None:
        """Take a channel into account."""
        plane = flat.image.plane(channel)
        n_finite = int(np.isfinite(plane).sum())
        self.n_finite += n_finite
        if n_finite == 0:
            self.blank_channels += 1
            return
        self.minimum = min(self.minimum, float(np.nanmin(plane)))
        self.peak = max(self.peak, float(np.nanmax(plane)))
        response = flat.response(channel)
        flattened = plane if response is None else plane * response
        if np.isnan(flattened).all():
            return
        y, x = np.unravel_index(int(np.nanargmax(flattened)), flattened.shape)
        if flattened[y, x] > self.flat_peak:
            self.flat_peak = float(flattened[y, x])
            self.peak_at = (channel, int(y), int(x))


def _extremes(flat: FlatImage) -> _Extremes:
    found = _Extremes()
    for channel in range(flat.image.n_channels):
        found.add(channel, flat)
    return found


def _geometry(image: FitsImage) -> Numbers:
    frequency: Floats | None = image.frequency_hz
    return {
        "unit": image.unit,
        "n_channels": image.n_channels,
        "n_pixels_x": image.shape[1],
        "n_pixels_y": image.shape[0],
        "pixel_arcsec": image.pixel_arcsec,
        "frequency_hz": None if frequency is None else float(frequency.mean()),
        "channel_hz": image.channel_hz,
    }


def _beam(image: FitsImage) -> Numbers:
    beam = image.beam
    if beam is None:
        return {}
    return {
        "beam_major_arcsec": beam.major_arcsec,
        "beam_minor_arcsec": beam.minor_arcsec,
        "beam_pa_deg": beam.pa_deg,
        "beam_axial_ratio": beam.axial_ratio,
        "pixels_across_minor": beam.minor_arcsec / image.pixel_arcsec,
        "pixels_per_beam": image.pixels_per_beam,
    }


def _json(value: float) -> float | None:
    """Return a finite number, or None: JSON has no NaN."""
    return float(value) if np.isfinite(value) else None
