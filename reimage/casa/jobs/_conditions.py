"""Conditions of a MeasurementSet that known issues are recognised by: facts for fixes, nothing else.

``casa``: the version that looks, ``history``: [task, version] as tasks left them in HISTORY,
``antennas``, ``dish_m``, ``correlators``, ``ephemeris_fields``, ``pointing_rows``, ``flag_row_sound``,
``sources``, ``syscal``.
"""

import os
import re

import numpy as np

ATMOSPHERE = "CALIBRATE_ATMOSPHERE*"
TSYS_APART_S = 1.0
"""Measurements of system temperatures follow one another in tens of seconds."""
SAME_TIME_S = 0.001
_VERSION = re.compile(r"version: *(?:CASA *)?(\d+\.\d+\.\d+)")


def conditions(path, md):
    """The facts; ``md`` is an open msmetadata of the MS."""
    import casatools

    return {
        "casa": casatools.version_string(),
        "history": history(path),
        "antennas": [str(name) for name in md.antennanames()],
        "dish_m": float(np.median(_column(path + "/ANTENNA", "DISH_DIAMETER") or [0.0])),
        "correlators": sorted(set(str(v) for v in _column(path + "/PROCESSOR", "SUB_TYPE"))),
        "ephemeris_fields": [
            i for i, v in enumerate(_column(path + "/FIELD", "EPHEMERIS_ID")) if v >= 0
        ],
        "pointing_rows": rows_of(path + "/POINTING"),
        "flag_row_sound": flag_row_sound(path),
        "sources": sources(path, md),
        "syscal": syscal(path, md),
    }


def history(path):
    """Each distinct [task, version] that HISTORY tells; the version is None where a task left none.

    The words are those of ``write_history`` in casatasks; that CASA 4 and 5 wrote the same is inferred.
    """
    told = []
    task = None
    for message in _column(path + "/HISTORY", "MESSAGE"):
        if message.startswith("taskname"):
            task = message.partition("=")[2].strip()
            told.append([task, None])
        found = _VERSION.search(message)
        if found and told:
            told[-1][1] = found.group(1)
    seen = []
    for entry in told:
        if entry not in seen:
            seen.append(entry)
    return seen


def flag_row_sound(path):
    """Whether column FLAG_ROW is intact; None where its storage manager has no such test."""
    from casatools import table

    tb = table()
    tb.open(path)
    incremental = any(
        "FLAG_ROW" in manager["COLUMNS"] and manager["TYPE"] == "IncrementalStMan"
        for manager in tb.getdminfo().values()
    )
    sound = bool(tb.testincrstman("FLAG_ROW")) if incremental else None
    tb.close()
    return sound


def sources(path, md):
    """Fields whose SOURCE_ID the SOURCE table lacks, and spws of SOURCE rows that the MS lacks.

    ``misnamed``: [field, source] where a field names a source of another name, or none, and one source
    alone is called as the field is.
    """
    known = [int(v) for v in _column(path + "/SOURCE", "SOURCE_ID")]
    spws = [int(v) for v in _column(path + "/SOURCE", "SPECTRAL_WINDOW_ID")]
    fields = [int(v) for v in _column(path + "/FIELD", "SOURCE_ID")]
    return {
        "rows": len(known),
        "fields_without": [i for i, v in enumerate(fields) if v >= 0 and v not in known],
        "unknown_spws": sorted(set(v for v in spws if v >= md.nspw())),
        "misnamed": _misnamed(path, known, fields),
    }


def _misnamed(path, known, fields):
    names = [str(v).strip() for v in _column(path + "/SOURCE", "NAME")]
    called = {}
    for source, name in zip(known, names):
        called.setdefault(name, set()).add(source)
    found = []
    for i, name in enumerate(_column(path + "/FIELD", "NAME")):
        ids = called.get(str(name).strip(), set())
        if len(ids) == 1 and fields[i] not in ids:
            found.append([i, ids.copy().pop()])
    return found


def syscal(path, md):
    """SYSCAL rows outside every atmosphere scan, and atmosphere scans without a SYSCAL row.

    Without atmosphere scans nothing can be said: ``rows_outside`` is None.  ``torn``: measurements
    whose antennas have several TIMEs.
    """
    times = np.array(_column(path + "/SYSCAL", "TIME"), dtype=float)
    halves = np.array(_column(path + "/SYSCAL", "INTERVAL"), dtype=float) / 2
    scans = [int(s) for s in md.scansforintent(ATMOSPHERE)]
    torn = len(torn_measurements(path + "/SYSCAL")) if len(times) else 0
    found = {"rows": len(times), "rows_outside": None, "scans_without": [], "torn": torn}
    if not len(times) or not scans:
        return found
    inside = np.zeros(len(times), bool)
    for scan in scans:
        at = md.timesforscan(scan)
        within = (times + halves >= min(at)) & (times - halves <= max(at))
        if not within.any():
            found["scans_without"].append(scan)
        inside |= within
    found["rows_outside"] = int((~inside).sum())
    return found


def torn_measurements(table_path):
    """Rows of each measurement of one spw that has several TIMEs: begun together, whatever the antenna.

    TIME is the middle and INTERVAL the length: what they agree on is when the measurement began.
    """
    times = np.array(_column(table_path, "TIME"), dtype=float)
    begun = times - np.array(_column(table_path, "INTERVAL"), dtype=float) / 2
    spws = np.array(_column(table_path, "SPECTRAL_WINDOW_ID"), dtype=int)
    found = []
    for spw in np.unique(spws):
        rows = np.flatnonzero(spws == spw)
        rows = rows[np.argsort(begun[rows], kind="stable")]
        cuts = np.flatnonzero(np.diff(begun[rows]) > TSYS_APART_S) + 1
        found += [part for part in np.split(rows, cuts) if np.ptp(times[part]) > SAME_TIME_S]
    return found


def rows_of(table_path):
    from casatools import table

    if not os.path.isdir(table_path):
        return 0
    tb = table()
    tb.open(table_path)
    rows = int(tb.nrows())
    tb.close()
    return rows


def _column(table_path, name):
    """A scalar column as a list; empty where there is no table or no column."""
    from casatools import table

    if not os.path.isdir(table_path):
        return []
    tb = table()
    tb.open(table_path)
    values = list(tb.getcol(name)) if tb.nrows() and name in tb.colnames() else []
    tb.close()
    return values
