"""The choices that need the data: synthesised beam, cell, image size, sensitivities."""

import glob
import os
import shutil

from casatasks import tclean
from casatools import image, imager

import _heuristics
import _metadata


class NoBeam(RuntimeError):
    """No PSF can be made of the data."""


class NoData(RuntimeError):
    """There is nothing to image: flagged, not selected, or of a kind that is not imaged."""


def advised_cell(path, fields, spw, radius):
    """Cell (arcsec) that CASA's imager allows for half amplitude loss over twice the null radius."""
    tool = imager()
    tool.open(path)
    try:
        tool.selectvis(spw=[spw], field=fields)
        answer = tool.advise(
            takeadvice=False, amplitudeloss=0.5, fieldofview="%.1farcsec" % (2 * radius)
        )
    finally:
        tool.close()
    if not answer[0] or answer[2]["value"] <= 0:
        raise NoData("no uv coverage for spw %d of %s" % (spw, os.path.basename(path)))
    return answer[2]["value"]


def trial_beam(selections, gridder, grid, phasecenter, robust, name):
    """Major axis, minor axis (arcsec, 3 digits) and position angle of a PSF made from real data.

    ``selections``: keyword arguments of tclean that choose the data.
    """
    remove(name)
    tclean(
        imagename=name,
        cell="%garcsec" % grid[0],
        imsize=grid[1],
        phasecenter=phasecenter,
        specmode="mfs",
        gridder=gridder,
        mosweight=gridder == "mosaic",
        weighting="briggs",
        robust=robust,
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


def apparent_sensitivity(path, field, spw, cell, imsize, robust):
    """Point-source noise (Jy/beam) of all channels of a spw at one pointing, by CASA's imager."""
    tool = imager()
    tool.open(path)
    try:
        tool.selectvis(field=field, spw=spw)
        tool.defineimage(
            nx=imsize[0],
            ny=imsize[1],
            cellx="%garcsec" % cell,
            celly="%garcsec" % cell,
            spw=spw,
            stokes="I",
            mode="mfs",
        )
        tool.weight(type="briggs", robust=robust, rmode="norm")
        answer = tool.apparentsens()
    finally:
        tool.close()
    return float(answer[1])


def choose(target, ebs, spws, robust, scratch):
    """Geometry of every image of a target: cell, size, phase centre, gridder.

    ``target``: ``directions`` (rad) and, per EB, ``fields``; ``spws``: descriptions in the first EB.
    """
    places = target["directions"]
    centre, spread = _heuristics.middle(places)
    phasecenter = "ICRS " + _heuristics.sexagesimal(*centre)
    diameter = min(eb["diameter_m"] for eb in ebs)
    mosaic = len(places) > 1 or any(eb["mixed"] for eb in ebs)
    gridder = "mosaic" if mosaic else "standard"
    highest = max(spws, key=lambda spw: spw["reference_hz"])
    lowest = min(spws, key=lambda spw: spw["reference_hz"])
    radius = _heuristics.null_radius(highest["reference_hz"], diameter)
    first = next(eb for eb in ebs if highest["id"] in eb["spws"])
    cell = advised_cell(
        first["ms"], first["fields"][target["name"]], first["spws"][highest["id"]], radius
    )
    grid = _heuristics.trial_grid(len(places), radius, spread, cell)
    beam = trial_beam(
        selection(target["name"], ebs, [highest["id"]]), gridder, grid, phasecenter, robust, scratch
    )
    cell = _heuristics.cell_size(beam["minor"])
    radius = _heuristics.null_radius(lowest["reference_hz"], diameter)
    imsize = _heuristics.image_size(_heuristics.field_sides(len(places), radius, spread), cell)
    which, distance = _metadata.nearest(places, centre)
    psf_centre = ""
    if distance > 0.408 * radius:
        psf_centre = "ICRS " + _heuristics.sexagesimal(*places[which])
    return {
        "beam": beam,
        "beam_spw": highest["id"],
        "cell_arcsec": cell,
        "imsize": imsize,
        "phasecenter": phasecenter,
        "psfphasecenter": psf_centre,
        "gridder": gridder,
        "mosweight": mosaic,
        "central": which,
        "null_radius_arcsec": radius,
    }


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
