"""What is in a MeasurementSet: the facts that proofs and fixes look at.

Input: ``{"ms": [path, ...]}``.  Value: ``{path: facts}``; directions are radians, as in the tables.
"""

import _job

import numpy as np

SAMPLE_ROWS = 20000
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
    md.done()
    facts.update(_visibilities(path, targets or [f["id"] for f in facts["fields"]], columns))
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


def _visibilities(path, fields, columns):
    """Share of flagged target data, mean amplitudes, and whether CORRECTED_DATA says something new."""
    from casatools import table

    tb = table()
    tb.open(path)
    wanted = "FIELD_ID IN [%s] AND ANTENNA1 != ANTENNA2" % ",".join(map(str, fields))
    query = tb.query(wanted)
    rows = int(query.nrows())
    spws = sorted(set(query.getcol("DATA_DESC_ID"))) if rows else []
    query.close()
    seen = {
        "target_rows": rows,
        "target_flagged": 1.0,
        "data_amplitude": None,
        "corrected_amplitude": None,
        "corrected_differs": False,
    }
    flagged = total = 0
    sums = {"DATA": 0.0, "CORRECTED_DATA": 0.0}
    for dd in spws:  # one after the other: cells of several shapes cannot be read as one array
        part = tb.query("%s AND DATA_DESC_ID == %d" % (wanted, dd))
        n = min(part.nrows(), SAMPLE_ROWS)
        flags = part.getcol("FLAG", 0, n)
        flagged, total = flagged + int(flags.sum()), total + flags.size
        read = {name: part.getcol(name, 0, n) for name in sums if name in columns}
        for name in read:
            sums[name] += float(np.abs(read[name])[~flags].sum())
        if (
            len(read) == 2
            and np.abs(read["CORRECTED_DATA"] - read["DATA"])[~flags].max(initial=0.0) > 0
        ):
            seen["corrected_differs"] = True
        part.close()
    tb.close()
    if total:
        seen["target_flagged"] = flagged / total
        kept = max(1, total - flagged)
        if "DATA" in columns:
            seen["data_amplitude"] = sums["DATA"] / kept
        if "CORRECTED_DATA" in columns:
            seen["corrected_amplitude"] = sums["CORRECTED_DATA"] / kept
    return seen


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
