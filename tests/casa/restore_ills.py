# ruff: noqa: PLC0415 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA job of the tests: make delivered calibration tables ill.

Input ``{"table": path, "spws": [ids]}``: the table forgets its solutions of these spws; without
``spws`` it keeps them all, and flags each as no good.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _job


def run(inputs, progress):
    del progress
    from casatools import table

    tool = table()
    tool.open(inputs["table"], nomodify=False)
    before = tool.nrows()
    if "spws" not in inputs:
        flags = tool.getcol("FLAG")
        tool.putcol("FLAG", flags | True)
        tool.close()
        return {"before": int(flags.size - flags.sum()), "after": 0}
    chosen = tool.query("SPECTRAL_WINDOW_ID IN %s" % inputs["spws"])  # noqa: UP031
    rows = chosen.rownumbers()
    chosen.close()
    tool.removerows(rows)
    after = tool.nrows()
    tool.close()
    return {"before": int(before), "after": int(after)}


if __name__ == "__main__":
    _job.main(run)
