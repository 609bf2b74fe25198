"""Statistics of each channel of a cube, in one pass: the spectra in which lines are looked for.

A plane is averaged over 1, 2, 4, 8 ... neighbouring channels as well: a line that is weak in every
channel stands out in the average over its width.  The noise of each average is measured, not
derived, because neighbouring channels of ALMA's correlators are not independent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reimage.products.fits_image import Floats, Pixels, Plane
from reimage.products.noise import MAD_TO_SIGMA, SAMPLE, FlatImage

Indices = npt.NDArray[np.intp]
WIDTHS = (1, 2, 4, 8, 16)
"""Channels averaged, widest first left out when the cube has less than four times as many."""
CONTINUUM_SIGMA = 1.0
"""A median spectrum above so many channel sigma somewhere is continuum left in the cube."""
MIN_NEIGHBOURS = 5
"""Fewer channels do not steady the noise."""
REAL_RISE = 1.25
"""The MAD of a few hundred beams scatters by 5 %; a channel so far above its neighbours is noisier."""
ENOUGH_CHANNELS = 4
"""Fewer line-free channels do not tell the continuum."""
MEDIAN_CHANNELS = 256
"""Channels, evenly spread, whose median shows whether there is continuum."""
BLOCK_BYTES = 16_000_000
"""Memory for the median along the spectrum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTable:
    """Per channel, of the flat cube with its continuum removed; NaN where a channel is blank."""

    mean: Floats
    sigma: Floats
    maximum: Floats
    minimum: Floats
    max_x: Indices
    max_y: Indices
    min_x: Indices
    min_y: Indices
    n_finite: Indices

    @property
    def noise(self) -> Floats:
        """``sigma`` steadied by its neighbours: what significances are counted in; never 0."""
        return _steadied(np.where(self.sigma > 0, self.sigma, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """Extremes of the running mean over ``width`` channels, in units of its own noise."""

    width: int
    highest: Floats
    """Per channel, of the mean that starts there."""
    lowest: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeScan:
    """What one pass over a cube gives."""

    table: ChannelTable
    averages: tuple[Averages, ...]
    peak: Plane
    """Highest value of each pixel (moment 8) in the flat cube, NaN where it is blank."""
    continuum: Plane | None
    """What was taken off every channel; None when the cube holds no continuum."""
    n_beams: float
    """Independent positions in the field."""


def scan(flat: FlatImage, line_free: Pixels | None = None) -> CubeScan:
    """Pass over a cube, a few planes in memory.

    Continuum is taken off: the mean of the channels ``line_free`` where they are given, else the
    median of all, if it is significant anywhere.
    """
    continuum = (
        _continuum(flat, _typical_sigma(flat))
        if line_free is None or line_free.sum() < ENOUGH_CHANNELS
        else _mean_continuum(flat, line_free)
    )
    n_channels = flat.image.n_channels
    widths = [width for width in WIDTHS if width == 1 or 4 * width <= n_channels]
    rows = [_Row() for _ in range(n_channels)]
    extremes = {width: np.full((n_channels, 3), np.nan) for width in widths}
    peak = np.full(flat.image.shape, -np.inf, dtype=np.float32)
    recent: deque[Plane] = deque(maxlen=max(widths))
    for channel in range(n_channels):
        plane = flat.plane(channel)
        if continuum is not None:
            plane = plane - continuum
        rows[channel] = _row(plane)
        np.fmax(peak, plane, out=peak)
        recent.append(plane)
        for width in widths:
            if channel + 1 >= width:
                mean = _mean(recent, width)
                extremes[width][channel + 1 - width] = _extremes(mean)
    peak[np.isinf(peak)] = np.nan
    return CubeScan(
        table=_table(rows),
        averages=tuple(_averages(width, found) for width, found in extremes.items()),
        peak=peak,
        continuum=continuum,
        n_beams=max(1.0, np.isfinite(peak).sum() / (flat.image.pixels_per_beam or 1.0)),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    mean: float = np.nan
    sigma: float = np.nan
    maximum: float = np.nan
    minimum: float = np.nan
    max_x: int = 0
    max_y: int = 0
    min_x: int = 0
    min_y: int = 0
    n_finite: int = 0


def _row(plane: Plane) -> _Row:
    finite = np.isfinite(plane)
    n_finite = int(finite.sum())
    if n_finite == 0:
        return _Row()
    top = np.unravel_index(int(np.nanargmax(plane)), plane.shape)
    bottom = np.unravel_index(int(np.nanargmin(plane)), plane.shape)
    values = plane[finite]
    return _Row(
        mean=float(values.mean(dtype=np.float64)),
        sigma=_sigma(values),
        maximum=float(plane[top]),
        minimum=float(plane[bottom]),
        max_x=int(top[1]),
        max_y=int(top[0]),
        min_x=int(bottom[1]),
        min_y=int(bottom[0]),
        n_finite=n_finite,
    )


def _sigma(values: npt.NDArray[np.floating]) -> float:
    """Return 1.4826 MAD of a sample of finite values."""
    sample = values[:: max(1, values.size // SAMPLE)]
    return float(MAD_TO_SIGMA * np.median(np.abs(sample - np.median(sample))))


def _mean(recent: deque[Plane], width: int) -> Plane:
    planes = list(recent)[-width:]
    return planes[0] if width == 1 else np.asarray(np.add.reduce(planes) / np.float32(width))


def _extremes(mean: Plane) -> tuple[float, float, float]:
    """Return the highest and lowest pixel and the noise."""
    values = mean[np.isfinite(mean)]
    if values.size == 0:
        return np.nan, np.nan, np.nan
    sigma = _sigma(values)
    return float(values.max()), float(values.min()), sigma if sigma > 0 else np.nan


def _averages(width: int, found: Floats) -> Averages:
    known = found[: len(found) - width + 1]
    sigma = np.full(len(found), np.nan)
    sigma[: len(known)] = _steadied(known[:, 2])
    return Averages(width=width, highest=found[:, 0] / sigma, lowest=found[:, 1] / sigma)


def _table(rows: list[_Row]) -> ChannelTable:
    def floats(name: str) -> Floats:
        return np.array([getattr(row, name) for row in rows], dtype=np.float64)

    def whole(name: str) -> Indices:
        return np.array([getattr(row, name) for row in rows], dtype=np.intp)

    return ChannelTable(
        mean=floats("mean"),
        sigma=floats("sigma"),
        maximum=floats("maximum"),
        minimum=floats("minimum"),
        max_x=whole("max_x"),
        max_y=whole("max_y"),
        min_x=whole("min_x"),
        min_y=whole("min_y"),
        n_finite=whole("n_finite"),
    )


def _typical_sigma(flat: FlatImage) -> float:
    n_channels = flat.image.n_channels
    found = []
    for channel in range(0, n_channels, max(1, n_channels // 16)):
        values = flat.plane(channel)
        values = values[np.isfinite(values)]
        if values.size:
            found.append(_sigma(values))
    return float(np.median(found)) if found else np.nan


def _continuum(flat: FlatImage, sigma: float) -> Plane | None:
    """Return the median spectrum of each pixel if it is significant somewhere, in blocks of rows.

    The median of n channels of noise scatters by 1.25/sqrt(n) sigma; seven times that is signal.
    """
    n_channels = flat.image.n_channels
    channels = range(0, n_channels, max(1, n_channels // MEDIAN_CHANNELS))
    rows, columns = flat.image.shape
    step = max(1, BLOCK_BYTES // (4 * len(channels) * columns))
    median = np.zeros((rows, columns), dtype=np.float32)
    significant = False
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        block = np.stack([flat.rows(channel, part) for channel in channels])
        median[part] = np.nan_to_num(_median(block))
        known = np.isfinite(block).sum(axis=0)  # at the edge of the field a few channels only
        limit = np.maximum(CONTINUUM_SIGMA, 7 * 1.25 / np.sqrt(np.maximum(known, 1))) * sigma
        significant |= bool((np.abs(median[part]) > limit).any())
    return median if significant else None


def _mean_continuum(flat: FlatImage, line_free: Pixels) -> Plane:
    """Return the mean of the line-free channels, 0 where there is nothing."""
    total = np.zeros(flat.image.shape)
    count = np.zeros(flat.image.shape, dtype=np.intp)
    for channel in np.flatnonzero(line_free):
        plane = flat.plane(int(channel))
        finite = np.isfinite(plane)
        total[finite] += plane[finite]
        count += finite
    return np.asarray(total / np.maximum(count, 1), dtype=np.float32)


def _median(block: npt.NDArray[np.float32]) -> Plane:
    """Return the median along the first axis of what is finite, NaN where nothing is."""
    median = np.asarray(np.median(block, axis=0), dtype=np.float32)
    ragged = np.isnan(median) & np.isfinite(block).any(axis=0)  # the field ends per channel
    if ragged.any():
        median[ragged] = np.nanmedian(block[:, ragged], axis=0)
    return median


def _steadied(sigma: Floats) -> Floats:
    """Return the noise without its own scatter: the median of neighbours, unless it really rises."""
    live = np.isfinite(sigma)
    known = sigma[live]
    size = min(11, 2 * (known.size // 2) - 1)
    if size < MIN_NEIGHBOURS:
        return sigma
    padded = np.pad(known, size // 2, mode="reflect")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, size), axis=1)
    steady = sigma.copy()
    steady[live] = np.where(known > REAL_RISE * smooth, known, smooth)
    return steady
