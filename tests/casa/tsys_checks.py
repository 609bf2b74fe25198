# ruff: noqa: PLC0415 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA job of the tests: an MS whose Tsys was measured in spws of its own, and what a script makes of it.

Input ``{"do": name, ...}``: the functions below, by name.  Runs inside CASA: Python 3.8 grammar.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _demo_observe
import _job
import numpy as np


def run(inputs, progress):
    del progress
    return DO[inputs.pop("do")](**inputs)


def make(plan, ms, basebands, lower, kelvin):
    """Simulate; DATA is 1 everywhere.  ``basebands``: BBC_NO of each spw; ``lower``: spws that run down.

    ``kelvin``: by spw, the Tsys that SYSCAL has for every antenna, in one measurement; gencal makes
    a table of it.
    """
    from casatasks import gencal

    _demo_observe.raw_ms("x", plan, ms)
    tool = _table()
    tool.open(ms + "/SPECTRAL_WINDOW", nomodify=False)
    if "BBC_NO" not in tool.colnames():
        tool.addcols({"BBC_NO": _column("int")})
    tool.putcol("BBC_NO", np.array(basebands))
    for spw in lower:
        tool.putcell("CHAN_FREQ", spw, tool.getcell("CHAN_FREQ", spw)[::-1])
        tool.putcell("CHAN_WIDTH", spw, -tool.getcell("CHAN_WIDTH", spw))
    tool.close()
    tool.open(ms, nomodify=False)
    for row in range(tool.nrows()):
        tool.putcell("DATA", row, np.ones_like(tool.getcell("DATA", row)))
    began = float(tool.getcell("TIME", 0))
    tool.close()
    _measure(ms, plan, began, {int(spw): value for spw, value in kelvin.items()})
    gencal(vis=ms, caltable=ms + ".tsys", caltype="tsys")


def _measure(ms, plan, began, kelvin):
    """Write SYSCAL, each spw's Tsys as flat spectra of two polarisations, as a subtable of the MS."""
    tool, antennas = _table(), len(plan["antennas"])
    tool.open(ms + "/FEED")  # whose columns of these names are described as those of SYSCAL
    shared = ("TIME", "INTERVAL", "ANTENNA_ID", "FEED_ID", "SPECTRAL_WINDOW_ID")
    columns = {name: tool.getcoldesc(name) for name in shared}
    tool.close()
    columns["TSYS_SPECTRUM"] = dict(_column("float"), ndim=2, keywords={"QuantumUnits": ["K"]})
    tool.create(ms + "/SYSCAL", columns, nrow=len(kelvin) * antennas)
    tool.putcol("TIME", np.full(tool.nrows(), began))
    tool.putcol("INTERVAL", np.full(tool.nrows(), 2.0))
    for row, (spw, antenna) in enumerate((spw, a) for spw in kelvin for a in range(antennas)):
        tool.putcell("SPECTRAL_WINDOW_ID", row, spw)
        tool.putcell("ANTENNA_ID", row, antenna)
        tool.putcell("FEED_ID", row, 0)
        spectrum = np.full((2, plan["spws"][spw]["channels"]), kelvin[spw])
        tool.putcell("TSYS_SPECTRUM", row, spectrum)
    tool.close()
    tool.open(ms, nomodify=False)
    tool.putkeyword("SYSCAL", "Table: " + ms + "/SYSCAL")
    tool.close()


def run_script(text, ms):
    """Run a script of a few lines as a delivered one is; return its ``tsysmap``, or why it stopped."""
    names = {"ms": ms}
    try:
        exec(compile(text, "script", "exec"), names)  # noqa: S102 -- our own patch
    except RuntimeError as error:
        return str(error)
    return names["tsysmap"]


def corrected(ms):
    """Return, by spw, the least and greatest amplitude of unflagged corrected data (none: empty)."""
    tool, found = _table(), {}
    tool.open(ms + "/DATA_DESCRIPTION")
    spws = tool.getcol("SPECTRAL_WINDOW_ID")
    tool.close()
    tool.open(ms)
    for dd, spw in enumerate(spws):
        rows = tool.query("DATA_DESC_ID==%d" % dd)  # noqa: UP031
        good = np.abs(rows.getcol("CORRECTED_DATA"))[~rows.getcol("FLAG")]
        found[int(spw)] = [float(good.min()), float(good.max())] if good.size else []
        rows.close()
    tool.close()
    return found


def forget_target(ms):
    """Let every scan be one of a calibrator."""
    tool = _table()
    tool.open(ms + "/STATE", nomodify=False)
    tool.putcol("OBS_MODE", ["CALIBRATE_PHASE#ON_SOURCE"] * tool.nrows())
    tool.close()


def _table():
    from casatools import table

    return table()


def _column(kind):
    storage = {"dataManagerType": "StandardStMan", "dataManagerGroup": "s"}
    return dict(storage, valueType=kind, option=0, maxlen=0)


DO = {one.__name__: one for one in (make, run_script, corrected, forget_target)}

if __name__ == "__main__":
    _job.main(run)
