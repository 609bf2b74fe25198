"""The choices that need the data: synthesised beam, cell, image size, sensitivities."""

import glob
import os
import shutil

from casatools import image, imager

import _heuristics
import _metadata
from _calls import tclean


LEVELS = (0.2, 0.3)
"""Of the primary beam: where an image ends, and where its clean mask."""


class NoBeam(RuntimeError):
    """No PSF can be made of the data."""


class NoData(RuntimeError):
    """There is nothing to image: flagged, not selected, or of a kind that is not imaged."""


def advised_cell(target, ebs, spw, radius):
    """Cell (arcsec) that CASA's imager allows for half amplitude loss over twice the null radius.

    Of the first EB that has unflagged data of this spw.
    """
    for eb in ebs:
        if target["name"] in eb["fields"] and spw in eb["spws"]:
            cell = advice(eb["ms"], eb["fields"][target["name"]], eb["spws"][spw], radius)
            if cell:
                return cell
    raise NoData("no uv coverage for spw %d of %s" % (spw, target["name"]))


def advice(path, fields, spw, radius):
    """What CASA's imager advises for one MS; None: it has nothing to look at."""
    tool = imager()
    tool.open(path)
    try:
        tool.selectvis(spw=[spw], field=fields)
        answer = tool.advise(
            takeadvice=False, amplitudeloss=0.5, fieldofview="%.1farcsec" % (2 * radius)
        )
    finally:
        tool.close()
    return answer[2]["value"] if answer[0] and answer[2]["value"] > 0 else None


def trial_beam(selections, shared, grid, robust, name, taper=""):
    """Major axis, minor axis (arcsec, 3 digits) and position angle of a PSF made from real data.

    ``selections``: keyword arguments of tclean that choose the data; ``shared``: see `frame`.
    """
    remove(name)
    tclean(
        imagename=name,
        cell="%garcsec" % grid[0],
        imsize=grid[1],
        phasecenter=shared["phasecenter"],
        specmode="mfs",
        gridder=shared["gridder"],
        mosweight=shared["mosweight"],
        weighting="briggs",
        robust=robust,
        uvtaper=[taper] if taper else [],
        niter=0,
        calcres=False,
        calcpsf=True,
        restoration=False,
        outframe="LSRK",
        parallel=False,
        **selections,
    )
    tool = image()
    tool.open(name + ".psf")
    beam = tool.restoringbeam()
    tool.done()
    remove(name)
    if not beam:
        raise NoBeam("the PSF has no beam: are the data flagged?")
    return {
        "major": _heuristics.significant(beam["major"]["value"], 3),
        "minor": _heuristics.significant(beam["minor"]["value"], 3),
        "pa_deg": beam["positionangle"]["value"],
    }


def remove(name):
    """Delete every image and temporary of one tclean name."""
    for path in glob.glob(glob.escape(name) + ".*"):
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def pb_levels(path):
    """Levels of the primary beam at which an image ends and at which its clean mask ends."""
    tool = image()
    tool.open(path)
    try:
        nx, ny, _, nchan = [int(side) for side in tool.shape()]
        middle, plane = nx // 2, nchan // 2
        column = [middle, 0, 0, plane], [middle, ny - 1, 0, plane]
        beam = tool.getchunk(*column).flatten()
        inside = tool.getchunk(*column, getmask=True).flatten()
    finally:
        tool.done()
    if not inside[0]:
        return LEVELS
    edge = next((n for n, level in enumerate(beam[: ny // 2 + 1]) if level != 0), 0)
    if beam[edge] <= LEVELS[0]:
        return LEVELS
    first = max(edge, int(0.05 * ny))
    return float(beam[first]), float(beam[first + int(0.05 * ny)])


def apparent_sensitivity(eb, field, spw, geometry, robust):
    """Point-source noise (Jy/beam) of all channels of a spw at one pointing of one EB, by CASA's imager."""
    tool = imager()
    tool.open(eb["ms"])
    cell, imsize = "%garcsec" % geometry["cell_arcsec"], geometry["imsize"]
    chosen = {"field": field, "spw": spw}
    if eb["mixed"]:
        chosen["baseline"] = eb["antenna"]
    try:
        tool.selectvis(**chosen)
        tool.defineimage(
            nx=imsize[0], ny=imsize[1], cellx=cell, celly=cell, spw=spw, stokes="I", mode="mfs"
        )
        tool.weight(type="briggs", robust=robust, rmode="norm")
        taper = geometry.get("uvtaper")
        if taper:
            tool.filter(type="gaussian", bmaj=taper, bmin=taper, bpa="0.0deg")
        answer = tool.apparentsens()
    finally:
        tool.close()
    return float(answer[1])


def frame(target, ebs):
    """What all spws of a target share: pointings, phase centre, gridder."""
    places = target["directions"]
    centre, spread = _heuristics.middle(places)
    mixed = any(eb["mixed"] for eb in ebs)
    mosaic = len(places) > 1 or mixed
    which, distance = _metadata.nearest(places, centre)
    return {
        "pointings": len(places),
        "mixed": mixed,
        "spread": list(spread),
        "phasecenter": "ICRS " + _heuristics.sexagesimal(*centre),
        "gridder": "mosaic" if mosaic else "standard",
        "mosweight": mosaic,
        "central": which,
        "nearest": "ICRS " + _heuristics.sexagesimal(*places[which]),
        "distance_arcsec": distance,
        "diameter_m": min(eb["diameter_m"] for eb in ebs),
    }


def fields_outward(eb, target, geometry):
    """Fields of a target in one EB, that of the central pointing or the one next to it first.

    EBs number their fields as they like, and may lack some.
    """
    centre = target["directions"][geometry["central"]]
    places, ids = eb["directions"][target["name"]], eb["fields"][target["name"]]
    away = [_heuristics.separation(place, centre) for place in places]
    return [ids[n] for n in sorted(range(len(ids)), key=lambda n: (round(away[n], 6), -n))]


def shifted(frame, radius):
    """The pointing that stands for a mosaic's PSF, where none is near the phase centre; else empty."""
    return frame["nearest"] if frame["distance_arcsec"] > 0.408 * radius else ""


def predict_beam(target, ebs, spws, robust, scratch, taper=""):
    """Synthesised beam of some spws together, from a trial PSF; R is that of the lowest of them."""
    shared = frame(target, ebs)
    highest = max(spws, key=lambda spw: spw["reference_hz"])
    lowest = min(spws, key=lambda spw: spw["reference_hz"])
    radius = _heuristics.null_radius(lowest["reference_hz"], shared["diameter_m"])
    cell = advised_cell(target, ebs, highest["id"], radius)
    grid = _heuristics.trial_grid(
        shared["pointings"], radius, shared["spread"], cell, shared["mixed"]
    )
    return trial_beam(
        selection(target["name"], ebs, [spw["id"] for spw in spws]),
        dict(shared, phasecenter=shifted(shared, radius) or shared["phasecenter"]),
        grid,
        robust,
        scratch,
        taper,
    )


def choose(target, ebs, spws, robust, scratch, own=None):
    """Geometry of the images of a target and some spws: cell, size, phase centre, gridder.

    ``target``: ``directions`` (rad) and, per EB, ``fields``; ``spws``: descriptions in the first EB.
    ``own``: pb_level, pixels_per_beam, and what the recipe states itself: cell_arcsec, imsize, uvtaper.
    """
    own = dict({"pb_level": 0.2, "pixels_per_beam": 5.0, "uvtaper": ""}, **(own or {}))
    shared = frame(target, ebs)
    highest = max(spws, key=lambda spw: spw["reference_hz"])
    lowest = min(spws, key=lambda spw: spw["reference_hz"])
    beam = predict_beam(target, ebs, [highest], robust, scratch, own["uvtaper"])
    radius = _heuristics.null_radius(lowest["reference_hz"], shared["diameter_m"])
    found = dict(
        shared,
        beam=beam,
        beam_spw=highest["id"],
        null_radius_arcsec=radius,
        psfphasecenter=shifted(shared, radius),
        uvtaper=own["uvtaper"],
    )
    return resize(found, own)


def resize(geometry, own):
    """The same geometry with the cell and size that a PB level and pixels per beam (or the recipe) ask for."""
    cell = own.get("cell_arcsec") or _heuristics.cell_size(
        geometry["beam"]["minor"], own["pixels_per_beam"]
    )
    sides = _heuristics.field_sides(
        geometry["pointings"],
        geometry["null_radius_arcsec"],
        geometry["spread"],
        geometry["mixed"],
        own["pb_level"],
    )
    single = geometry["pointings"] == 1 and not geometry["mixed"]
    imsize = own.get("imsize") or _heuristics.image_size(sides, cell, rounded=single)
    return dict(
        geometry,
        cell_arcsec=cell,
        imsize=imsize,
        pb_level=own["pb_level"],
        pixels_per_beam=own["pixels_per_beam"],
    )


def selection(name, ebs, spws, ranges=None, key="ms"):
    """tclean's data selection: the EBs that hold the target, their fields, spws, antennas, scans.

    ``ranges``: per EB name the selection text of each spw; None takes all channels.
    """
    chosen = {"vis": [], "field": [], "spw": [], "antenna": [], "scan": []}
    intents = set()
    for eb in ebs:
        if name not in eb["fields"]:
            continue
        texts = []
        for spw in spws:
            real = eb["spws"].get(spw)
            if real is None:
                continue
            if ranges is None:
                texts.append(str(real))
            elif ranges[eb["eb"]].get(spw):
                texts.append("%d:%s" % (real, ranges[eb["eb"]][spw]))
        if not texts:
            continue
        chosen["vis"].append(eb[key])
        chosen["field"].append(",".join(str(field) for field in eb["fields"][name]))
        chosen["spw"].append(",".join(texts))
        chosen["antenna"].append(eb["antenna"])
        chosen["scan"].append(eb["scans"][name])
        intents.add(eb["intent"])
    if not chosen["vis"]:
        raise NoData("no data of spw %s are selected for %s" % (",".join(map(str, spws)), name))
    return dict(
        chosen,
        intent=sorted(intents)[0] if len(intents) == 1 else "*OBSERVE_TARGET*",
        datacolumn="data",
    )
