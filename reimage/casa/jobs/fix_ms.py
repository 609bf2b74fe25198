"""Carry out what a fix declares on MeasurementSets, and say what it changed.

Input: ``{"operations": [{"ms", "kind", "arguments"}]}``.  Value: list of ``{"ms", "kind", "before", "after"}``.
Kinds: ``set_field_direction`` and ``fix_planets`` (with uvw), ``set_field_source``, ``join_syscal_times``,
``put_keyword``, ``delete_rows``, ``flagdata``.
"""

import _job

import _conditions
import numpy as np


def run(inputs, progress):
    done = []
    for operation in inputs["operations"]:
        before, after = KINDS[operation["kind"]](operation["ms"], **operation["arguments"])
        done.append(
            {"ms": operation["ms"], "kind": operation["kind"], "before": before, "after": after}
        )
        progress("ms.mended", ms=operation["ms"], kind=operation["kind"])
    return done


def set_field_direction(ms, field, ra_rad, dec_rad):
    """Give a field its direction (J2000/ICRS) and recompute its uvw; phases are left as correlated.

    ``fixplanets`` changes FIELD and, with fixuvw, the baseline coordinates: exactly what a field that
    was written with coordinates 0,0 needs.
    """
    from casatasks import fixplanets

    before = _direction(ms, field)
    fixplanets(
        vis=ms,
        field=str(field),
        fixuvw=True,
        direction="J2000 %.12frad %.12frad" % (ra_rad, dec_rad),
    )
    return before, _direction(ms, field)


def fix_planets(ms, field, direction="", fixuvw=True):
    """Run ``fixplanets`` on fields as a delivered script asks, by id or name; empty: as pointed at.

    HISTORY tells that it was done, for whoever asks again.
    """
    from casatasks import fixplanets
    from casatools import ms as mstool

    tool = mstool()
    ids = [int(i) for i in tool.msseltoindex(vis=ms, field=field)["field"]]
    before = [_direction(ms, i) for i in ids]
    fixplanets(vis=ms, field=field, fixuvw=fixuvw, direction=direction)
    tool.open(ms, nomodify=False)
    tool.writehistory(message="taskname=fixplanets", origin="reimage")
    tool.writehistory(message="field = %s" % field, origin="reimage")
    tool.close()
    return before, [_direction(ms, i) for i in ids]


def _direction(ms, field):
    from casatools import table

    tb = table()
    tb.open(ms + "/FIELD")
    value = [float(v) for v in np.ravel(tb.getcell("PHASE_DIR", field))[:2]]
    tb.close()
    return value


def set_field_source(ms, field, source):
    """Let a field name its source."""
    from casatools import table

    tb = table()
    tb.open(ms + "/FIELD", nomodify=False)
    before = int(tb.getcell("SOURCE_ID", field))
    tb.putcell("SOURCE_ID", field, source)
    tb.close()
    return before, source


def join_syscal_times(ms, interval_s):
    """Give the antennas of each measurement of system temperatures one TIME: number with several."""
    from casatools import table

    path = ms + "/SYSCAL"
    torn = _conditions.torn_measurements(path)
    tb = table()
    tb.open(path, nomodify=False)
    times, intervals = tb.getcol("TIME"), tb.getcol("INTERVAL")
    for rows in torn:
        times[rows] = np.mean(times[rows] - intervals[rows] / 2) + interval_s / 2
        intervals[rows] = interval_s
    tb.putcol("TIME", times)
    tb.putcol("INTERVAL", intervals)
    tb.close()
    return len(torn), len(_conditions.torn_measurements(path))


def put_keyword(ms, keyword, value, subtable=""):
    from casatools import table

    tb = table()
    tb.open(ms + ("/" + subtable if subtable else ""), nomodify=False)
    before = tb.getkeyword(keyword) if keyword in tb.keywordnames() else None
    tb.putkeyword(keyword, value)
    tb.close()
    return before, value


def delete_rows(ms, subtable, query):
    from casatools import table

    tb = table()
    tb.open(ms + "/" + subtable, nomodify=False)
    before = int(tb.nrows())
    found = tb.query(query)
    rows = found.rownumbers()
    found.close()
    if len(rows):
        tb.removerows(rows)
    after = int(tb.nrows())
    tb.close()
    return before, after


def flagdata_rows(ms, **arguments):
    from casatasks import flagdata

    before = flagdata(vis=ms, mode="summary")["flagged"]
    flagdata(vis=ms, **arguments)
    return before, flagdata(vis=ms, mode="summary")["flagged"]


KINDS = {
    "set_field_direction": set_field_direction,
    "fix_planets": fix_planets,
    "set_field_source": set_field_source,
    "join_syscal_times": join_syscal_times,
    "put_keyword": put_keyword,
    "delete_rows": delete_rows,
    "flagdata": flagdata_rows,
}

if __name__ == "__main__":
    _job.main(run)
