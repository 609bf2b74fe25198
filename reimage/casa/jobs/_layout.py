"""Axes and sensitivities of a target's images, and what one kind of image has of its own.

The recipe's lists of images may state a cell, a size, a binning, a taper or a robust; a ``repBW`` list always
has a geometry of its own, that of the representative spw alone.
"""

import re

import _geometry
import _target

_ITEM = re.compile(r"(\*|\d+):(\d+)")
CUBES = ("cube", "repBW")


def usable(target, spws):
    """Descriptions of the spws of a target that have unflagged data."""
    return [
        spw for spw in spws if spw["id"] in target["spws"] and spw["id"] not in target["flagged"]
    ]


def stated(one):
    """What a list states itself: cell_arcsec, pixels_per_beam, imsize, pb_level, uvtaper."""
    own = {}
    cell, size, taper = one.get("hm_cell"), str(one.get("hm_imsize") or ""), one.get("uvtaper")
    if cell and cell.endswith("ppb"):
        own["pixels_per_beam"] = float(cell[:-3])
    elif cell:
        own["cell_arcsec"] = float(cell.replace("arcsec", ""))
    if size.endswith("pb"):
        own["pb_level"] = float(size[:-2])
    elif size:
        own["imsize"] = ([int(side) for side in re.findall(r"\d+", size)] * 2)[:2]
    if taper:
        own["uvtaper"] = taper
    return own


def robust_of(facts, one):
    """Briggs robust of a list: what it states itself, else what all others share."""
    return one.get("robust", facts["robust"])


def is_special(facts, one):
    """Whether a list states anything that makes its images differ from what all share."""
    said = any(one.get(key) for key in ("nbins", "hm_cell", "hm_imsize", "uvtaper"))
    return said or robust_of(facts, one) != facts["robust"]


def bins(one, spw, mitigated):
    """Channels of a spw that one channel of a list's cubes is to have."""
    said = dict(_ITEM.findall(one.get("nbins") or ""))
    return int(said.get(str(spw), said.get("*", mitigated.get(str(spw), 1))))


def lay_out(facts, target, good, lists, scratch):
    """Give a target its axes and sensitivities, and each list of images what it has of its own."""
    mitigated = (facts["mitigation"] or {"nbin": {}})["nbin"]
    ebs = [eb for eb in facts["ebs"] if target["name"] in eb["fields"]]
    spws = usable(target, facts["spws"])
    target["sensitivity"] = {
        str(spw["id"]): _target.sensitivities(
            target, ebs, spw, good, facts["robust"], target["geometry"]
        )
        for spw in spws
    }
    for spw in spws:
        nbin = mitigated.get(str(spw["id"]), 1)
        axis = _target.axis_of(target, ebs, spw, good, nbin)
        few = bool(axis) and axis["nchan"] < 2
        target["too_few"] += [spw["id"]] * few
        target["axes"][str(spw["id"])] = None if few else axis
    for one in lists:
        mode = one["specmode"]
        if mode == "repBW":
            binned(facts, target, one, good, scratch)
            remember(facts, target, lists)
        elif is_special(facts, one):
            of_its_own(facts, target, one, good, scratch)


def of_its_own(facts, target, one, good, scratch):
    """Geometry, axes and sensitivities of a list that states some itself."""
    ebs = [eb for eb in facts["ebs"] if target["name"] in eb["fields"]]
    spws = usable(target, facts["spws"])
    own = dict(
        {key: target["geometry"][key] for key in ("pb_level", "pixels_per_beam")}, **stated(one)
    )
    robust, found = robust_of(facts, one), {}
    another_beam = "uvtaper" in own or robust != facts["robust"]
    if stated(one) or another_beam:
        found["geometry"] = (
            _geometry.choose(target, ebs, spws, robust, scratch, own)
            if another_beam
            else _geometry.resize(target["geometry"], own)
        )
        found["sensitivity"] = {
            str(spw["id"]): _target.sensitivities(target, ebs, spw, good, robust, found["geometry"])
            for spw in spws
        }
    if one.get("nbins") and one["specmode"] in CUBES:
        mitigated = (facts["mitigation"] or {"nbin": {}})["nbin"]
        found["axes"] = {
            str(spw["id"]): _target.axis_of(target, ebs, spw, good, bins(one, spw["id"], mitigated))
            for spw in spws
        }
    target["own"].setdefault(one["specmode"], {}).update(found)


def binned(facts, target, one, good, scratch):
    """The cube at the representative bandwidth: geometry of that spw alone, its channels binned."""
    wanted = facts["repbw"]
    if not wanted or wanted["target"] != target["name"]:
        return
    ebs = [eb for eb in facts["ebs"] if target["name"] in eb["fields"]]
    spws = [spw for spw in usable(target, facts["spws"]) if spw["id"] == wanted["spw"]]
    if not spws:
        return
    own = {key: target["geometry"][key] for key in ("pb_level", "pixels_per_beam")}
    robust = robust_of(facts, one)
    geometry = _geometry.choose(target, ebs, spws, robust, scratch, own)
    axis = _target.axis_of(target, ebs, spws[0], good, wanted["nbin"])
    if not axis or axis["nchan"] < 2:
        facts["repbw"] = None
        facts["caveats"].append("repbw-too-few-channels:%s" % target["name"])
        return
    key = str(wanted["spw"])
    target["own"]["repBW"] = {
        "geometry": geometry,
        "axes": {key: axis},
        "sensitivity": {key: _target.sensitivities(target, ebs, spws[0], good, robust, geometry)},
    }


def remember(facts, target, lists):
    """The pipeline computes a spw's noise once per MS: a later cube reuses that of the repBW image.

    One of another robust has a noise of its own.
    """
    modes = [one["specmode"] for one in lists]
    own = target["own"].get("repBW")
    if not own or "cube" not in modes or modes.index("cube") < modes.index("repBW"):
        return
    robusts = {one["specmode"]: robust_of(facts, one) for one in lists}
    if robusts["cube"] != robusts["repBW"]:
        return
    key = str(facts["repbw"]["spw"])
    known = own["sensitivity"][key]
    ebs = {eb: dict(whole, remembered=True) for eb, whole in known["ebs"].items()}
    cube = target["own"].setdefault("cube", {})
    cube.setdefault("sensitivity", {})[key] = dict(known, ebs=ebs)
