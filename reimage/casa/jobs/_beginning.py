"""Which channels of a cube are free of lines, told before any baseline is known.  Numpy alone.

The line-free channels of a pixel agree with each other, whatever lies between them; those with lines agree
with few.  So one begins with the largest set of channels that agree, within the noise, in all pixels that
stand out somewhere: about the level of a quiet window, and with one relative slope for all pixels, because
the spectrum of the continuum is much the same everywhere.
"""

import numpy

import _windows
import _wings
from _median import median

WINDOW = 3
"""Channels that make a level together."""
PIXELS = 16
"""So many of the pixels that stand out are asked: those that stand out most."""
LEVELS = 96
"""So many windows are tried: the quietest."""
AGREE = 4.0
"""Channels agree that differ by fewer sigma from a level, in each of the pixels."""
STEP = 3
"""Channels so far apart share no noise, even where the correlator smooths."""
SLOPES = 41
"""Most slopes that are tried."""
MANY = 0.5
"""Where more of the band agrees, the medians of the band know the continuum."""


def begin(values, steepest, systematic):
    """Line-free channels to begin with: None when medians will do, else those that agree.

    For the arguments see `most_agreeing`.
    """
    best = most_agreeing(values, steepest, systematic)
    return None if best.mean() >= MANY else best


def most_agreeing(values, steepest, systematic):
    """Mark the largest set of channels that agree.

    ``values``: (channel, pixel); ``steepest``: share of its level by which continuum may rise from the middle
    of the band to its end; ``systematic``: share of it below which differences mean nothing.
    """
    seen = _standing_out(values)
    noise = _quiet_noise(values)
    levels = _windows.window_means(_windows.sums_of(seen), WINDOW)
    spread = numpy.max(
        [numpy.abs(seen[n : n + len(levels)] - levels).max(axis=1) for n in range(WINDOW)], axis=0
    )
    best = numpy.zeros(len(values), dtype=bool)
    for start in numpy.sort(numpy.argsort(spread, kind="stable")[:LEVELS]):
        found = _agreeing(seen, levels[start], start + WINDOW // 2, noise, (steepest, systematic))
        if found.sum() > best.sum():
            best = found
    return best


def least_bad(values, spectrum, steepest, systematic):
    """Mark channels that serve as continuum where no run of channels is free of lines.

    Runs of those that agree; or the window in which the mean ``spectrum`` is lowest and steadiest.
    """
    marks = numpy.zeros(len(values), dtype=bool)
    agreeing = most_agreeing(values, steepest, systematic)
    for first, last in _wings.runs_of(agreeing):
        marks[first : last + 1] = last - first + 1 >= WINDOW
    edge = edge_of(len(values))
    marks[:edge] = marks[len(values) - edge :] = False
    if not marks.any():
        heights = _windows.window_means(_windows.sums_of(numpy.abs(spectrum)), WINDOW)
        start = edge + int(numpy.argmin(heights[edge : len(heights) - edge]))
        marks[start : start + WINDOW] = True
    return marks


def edge_of(count):
    """Channels at either edge of the band that are never continuum: a thirtieth."""
    return int(round(count / 30.0))


def _agreeing(seen, level, start, noise, shares):
    """The most channels that agree with a level at a channel, over all slopes."""
    steepest, systematic = shares
    x = (numpy.arange(len(seen)) - start) / (len(seen) / 2.0)
    top = float(numpy.abs(level).max())
    allowed = max(AGREE * noise, systematic * top)
    count = min(SLOPES, 1 + 2 * int(numpy.ceil(steepest * top / allowed)))
    best = numpy.zeros(len(seen), dtype=bool)
    for slope in numpy.linspace(-steepest, steepest, count) if count > 1 else [0.0]:
        off = numpy.abs(seen - level * (1 + slope * x[:, None])).max(axis=1)
        found = off < allowed
        if found.sum() > best.sum():
            best = found
    return best


def _standing_out(values):
    """Spectra of the pixels that stand out most in some channel: (channel, pixel)."""
    rest = numpy.abs(values - median(values, axis=0))
    pixels = numpy.argmax(rest, axis=1)
    heights = rest[numpy.arange(len(rest)), pixels]
    chosen = []
    for pixel in pixels[numpy.argsort(-heights, kind="stable")]:
        if pixel not in chosen:
            chosen.append(pixel)
        if len(chosen) == PIXELS:
            break
    return values[:, chosen].astype(float)


def _quiet_noise(values):
    """Noise of the quieter channels, from steps over channels: continuum and its sidelobes cancel."""
    steps = values[STEP:] - values[:-STEP]
    each = 1.4826 * median(numpy.abs(steps - median(steps, axis=1)[:, None]), axis=1)
    return float(numpy.percentile(each, 25)) / 2**0.5 + 1e-30
