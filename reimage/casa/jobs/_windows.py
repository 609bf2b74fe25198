"""Means over windows of channels, and what noise may do to them.  Numpy alone."""

import math

import numpy

FALSE_ALARMS = 0.002
"""Expected count of channels marked by noise alone, per cube and smoothing width."""


def step_scatter(spectrum):
    """Noise of a spectrum from its channel-to-channel steps."""
    steps = numpy.diff(spectrum)
    return (
        1.4826 * float(numpy.median(numpy.abs(steps - numpy.median(steps)))) / math.sqrt(2) + 1e-30
    )


def widths_up_to(count, largest):
    """Smoothing widths: 1, 2, 4 ... up to the largest."""
    return [2**n for n in range(12) if 2**n <= max(1, min(largest, count // 4))]


def window_means(sums, width):
    """Means over ``width`` neighbours from cumulative sums along the first axis."""
    return (sums[width:] - sums[:-width]) / width


def sums_of(values):
    """Cumulative sums along the first axis, beginning with zero."""
    return numpy.concatenate(
        [numpy.zeros((1,) + values.shape[1:]), numpy.cumsum(values, axis=0, dtype=float)]
    )


def cover_of(hits, width, count):
    """Channels that lie under windows of a width."""
    marks = numpy.zeros(count, dtype=bool)
    for start in numpy.flatnonzero(hits):
        marks[start : start + width] = True
    return marks


def threshold_sigma(chances):
    """Threshold in sigma that noise crosses ``FALSE_ALARMS`` times in this many chances (two-sided)."""
    share = FALSE_ALARMS / max(chances, 1.0)
    low, high = 2.0, 9.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > share else (low, middle)
    return high


def window_noise(noise, width):
    """Noise of means over a window.

    Neighbouring channels of a spectrum are not independent: it falls more slowly than 1/sqrt(width).
    """
    return numpy.sqrt(window_means(sums_of(noise**2), width) / width * (1.0 if width == 1 else 1.4))
