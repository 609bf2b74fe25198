"""Make the imaging MSs of a dataset and choose what all its images share.

Input: ``ms`` (list of eb, path, column), ``ms_directory`` (where ``<eb>_targets.ms`` go), ``scratch``,
``mstransform`` (chanbin, timebin), ``flagtargets`` (apply the flag templates that stand beside the MSs),
``robust``.  Result: ``ebs``, ``spws``, ``targets``, ``array``, ``baseline_75_m``, ``caveats``: what the
imaging plan and `image_make` start from.

Deviations from the pipeline: spws of several EBs are matched by name, else by frequency; a target that
follows an ephemeris is described but given no geometry, so that its images end absent with that reason.
"""

import _job

import os
import shutil

import numpy
from casatasks import flagdata, mstransform

import _axes
import _geometry
import _heuristics
import _metadata


def run(inputs, progress):
    """See the module."""
    ebs, described = [], {}
    for one in inputs["ms"]:
        eb = make_targets(one, inputs)
        described[eb["eb"]] = eb.pop("described")
        ebs.append(eb)
        progress("image.split", eb=eb["eb"], ms=os.path.basename(eb["ms"]))
    spws = number_spws(ebs, described)
    names = []
    for eb in ebs:
        names += [name for name in eb["fields"] if name not in names]
    targets, caveats = [], []
    for name in names:
        targets.append(describe_target(name, ebs, spws, inputs, caveats))
        progress("image.target", target=name, **targets[-1].get("geometry", {}))
    return {
        "ebs": ebs,
        "spws": spws,
        "targets": targets,
        "array": ebs[0]["array"],
        "baseline_75_m": float(numpy.median([eb["baseline_75_m"] for eb in ebs])),
        "caveats": caveats,
    }


def number_spws(ebs, described):
    """Number the spws of all EBs as those of the first; what only later EBs have comes behind.

    Fills in ``spws`` (own id by common number) and ``described`` (by own id) of each EB.  JSON will make the
    integer keys strings: `image_make` makes them integers again.
    """
    spws = list(described[ebs[0]["eb"]])
    for eb in ebs:
        own = described[eb["eb"]]
        matches = {spw["id"]: _metadata.match_spw(spw, own) for spw in spws}
        eb["spws"] = {spw: real for spw, real in matches.items() if real is not None}
        eb["described"] = {str(spw["id"]): spw for spw in own}
        for spw in own:
            if spw["id"] not in eb["spws"].values():
                free = max([spw["id"]] + [known["id"] + 1 for known in spws])
                spws.append(dict(spw, id=free))
                eb["spws"][free] = spw["id"]
    return spws


def make_targets(one, inputs):
    """Split one EB's targets off, apply target flags, and describe the new MS."""
    source, column = one["path"], one["column"]
    wanted = {"data": ("DATA",), "corrected": ("CORRECTED_DATA",)}[column]
    if not set(wanted) & set(_metadata.column_names(source)):
        raise _metadata.MissingColumn("%s has no column %s" % (os.path.basename(source), wanted[0]))
    tool = _metadata.open_metadata(source)
    _metadata.require_alma(tool)
    intents = _metadata.target_intents(tool)
    spws = _metadata.science_spws(tool, intents)
    fields = _metadata.targets(tool, intents)
    tool.done()
    made = os.path.join(inputs["ms_directory"], one["eb"] + "_targets.ms")
    if not os.path.exists(made):
        part = made + ".part"
        shutil.rmtree(part, ignore_errors=True)
        mstransform(
            vis=source,
            outputvis=part,
            datacolumn=column,
            intent=intents,
            reindex=False,
            field=",".join(str(f) for ids in fields.values() for f in ids),
            spw=",".join(str(spw) for spw in spws),
            **inputs["mstransform"],
        )
        flag_targets(part, one, inputs)
        os.rename(part, made)
    return describe_eb(made, one["eb"], intents, spws)


def flag_targets(path, one, inputs):
    """Apply the template of target flags, when the recipe wants it and there is one."""
    template = one["path"].rsplit(".ms", 1)[0] + ".flagtargetstemplate.txt"
    if inputs["flagtargets"] and os.path.exists(template):
        flagdata(vis=path, mode="list", inpfile=template, action="apply", flagbackup=False)


def describe_eb(path, eb, intents, spws):
    """What `_geometry.selection` and the cubes need to know of one EB."""
    tool = _metadata.open_metadata(path)
    fields = _metadata.targets(tool, intents)
    scans = {}
    for name, ids in fields.items():
        numbers = set()
        for intent in intents.split(","):
            wanted = set(int(s) for s in tool.scansforintent(intent))
            for field in ids:
                numbers |= wanted & set(int(s) for s in tool.scansforfield(field))
        scans[name] = ",".join(str(number) for number in sorted(numbers))
    array = _metadata.array_of(tool)
    value = dict(
        array,
        eb=eb,
        ms=path,
        intent=intents,
        fields=fields,
        scans=scans,
        baseline_75_m=_metadata.baseline_75(path, array["ids"]),
        described=[_metadata.describe_spw(tool, spw) for spw in spws],
    )
    tool.done()
    return value


def describe_target(name, ebs, spws, inputs, caveats):
    """One target: pointings, the spws that have data, and unless it moves its geometry and axes."""
    with_it = [eb for eb in ebs if name in eb["fields"]]
    first = with_it[0]
    ephemeris = any(_metadata.has_ephemeris(eb["ms"], eb["fields"][name]) for eb in with_it)
    target = {
        "name": name,
        "pointings": len(first["fields"][name]),
        "ephemeris": ephemeris,
        "spws": [spw["id"] for spw in spws],
        "flagged": [spw["id"] for spw in spws],
        "axes": {},
    }
    if ephemeris:
        caveats.append("ephemeris-target:%s" % name)
        return target
    tool = _metadata.open_metadata(first["ms"])
    target["directions"] = _metadata.directions(tool, first["fields"][name])
    target["seconds"] = [
        _metadata.seconds_on(first["ms"], tool, field, min(first["spws"].values()))
        for field in first["fields"][name]
    ]
    tool.done()
    good = {
        (eb["eb"], spw["id"]): usable_channels(eb, name, spw["id"])
        for eb in with_it
        for spw in spws
    }
    observed = [spw for spw in spws if any(good[eb["eb"], spw["id"]] is not None for eb in with_it)]
    usable = [spw for spw in observed if any(good[eb["eb"], spw["id"]] for eb in with_it)]
    target["spws"] = [spw["id"] for spw in observed]
    target["flagged"] = [spw["id"] for spw in observed if spw not in usable]
    caveats += ["spw-fully-flagged:%s.spw%d" % (name, spw) for spw in target["flagged"]]
    if usable:
        lay_out(target, with_it, usable, good, inputs)
    return target


def lay_out(target, ebs, spws, good, inputs):
    """Give a target its geometry, and of each spw the axis and the sensitivities."""
    robust = inputs["robust"]
    target["geometry"] = _geometry.choose(target, ebs, spws, robust, inputs["scratch"])
    target["sensitivity"] = {}
    for spw in spws:
        target["axes"][str(spw["id"])] = axis_of(target, ebs, spw, good)
        target["sensitivity"][str(spw["id"])] = sensitivities(target, ebs, spw, good, robust)


def usable_channels(eb, name, spw):
    """Unflagged channels of a target in one EB: [first, last, count]; [] all flagged; None not observed."""
    if spw not in eb["spws"]:
        return None
    tool = _metadata.open_metadata(eb["ms"])
    good = _metadata.good_channels(eb["ms"], tool, eb["fields"][name], eb["spws"][spw])
    tool.done()
    if good is None:
        return None
    good = numpy.flatnonzero(good)
    return [int(good[0]), int(good[-1]), int(good.size)] if good.size else []


def axis_of(target, ebs, spw, good):
    """The cube's axis for one spw: see `_heuristics.cube_axis`."""
    unflagged, full, channels = [], [], []
    for eb in ebs:
        usable = good[eb["eb"], spw["id"]]
        if not usable:
            continue
        real = eb["described"][str(eb["spws"][spw["id"]])]
        ids = eb["fields"][target["name"]]
        whole = [
            _axes.lsrk_range(eb["ms"], field, real["id"], 0, real["nchan"] - 1) for field in ids
        ]
        full.append(whole)
        if usable[1] - usable[0] + 1 == real["nchan"]:
            unflagged.append(whole)
        else:
            unflagged.append(
                [_axes.lsrk_range(eb["ms"], field, real["id"], *usable[:2]) for field in ids]
            )
        channels.append((usable[1] - usable[0] + 1, real["nchan"]))
    return _heuristics.cube_axis(unflagged, full, channels)


def sensitivities(target, ebs, spw, good, robust):
    """Noise of the whole spw in each EB, and what turns it into the noise of a selection."""
    geometry, found = target["geometry"], {}
    for eb in ebs:
        usable = good[eb["eb"], spw["id"]]
        if not usable:
            continue
        field = eb["fields"][target["name"]][
            min(geometry["central"], len(eb["fields"][target["name"]]) - 1)
        ]
        value = _geometry.apparent_sensitivity(
            eb["ms"],
            field,
            eb["spws"][spw["id"]],
            geometry["cell_arcsec"],
            geometry["imsize"],
            robust,
        )
        if value > 0 and numpy.isfinite(value):
            found[eb["eb"]] = {"jy_beam": value, "channels": usable[2]}
    overlap = 1.0
    if target["pointings"] > 1:
        overlap = _heuristics.mosaic_overlap(
            target["directions"], spw["mean_hz"], min(eb["diameter_m"] for eb in ebs)
        )
    return {"ebs": found, "overlap": overlap}


if __name__ == "__main__":
    _job.main(run)
