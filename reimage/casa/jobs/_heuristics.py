"""The arithmetic of the ALMA imaging heuristics: numbers in, numbers out, no CASA.

Lengths are arcsec, frequencies Hz, flux densities Jy/beam.  The rules are those that ALMA's pipeline
documents (releases 2023 to 2025); each function says which.  Numpy and the standard library only.
"""

import math

import numpy

LIGHT_M_S = 299792458.0
ARCSEC_PER_RAD = 180.0 * 3600.0 / math.pi

EXPECTED_RANGE_12M = 150.0
"""Largest dynamic range that a science image of the 12-m array is believed to reach."""
SECOND_CLEAN_RANGE = 30.0
SECOND_CLEAN_PEAK = 10.0
"""An empty automatic mask is replaced by a PB mask above these: dirty dynamic range, peak / scaled MAD."""
OVERLAP_FWHM = 1.12991
"""FWHM of the beam in the overlap of pointings, lambda / D: 1.13 as the pipeline reaches it for a 12-m dish."""


def significant(value, digits):
    """Round to a number of significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    return float("%.*g" % (digits, value))


# --- geometry ---------------------------------------------------------------------------------------


def null_radius(frequency, diameter):
    """Radius of the primary beam's first null, arcsec."""
    return 1.22 * LIGHT_M_S / frequency / diameter * ARCSEC_PER_RAD


def pb_fwhm(radius):
    """FWHM of the primary beam whose first null has this radius, arcsec."""
    return 1.12 / 1.22 * radius


def optimum_size(pixels):
    """The next image side that CASA's FFT likes: even, with no factor above 5."""
    size = max(2, int(math.ceil(pixels)))
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1 and size % 2 == 0:
            return size
        size += 1


def cell_size(beam_minor, pixels=5.0):
    """So many pixels across the beam's minor axis, to two digits."""
    return significant(beam_minor / pixels, 2)


def field_sides(pointings, radius, spread, mixed=False, pb_level=0.2):
    """Sides of the image (x, y) in arcsec: one pointing out to a PB level, mosaics with their spread.

    ``spread`` is the extent (x, y) of the pointings' directions, arcsec; ``mixed``: dishes of several sizes,
    which are imaged as a mosaic even of one pointing.
    """
    if pointings == 1 and not mixed:
        side = 1.1 * pb_fwhm(radius) * math.sqrt(math.log2(1 / pb_level))
        return side, side
    margin = 1.65 * radius if pointings <= 3 else 1.5 * radius
    return margin + spread[0], margin + spread[1]


def image_size(sides, cell, rounded=False):
    """Sides in arcsec as pixels, before the FFT's choice without fractions of a pixel.

    ``rounded``: to the nearest pixel, as for single pointings; else down.
    """
    half = 0.5 if rounded else 0.0
    return [optimum_size(int(side / cell + half)) for side in sides]


def trial_grid(pointings, radius, spread, advised_cell, mixed=False):
    """Cell and size of the trial PSF; its radius is that of the spw the PSF is made from.

    A mosaic's is the image's, or twice that of one pointing when it is larger in x or in y.
    """
    cell = significant(advised_cell / 2.5, 2)
    if pointings == 1 and not mixed:
        return cell, image_size((1.5 * radius, 1.5 * radius), cell)
    alone = image_size(field_sides(pointings, radius, (0, 0), mixed), cell)
    whole = image_size(field_sides(pointings, radius, spread, mixed), cell)
    if all(side <= 2 * limit for side, limit in zip(whole, alone)):
        return cell, whole
    return cell, [optimum_size(2 * side) for side in alone]


def separation(one, other):
    """Angle between two directions (longitude, latitude in rad), arcsec."""
    half = math.sin((other[1] - one[1]) / 2) ** 2
    half += math.cos(one[1]) * math.cos(other[1]) * math.sin((other[0] - one[0]) / 2) ** 2
    return 2 * math.asin(min(1.0, math.sqrt(half))) * ARCSEC_PER_RAD


def middle(directions):
    """Middle of the extent of directions (rad), and the extent (x, y) in arcsec.

    Longitudes are taken relative to the first direction, so that 0h may lie between them.
    """
    first = directions[0][0]
    around = [(lon - first + math.pi) % (2 * math.pi) - math.pi for lon, _ in directions]
    lats = [lat for _, lat in directions]
    lat = (min(lats) + max(lats)) / 2
    lon = (first + (min(around) + max(around)) / 2) % (2 * math.pi)
    x = (max(around) - min(around)) * math.cos(lat) * ARCSEC_PER_RAD
    y = (max(lats) - min(lats)) * ARCSEC_PER_RAD
    return (lon, lat), (x, y)


def sexagesimal(lon, lat):
    """A direction as ``hh:mm:ss.ssss +ddd.mm.ss.sss``, the form in which the pipeline writes it."""
    units = int(round((lon % (2 * math.pi)) * 12 / math.pi * 36000000))
    units %= 24 * 36000000
    hours, rest = divmod(units, 36000000)
    minutes, rest = divmod(rest, 600000)
    time = "%02d:%02d:%07.4f" % (hours, minutes, rest / 10000.0)
    units = int(round(abs(lat) * 180 / math.pi * 3600000))
    degrees, rest = divmod(units, 3600000)
    minutes, rest = divmod(rest, 60000)
    return "%s %s%03d.%02d.%06.3f" % (
        time,
        "-" if lat < 0 else "+",
        degrees,
        minutes,
        rest / 1000.0,
    )


def fractional_bandwidth(lows, highs):
    """2 (max - min) / (max + min) over the edges of some spws."""
    return 2 * (max(highs) - min(lows)) / (max(highs) + min(lows))


# --- spectral axis ------------------------------------------------------------------------------------


def common_range(ranges, width, share):
    """The part of frequency ranges that at least ``share`` of them cover, on a grid of ``width``.

    The grid starts at the lowest edge.  A single range is left as it is.  None when nothing is common.
    The end of the grid follows numpy's rounding, as the pipeline's does: an upper edge that is itself a
    grid point may be lost by it.
    """
    if len(ranges) == 1:
        return tuple(ranges[0])
    grid = numpy.arange(
        min(low for low, _ in ranges), max(high for _, high in ranges) + width, width
    )
    covered = sum(((grid >= low) & (grid <= high)).astype(int) for low, high in ranges)
    good = numpy.flatnonzero(covered >= share * len(ranges) - 1e-9)
    if good.size < 2:
        return None
    return float(grid[good[0]]), float(grid[good[-1]])


def cube_axis(unflagged, full, channels, nbin=1):
    """Start, width (Hz) and channel count of a cube.

    ``unflagged`` and ``full``: per EB the list of LSRK edges (low, high), one per pointing, of the
    unflagged channels and of all, None for a pointing that was not observed; ``channels``: per EB the
    count of unflagged and of all channels.  None when the EBs share no range; the count may be below one.
    ``nbin``: channels to one of the cube.
    """
    seen = [n for n, pointings in enumerate(full) if any(pointings)]
    if not seen:
        return None
    unflagged, full = ([list(filter(None, ebs[n])) for n in seen] for ebs in (unflagged, full))
    channels = [channels[n] for n in seen]
    width = max(
        (high - low) / counts[kind]
        for kind, ebs in enumerate((unflagged, full))
        for per_eb, counts in zip(ebs, channels)
        for low, high in per_eb
    )
    steps = []
    for ranges, share in ((unflagged, 0.6), (full, 1.0)):
        per_eb = [common_range(pointings, width, 1.0) for pointings in ranges]
        steps.append(None if None in per_eb else common_range(per_eb, width, share))
    both = None if None in steps else common_range(steps, width, 1.0)
    if both is None:
        return None
    count = int(math.floor((both[1] - both[0]) / (width * nbin) - 2 + 0.5))
    return {"start_hz": both[0] + 1.5 * width, "width_hz": width * nbin, "nchan": count}


def reference_frequency(ranges):
    """Bandwidth-weighted mean of frequency ranges, in their unit: the reference of a multi-term image."""
    weight = sum(high - low for low, high in ranges)
    return sum(high**2 - low**2 for low, high in ranges) / (2 * weight)


# --- sensitivity, threshold ---------------------------------------------------------------------------


def mosaic_overlap(directions, frequency, diameter):
    """How much the overlap of pointings improves the noise: the best place's factor, at least 1.

    Pointings further away than the FWHM do not count.
    """
    fwhm = OVERLAP_FWHM * LIGHT_M_S / frequency / diameter * ARCSEC_PER_RAD
    best = 1.0
    for here in directions:
        away = [separation(here, there) / fwhm for there in directions]
        total = sum(math.exp(-8 * math.log(2) * part**2) for part in away if part < 1)
        best = max(best, math.sqrt(total))
    return best


def combine(sensitivities):
    """Noise of data sets together, from the noise of each."""
    return 1 / math.sqrt(sum(1 / value**2 for value in sensitivities))


_STEPS = {
    "12m": ((20, 1.0), (50, 1.5), (100, 2.0), (150, 2.5)),
    "7m-one": ((4, 1.0), (10, 1.5), (20, 2.0), (30, 2.5)),
    "7m-many": ((4, 1.0), (10, 1.5), (20, 2.0), (40, 2.5), (75, 3.0)),
}


def clean_threshold(sensitivity, peak, array="12m", ebs=1, short_mosaic_cube=False, tlimit=2.0):
    """Threshold of a science clean, corrected for the dynamic range of the dirty image.

    Returns
    -------
    dict
        ``threshold`` (Jy, 3 digits), ``factor``, ``dynamic_range``, ``cyclefactor`` (None: CASA's).
    """
    before = significant(tlimit * sensitivity, 3)
    ratio = peak / sensitivity
    table = "12m" if array != "7m" else ("7m-one" if ebs == 1 else "7m-many")
    factor = next((value for limit, value in _STEPS[table] if ratio <= limit), None)
    if factor is None:
        expected, least = {
            "12m": (EXPECTED_RANGE_12M, 2.5),
            "7m-one": (30.0, 2.5),
            "7m-many": (55.0, 3.5),
        }[table]
        factor = max(least, tlimit * peak / expected / before)
    cyclefactor = None
    if short_mosaic_cube and ratio >= 30:
        factor, cyclefactor = factor * 2.5, 3.0
    return {
        "threshold": significant(before * factor, 3),
        "factor": factor,
        "dynamic_range": ratio,
        "cyclefactor": cyclefactor,
    }


def iteration_limit(imsize, peak, threshold):
    """Iterations that no sound clean of this size should need, to its leading digit."""
    wanted = 50 * (0.45 * max(imsize) / 5.0) ** 2 * peak / threshold
    return max(1, int(significant(wanted, 1)))


# --- masks --------------------------------------------------------------------------------------------


def mask_parameters(array, baseline_75, specmode):
    """Parameters of auto-multithresh by array and by the 75th percentile of the baselines (m)."""
    cube = specmode in ("cube", "repBW")
    if array == "7m":
        row = (1.25, 5.0, 2.0, 0.0, 0.1, 75, False)
    elif baseline_75 < 300:
        row = (2.0, 4.25, 1.5, 15.0 if cube else 0.0, 0.3, 50 if cube else 75, False)
    elif baseline_75 <= 400:
        row = (2.0, 5.0, 1.5, 7.0 if cube else 0.0, 0.3, 50 if cube else 75, False)
    else:
        row = (2.5, 5.0, 1.5, 7.0 if cube else 0.0, 0.3, 50 if cube else 75, True)
    names = (
        "sidelobethreshold",
        "noisethreshold",
        "lownoisethreshold",
        "negativethreshold",
        "minbeamfrac",
        "growiterations",
        "fastnoise",
    )
    return dict(zip(names, row), dogrowprune=True, minpercentchange=1.0)


def wants_second_clean(specmode, dynamic_range, peak_over_mad):
    """Whether a continuum image whose automatic mask stayed empty is cleaned within a PB mask."""
    return (
        specmode in ("mfs", "cont")
        and dynamic_range > SECOND_CLEAN_RANGE
        and peak_over_mad > SECOND_CLEAN_PEAK
    )
