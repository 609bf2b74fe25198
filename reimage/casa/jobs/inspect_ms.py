"""What is in a MeasurementSet: the facts that proofs and fixes look at.

Input: ``{"ms": [path, ...]}``.  Value: ``{path: facts}``; directions are radians, as in the tables.
"""

import _job

import _conditions
import _metadata
import numpy as np

SAMPLE_ROWS = 20000
SAMPLE_VALUES = 4000000
"""Of a column, read at once: 64 MB; 20000 rows of 3840 channels would be 2.4 GB."""
SAMPLE_BLOCKS = 8
MOST_FLAGGED = 0.999999
"""What is not flagged completely never looks as if it were."""
POINTING_SAMPLES = 5
NEAR_S = 60.0


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
    facts["syscal_rows"] = _rows_of(path + "/SYSCAL")
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
    pointings = _pointings(path, md)
    for field in fields:
        field["pointing"] = pointings.get(field["id"])
    return fields


def _pointings(path, md):
    """Where the antennas looked during each field's scans, J2000 [ra, dec]: median of a few samples.

    importasdm writes azimuth and elevation into POINTING (AZELGEO), other programs J2000.
    """
    from casatools import measures, table

    tb, me = table(), measures()
    tb.open(path + "/POINTING")
    found = {}
    if not tb.nrows():
        tb.close()
        return found
    times, ids = tb.getcol("TIME"), tb.getcol("ANTENNA_ID")
    frame = tb.getcolkeyword("DIRECTION", "MEASINFO")["Ref"]
    me.doframe(
        md.antennaposition(int(ids[0]))
    )  # not the observatory's: 700 m are 25 arcsec of zenith
    rows = np.flatnonzero(ids == ids[0])
    for field in range(md.nfields()):
        at = np.asarray(md.timesforfield(field))
        if not len(at):
            continue
        near = rows[np.abs(times[rows][:, None] - at[None, :]).min(axis=1) < NEAR_S]
        samples = [
            _j2000(me, tb.getcell("DIRECTION", int(row)), times[row], frame)
            for row in near[:: max(1, len(near) // POINTING_SAMPLES)]
        ]
        if samples:
            first = np.array(samples[0])
            turn = (np.array(samples) - first + np.pi) % (
                2 * np.pi
            ) - np.pi  # around the wrap of RA
            found[field] = [float(v) for v in first + np.median(turn, axis=0)]
    tb.close()
    return found


def _j2000(me, cell, time_s, frame):
    from casatools import quanta

    qa = quanta()
    me.doframe(me.epoch("UTC", qa.quantity(float(time_s), "s")))
    lon, lat = [float(v) for v in np.ravel(cell)[:2]]
    looked = me.direction(frame, qa.quantity(lon, "rad"), qa.quantity(lat, "rad"))
    turned = me.measure(looked, "J2000")
    return [turned["m0"]["value"], turned["m1"]["value"]]


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


def _rows_of(table_path):
    import os
    from casatools import table

    if not os.path.isdir(table_path):
        return 0
    tb = table()
    tb.open(table_path)
    rows = int(tb.nrows())
    tb.close()
    return rows


if __name__ == "__main__":
    _job.main(run)
