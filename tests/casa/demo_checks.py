# ruff: noqa: PLC0415, UP031, FBT003 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA job of the tests: compare what the demonstration archive delivers with what was simulated.

Input ``{"check": name, ...}``: the functions below, by name.  Runs inside CASA: Python 3.8 grammar.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _demo_observe
import _demo_sky as sky
import _job
import numpy as np

ORDER = "DATA_DESC_ID,TIME,ANTENNA1,ANTENNA2"


def run(inputs, progress):
    del progress
    return CHECKS[inputs.pop("check")](**inputs)


def round_trip(plan, asdm):
    """Simulate the raw MS again and compare it with the import of the delivered ASDM."""
    from casatasks import importasdm
    from casatools import msmetadata

    _demo_observe.raw_ms("again", plan, "raw.ms")
    importasdm(asdm=asdm, vis="back.ms", lazy=False, bdfflags=False)
    md = msmetadata()
    md.open("back.ms")
    scans = [int(scan) for scan in md.scannumbers()]
    told = {
        "spws": [str(name) for name in md.namesforspws()],
        "scans": scans,
        "fields": [str(md.fieldsforscan(scan, True)[0]) for scan in scans],
        "intents": [sorted(map(str, md.intentsforscan(scan))) for scan in scans],
    }
    md.done()
    raw, back = _columns("raw.ms", "DATA"), _columns("back.ms", "DATA")
    told["largest"] = max(float(np.abs(v).max()) for v in raw["DATA"])
    told["difference"] = max(
        float(np.abs(a - b).max())
        for a, b in zip(raw["DATA"], back["DATA"])  # noqa: B905 -- 3.8
    )
    told["rows"] = [sum(v.shape[2] for v in data["DATA"]) for data in (raw, back)]
    return told


def calibrated(ms, column, fields):
    """Return, per field name and spw, the complex scale of the data upon the truth, and flags."""
    found = []
    frequencies = _frequencies(ms)
    for number, field in enumerate(fields):
        for spw, frequency in enumerate(frequencies):
            query = "FIELD_ID==%d && DATA_DESC_ID==%d" % (number, spw)
            data, flag, uvw = _select(ms, query, column, "FLAG", "UVW")
            true = sky.visibilities(field["components"], frequency, uvw, field["direction"])
            true = np.broadcast_to(true, data.shape)
            ok = ~flag
            scale = (true[ok].conj() * data[ok]).sum() / (np.abs(true[ok]) ** 2).sum()
            found.append(
                {
                    "role": field["role"],
                    "spw": spw,
                    "scale": [float(scale.real), float(scale.imag)],
                    "flagged": float(flag.mean()),
                }
            )
    return found


def directions(ms):
    """Return FIELD's phase directions in rad."""
    cells = _select(ms + "/FIELD", "", "PHASE_DIR")[0]
    return [[float(v) % (2 * np.pi) for v in cells[:1, 0, k]] + [float(cells[1, 0, k])]
            for k in range(cells.shape[2])]  # fmt: skip


def heal(ms):
    """Cure the MS as ALMA's staff did: fixplanets with the directions of the POINTING table."""
    from casatasks import fixplanets

    fixplanets(vis=ms, field="Sim_Gamma", fixuvw=True)
    return directions(ms)


def uvw_error(plan, ms):
    """Return the largest distance in m of the MS's uvw from those of the observation."""
    _demo_observe.raw_ms("again", plan, "raw.ms")
    true, here = _columns("raw.ms", "UVW")["UVW"], _columns(ms, "UVW")["UVW"]
    return max(float(np.abs(a - b).max()) for a, b in zip(true, here))  # noqa: B905 -- 3.8


def peak_errors(ms, fields, sources):
    """Return how far (arcsec) each pointing's dirty image peaks from the next source, and peak/noise."""
    from casatasks import imstat, tclean
    from casatools import image

    found = []
    for field in fields:
        name = "f%d" % field
        tclean(vis=ms, imagename=name, field=str(field), spw="0", specmode="mfs", niter=0,
               imsize=[128, 128], cell="0.2arcsec", weighting="briggs", robust=0.5,
               gridder="standard", datacolumn="data", interactive=False)  # fmt: skip
        told, ia = imstat(name + ".image"), image()
        ia.open(name + ".image")
        ra, dec = ia.toworld(told["maxpos"].tolist())["numeric"][:2]
        ia.done()
        off = min(
            np.hypot((ra - source[0] + np.pi) % (2 * np.pi) - np.pi, dec - source[1])
            for source in sources
        )
        noise = 1.4826 * told["medabsdevmed"][0]
        found.append([float(off / sky.ARCSEC), float(told["max"][0] / noise)])
    return found


def _frequencies(ms):
    from casatools import table

    tb = table()
    tb.open(ms + "/SPECTRAL_WINDOW")
    found = [tb.getcell("CHAN_FREQ", row) for row in range(tb.nrows())]
    tb.close()
    return found


def _select(ms, query, *columns):
    from casatools import table

    tb = table()
    tb.open(ms)
    chosen = tb.query(query, sortlist=ORDER if query else "")
    found = [chosen.getcol(column) for column in columns]
    chosen.close()
    tb.close()
    return found


def _columns(ms, *columns):
    """Per data description, so that cells of one shape are read together."""
    spws = range(len(_frequencies(ms)))
    parts = [_select(ms, "DATA_DESC_ID==%d" % spw, *columns) for spw in spws]
    return {column: [part[k] for part in parts] for k, column in enumerate(columns)}


CHECKS = {
    check.__name__: check
    for check in (round_trip, calibrated, directions, heal, uvw_error, peak_errors)
}

if __name__ == "__main__":
    _job.main(run)
