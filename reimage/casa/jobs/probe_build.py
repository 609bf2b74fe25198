"""Prove that a build works: it imports, writes and opens an MS, and knows its measures data.

Input: ``{}``.  Value: versions, and what was seen.
"""

import _job

import platform
import shutil

import numpy as np


def run(inputs, progress):
    import casatasks
    import casatools
    from casatools import measures, msmetadata, simulator, table

    progress("probe.imported", version=casatasks.version_string())
    me = measures()
    alma = me.observatory("ALMA")
    if not alma or "m0" not in alma:
        raise RuntimeError("the measures data do not know ALMA")
    # Earth orientation at a date of early ALMA: wrong data paths fail here, not weeks later
    me.doframe(alma)
    me.doframe(me.epoch("UTC", "2013/06/01/04:00:00"))
    azel = me.measure(me.direction("J2000", "12h00m00.0s", "-30d00m00.0s"), "AZEL")

    name = "probe.ms"
    shutil.rmtree(name, ignore_errors=True)
    sm = simulator()
    sm.open(name)
    sm.setconfig(
        telescopename="ALMA",
        x=[0.0, 100.0],
        y=[0.0, 10.0],
        z=[0.0, 0.0],
        dishdiameter=[12.0, 12.0],
        mount="alt-az",
        antname=["DA41", "DV01"],
        coordsystem="local",
        referencelocation=alma,
    )
    sm.setspwindow(
        spwname="probe",
        freq="100GHz",
        deltafreq="1MHz",
        freqresolution="1MHz",
        nchannels=4,
        stokes="XX YY",
    )
    sm.setfeed(mode="perfect X Y", pol=[""])
    sm.setfield(
        sourcename="probe", sourcedirection=me.direction("J2000", "12h00m00.0s", "-30d00m00.0s")
    )
    sm.settimes(
        integrationtime="10s", usehourangle=True, referencetime=me.epoch("UTC", "2013/06/01")
    )
    sm.observe("probe", "probe", starttime="0s", stoptime="20s")
    sm.done()
    md = msmetadata()
    md.open(name)
    spws = md.nspw()
    md.done()
    tb = table()
    tb.open(name)
    rows = tb.nrows()
    tb.close()
    shutil.rmtree(name)
    if spws != 1 or rows < 1:
        raise RuntimeError("a simulated MS came out wrong: %d spws, %d rows" % (spws, rows))
    return {
        "version": casatasks.version_string(),
        "casatools": casatools.version_string(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pipeline": _pipeline_version(),
        "elevation_deg": float(azel["m1"]["value"]) * 180 / np.pi,
        "rows": int(rows),
    }


def _pipeline_version():
    """The ALMA pipeline's version, None where there is none.  ``0.0.dev0`` means unknown."""
    try:
        import pipeline
    except ImportError:
        return None
    return str(getattr(pipeline, "revision", "unknown"))


if __name__ == "__main__":
    _job.main(run)
