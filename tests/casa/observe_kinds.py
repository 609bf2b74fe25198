# ruff: noqa: PLC0415, UP031 -- runs inside CASA: its imports are costly, its grammar is 3.8
"""CASA job of the tests: calibrated MSs of many kinds of observation, with a known sky.

Input ``ebs``: list of ``eb``, ``plan`` (a dumped `reimage.demo.plan.Observation`), ``arrays`` (dish, m),
``corrected`` (raw data in DATA), ``flag`` (flagdata's words, a list), ``moving`` (names of targets).
Leaves ``out/<eb>.ms``.  Data are in Jy, their noise is that of the SEFD, their weights are true.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "reimage" / "casa" / "jobs"))
import _demo_observe
import _demo_sky as sky
import _demo_tables
import _job
import numpy as np

SMALL_DISH_M = 6.25
"""Effective diameter of the 7-m dish as CASA images it (its common primary beam "ACA")."""


def run(inputs, progress):
    shutil.rmtree("out", ignore_errors=True)
    Path("out").mkdir()
    truth = []
    for one in inputs["ebs"]:
        truth.append(observe(one, "out/%s.ms" % one["eb"]))
        progress("kind.observed", eb=one["eb"])
    return {"ebs": truth}


def observe(one, ms):
    plan = one["plan"]
    big = sky.DISH_M
    if one["dish_m"] < 10:
        sky.DISH_M = SMALL_DISH_M
    start = _demo_observe._start(plan)
    scans = _demo_observe._lay_out(plan, ms, start)
    _demo_tables.repair(ms, scans)
    _demo_tables.rename_fields(ms, [field["name"] for field in plan["fields"]])
    fields = [_demo_observe._at_topocentre(field, plan, start) for field in plan["fields"]]
    fill(plan, ms, fields)
    sky.DISH_M = big
    if one["corrected"]:
        correct(ms)
    if one["flag"]:
        from casatasks import flagdata

        flagdata(vis=ms, mode="list", inpfile=one["flag"], flagbackup=False)
    if one["moving"]:
        move(ms, one["moving"])
    return {
        "eb": one["eb"],
        "fields": fields,
        "spws": _demo_observe._spw_truth(plan, start),
    }


def fill(plan, ms, fields):
    """Write DATA, WEIGHT and SIGMA: the true visibilities and noise of SEFD / sqrt(2 B t)."""
    from casatools import table

    rng = np.random.default_rng(plan["seed"])
    tb = table()
    tb.open(ms, nomodify=False)
    for dd, spw in enumerate(plan["spws"]):
        frequency = _demo_observe.channel_frequencies(spw)
        sigma = plan["sefd_jy"] / np.sqrt(2 * spw["width_hz"] * plan["integration_s"])
        for k, field in enumerate(fields):
            rows = tb.query("DATA_DESC_ID==%d && FIELD_ID==%d" % (dd, k))
            if rows.nrows():
                true = sky.visibilities(
                    field["components"], frequency, rows.getcol("UVW"), field["direction"]
                )
                shape = (2, *true.shape)
                noise = rng.normal(0, sigma, (*shape, 2))
                rows.putcol("DATA", true[None] + noise[..., 0] + 1j * noise[..., 1])
                rows.putcol("WEIGHT", np.full((2, shape[2]), 1 / sigma**2))
                rows.putcol("SIGMA", np.full((2, shape[2]), sigma))
            rows.close()
    tb.close()


def correct(ms):
    """Move the calibrated data into CORRECTED_DATA, and leave something raw in DATA."""
    from casatasks import clearcal
    from casatools import table

    clearcal(vis=ms, addmodel=False)  # makes the column: a copy of DATA
    tb = table()
    tb.open(ms, nomodify=False)
    for dd in sorted(set(tb.getcol("DATA_DESC_ID").tolist())):
        rows = tb.query("DATA_DESC_ID==%d" % dd)
        rows.putcol("DATA", rows.getcol("DATA") * 0.003 * np.exp(1j))
        rows.close()
    tb.close()


def move(ms, names):
    """Let targets follow Ceres, as importasdm does of solar-system bodies: with a table of its places."""
    from casatools import ctsys
    from casatools import ms as ms_tool

    places = ctsys.resolve("ephemerides/JPL-Horizons/Ceres_55197-59214dUTC_J2000.tab")
    shutil.copytree(places, "Ceres.tab")
    tool = ms_tool()
    tool.open(ms, nomodify=False)
    for number, name in enumerate(names):
        tool.addephemeris(number, str(Path("Ceres.tab").resolve()), name, name)
    tool.done()
    shutil.rmtree("Ceres.tab")


if __name__ == "__main__":
    _job.main(run)
