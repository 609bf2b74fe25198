"""How far a line goes, and with what margin.  Numpy alone."""

import math
from collections import namedtuple

import numpy

import _windows

WING_SIGMA = 1.5
WING_SHARE = 8
"""The line's width divided by this: so many channels together tell where a wing ends."""
WIDE = 6
"""The same for the margin of the channels that make the baseline."""
DIP = 5.0
"""A run falls by so many sigma, and a tenth, from a peak of it: then another line follows."""

Run = namedtuple("Run", "first last strength widths")
"""Neighbouring channels with line: the strength in sigma; the widths of its first and its last line."""


def runs_of(marks):
    """[first, last] of each run of true values."""
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate([[0], marks.astype(int), [0]])))
    return [[int(a), int(b) - 1] for a, b in zip(edges[::2], edges[1::2])]


def grow(marks, mean, curved, noise, shared):
    """Each marked run, grown into its wings.

    ``mean``: spectrum over all sources, and its noise; ``curved``: of each pixel, ``noise`` of a channel
    there.  A line of few pixels is lost in the mean: the spectrum of its brightest pixel is asked too.
    """
    lines = []
    for first, last in runs_of(marks):
        levels = curved[first : last + 1].mean(axis=0)
        brightest = curved[:, numpy.argmax(numpy.abs(levels))]
        found = [
            _wings(spectrum, scatter, first, last, shared)
            for spectrum, scatter in (mean, (brightest, noise))
        ]
        low, high = min(low for low, _ in found), max(high for _, high in found)
        inside = numpy.abs(mean[0][low : high + 1]) / mean[1]
        widths = _outer_width(inside), _outer_width(inside[::-1])
        lines.append(Run(low, high, float(inside.max()), widths))
    return lines


def _outer_width(heights):
    """Width of the outermost line of a run that holds several: twice the way to where it is past its peak."""
    highest = numpy.maximum.accumulate(heights)
    past = heights < highest - numpy.maximum(DIP, highest / 10)
    return min(len(heights), 2 * int(numpy.argmax(past))) if past.any() else len(heights)


def _wings(spectrum, scatter, first, last, shared):
    """(first, last) of a line with its wings, on the line's side of zero."""
    sign = 1 if spectrum[first : last + 1].sum() >= 0 else -1
    reach = max(1, (last - first + 1) // WING_SHARE)
    left = _wing(sign * spectrum[:first][::-1], scatter, reach, shared)
    return first - left, last + _wing(sign * spectrum[last + 1 :], scatter, reach, shared)


def beside(lines, count):
    """Marks of lines with a margin of a channel and of what noise may have moved their ends.

    The wing of a strong line is steep: three quarters of sigma move the end of a Gaussian of strength P by
    its width / (8 ln (P / 1.5)).
    """
    return _marks(
        lines, count, lambda width, peak: width / (8 * math.log(max(peak / WING_SIGMA, 2.0)))
    )


def clear_of(lines, count):
    """Marks of lines with a wide margin, so that no faint wing bends the baseline."""
    return _marks(lines, count, lambda width, _: width / WIDE)


def stronger_half(lines):
    """The lines that are at least half as strong as the strongest."""
    most = max([line.strength for line in lines] + [0.0])
    return [line for line in lines if line.strength >= most / 2]


def _marks(lines, count, margin_of):
    marks = numpy.zeros(count, dtype=bool)
    for line in lines:
        left, right = [1 + int(margin_of(width, line.strength)) for width in line.widths]
        marks[max(0, line.first - left) : line.last + right + 1] = True
    return marks


def _wing(outward, scatter, reach, shared):
    """Count the channels of a wing, from the line outward: ``reach`` of them together, or each alone."""
    few = float(_windows.window_noise(numpy.full(reach, scatter), reach, shared)[0])
    count = 0
    while count < len(outward) and (
        outward[count] > WING_SIGMA * scatter
        or outward[count : count + reach].mean() > WING_SIGMA * few
    ):
        count += 1
    return count
