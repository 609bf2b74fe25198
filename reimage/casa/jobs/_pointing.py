"""Where the antennas looked: what FIELD should say, from POINTING.

importasdm writes azimuth and elevation into POINTING (AZELGEO), other programs J2000.
"""

import numpy as np

NEAR_S = 60.0
NEAR_SAMPLES = 5
ON_SAMPLES = 9
SHORTEST_S = 1.0
"""An integration of the correlator, about which antennas have not moved on."""
OTHERWISE = ("CALIBRATE_POINTING*", "CALIBRATE_ATMOSPHERE*", "CALIBRATE_FOCUS*")
"""Scans in which antennas look beside the field, or at a load."""


def directions(path, md):
    """By field: ``near``, J2000 [ra, dec] about its scans; ``on``, the same while it was observed, or None.

    Both are medians of a few samples of one antenna.  ``on`` is taken of single integrations: pointings of
    a mosaic follow one another in seconds; ``spread`` is its largest deviation in rad.
    """
    from casatools import measures, table

    tb, me = table(), measures()
    tb.open(path + "/POINTING")
    found = {}
    if not tb.nrows():
        tb.close()
        return found
    stamps, ids = tb.getcol("TIME"), tb.getcol("ANTENNA_ID")
    frame = tb.getcolkeyword("DIRECTION", "MEASINFO")["Ref"]
    # not the observatory's: 700 m are 25 arcsec of zenith
    me.doframe(md.antennaposition(int(ids[0])))
    rows = np.flatnonzero(ids == ids[0])
    elsewhere = _times_otherwise(md)
    half = _half_integration(md)

    def looked(at, within, most):
        if not len(at):
            return []
        close = rows[_distance(stamps[rows], at) <= within]
        return [
            _j2000(me, tb.getcell("DIRECTION", int(row)), stamps[row], frame)
            for row in close[:: max(1, len(close) // most)]
        ]

    for field in range(md.nfields()):
        at = np.sort(md.timesforfield(field))
        near, _ = _middle(looked(at, NEAR_S, NEAR_SAMPLES))
        on, spread = _middle(looked(at[~np.isin(at, elsewhere)], half, ON_SAMPLES))
        if near:
            found[field] = {"near": near, "on": on, "spread": spread}
    tb.close()
    return found


def _times_otherwise(md):
    scans = set(int(s) for intent in OTHERWISE for s in md.scansforintent(intent))
    parts = [np.asarray(md.timesforscan(scan)) for scan in sorted(scans)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _half_integration(md):
    """Half of the shortest time between two integrations; radiometers' are between the correlator's."""
    times = [np.asarray(md.timesforscan(int(s))) for s in md.scannumbers()]
    steps = np.diff(np.unique(np.concatenate([np.zeros(0)] + times)))
    return max(SHORTEST_S, float(steps.min()) if len(steps) else 0.0) / 2


def _distance(stamps, at):
    """How far each time is from the nearest of sorted others."""
    after = np.searchsorted(at, stamps)
    before, after = np.clip(after - 1, 0, None), np.clip(after, None, len(at) - 1)
    return np.minimum(np.abs(stamps - at[before]), np.abs(stamps - at[after]))


def _middle(samples):
    """Median of directions, around the wrap of RA, and the largest deviation from it in rad."""
    if not samples:
        return None, None
    first = np.array(samples[0])
    turn = (np.array(samples) - first + np.pi) % (2 * np.pi) - np.pi
    middle = np.median(turn, axis=0)
    off = (turn - middle) * [np.cos(first[1]), 1.0]
    return [float(v) for v in first + middle], float(np.hypot(off[:, 0], off[:, 1]).max())


def _j2000(me, cell, time_s, frame):
    from casatools import quanta

    qa = quanta()
    me.doframe(me.epoch("UTC", qa.quantity(float(time_s), "s")))
    lon, lat = [float(v) for v in np.ravel(cell)[:2]]
    looked = me.direction(frame, qa.quantity(lon, "rad"), qa.quantity(lat, "rad"))
    turned = me.measure(looked, "J2000")
    return [turned["m0"]["value"], turned["m1"]["value"]]
