"""The PI's goals in an MS, the representative spw, and the robust that meets the resolution.

Deviations from the pipeline: when the representative bandwidth spans several spws, the trial PSF of all of
them is made on the grid that the highest of them allows.
"""

import os

from casatools import measures, quanta

import _geometry
import _goals
import _input
import _metadata
from casatools import table


def read_goals(path):
    """The goals in ASDM_SBSUMMARY; None when the MS has no such table or it says nothing usable."""
    where = os.path.join(path, "ASDM_SBSUMMARY")
    if not os.path.isfile(os.path.join(where, "table.dat")):
        return None
    with _input.reading(path):
        tool = table()
        tool.open(where)
        try:
            if "scienceGoal" not in tool.colnames():
                return None
            for row in range(tool.nrows()):
                if not tool.iscelldefined("scienceGoal", row):
                    continue
                goals = _goals.parse([str(line) for line in tool.getcell("scienceGoal", row).flat])
                if any(goals.values()):
                    return goals
        finally:
            tool.close()
    return None


def topocentric(frequency, direction, time_s):
    """A barycentric frequency (Hz) as ALMA saw it towards a direction (ICRS, rad) at a time."""
    me, qa = measures(), quanta()
    me.doframe(me.observatory("ALMA"))
    me.doframe(
        me.direction("ICRS", qa.quantity(direction[0], "rad"), qa.quantity(direction[1], "rad"))
    )
    me.doframe(me.epoch("UTC", qa.quantity(time_s, "s")))
    seen = me.measure(me.frequency("BARY", qa.quantity(frequency, "Hz")), "TOPO")
    me.done()
    return float(seen["m0"]["value"])


def representative(goals, targets, ebs, spws):
    """The representative target and spw, whether they were asked for, and the bandwidth's mode.

    ``targets``: those that could be imaged.  Where nothing is known: the first target, its lowest spw.
    """
    real = _goals.is_real(goals)
    named = [target for target in targets if goals and target["name"] == goals["source"]]
    target = (named or targets)[0]
    # the reference is the first EB that has the target: ids and edges are its own, numbers common
    eb = next(eb for eb in ebs if target["name"] in eb["fields"])
    own = [
        dict(eb["described"][str(eb["spws"][spw["id"]])], id=spw["id"])
        for spw in spws
        if spw["id"] in target["spws"] and spw["id"] in eb["spws"]
    ]
    own = own or [spw for spw in spws if spw["id"] in target["spws"]]
    found = {"target": target["name"], "real": real, "mode": "nbin", "spw": own[0]["id"]}
    if not real:
        return found
    frequency = goals["frequency_hz"]
    if frequency:
        first = _metadata.first_time(eb["ms"], eb["fields"][target["name"]])
        frequency = topocentric(frequency, target["directions"][0], first)
    found["spw"] = _goals.choose_spw(goals, own, frequency)
    chosen = next(spw for spw in own if spw["id"] == found["spw"])
    found["channel_hz"] = chosen["channel_hz"]
    found["mode"] = _goals.bandwidth_mode(goals["bandwidth_hz"], chosen, own)
    return found


def repbw(goals, chosen, default=1):
    """What the cube at the representative bandwidth is to be, or None; ``default``: bins of the usual cube."""
    if not chosen["real"] or chosen["mode"] != "nbin":
        return None
    nbin = _goals.bins(goals["bandwidth_hz"], chosen["channel_hz"], default)
    if nbin is None:
        return None
    return {
        "target": chosen["target"],
        "spw": chosen["spw"],
        "nbin": nbin,
        "bandwidth_hz": goals["bandwidth_hz"],
        "channel_hz": chosen["channel_hz"],
    }


def choose_robust(goals, chosen, target, ebs, spws, scratch):
    """Predict the beams of several robust values and take the one that the PI's resolution asks for."""
    wanted = {key: goals[key] if goals else None for key in ("min_arcsec", "max_arcsec")}
    beams = {}
    if wanted["max_arcsec"]:
        usable = [spw for spw in spws if spw["id"] in target["spws"]]
        usable = [spw for spw in usable if spw["id"] not in target["flagged"]]
        if chosen["mode"] in _goals.LINES:
            usable = [spw for spw in usable if spw["id"] == chosen["spw"]] or usable
        values = (0.5,) if ebs[0]["array"] == "7m" else sorted(_goals.ROBUSTS)
        try:
            for robust in values:
                beam = _geometry.predict_beam(target, ebs, usable, robust, scratch)
                beams[robust] = (beam["major"], beam["minor"])
        except (_geometry.NoBeam, _geometry.NoData):
            beams = {}
    robust, because = _goals.choose_robust(beams, wanted["min_arcsec"], wanted["max_arcsec"])
    return dict(
        wanted,
        robust=robust,
        because=because,
        beams={"%g" % value: list(beam) for value, beam in beams.items()},
        mode=chosen["mode"],
        spw=chosen["spw"],
        target=chosen["target"],
    )
