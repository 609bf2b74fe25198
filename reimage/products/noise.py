"""Noise of an image: robust, flat over the field, and away from the source.

A primary-beam-corrected image has noise that grows outwards.  Multiplied by its primary beam it is
*flat* again; every noise and significance of this package is of the flat image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reimage.products.fits_image import FitsImage, Pixels, Plane

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""
ANNULUS = (0.2, 0.3)
"""Range of the primary beam in which the ALMA pipeline measures DATARMS."""
ENOUGH_BEAMS = 20
"""Fewer independent beams than this do not give a usable rms."""
SAMPLE = 20_000
"""Pixels that a median needs; it is uncertain by 1 % then.  More only cost time."""


def robust_sigma(values: npt.NDArray[np.floating]) -> float:
    """Return 1.4826 MAD of the finite values, NaN when there are none."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return float("nan")
    return float(MAD_TO_SIGMA * np.median(np.abs(finite - np.median(finite))))


def thinned(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return a sample of the values, evenly spread, of at least `SAMPLE` if there are so many."""
    return values[:: max(1, values.size // SAMPLE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatImage:
    """A pbcor image made flat by its primary beam; without one, the image as it is."""

    image: FitsImage
    pb: FitsImage | None

    def __post_init__(self) -> None:
        if self.pb is not None and self.pb.shape != self.image.shape:
            object.__setattr__(self, "pb", None)

    def response(self, channel: int = 0) -> Plane | None:
        """Return the primary beam of a channel; one plane may serve a whole cube."""
        if self.pb is None:
            return None
        return self.pb.plane(channel if self.pb.n_channels == self.image.n_channels else 0)

    def rows(self, channel: int, part: slice) -> Plane:
        """Return some rows of a channel with flat noise."""
        plane = self.image.rows(channel, part)
        if self.pb is None:
            return plane
        several = self.pb.n_channels == self.image.n_channels
        return plane * self.pb.rows(channel if several else 0, part)

    def plane(self, channel: int = 0) -> Plane:
        """Return one channel with flat noise."""
        plane, response = self.image.plane(channel), self.response(channel)
        return plane if response is None else plane * response


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The rms of an image, and where it was measured."""

    rms: float
    """Of the flat image, in its unit; of a cube the median over channels."""
    region: str
    """``annulus`` (0.2 < pb < 0.3 outside the mask, as DATARMS), ``outside-mask``, or ``all``."""


def measure_noise(flat: FlatImage, mask: FitsImage | None) -> Noise:
    """Return the robust rms away from the source.

    In the pipeline's annulus where that holds enough beams, else outside the clean mask, else
    everywhere.  The MAD stands for the pipeline's five rounds of Chauvenet's criterion: both
    disregard the few pixels of a source.  In a cube line-free channels decide, being the majority.
    """
    found = [_channel_noise(flat, mask, channel) for channel in _sampled(flat.image.n_channels)]
    known = [item for item in found if np.isfinite(item.rms)]
    if not known:
        return Noise(rms=float("nan"), region="all")
    return Noise(rms=float(np.median([item.rms for item in known])), region=known[0].region)


def _sampled(n_channels: int, at_most: int = 128) -> range:
    """Return evenly spread channels: the median over 128 is as good as over 4000."""
    return range(0, n_channels, max(1, n_channels // at_most))


def _channel_noise(flat: FlatImage, mask: FitsImage | None, channel: int) -> Noise:
    plane = flat.plane(channel)
    enough = ENOUGH_BEAMS * (flat.image.pixels_per_beam or 1.0)
    outside = np.isfinite(plane)
    region = "all"
    if mask is not None and mask.shape == flat.image.shape:
        free = outside & ~_masked(mask, channel)
        if free.sum() >= enough:
            outside, region = free, "outside-mask"
    response = flat.response(channel)
    if response is not None:
        annulus = outside & (response > ANNULUS[0]) & (response < ANNULUS[1])
        if annulus.sum() >= enough:
            outside, region = annulus, "annulus"
    return Noise(rms=robust_sigma(plane[outside]), region=region)


def _masked(mask: FitsImage, channel: int) -> Pixels:
    plane = mask.plane(channel if channel < mask.n_channels else 0)
    return np.asarray(plane > 0.5)  # noqa: PLR2004 -- a mask is 0 or 1
