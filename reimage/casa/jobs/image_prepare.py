"""Make the imaging MSs of a dataset and choose what all its images share.

Input: ``ms`` (list of eb, path, column), ``ms_directory`` (where ``<eb>_targets.ms`` go), ``scratch``,
``mstransform`` (chanbin, timebin), ``flagtargets`` (apply the flag templates that stand beside the MSs),
``robust``, ``imageprecheck`` (choose it from the PI's resolution), ``checkproductsize`` (limits in GB, or
None), ``lists`` (of the recipe's makeimlist steps in order: specmode, nbins, hm_cell, hm_imsize, uvtaper, and
``robust`` where a list has one of its own).
Result: ``ebs``, ``spws``, ``targets``, ``array``, ``baseline_75_m``, ``robust``, ``precheck``, ``repbw``,
``mitigation``, ``caveats``: what the imaging plan and `image_make` start from.  What one kind of image
(specmode) has of its own stands in a target's ``own``: see `_facts`.

Deviations from the pipeline:
- spws of several EBs are matched by name, else by frequency, not by name alone;
- arrays of two dish sizes are judged (masks, thresholds, robust) by the size that is imaged, the more
  frequent one; the pipeline by the smallest, or by the first antenna;
- when the largest cubes are left out for the size of all products, cell and size of the rest stay as they
  were, where the pipeline may choose them anew;
- a target that follows an ephemeris is described but given no geometry: its images end absent.
"""

import _job

import os

import _facts
import _geometry
import _goals
import _layout
import _mitigation
import _precheck
import _split
import _target
from _split import make_targets


class EphemerisTargets(RuntimeError):
    """Every target of the dataset follows an ephemeris."""


DEFAULT_LISTS = tuple({"specmode": mode} for mode in ("mfs", "cont", "cube"))


def run(inputs, progress):
    """See the module."""
    ebs, described = [], {}
    for one in inputs["ms"]:
        eb = make_targets(one, inputs)
        described[eb["eb"]] = eb.pop("described")
        ebs.append(eb)
        progress("image.split", eb=eb["eb"], ms=os.path.basename(eb["ms"]))
    spws = _split.number_spws(ebs, described)
    baseline_75 = _split.choose_dishes(ebs)
    caveats = []
    observed = observe(ebs, spws, caveats)
    targets = [target for target, _ in observed]
    facts = {
        "ebs": ebs,
        "spws": spws,
        "targets": targets,
        "array": ebs[0]["array"],
        "baseline_75_m": baseline_75,
        "robust": inputs["robust"],
        "precheck": None,
        "repbw": None,
        "mitigation": None,
        "caveats": caveats,
    }
    imaged = [target for target in targets if len(target["flagged"]) < len(target["spws"])]
    if imaged:
        choose(facts, imaged, dict((t["name"], good) for t, good in observed), inputs, progress)
    return facts


def observe(ebs, spws, caveats):
    """Describe every target; raise when none could be imaged."""
    names = []
    for eb in ebs:
        names += [name for name in eb["fields"] if name not in names]
    observed = [_target.observe(name, ebs, spws, caveats) for name in names]
    targets = [target for target, _ in observed]
    if all(target["ephemeris"] for target in targets):
        raise EphemerisTargets(
            "moving targets are not imaged, and there is no other: %s" % ", ".join(names)
        )
    return observed


def choose(facts, imaged, good, inputs, progress):
    """Robust, geometry, mitigation, axes and sensitivities of the targets that have data."""
    ebs, spws = facts["ebs"], facts["spws"]
    goals = next(filter(None, (_precheck.read_goals(one["path"]) for one in inputs["ms"])), None)
    chosen = _precheck.representative(goals, imaged, ebs, spws)
    if inputs.get("imageprecheck"):
        target = next(target for target in imaged if target["name"] == chosen["target"])
        found = _precheck.choose_robust(goals, chosen, target, ebs, spws, inputs["scratch"])
        facts.update(precheck=found, robust=found["robust"])
        progress("image.robust", robust=found["robust"], because=found["because"])
        if found["robust"] != _goals.DEFAULT_ROBUST:
            facts["caveats"].append("robust-%g" % found["robust"])
    imaged = [target for target in imaged if has_geometry(facts, target, inputs["scratch"])]
    if imaged and inputs.get("checkproductsize"):
        mitigate(facts, imaged, chosen, inputs["checkproductsize"], progress)
    nbin = (facts["mitigation"] or {"nbin": {}})["nbin"].get(str(chosen["spw"]), 1)
    facts["repbw"] = _precheck.repbw(goals, chosen, nbin)
    lists = inputs.get("lists") or DEFAULT_LISTS
    for target in imaged:
        _layout.lay_out(facts, target, good[target["name"]], lists, inputs["scratch"])
        progress("image.target", target=target["name"], **shown(target))


def has_geometry(facts, target, scratch):
    """Give a target its geometry; False when its data make no beam, which is then why it is not imaged."""
    usable = _layout.usable(target, facts["spws"])
    try:
        target["geometry"] = _geometry.choose(
            target, facts["ebs"], usable, facts["robust"], scratch
        )
    except (_geometry.NoBeam, _geometry.NoData) as error:
        target["unusable"] = str(error)
        target["flagged"] = list(target["spws"])
        facts["caveats"].append("target-unusable:%s" % target["name"])
        return False
    return True


def shown(target):
    """What of a target's geometry is told on the way."""
    keys = ("beam", "cell_arcsec", "imsize", "gridder", "phasecenter", "pb_level")
    return {key: _facts.geometry(target, "mfs")[key] for key in keys}


def mitigate(facts, imaged, chosen, limits, progress):
    """Climb the ladder of `_mitigation` and change what it says."""
    spws = {spw["id"]: spw for spw in facts["spws"]}
    ladder = [
        {
            "name": target["name"],
            "pointings": target["geometry"]["pointings"],
            "mixed": target["geometry"]["mixed"],
            "radius": target["geometry"]["null_radius_arcsec"],
            "spread": target["geometry"]["spread"],
            "beam_minor": target["geometry"]["beam"]["minor"],
            "spws": [spw["id"] for spw in _layout.usable(target, facts["spws"])],
        }
        for target in imaged
    ]
    used = {spw: spws[spw] for target in ladder for spw in target["spws"]}
    representative = chosen["target"], chosen["spw"]
    found = _mitigation.mitigate(ladder, used, limits, representative, facts["robust"])
    facts["mitigation"] = found
    for target in imaged:
        target["geometry"] = _geometry.resize(target["geometry"], found)
        target["mitigation"] = _mitigation.told(found, target["geometry"])
    facts["caveats"] += ["mitigated-%s" % step for step in found["steps"]]
    if found["error"]:
        facts["caveats"].append("product-size-unmitigable")
    progress("image.mitigated", **{key: found[key] for key in ("steps", "sizes_gb", "error")})


if __name__ == "__main__":
    _job.main(run)
