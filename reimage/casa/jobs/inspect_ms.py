"""What is in a MeasurementSet: the facts that proofs and fixes look at.

Input: ``{"ms": [path, ...]}``.  Value: ``{path: facts}``; directions are radians, as in the tables.
"""

import _job

import _conditions
import _metadata
import _pointing
import numpy as np

SAMPLE_ROWS = 20000
SAMPLE_VALUES = 4000000
"""Of a column, read at once: 64 MB; 20000 rows of 3840 channels would be 2.4 GB."""
SAMPLE_BLOCKS = 8
MOST_FLAGGED = 0.999999
"""What is not flagged completely never looks as if it were."""


def run(inputs, progress):
    found = {}
    for path in inputs["ms"]:
        found[path] = inspect(path)
        progress("ms.inspected", ms=path, rows=found[path]["rows"])
    return found


def inspect(path):
    from casatools import msmetadata, table

    tb, md = table(), msmetadata()
    tb.open(path)
    columns = tb.colnames()
    rows = int(tb.nrows())
    tb.close()
    md.open(path)
    targets = sorted(int(f) for f in md.fieldsforintent("OBSERVE_TARGET*"))
    facts = {
        "rows": rows,
        "columns": columns,
        "fields": _fields(path, md),
        "target_fields": targets,
        "intents": sorted(md.intents()),
        "scans": [int(s) for s in md.scannumbers()],
        "n_antennas": int(md.nantennas()),
        "spws": [
            {
                "id": s,
                "name": md.namesforspws(s)[0],
                "n_channels": int(md.nchan(s)),
                "center_hz": float(md.meanfreq(s)),
            }
            for s in range(md.nspw())
        ],
        "observing_start_mjd": float(md.timerangeforobs(0)["begin"]["m0"]["value"]),
    }
    facts.update(_conditions.conditions(path, md))
    md.done()
    fields = targets or [f["id"] for f in facts["fields"]]
    facts.update(_visibilities(path, fields, columns, facts["spws"]))
    facts["syscal_rows"] = _conditions.rows_of(path + "/SYSCAL")
    return facts


def _fields(path, md):
    from casatools import table

    tb = table()
    tb.open(path + "/FIELD")
    fields = []
    for row in range(tb.nrows()):
        direction = tb.getcell("PHASE_DIR", row)[:, 0]
        fields.append(
            {
                "id": row,
                "name": tb.getcell("NAME", row),
                "ra_rad": float(direction[0]),
                "dec_rad": float(direction[1]),
            }
        )
    tb.close()
    looked = _pointing.directions(path, md)
    for field in fields:
        seen = looked.get(field["id"], {})
        field["pointing"] = seen.get("near")
        field["on_source"], field["on_source_spread_rad"] = seen.get("on"), seen.get("spread")
    return fields


def _visibilities(path, fields, columns, spws):
    """The target's data, spw by spw: share of flags, mean amplitudes, whether CORRECTED_DATA says something new.

    applycal leaves a spw for which its table has no solutions as it is, with a warning alone: so one
    spw that is calibrated proves nothing about the others.  Spws that nobody images (radiometers, power
    detectors, channel averages) are in no table and are not looked at, unless there is nothing else.
    """
    from casatools import table

    tb = table()
    tb.open(path + "/DATA_DESCRIPTION")
    spw_of = [int(spw) for spw in tb.getcol("SPECTRAL_WINDOW_ID")]
    tb.close()
    tb.open(path)
    wanted = "FIELD_ID IN [%s] AND ANTENNA1 != ANTENNA2" % ",".join(map(str, fields))
    query = tb.query(wanted)
    rows = int(query.nrows())
    ids = sorted(set(int(dd) for dd in query.getcol("DATA_DESC_ID"))) if rows else []
    query.close()
    science = [dd for dd in ids if _is_science(spws[spw_of[dd]])] or ids
    seen = [
        dict(_spw(tb, "%s AND DATA_DESC_ID == %d" % (wanted, dd), columns), spw=spw_of[dd])
        for dd in science
    ]
    tb.close()
    weights = [max(one["sampled"] - one["sampled_flags"], 0) for one in seen]
    total = sum(one["sampled"] for one in seen)
    facts = {
        "target_rows": rows,
        "target_flagged": sum(one["sampled_flags"] for one in seen) / total if total else 1.0,
        "corrected_differs": any(one["corrected_differs"] for one in seen),
        "target_spws": seen,
    }
    if all(one["flagged"] >= 1.0 for one in seen):
        facts["target_flagged"] = 1.0
    for name in ("data_amplitude", "corrected_amplitude"):
        known = [(one[name], weight) for one, weight in zip(seen, weights) if one[name] is not None]
        heavy = sum(weight for _, weight in known)
        facts[name] = sum(v * weight for v, weight in known) / max(1, heavy) if known else None
    for one in seen:
        del one["sampled"], one["sampled_flags"]
    return facts


def _is_science(spw):
    if any(word in spw["name"] for word in _metadata.NOT_SCIENCE):
        return False
    return spw["n_channels"] not in (1, 4)


def _spw(tb, where, columns):
    """One spw: from blocks spread over its rows; where they leave a doubt, all of it."""
    part = tb.query(where)
    rows = int(part.nrows())
    flags, data = _sample(part, columns)
    part.close()
    seen = {"rows": rows, "sampled": int(flags.size), "sampled_flags": int(flags.sum())}
    seen["flagged"] = seen["sampled_flags"] / float(max(1, flags.size))
    if flags.all():
        part = tb.query(where + " AND NOT FLAG_ROW AND NOT ALL(FLAG)")
        left = int(part.nrows())
        if left:  # elsewhere there is something
            flags, data = _sample(part, columns)
            seen["flagged"] = min(1.0 - left / float(rows), MOST_FLAGGED)
            seen["sampled"] += int(flags.size)
            seen["sampled_flags"] += int(flags.sum())
        part.close()
    for name, key in (("DATA", "data_amplitude"), ("CORRECTED_DATA", "corrected_amplitude")):
        good = np.abs(data[name][~flags]) if name in data else np.zeros(0)
        good = good[np.isfinite(good)]
        seen[key] = float(good.mean()) if good.size else (0.0 if name in data else None)
    seen["corrected_differs"] = len(data) == 2 and _differs(tb, where, flags, data)
    return seen


def _differs(tb, where, flags, data):
    if np.any((data["CORRECTED_DATA"] != data["DATA"])[~flags]):
        return True
    if flags.all():
        return False
    part = tb.query(where + " AND NOT FLAG_ROW AND ANY(CORRECTED_DATA != DATA AND NOT FLAG)")
    rows = part.nrows()
    part.close()
    return bool(rows)


def _sample(part, columns):
    """Flags, and the data columns there are, of blocks of rows: (values that fit into memory)."""
    rows = part.nrows()
    if not rows:
        return np.ones((0, 0, 0), dtype=bool), {}
    per_row = part.getcell("FLAG", 0).size
    wanted = int(max(SAMPLE_BLOCKS, min(SAMPLE_ROWS, SAMPLE_VALUES // max(1, per_row))))
    if rows <= wanted:
        blocks = [(0, rows)]
    else:
        length = wanted // SAMPLE_BLOCKS
        starts = np.linspace(0, rows - length, SAMPLE_BLOCKS).astype(int)
        blocks = [(int(start), length) for start in starts]

    def read(name):
        return np.concatenate([part.getcol(name, at, n) for at, n in blocks], axis=-1)

    flags = read("FLAG") | read("FLAG_ROW")[None, None, :]
    names = [name for name in ("DATA", "CORRECTED_DATA") if name in columns]
    return flags, {name: read(name) for name in names}


if __name__ == "__main__":
    _job.main(run)
