"""Prove that a build works: it imports, writes and opens an MS, and knows its measures data.

Input: ``{}``.  Value: versions, and what was seen.
"""

import _job

import os
import platform
import shutil

import _pipeline

import numpy as np


def run(inputs, progress):
    import casatasks
    import casatools
    from casatools import measures

    progress("probe.imported", version=casatasks.version_string())
    me = measures()
    alma, elevation_rad = _earth(me)
    name = "probe.ms"
    shutil.rmtree(name, ignore_errors=True)
    _simulate(name, me, alma)
    spws, rows = _contents(name)
    shutil.rmtree(name)
    if spws != 1 or rows < 1:
        raise RuntimeError("a simulated MS came out wrong: %d spws, %d rows" % (spws, rows))
    version, broken = _pipeline.probe(os.path.dirname(os.path.abspath(__file__)))
    return {
        "version": casatasks.version_string(),
        "casatools": casatools.version_string(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pipeline": version,
        "pipeline_broken": broken,
        "elevation_deg": elevation_rad * 180 / np.pi,
        "rows": rows,
    }


def _earth(me):
    """ALMA's position, and the elevation (rad) of a source there."""
    alma = me.observatory("ALMA")
    if not alma or "m0" not in alma:
        raise RuntimeError("the measures data do not know ALMA")
    # Earth orientation at a date of early ALMA: wrong data paths fail here, not weeks later
    me.doframe(alma)
    me.doframe(me.epoch("UTC", "2013/06/01/04:00:00"))
    azel = me.measure(me.direction("J2000", "12h00m00.0s", "-30d00m00.0s"), "AZEL")
    return alma, float(azel["m1"]["value"])


def _simulate(name, me, alma):
    """Write a small MS."""
    from casatools import simulator

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


def _contents(name):
    """The numbers of spectral windows and of rows of an MS."""
    from casatools import msmetadata, table

    md = msmetadata()
    md.open(name)
    spws = md.nspw()
    md.done()
    tb = table()
    tb.open(name)
    rows = int(tb.nrows())
    tb.close()
    return spws, rows


if __name__ == "__main__":
    _job.main(run)
