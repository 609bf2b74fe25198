"""Find the channels of a dirty cube that hold continuum only.  Numpy alone.

Our own finder (not the pipeline's; its ranges differ, their meaning is the same):

1. Each pixel within the primary beam gets a polynomial in frequency through its line-free channels: a
   straight line where sources are, a cubic elsewhere, because the sidelobes of bright continuum move with
   frequency.  What is left over is line or noise.  In the first round the channels are not yet known: where
   more than half of the band agrees with itself the straight line goes through the medians of the band's
   outer thirds, elsewhere through the channels that agree (`_beginning`).
2. Two spectra are looked at, smoothed over 1, 2, 4 ... channels: the largest excess of any pixel over the
   noise (compact or weak narrow lines anywhere), and the mean over the pixels that hold continuum or line
   (broad or extended lines, absorption).  An excess above the threshold marks the channels under it as line.
3. The marks grow into the wings, on the same side of zero, as long as a channel of the mean spectrum, or the
   mean of the next eighth of the line's width, stays above 1.5 sigma.  Steps 1 to 3 are repeated with the new
   line-free channels, which keep away from the lines by a sixth of their width, so that no faint wing
   bends the baseline.  The ranges go nearer, the more so the stronger the line; not where lines fill two
   thirds of the band, because the baseline is uncertain there.  Where the wide margins would leave less
   than 15 % of the band, both are the narrow ones.  A run of blended lines counts with the width of its
   outermost lines.
4. Runs of line-free channels shorter than three channels, and a thirtieth of the band at either edge, are
   dropped.  When nothing is left, the answer is the least bad one: the channels that agree best.

Half a percent of the continuum peak is added to the noise: bright continuum leaves ripples that are no line.
The noise follows the atmosphere (ozone lines), and how neighbouring channels share it is measured: the
correlator smooths.
Flags: ``ALLCONT`` (no line found), ``LOWBANDWIDTH`` (less than a tenth of the channels left), ``LOWSPREAD``
(what is left spans less than a third of the band); the latter two ask for a constant instead of a straight
line in the continuum subtraction.
"""

import math

import numpy

import _beginning
import _windows
import _wings
from _median import median

ROUNDS = 4
CHANCES = 20
"""Chances of a peak above 5 sigma per beam: in smooth noise the peaks are seen, wherever they lie
(Euler characteristic of a Gaussian field: 0.44 u**2 per half-power area of the smoothing)."""
CROWDED = 2 / 3.0
"""Share of the band, taken by lines and wide margins, above which the ranges keep these too."""
FEW = 0.15
"""Share of the band that a straight line needs: before it would be less, the margins are narrower."""
LEAST_NOISE = 0.5
"""The mean spectrum's noise is at least this share of what its beams say."""
SYSTEMATIC = 0.005
NOISE_DETAIL = 40
"""The band divided by this: the noise of a channel is told from that many to either side."""
NOISIEST = 3.0
"""The noise under an atmospheric line is this much above the band's at most: sidelobes of lines raise it too."""
STEEPEST = 0.05
"""Share of a source's continuum by which it may rise from the middle of the band to its end."""
SHORTEST_RUN = 3
AT_ONCE = 10000
"""Pixels that are looked at together: memory stays near that of the cube."""
BROADEST_ANYWHERE = 12
"""Outside sources only features narrower than the band divided by this are believed."""


class NoSpectrum(RuntimeError):
    """The cube has no channel with data."""


def find(cube, pb, beam_pixels):
    """Continuum channels of a cube.

    Parameters
    ----------
    cube
        (channel, y, x), Jy/beam, dirty.
    pb
        (y, x), the primary beam.
    beam_pixels
        Area of the synthesised beam in pixels, for the count of independent places.

    Returns
    -------
    dict
        ``runs``: [first, last] of each run of continuum channels; ``flags``; ``line``: mark of each channel;
        ``spectrum``: mean spectrum that was looked at, Jy/beam.
    """
    inside = numpy.isfinite(pb) & (pb > 0.3)
    if not inside.any():
        raise NoSpectrum("no pixel lies within the primary beam")
    values = numpy.where(numpy.isfinite(cube), cube, 0).astype(numpy.float32)[:, inside]
    present = values.any(axis=1)
    if present.sum() < 2 * SHORTEST_RUN:
        raise NoSpectrum("fewer than %d channels hold data" % (2 * SHORTEST_RUN))
    values, beam_pixels = values[present], max(beam_pixels, 1.0)
    start = _beginning.begin(values, STEEPEST, SYSTEMATIC)
    line, spectrum = _mark(values, beam_pixels, start)
    if start is None and line.mean() > 1 - FEW:  # the medians followed the lines
        start = _beginning.most_agreeing(values, STEEPEST, SYSTEMATIC)
        line, spectrum = _mark(values, beam_pixels, start)
    marks = numpy.ones(present.size, dtype=bool)
    marks[present] = line
    whole = numpy.zeros(present.size)
    whole[present] = spectrum
    runs, flags = _ranges(marks, bool(line.any()), present)
    if not runs:  # lines everywhere: the least bad answer, and the flag that says how little it is
        quiet = numpy.zeros(present.size, dtype=bool)
        quiet[present] = _beginning.least_bad(values, spectrum, STEEPEST, SYSTEMATIC)
        runs, flags = _wings.runs_of(quiet), ["LOWBANDWIDTH"]
    return {"runs": runs, "flags": flags, "line": marks, "spectrum": whole}


def _mark(values, beam_pixels, free):
    """Line marks of channels that hold data, and the mean spectrum; ``free``: see `_flatten`."""
    places = max(1.0, CHANCES * values.shape[1] / beam_pixels)
    spectrum, marks, shared = None, None, None
    for _ in range(ROUNDS):
        straight, level, lever = _flatten(values, free, 1)
        curved, _, curved_lever = _flatten(values, free, 3)
        shared = shared or _windows.correlations(curved)
        noise = _noise(curved, free)
        floor = SYSTEMATIC * float(numpy.abs(level).max())
        spectrum, scatter = _mean_spectrum(
            straight, curved, level, noise, free, shared, beam_pixels
        )
        above = _exceeds_anywhere(
            curved, noise * numpy.sqrt(1 + curved_lever), floor, places, shared
        )
        shape = noise / median(noise)
        above |= _exceeds(spectrum, scatter * shape * numpy.sqrt(1 + lever), floor, shared)
        quiet = float(median(noise))
        lines = _wings.grow(above, (spectrum, scatter), curved, quiet, shared)
        near, berth = _wings.beside(lines, len(values)), _wings.clear_of(lines, len(values))
        marks = berth if CROWDED < berth.mean() <= 1 - FEW else near
        if free is not None and (berth == ~free).all():
            break
        # the first round's poor baseline may make lines everywhere: then go on without the weak ones
        strong = _wings.clear_of(_wings.stronger_half(lines), len(values))
        left = [~taken for taken in (berth, near) if (~taken).mean() >= FEW]
        left += [~taken for taken in (near, strong) if (~taken).sum() >= 2 * SHORTEST_RUN]
        if not left:
            break
        free = left[0]
    return marks, spectrum


def _thirds_slope(values):
    """Slope per channel of each column, from the medians of the outer thirds of the band."""
    third = max(1, len(values) // 3)
    rise = median(values[-third:], axis=0) - median(values[:third], axis=0)
    return rise / float(len(values) - third)


def _flatten(values, free, order):
    """Take a polynomial through the free channels off each pixel.

    Returns what is left, the level at the middle of the band, and the leverage of each channel: the
    variance of the fit there in units of a channel's.
    """
    count = len(values)
    x = (numpy.arange(count) - (count - 1) / 2.0) / (count / 2.0)
    if free is None:
        slope = _thirds_slope(values) * (count / 2.0)
        if order == 1:  # a continuum that rises by more is a line at one end of the band
            most = STEEPEST * numpy.abs(median(values, axis=0))
            slope = numpy.clip(slope, -most, most)
        straight = values - (x[:, None] * slope).astype(numpy.float32)
        level = median(straight, axis=0)
        rest = straight - level
        if order > 1:  # a cubic that is blind to the strongest twentieth of the channels
            strength = numpy.percentile(numpy.abs(rest), 99.5, axis=1)
            return _flatten(values, strength <= numpy.percentile(strength, 70), order)
        return rest, level, numpy.full(count, 2.0 / count)
    spread = numpy.ptp(x[free]) / 2.0
    if free.sum() < 0.5 * count or spread < 0.7:
        order = min(order, 1)
    if free.sum() < FEW * count or spread < 0.33:
        order = 0
    powers = numpy.vander(x, order + 1, increasing=True)
    inverse = numpy.linalg.pinv(powers[free])
    coefficients = inverse.astype(numpy.float32).dot(values[free])
    rest = values - powers.astype(numpy.float32).dot(coefficients)
    lever = (powers.dot(inverse) ** 2).sum(axis=1)
    return rest, coefficients[0], lever


def _noise(rest, free):
    """Noise of each channel: scaled MAD over the pixels, smoothed, never far above the quiet channels'."""
    each = 1.4826 * median(numpy.abs(rest - median(rest, axis=1)[:, None]), axis=1)
    quiet = float(numpy.percentile(each, 25) if free is None else median(each[free]))
    half = max(1, len(each) // NOISE_DETAIL)
    smooth = [float(median(each[max(0, n - half) : n + half + 1])) for n in range(len(each))]
    return numpy.clip(smooth, 0.7 * quiet, NOISIEST * quiet) + 1e-30


def _exceeds_anywhere(rest, noise, floor, places, shared):
    """Channels in which some pixel stands out."""
    count = len(rest)
    marks = numpy.zeros(count, dtype=bool)
    for width in _windows.widths_up_to(count, max(1, count // BROADEST_ANYWHERE)):
        sigma = numpy.hypot(_windows.window_noise(noise, width, shared), floor)
        peaks = numpy.zeros(count - width + 1)
        for start in range(0, rest.shape[1], AT_ONCE):
            # a wide window must not be filled by a narrow line that is marked already
            block = numpy.where(marks[:, None], 0, rest[:, start : start + AT_ONCE])
            peaks = numpy.maximum(
                peaks, numpy.abs(_windows.window_means(_windows.sums_of(block), width)).max(axis=1)
            )
        marks |= _windows.cover_of(
            peaks > _windows.threshold_sigma(places * count / width) * sigma, width, count
        )
    return marks


def _mean_spectrum(straight, curved, level, noise, free, shared, beam_pixels):
    """Mean over the pixels that hold continuum or line, and the noise of its channels."""
    quiet = float(median(noise))
    spread = 1.4826 * float(median(numpy.abs(level - median(level))))
    peak = curved.max(axis=0)
    chosen = level > max(6 * spread, 0.5 * float(level.max()))
    chosen |= peak > max(6 * quiet, 0.4 * float(peak.max()))
    if chosen.sum() < 5:
        chosen = numpy.zeros(level.size, dtype=bool)
        chosen[numpy.argsort(level)[-5:]] = True
    spectrum = straight[:, chosen].mean(axis=1)
    calm = spectrum if free is None else spectrum[free]
    scatter = 1.4826 * float(median(numpy.abs(calm - median(calm))))
    if free is None:  # lines may fill much of the band
        scatter = min(scatter, 1.2 * _windows.step_scatter(spectrum, shared))
    # the scatter of few channels is itself uncertain; beyond a pixel's noise only ripples scatter more
    scatter *= 1 + 5.0 / len(calm)
    most = math.hypot(1.2 * quiet, SYSTEMATIC * float(numpy.abs(level).max()))
    # few channels with a baseline of their own agree better than noise lets others
    least = LEAST_NOISE * quiet / math.sqrt(max(1.0, chosen.sum() / beam_pixels))
    return spectrum, max(min(max(scatter, least), most), 1e-30)


def _exceeds(spectrum, noise, floor, shared):
    """Channels in which the mean spectrum stands out."""
    count = len(spectrum)
    marks = numpy.zeros(count, dtype=bool)
    for width in _windows.widths_up_to(count, count):
        sums = _windows.sums_of(numpy.where(marks, 0, spectrum))
        sigma = numpy.hypot(_windows.window_noise(noise, width, shared), floor)
        marks |= _windows.cover_of(
            numpy.abs(_windows.window_means(sums, width))
            > _windows.threshold_sigma(4.0 * count / width) * sigma,
            width,
            count,
        )
    return marks


def _ranges(marks, found, present):
    """Runs of continuum channels and flags from the marks of the whole cube."""
    free = ~marks
    where = numpy.flatnonzero(present)
    edge = _beginning.edge_of(where.size)
    free[: where[0] + edge] = False
    free[where[-1] + 1 - edge :] = False
    runs = _wings.runs_of(free)
    kept = [run for run in runs if run[1] - run[0] + 1 >= SHORTEST_RUN] or runs
    if not found:
        return kept, ["ALLCONT"]
    flags = []
    if sum(last - first + 1 for first, last in kept) < 0.1 * where.size:
        flags.append("LOWBANDWIDTH")
    if kept and kept[-1][1] - kept[0][0] + 1 < where.size / 3.0:
        flags.append("LOWSPREAD")
    return kept, flags
