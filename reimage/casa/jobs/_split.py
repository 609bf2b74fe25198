"""The targets of one EB, split off and described; and the spws and arrays of all EBs brought together."""

import os
import shutil

import numpy

import _input
import _metadata
from _calls import flagdata, mstransform


def make_targets(one, inputs):
    """Split one EB's targets off, apply target flags, and describe the new MS.

    ``one``: eb, path, column; ``inputs``: those of `image_prepare`.

    Raises
    ------
    _input.NotAMeasurementSet, _input.DamagedMs, _input.SubtableMissing, _input.NoRows
    _metadata.MissingColumn, _metadata.ForeignTelescope, _metadata.NoTargets
    """
    source = one["path"]
    _input.check(source)
    with _input.reading(source):
        intents, spws, fields = chosen(source, one["column"])
        made = os.path.join(inputs["ms_directory"], one["eb"] + "_targets.ms")
        if not os.path.exists(made):
            part = made + ".part"
            shutil.rmtree(part, ignore_errors=True)
            mstransform(
                vis=source,
                outputvis=part,
                datacolumn=one["column"],
                intent=intents,
                reindex=False,
                field=",".join(str(f) for ids in fields.values() for f in ids),
                spw=",".join(str(spw) for spw in spws),
                **inputs["mstransform"],
            )
            flag_targets(part, one, inputs)
            os.rename(part, made)
    if not _input.look(made)[2]:
        raise _input.NoRows("%s has no rows of its targets" % os.path.basename(source))
    return describe_eb(made, one["eb"], intents, spws)


def chosen(source, column):
    """Intents, spws and fields of the targets of an MS whose data are in a column."""
    wanted = {"data": "DATA", "corrected": "CORRECTED_DATA"}[column]
    if wanted not in _metadata.column_names(source):
        raise _metadata.MissingColumn("%s has no column %s" % (os.path.basename(source), wanted))
    tool = _metadata.open_metadata(source)
    try:
        _metadata.require_alma(tool)
        intents = _metadata.target_intents(tool)
        return intents, _metadata.science_spws(tool, intents), _metadata.targets(tool, intents)
    finally:
        tool.done()


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
    value = {
        "eb": eb,
        "ms": path,
        "intent": intents,
        "fields": fields,
        "scans": scans,
        "dishes": _metadata.dishes(tool),
        "described": [_metadata.describe_spw(tool, spw) for spw in spws],
    }
    tool.done()
    return value


def number_spws(ebs, described):
    """Number the spws of all EBs as those of the first; what only later EBs have comes behind.

    Fills in ``spws`` (own id by common number) and ``described`` (by own id) of each EB.  JSON will make the
    integer keys strings: `image_make` makes them integers again.
    """
    spws = list(described[ebs[0]["eb"]])
    for eb in ebs:
        own = described[eb["eb"]]
        eb["spws"] = _metadata.match_spws(spws, own)
        eb["described"] = {str(spw["id"]): spw for spw in own}
        for spw in own:
            if spw["id"] not in eb["spws"].values():
                free = max([spw["id"]] + [known["id"] + 1 for known in spws])
                spws.append(dict(spw, id=free))
                eb["spws"][free] = spw["id"]
    return spws


def choose_dishes(ebs):
    """Use the antennas of the size that is most frequent over all EBs; fills in each EB.

    ``antenna`` ends with ``&``: no cross-correlations with antennas that are not listed.
    """
    dishes = [eb.pop("dishes") for eb in ebs]
    size = _metadata.majority(dishes)
    mixed = len({diameter for sizes in dishes for diameter in sizes.values()}) > 1
    for eb, sizes in zip(ebs, dishes):
        ids = sorted(antenna for antenna, diameter in sizes.items() if diameter == size)
        if not ids:
            raise _metadata.NoTargets(
                "%s has no antenna of %g m, the dish size that is imaged" % (eb["eb"], size)
            )
        eb.update(
            antenna=",".join(map(str, ids)) + "&",
            ids=ids,
            diameter_m=size,
            mixed=mixed,
            array="7m" if size < 10 else "12m",
            baseline_75_m=_metadata.baseline_75(eb["ms"], ids),
        )
    return float(numpy.median([eb["baseline_75_m"] for eb in ebs]))
