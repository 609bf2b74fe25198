"""Tables of a simulated MS, put into the state of a real one before anybody reads them.

The simulator leaves one polarisation per spw, no processor, no time range of the observation, a scan
per call of `observe`, and pointing rows repeated per spw and stated as sky directions.
"""

import os

import numpy as np
from casatools import measures, table


def repair(ms, scans):
    """Make consistent what the simulator leaves inconsistent; `scans`: (begin, end) of each in s."""
    tb = table()
    tb.open(ms + "/DATA_DESCRIPTION", nomodify=False)
    tb.putcol("POLARIZATION_ID", np.zeros(tb.nrows(), int))
    tb.close()
    _keep_first(tb, ms + "/POLARIZATION")
    tb.open(ms + "/PROCESSOR", nomodify=False)
    if tb.nrows() == 0:
        tb.addrows(1)
        for column, value in (
            ("TYPE", "CORRELATOR"),
            ("SUB_TYPE", "ALMA_CORRELATOR_MODE"),
            ("TYPE_ID", 0),
            ("MODE_ID", 0),
            ("FLAG_ROW", False),
        ):
            tb.putcell(column, 0, value)
    tb.close()
    tb.open(ms, nomodify=False)
    times, interval = tb.getcol("TIME"), tb.getcol("INTERVAL")
    first = (times - interval / 2).min()
    number = np.zeros(len(times), int)
    for k, (begin, end) in enumerate(scans):
        number[(times - first > begin) & (times - first < end)] = k + 1
    tb.putcol("SCAN_NUMBER", number)
    for column in ("PROCESSOR_ID", "OBSERVATION_ID"):
        tb.putcol(column, np.zeros(len(times), int))
    tb.close()
    _keep_first(tb, ms + "/OBSERVATION")
    tb.open(ms + "/OBSERVATION", nomodify=False)
    tb.putcell("TIME_RANGE", 0, np.array([first, (times + interval / 2).max()]))
    tb.putcell("SCHEDULE_TYPE", 0, "ALMA")
    tb.close()
    tb.open(ms + "/POINTING", nomodify=False)
    key = np.stack([tb.getcol("ANTENNA_ID"), np.round(tb.getcol("TIME") * 1000)])
    keep = np.unique(key, axis=1, return_index=True)[1]
    drop = np.setdiff1d(np.arange(tb.nrows()), keep)
    if len(drop):
        tb.removerows(drop.tolist())
    tb.close()


def _keep_first(tb, name):
    tb.open(name, nomodify=False)
    if tb.nrows() > 1:
        tb.removerows(list(range(1, tb.nrows())))
    tb.close()


def rename_fields(ms, names):
    """Give fields F0, F1, ... their names, which may repeat."""
    tb = table()
    for sub in ("FIELD", "SOURCE"):
        if not os.path.isdir(ms + "/" + sub):
            continue
        tb.open(ms + "/" + sub, nomodify=False)
        for row in range(tb.nrows()):
            now = tb.getcell("NAME", row)
            if now.startswith("F") and now[1:].isdigit():
                tb.putcell("NAME", row, names[int(now[1:])])
        tb.close()


def azimuth_pointing(ms, directions):
    """Write POINTING as ALMA does: azimuth and elevation of where each field was, at each time.

    `fixplanets` takes field directions from there and from nowhere else.
    """
    me, tb = measures(), table()
    tb.open(ms + "/ANTENNA")
    places = [me.position("ITRF", *["%.6fm" % v for v in xyz]) for xyz in tb.getcol("POSITION").T]
    tb.close()
    tb.open(ms)
    times, first = np.unique(tb.getcol("TIME"), return_index=True)
    fields = tb.getcol("FIELD_ID")[first]
    tb.close()
    tb.open(ms + "/POINTING", nomodify=False)
    stamps, antennas = tb.getcol("TIME"), tb.getcol("ANTENNA_ID")
    seen = np.zeros((2, 1, len(stamps)))
    for row in np.argsort(antennas, kind="stable"):
        me.doframe(places[antennas[row]])  # 100 m on the ground are 3 arcsec of zenith
        ra, dec = directions[fields[np.argmin(np.abs(times - stamps[row]))]]
        me.doframe(me.epoch("UTC", "%.9fd" % (stamps[row] / 86400)))
        there = me.measure(me.direction("ICRS", "%.12frad" % ra, "%.12frad" % dec), "AZELGEO")
        seen[:, 0, row] = there["m0"]["value"], there["m1"]["value"]
    for column in ("DIRECTION", "TARGET"):
        tb.putcol(column, seen)
        info = tb.getcolkeyword(column, "MEASINFO")
        info["Ref"] = "AZELGEO"
        tb.putcolkeyword(column, "MEASINFO", info)
    tb.putcol("TRACKING", np.ones(len(stamps), bool))
    tb.close()
