# ruff: noqa: PLC0415 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA job of the tests: how two MSs of one execution block differ.

Input ``{"pairs": {eb: [path, path]}}``; value per execution block: rows of both, columns that one of them
lacks, subtables that one of them lacks, and for each column that holds data the largest difference and
the largest value, or the number of cells that differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _job
import numpy as np

NUMBERS = ("CORRECTED_DATA", "DATA", "WEIGHT", "SIGMA", "UVW", "TIME", "EXPOSURE")
FLAGS = ("FLAG", "FLAG_ROW", "FIELD_ID", "DATA_DESC_ID", "STATE_ID", "ANTENNA1", "ANTENNA2")


def run(inputs, progress):
    del progress
    return {eb: difference(*pair) for eb, pair in inputs["pairs"].items()}


def difference(first, second):
    """Return how two MSs differ, row by row: importasdm orders them as the ASDM does."""
    one, other = read(first), read(second)
    told = {
        "rows": [one["rows"], other["rows"]],
        "columns": sorted(one["columns"] ^ other["columns"]),
        "subtables": sorted(one["subtables"] ^ other["subtables"]),
        "numbers": {},
        "cells": {},
        "flagged": [sum(int(cell.sum()) for cell in each["FLAG"]) for each in (one, other)],
        "field_frames": one["frames"] + other["frames"],
    }
    for name in NUMBERS:
        pairs = list(zip(one[name], other[name]))  # noqa: B905 -- 3.8
        told["numbers"][name] = {
            "difference": max(float(np.abs(a - b).max()) for a, b in pairs),
            "largest": max(float(np.abs(a).max()) for a, _ in pairs),
        }
    for name in FLAGS:
        pairs = zip(one[name], other[name])  # noqa: B905 -- 3.8
        told["cells"][name] = sum(int((a != b).sum()) for a, b in pairs)
    return told


def read(ms):
    """Return rows, names and cells of an MS; shapes differ from spw to spw."""
    from casatools import table

    tb = table()
    tb.open(ms)
    found = {
        "rows": int(tb.nrows()),
        "columns": set(tb.colnames()),
        "subtables": {name for name in tb.getkeywords() if name == name.upper()},
    }
    for name in (*NUMBERS, *FLAGS):
        found[name] = [tb.getcell(name, row) for row in range(tb.nrows())]
        found[name] = [np.asarray(cell) for cell in found[name]]
    tb.close()
    tb.open(ms + "/FIELD")
    found["frames"] = [str(tb.getcolkeyword("PHASE_DIR", "MEASINFO").get("Ref", "varying"))]
    tb.close()
    return found


if __name__ == "__main__":
    _job.main(run)
