# ruff: noqa: PLC0415 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA jobs of the tests: what a port's outcome is held to.

Input ``{"ms": [paths]}``: the SHA-256 of each MS's data, flags and weights, in order of rows.
Input ``{"tasks": true}``: the parameters of every task of this CASA.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _job

COLUMNS = ("TIME", "ANTENNA1", "ANTENNA2", "DATA_DESC_ID", "DATA", "FLAG", "WEIGHT")


def run(inputs, progress):
    del progress
    return tasks() if inputs.get("tasks") else [digest(ms) for ms in inputs["ms"]]


def digest(ms):
    from casatools import table

    tool, whole = table(), hashlib.sha256()
    tool.open(ms)
    for row in range(tool.nrows()):
        for column in COLUMNS:
            cell = tool.getcell(column, row)
            whole.update(getattr(cell, "tobytes", lambda cell=cell: repr(cell).encode())())
    tool.close()
    return whole.hexdigest()


def tasks():
    import casatasks

    found = {}
    for name in dir(casatasks):
        call = getattr(getattr(casatasks, name), "__call__", None)  # noqa: B004 -- tasks are objects
        if not name.startswith("_") and type(getattr(casatasks, name)).__module__.startswith(
            "casatasks"
        ):
            found[name] = [one for one in inspect.signature(call).parameters if one != "self"]
    return found


if __name__ == "__main__":
    _job.main(run)
