# ruff: noqa: PLC0415, UP031 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA job of the tests: make a small MS, and give it the illnesses that fixes are for.

Input ``{"do": name, ...}``: the functions below, by name.  Runs inside CASA: Python 3.8 grammar.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _conditions
import _demo_observe
import _job
import numpy as np


def run(inputs, progress):
    del progress
    return DO[inputs.pop("do")](**inputs)


def make(plan, ms):
    """Simulate what is observed."""
    _demo_observe.raw_ms("x", plan, ms)
    return look(ms)


def look(ms):
    """Return FIELD's directions in rad, uvw of every row in m, and the rows of POINTING."""
    cells = _column(ms + "/FIELD", "PHASE_DIR")
    return {
        "directions": [[float(v) for v in cells[:, 0, k]] for k in range(cells.shape[2])],
        "uvw": _column(ms, "UVW").T.tolist(),
        "pointing_rows": len(_column(ms + "/POINTING", "TIME")),
    }


def forget_directions(ms, fields):
    """Write zeros, as the correlator did, and uvw that belong to no direction."""
    cells = _column(ms + "/FIELD", "PHASE_DIR")
    cells[:, :, fields] = 0.0
    for name in ("PHASE_DIR", "DELAY_DIR", "REFERENCE_DIR"):
        _put(ms + "/FIELD", name, cells)
    uvw = _column(ms, "UVW")
    uvw[:, np.isin(_column(ms, "FIELD_ID"), fields)] *= 0.5
    _put(ms, "UVW", uvw)


def contradict(ms):
    """Let a field name a source that is not there."""
    ids = _column(ms + "/FIELD", "SOURCE_ID")
    ids[-1] = 99
    _put(ms + "/FIELD", "SOURCE_ID", ids)


def confuse_sources(ms, named):
    """Let fields name other sources; return the ids as they were."""
    path = ms + "/FIELD"
    ids = _column(path, "SOURCE_ID")
    before = [int(v) for v in ids]
    for field, source in named:
        ids[field] = source
    _put(path, "SOURCE_ID", ids)
    return before


def sources(ms):
    """Return FIELD.SOURCE_ID."""
    return [int(v) for v in _column(ms + "/FIELD", "SOURCE_ID")]


def syscal(ms):
    """Return TIME and INTERVAL of every SYSCAL row, and what gencal makes a Tsys table's times of."""
    path = ms + "/SYSCAL"
    return {name: [float(v) for v in _column(path, name)] for name in ("TIME", "INTERVAL")}


def run_script(text, ms):
    """Run a script of a few lines as a delivered one is."""
    exec(compile(text, "script", "exec"), {"ms": ms})  # noqa: S102 -- our own patch


def measure_atmosphere(ms, late_s, lengths_s=(4.0,)):
    """Write SYSCAL rows at the time of each atmosphere scan, some time late.

    One row for each length, as if antennas had measured so long from the same moment on.
    """
    from casatools import msmetadata, table

    md, tb = msmetadata(), table()
    md.open(ms)
    times = [float(np.mean(md.timesforscan(int(s)))) for s in md.scansforintent(ATMOSPHERE)]
    md.done()
    storage = {
        "dataManagerType": "StandardStMan",
        "dataManagerGroup": "s",
        "option": 0,
        "maxlen": 0,
    }
    kinds = {
        "TIME": "double",
        "INTERVAL": "double",
        "SPECTRAL_WINDOW_ID": "int",
        "ANTENNA_ID": "int",
    }
    described = {name: dict(storage, valueType=kind) for name, kind in kinds.items()}
    intervals = np.tile(lengths_s, len(times))
    tb.create(ms + "/SYSCAL", described, nrow=len(intervals))
    begun = np.repeat(times, len(lengths_s)) + late_s - 2.0
    tb.putcol("TIME", begun + intervals / 2)
    tb.putcol("INTERVAL", intervals)
    tb.putcol("SPECTRAL_WINDOW_ID", np.zeros(len(intervals), dtype=int))
    tb.putcol("ANTENNA_ID", np.tile(np.arange(len(lengths_s)), len(times)))
    tb.close()


def remember(ms, task, version):
    """Write HISTORY as a task of some CASA does."""
    from casatools import ms as mstool

    tool = mstool()
    tool.open(ms, nomodify=False)
    tool.writehistory(message="taskname=%s" % task, origin=task)
    tool.writehistory(message="version: %s-REL (r1)" % version, origin=task)
    tool.close()


def test_flag_row(path, manager):
    """Make a table whose FLAG_ROW is kept by a storage manager; return what the job finds of it."""
    from casatools import table

    tb = table()
    column = {"valueType": "boolean", "dataManagerType": manager, "dataManagerGroup": "s"}
    described = {"FLAG_ROW": dict(column, option=0, maxlen=0)}
    storage = {
        "*1": {"TYPE": manager, "NAME": "s", "SEQNR": 0, "SPEC": {}, "COLUMNS": ["FLAG_ROW"]}
    }
    tb.create(path, described, nrow=50, dminfo=storage)
    tb.putcol("FLAG_ROW", np.arange(50) % 7 == 0)
    tb.close()
    return _conditions.flag_row_sound(path)


ATMOSPHERE = "CALIBRATE_ATMOSPHERE*"


def _column(path, name):
    from casatools import table

    tb = table()
    tb.open(path)
    values = tb.getcol(name)
    tb.close()
    return values


def _put(path, name, values):
    from casatools import table

    tb = table()
    tb.open(path, nomodify=False)
    tb.putcol(name, values)
    tb.close()


DO = {
    one.__name__: one
    for one in (
        *(make, look, forget_directions, contradict, measure_atmosphere, remember),
        *(test_flag_row, confuse_sources, sources, syscal, run_script),
    )
}

if __name__ == "__main__":
    _job.main(run)
