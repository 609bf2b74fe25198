"""Find each spw's continuum on a dirty cube, write cont.dat, and subtract it in the uv plane.

Deviations from the pipeline: the finder is our own (`_findcont`), and its cube is imaged coarsely.
"""

import os
import shutil

import casatasks
import numpy
from casatools import image

import _contdat
import _findcont
import _geometry
import _heuristics
import _proof
import _records
from _calls import tclean, uvcontsub

FINDER_CELLS = 2
"""The finder's cube has cells this much larger: still two and a half to a beam, a quarter of the work."""


def wanted(facts):
    """The (target, spw) whose continuum can be looked for: observed, unflagged, with an axis."""
    return [
        (target, spw)
        for target in facts["targets"]
        for spw in facts["spws"]
        if not target["ephemeris"]
        and spw["id"] not in target["flagged"]
        and target["axes"].get(str(spw["id"]))
    ]


def record_path(inputs, facts, target, spw):
    """Where the record of one target and spw is."""
    number = facts["targets"].index(target)
    return os.path.join(inputs["records"], "findcont-%d-%d.json" % (number, spw["id"]))


def gather(inputs, entries, record):
    """Write cont.dat, and a record of all ``entries`` and what is to be said of them."""
    caveats = []
    if inputs["contfile"]:
        with open(inputs["contfile"]) as stream:
            entries, caveats = _contdat.load(stream.read()), ["contfile-given"]
    elif inputs["findcont"] is None:
        caveats = ["continuum-not-sought"]
    else:
        for entry in entries:
            where = "%s.spw%d" % (entry["field"], entry["spw"])
            if not entry["ranges_hz"]:
                caveats.append("continuum-not-found:" + where)
            caveats += [
                "continuum-%s:%s" % (flag.lower(), where)
                for flag in entry["flags"]
                if flag != "ALLCONT"
            ]
        path = os.path.join(inputs["products"], "cont.dat")
        with open(path + ".part", "w") as out:
            out.write(_contdat.dump(entries))
        os.rename(path + ".part", path)
    _records.write_json(record, {"entries": entries, "caveats": caveats})


def one_continuum(inputs, facts, target, spw, progress):
    """Continuum of one target and spw, from its record or from a dirty cube."""
    path = record_path(inputs, facts, target, spw)
    if os.path.exists(path):
        return _records.read_json(path)
    where = os.path.join(inputs["scratch"], os.path.splitext(os.path.basename(path))[0])
    entry = {
        "field": target["name"],
        "spw": spw["id"],
        "spw_name": spw["name"],
        "ranges_hz": [],
        "flags": [],
    }
    watch = _proof.LogWatch()
    try:
        found = _findcont.find(*dirty_cube(inputs, facts, target, spw, where))
    except (MemoryError, OSError):  # no fact about the continuum: it is asked again
        raise
    except Exception as error:  # the images of this spw are then made of all channels, and say so
        entry["reason"] = "%s: %s" % (type(error).__name__, error)
        found = {"runs": [], "flags": []}
    _geometry.remove(where)
    for line in watch.bad_lines():
        if "bad_alloc" in line:  # a cube without memory is empty, and CASA goes on
            raise MemoryError("continuum of %s, spw %d: %s" % (target["name"], spw["id"], line))
    entry["ranges_hz"] = ranges_hz(target["axes"][str(spw["id"])], found["runs"])
    entry["flags"] = found["flags"]
    entry["spectrum"] = [float("%.4g" % value) for value in found.get("spectrum", ())]
    _records.write_json(path, entry)
    progress(
        "image.continuum",
        target=target["name"],
        spw=spw["id"],
        flags=entry["flags"],
        ranges_ghz=[[low / 1e9, high / 1e9] for low, high in entry["ranges_hz"]],
    )
    return entry


def ranges_hz(axis, runs):
    """[low, high] of runs of channels [first, last], edge to edge."""
    low, width = axis["start_hz"] - axis["width_hz"] / 2, axis["width_hz"]
    return [[low + first * width, low + (last + 1) * width] for first, last in runs]


def dirty_cube(inputs, facts, target, spw, where):
    """Cube (channel, y, x), primary beam and beam area (pixels) for the finder."""
    geometry, axis = target["geometry"], target["axes"][str(spw["id"])]
    cell = geometry["cell_arcsec"] * FINDER_CELLS
    ebs = [eb for eb in facts["ebs"] if target["name"] in eb["fields"]]
    _geometry.remove(where)
    tclean(
        imagename=where,
        cell="%garcsec" % cell,
        niter=0,
        restoration=False,
        specmode="cube",
        outframe="LSRK",
        imsize=[_heuristics.optimum_size(side / FINDER_CELLS) for side in geometry["imsize"]],
        phasecenter=geometry["phasecenter"],
        gridder=geometry["gridder"],
        mosweight=geometry["mosweight"],
        weighting="briggsbwtaper",
        robust=inputs["findcont"]["robust"],
        perchanweightdensity=True,
        nchan=axis["nchan"],
        start="%.10fGHz" % (axis["start_hz"] / 1e9),
        width="%.7fMHz" % (axis["width_hz"] / 1e6),
        pblimit=0.2,
        parallel=False,
        **_geometry.selection(target["name"], ebs, [spw["id"]]),
    )
    planes = []
    for kind in (".residual", ".pb"):
        tool = image()
        tool.open(where + kind)
        planes.append(numpy.moveaxis(tool.getchunk()[:, :, 0, :], 2, 0))
        tool.done()
    beam = geometry["beam"]
    return planes[0], numpy.max(planes[1], axis=0), 1.1331 * beam["major"] * beam["minor"] / cell**2


def subtract(inputs, eb, maker, entries, progress):
    """Make ``<eb>_targets_line.ms``, the continuum of each target and spw subtracted in the uv plane.

    Returns its path, or that of the EB's own MS when no continuum is known.
    """
    if not hasattr(casatasks, "uvcontsub_old"):
        raise RuntimeError("this CASA has the old uvcontsub only: 6.5.6 or later is needed")
    spec = fits_of(inputs, eb, maker, entries)
    if set(map(str, spec.values())) == {"NONE"}:
        return eb["ms"]
    made = eb["ms"].rsplit(".ms", 1)[0] + "_line.ms"
    if os.path.exists(made):
        return made
    part = made + ".part"
    shutil.rmtree(part, ignore_errors=True)
    uvcontsub(
        vis=eb["ms"],
        outputvis=part,
        datacolumn="data",
        intent=eb["intent"],
        fitspec=spec,
        field=",".join(spec),
        spw=",".join(str(real) for real in sorted(eb["spws"].values())),
    )
    os.rename(part, made)
    progress("image.subtracted", eb=eb["eb"])
    return made


def fits_of(inputs, eb, maker, entries):
    """What `uvcontsub` is told to fit in an EB, by field and spw.

    A given cont.dat may name targets that are not imaged: those are left alone.
    """
    flags = {(entry["field"], entry["spw"]): entry["flags"] for entry in entries}
    spec = {}
    for name, fields in eb["fields"].items():
        spws = eb["spws"] if "geometry" in maker.target(name) else {}
        known = {
            str(real): fit(inputs, maker, name, spw, eb, flags.get((name, spw), []))
            for spw, real in spws.items()
            if (name, spw) in maker.continuum and maker.topo_ranges(name, spw)[eb["eb"]][0]
        }
        # a spw that is left out keeps its continuum; a field without any is said to be left alone
        spec[",".join(map(str, fields))] = known or "NONE"
    return spec


def fit(inputs, maker, name, spw, eb, flags):
    """How the continuum of one spw is fitted: its channels and the order of the polynomial."""
    order = 0 if {"LOWBANDWIDTH", "LOWSPREAD"} & set(flags) else inputs["uvcontsub"]["fitorder"]
    return {"chan": maker.topo_ranges(name, spw)[eb["eb"]][0], "fitorder": order}
