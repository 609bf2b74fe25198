# ruff: noqa: PTH102, PTH104, PTH107, PTH118, PTH202, PTH208, PLC0415, UP031 -- runs inside CASA: 3.8, costly imports
"""CASA job of the tests: copies of an MS, each changed in one way.

Input ``source`` (an MS) and ``copies``: {name: change}, a change being one of `CHANGES` or a list of them, a
change with a value being [name, value].  Leaves ``out/<name>.ms``.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _job
import numpy as np


def run(inputs, progress):
    shutil.rmtree("out", ignore_errors=True)
    os.mkdir("out")
    for name, changes in inputs["copies"].items():
        path = "out/%s.ms" % name
        shutil.copytree(inputs["source"], path)
        for change in changes:
            CHANGES[change[0]](path, *change[1:])
        progress("altered", name=name)
    return {}


def edit(path, change):
    from casatools import table

    tool = table()
    tool.open(path, nomodify=False)
    try:
        change(tool)
    finally:
        tool.close()


def drop_subtable(path, name):
    edit(path, lambda tool: tool.removekeyword(name))
    shutil.rmtree(os.path.join(path, name))


def lose_subtable(path, name):
    shutil.rmtree(os.path.join(path, name))


def cut_column(path, column):
    """Cut the file of a column's data in half."""
    from casatools import table

    tool = table()
    tool.open(path)
    number = next(m["SEQNR"] for m in tool.getdminfo().values() if column in list(m["COLUMNS"]))
    tool.close()
    files = [f for f in os.listdir(path) if f.startswith("table.f%d_TSM" % number)]
    largest = max((os.path.join(path, f) for f in files), key=os.path.getsize)
    os.truncate(largest, os.path.getsize(largest) // 2)


def drop_column(path, column):
    edit(path, lambda tool: tool.removecols(column))


def cut_file(path, name):
    file = os.path.join(path, name)
    os.truncate(file, os.path.getsize(file) // 2)


def lose_file(path, name):
    os.remove(os.path.join(path, name))


def empty(path):
    """Leave no row, as a split that selects nothing may."""
    from casatools import table

    tool = table()
    tool.open(path)
    none = tool.query("TIME < 0")
    none.copy(path + ".none", deep=True, valuecopy=True).close()
    none.close()
    tool.close()
    shutil.rmtree(path)
    os.rename(path + ".none", path)


def rename_intents(path, text):
    edit(path + "/STATE", lambda tool: tool.putcol("OBS_MODE", np.array([text] * tool.nrows())))


def telescope(path, name):
    edit(
        path + "/OBSERVATION",
        lambda tool: tool.putcol("TELESCOPE_NAME", np.array([name] * tool.nrows())),
    )


def dishes(path, size, count):
    """Make the last antennas another size."""

    def change(tool):
        sizes = tool.getcol("DISH_DIAMETER")
        sizes[-count:] = size
        tool.putcol("DISH_DIAMETER", sizes)

    edit(path + "/ANTENNA", change)


def smooth(path, ratio):
    """Say that the correlator smoothed its channels."""

    def change(tool):
        for row in range(tool.nrows()):
            width = np.abs(tool.getcell("CHAN_WIDTH", row))
            tool.putcell("EFFECTIVE_BW", row, width * ratio)

    edit(path + "/SPECTRAL_WINDOW", change)


def goals(path, lines):
    """What the PI asked for, as importasdm keeps it."""
    from casatools import table

    where = os.path.join(path, "ASDM_SBSUMMARY")
    shutil.rmtree(where, ignore_errors=True)
    tool = table()
    columns = {
        "numScienceGoal": {"valueType": "int", "option": 0, "maxlen": 0, "comment": ""},
        "scienceGoal": {"valueType": "string", "option": 0, "ndim": 1, "maxlen": 0, "comment": ""},
    }
    for one in columns.values():
        one.update(dataManagerType="StandardStMan", dataManagerGroup="StandardStMan")
    tool.create(where, columns)
    tool.addrows(1)
    tool.putcell("numScienceGoal", 0, len(lines))
    tool.putcell("scienceGoal", 0, np.array(lines))
    tool.close()
    edit(path, lambda main: main.putkeyword("ASDM_SBSUMMARY", "Table: " + where))


def flag(path, command):
    from casatasks import flagdata

    flagdata(vis=path, mode="list", inpfile=[command], flagbackup=False)


def autos_alone(path, field, spw):
    """Flag a field in a spw but for one row, of an antenna by itself."""

    def change(tool):
        part = tool.query("FIELD_ID == %d && DATA_DESC_ID == %d" % (field, spw))
        flags, second = part.getcol("FLAG"), part.getcol("ANTENNA2")
        flags[:] = True
        flags[..., 0] = False
        second[0] = part.getcol("ANTENNA1")[0]
        part.putcol("FLAG", flags)
        part.putcol("ANTENNA2", second)
        part.close()

    edit(path, change)


def unobserved(path, field, spw, other):
    """Give the rows of a field in a spw to another field."""

    def change(tool):
        part = tool.query("FIELD_ID == %d && DATA_DESC_ID == %d" % (field, spw))
        part.putcol("FIELD_ID", np.full(part.nrows(), other, dtype=np.int32))
        part.close()

    edit(path, change)


CHANGES = {
    function.__name__: function
    for function in (
        drop_subtable,
        lose_subtable,
        cut_column,
        drop_column,
        cut_file,
        lose_file,
        empty,
        rename_intents,
        telescope,
        dishes,
        smooth,
        goals,
        flag,
        autos_alone,
        unobserved,
    )
}

if __name__ == "__main__":
    _job.main(run)
