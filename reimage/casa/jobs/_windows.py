"""Means over windows of channels, and what noise may do to them.  Numpy alone."""

import math

import numpy

from _median import median

FALSE_ALARMS = 0.002
"""Expected count of channels marked by noise alone, per cube and smoothing width."""


INDEPENDENT = (0.0, 0.0)
"""Correlations of channels that share no noise."""
HANNING = (2 / 3.0, 1 / 6.0)
"""Those of channels that the correlator smoothed with Hanning's weights: there are no larger ones."""
UNKNOWN_CORRELATION = 1.4
"""The least by which noise of a window's mean lies above that of independent channels: bandpass ripples."""


def step_scatter(spectrum, shared=INDEPENDENT):
    """Noise of a spectrum from its channel-to-channel steps; ``shared``: see `correlations`."""
    steps = numpy.diff(spectrum)
    scatter = 1.4826 * float(median(numpy.abs(steps - median(steps))))
    return scatter / math.sqrt(2 * (1 - shared[0])) + 1e-30


def correlations(rest):
    """Correlation of the noise of neighbouring channels, and of the next but one.

    ``rest``: (channel, pixel), without continuum.  The median over the channels is blind to lines.
    """

    def covariance(lag):
        """Median over the channels of the mean over the pixels."""
        one, other = rest[lag:], rest[: len(rest) - lag]
        return float(median(numpy.einsum("cp,cp->c", one, other))) / rest.shape[1]

    power = covariance(0) + 1e-30
    found = [covariance(lag) / power if len(rest) > 2 * lag else 0.0 for lag in (1, 2)]
    return tuple(min(max(one, 0.0), most) for one, most in zip(found, HANNING))


def widths_up_to(count, largest):
    """Smoothing widths: 1, 2, 4 ... up to the largest."""
    return [2**n for n in range(12) if 2**n <= max(1, min(largest, count // 4))]


def window_means(sums, width):
    """Means over ``width`` neighbours from cumulative sums along the first axis."""
    return (sums[width:] - sums[:-width]) / width


def sums_of(values):
    """Cumulative sums along the first axis, beginning with zero."""
    sums = numpy.zeros((len(values) + 1,) + values.shape[1:])
    if values.ndim == 1:
        numpy.cumsum(values, dtype=float, out=sums[1:])
        return sums
    # numpy's own goes down one column after the other, in fourteen times the time
    for channel, row in enumerate(values):
        numpy.add(sums[channel], row, out=sums[channel + 1])
    return sums


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


def window_noise(noise, width, shared=INDEPENDENT):
    """Noise of means over a window; ``shared``: see `correlations`.

    Neighbouring channels of a spectrum are not independent: it falls more slowly than 1/sqrt(width).
    """
    more = 1.0
    if width > 1:
        more += 2 * sum(one * max(0, width - lag) for lag, one in enumerate(shared, 1)) / width
        more = max(UNKNOWN_CORRELATION, 1.1 * more)
    return numpy.sqrt(window_means(sums_of(noise**2), width) / width * more)
