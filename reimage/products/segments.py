"""Line segments: the channels in which a cube has emission or absorption.

1. *Cores*: windows of 1 to 16 channels whose highest (lowest) pixel is improbable in noise, both
   by Gauss for the number of places looked at, and by the spectrum's own lower quartile and
   scatter, since residual sidelobes are not Gaussian.
2. *Edges*: from each core outward while the pixels of its own source, and only they, still show
   something (their number is small, so their noise reaches less far than that of the whole
   field), and one channel more.
3. *Split* where two peaks have a deep valley between them: blended lines are kept apart.

Continuum left in the cube is taken off: the median first, then the mean of line-free channels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage
from scipy.special import ndtri

from reimage.products.channels import CubeScan, scan
from reimage.products.fits_image import Floats, Pixels, Plane
from reimage.products.noise import FlatImage, robust_sigma

Sign = Literal["emission", "absorption"]


MAXIMA_PER_BEAM = 6
"""Places per beam and sign where noise may have its extreme: it is sampled finer than the beam."""


RAGGED_CHANNELS = 4
"""Segments so short at the very end of a cube are not taken for lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Parameters of the segment finder; the defaults are measured on the referee cubes."""

    false_alarm: float = 0.01
    """Expected number of false cores in a cube of Gaussian noise."""
    n_sigma: float = 5.0
    """Scatters above the lower quartile of the spectrum of extremes."""
    edge_alarm: float = 0.01
    """Chance that noise carries an edge one channel too far."""
    min_channels: int = 2
    """Lines seen in fewer channels are taken for artefacts."""
    max_gap: int = 2
    """Channels below the edge level that a weak line may have inside."""
    valley: float = 0.5
    """Two peaks are two lines if the spectrum between falls below this share of the lower one ..."""
    valley_sigma: float = 5.5
    """... and by so many sigma."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One line: channels from 0, both included."""

    first_channel: int
    last_channel: int
    sign: Sign
    peak_channel: int
    peak_snr: float
    """Of the strongest pixel in its channel, in sigma of that channel."""

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return self.last_channel - self.first_channel + 1

    @property
    def channels(self) -> range:
        """The channels."""
        return range(self.first_channel, self.last_channel + 1)


def find_segments(
    flat: FlatImage, finder: Finder | None = None
) -> tuple[CubeScan, tuple[Segment, ...]]:
    """Return the scan that was used and the segments, in order of channel."""
    finder = finder or Finder()
    first = scan(flat)
    segments = _found(flat, first, finder)
    if first.continuum is None or not segments:
        return first, segments
    free = np.isfinite(first.table.sigma)
    for segment in segments:
        free[segment.first_channel : segment.last_channel + 1] = False
    second = scan(flat, line_free=free)
    return second, _found(flat, second, finder)


def _found(flat: FlatImage, cube: CubeScan, finder: Finder) -> tuple[Segment, ...]:
    found: list[Segment] = []
    signs: tuple[Sign, Sign] = ("emission", "absorption")
    for sign in signs:
        windows = _windows(cube, finder, 1 if sign == "emission" else -1)
        for group in _groups(windows):
            found += [
                segment
                for segment in _refined(flat, cube, group, sign, finder)
                if any(_supports(window, segment) for window in group)
                and not _is_ragged_end(segment, cube)
            ]
    return tuple(_disjoint(found))


def _windows(cube: CubeScan, finder: Finder, sign: int) -> list[slice]:
    """Return the improbable windows."""
    n_channels = cube.table.sigma.size
    places = MAXIMA_PER_BEAM * cube.n_beams * n_channels * len(cube.averages)
    gauss = max(5.0, _sigmas(finder.false_alarm / places))
    windows: list[slice] = []
    for average in cube.averages:
        extremes = average.highest if sign > 0 else -average.lowest
        known = extremes[np.isfinite(extremes)]
        if known.size == 0:
            continue
        quartile, median = np.percentile(known, [25, 50])
        scatter = (median - quartile) / 0.6745
        limit = max(gauss, float(quartile + finder.n_sigma * scatter))
        windows += [
            slice(int(start), int(start) + average.width)
            for start in np.flatnonzero(np.nan_to_num(extremes) > limit)
        ]
    return windows


def _sigmas(chance: float) -> float:
    """Return the significance that a Gaussian exceeds with a chance."""
    return float(-ndtri(chance))


def _groups(windows: list[slice]) -> list[list[slice]]:
    """Return windows that overlap or touch as groups, each in order of start."""
    groups: list[list[slice]] = []
    end = -1
    for window in sorted(windows, key=lambda item: (item.start, item.stop)):
        if window.start > end:
            groups.append([])
        groups[-1].append(window)
        end = max(end, window.stop)
    return groups


def _supports(window: slice, segment: Segment) -> bool:
    """Return whether a window lies in a segment, but for a channel at either side."""
    inside = window.start >= segment.first_channel - 1
    return bool(inside and window.stop <= segment.last_channel + 2)


def _is_ragged_end(segment: Segment, cube: CubeScan) -> bool:
    """Return whether a segment is no more than the cube's first or last channel.

    These hold fewer data than the others: another beam, other noise, continuum that does not go.
    """
    live = np.flatnonzero(np.isfinite(cube.table.sigma))
    at_end = segment.peak_channel in (live[0], live[-1]) if live.size else False
    return bool(at_end and segment.n_channels <= RAGGED_CHANNELS)


def _runs(flags: Pixels) -> list[slice]:
    labels, _ = ndimage.label(flags)
    return [found[0] for found in ndimage.find_objects(labels)]


def _refined(
    flat: FlatImage, cube: CubeScan, windows: list[slice], sign: Sign, finder: Finder
) -> list[Segment]:
    """Return the segments that a group of windows holds, their edges found in their own source."""
    factor = 1 if sign == "emission" else -1
    core = slice(windows[0].start, max(window.stop for window in windows))
    margin = max(8, core.stop - core.start)
    start, stop = max(0, core.start - margin), min(cube.table.sigma.size, core.stop + margin)
    source = _source(flat, cube, core, factor)
    spectrum = _source_spectrum(flat, cube, range(start, stop), source, factor)
    beams = max(1.0, source.sum() / (flat.image.pixels_per_beam or 1.0))
    live = spectrum > _sigmas(finder.edge_alarm / (2 * beams))
    narrowest = min(window.stop - window.start for window in windows)
    for window in windows:
        if window.stop - window.start == narrowest:  # a weak line may dip inside, not outside
            inside = np.flatnonzero(live[window.start - start : window.stop - start])
            if inside.size:
                first = window.start - start
                live[first + inside[0] : first + inside[-1] + 1] = True
    found = []
    for run in _joined(live, spectrum, finder):
        found += _split(spectrum, _widened(run, live), finder)
    return [
        Segment(
            first_channel=start + part.start,
            last_channel=start + part.stop - 1,
            sign=sign,
            peak_channel=start + part.start + int(np.argmax(spectrum[part])),
            peak_snr=float(spectrum[part].max()),
        )
        for part in found
    ]


def _joined(live: Pixels, spectrum: Floats, finder: Finder) -> list[slice]:
    """Return the runs of live channels, joined over short gaps.

    A single channel joins only if it is strong by itself, and does not stand alone.  A gap that is
    deep besides is cut again by `_split`.
    """
    joined: list[slice] = []
    for run in _runs(live):
        if run.stop - run.start < finder.min_channels and spectrum[run].max() < finder.n_sigma:
            continue
        if joined and run.start - joined[-1].stop <= finder.max_gap:
            joined[-1] = slice(joined[-1].start, run.stop)
        else:
            joined.append(run)
    return [run for run in joined if run.stop - run.start >= finder.min_channels]


def _widened(run: slice, live: Pixels) -> slice:
    """Add a channel at either side: a line that is at the edge level goes on below it."""
    return slice(max(0, run.start - 1), min(live.size, run.stop + 1))


def _source(flat: FlatImage, cube: CubeScan, core: slice, factor: int) -> Pixels:
    """Return the pixels that shine in some stretch of the core."""
    source = np.zeros(flat.image.shape, dtype=bool)
    width = max(1, min(4, core.stop - core.start))
    for start in range(core.start, core.stop, width):
        channels = range(start, min(start + width, core.stop))
        mean = factor * np.mean([_plane(flat, cube, channel) for channel in channels], axis=0)
        source |= np.nan_to_num(mean) > 5 * robust_sigma(mean)
    return source


def _source_spectrum(
    flat: FlatImage, cube: CubeScan, around: range, source: Pixels, factor: int
) -> Floats:
    """Return the highest significance among the source's pixels, by channel."""
    spectrum, noise = np.zeros(len(around)), cube.table.noise
    for position, channel in enumerate(around):
        values = factor * _plane(flat, cube, channel)[source]
        sigma = noise[channel]
        if sigma > 0 and np.isfinite(values).any():
            spectrum[position] = np.nanmax(values) / sigma
    return spectrum


def _plane(flat: FlatImage, cube: CubeScan, channel: int) -> Plane:
    plane = flat.plane(channel)
    return plane if cube.continuum is None else plane - cube.continuum


def _split(spectrum: Floats, run: slice, finder: Finder) -> list[slice]:
    """Cut a run at the lowest channel of each deep valley."""
    values = spectrum[run]
    for valley in np.argsort(values[1:-1]) + 1 if values.size > 2 else ():  # noqa: PLR2004
        lower = min(values[:valley].max(), values[valley + 1 :].max())
        deep = values[valley] < finder.valley * lower
        if deep and lower - values[valley] > finder.valley_sigma:
            cut = run.start + int(valley)
            left, right = slice(run.start, cut + 1), slice(cut + 1, run.stop)
            return _split(spectrum, left, finder) + _split(spectrum, right, finder)
    return [run]


def _disjoint(segments: list[Segment]) -> list[Segment]:
    """Return segments that share no channel: where two overlap, the stronger one stays whole."""
    kept: list[Segment] = []
    taken: set[int] = set()
    for segment in sorted(segments, key=lambda item: -item.peak_snr):
        if segment.peak_channel in taken:
            continue
        first, last = segment.peak_channel, segment.peak_channel
        while first - 1 >= segment.first_channel and first - 1 not in taken:
            first -= 1
        while last + 1 <= segment.last_channel and last + 1 not in taken:
            last += 1
        kept.append(replace(segment, first_channel=first, last_channel=last))
        taken.update(range(first, last + 1))
    return sorted(kept, key=lambda item: item.first_channel)
