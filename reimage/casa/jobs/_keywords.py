"""What a pipeline image says of itself in its FITS header, measured: extrema, noise, frequencies.

The areas are the pipeline's: extrema of the corrected image where the primary beam is above 0.3, noise of the
uncorrected one between 0.2 and 0.3 and outside the clean mask.  When the image is so small that the beam is
above 0.2 at its edge, both levels are those a twentieth and a tenth of the image inside the edge.

Deviations from the pipeline: PIPEVER, MEMREQ and MPIPROCS, which say how its own process ran, are not there.
"""

import os
import shutil

import casatasks
import numpy
from casatools import image

import _axes
import _bandwidth
import _clean
import _facts
import _geometry

TYPES = {
    "pbcor": "pbcorimage",
    "tt0.pbcor": "pbcorimage",
    "tt1.pbcor": "pbcorimage",
    "pb": "flux",
    "pb.tt0": "flux",
    "alpha": "alpha",
    "alpha.error": "alpha",
    "mask": "cleanmask",
}
"""The pipeline's word for each kind of product."""
MEASURED = ("pbcor", "tt0.pbcor")
"""Kinds whose header holds the measured numbers."""
FEWEST = 10
"""Pixels per channel without which the noise is measured inside the clean mask too."""


def measure(where, suffix, masked, continuum):
    """DATAMIN, DATAMAX, DATARMS (Jy/beam) and CTRFRQ (Hz) of an image.

    ``where``, ``suffix``: tclean's name and ``.tt0`` or nothing; ``masked``: there is a clean mask;
    ``continuum``: LSRK ranges (Hz) to whose channels the noise is restricted, or empty.
    """
    beam = where + ".pb" + suffix
    levels = _geometry.pb_levels(beam)
    tool = image()
    tool.open(where + ".image" + suffix + ".pbcor")
    found = tool.statistics(mask="'%s' > %f" % (beam, levels[1]), stretch=True)
    tool.done()
    words = {}
    if len(found["min"]):
        words.update(DATAMIN=float(found["min"][0]), DATAMAX=float(found["max"][0]))
    tool.open(where + ".image" + suffix)
    try:
        axis = frequencies(tool)
        words["CTRFRQ"] = float((axis[0] + axis[-1]) / 2)
        noise = annulus_noise(tool, beam, levels, flat_mask(where) if masked else None)
    finally:
        tool.done()
        shutil.rmtree(where + ".mask.flattened", ignore_errors=True)
    chosen = channels_in(axis, continuum)
    if len(noise) == len(axis) and len(chosen):
        noise = noise[chosen]
    if len(noise):
        words["DATARMS"] = float(numpy.median(noise))
    return words


def frequencies(tool):
    """Centres of an image's channels, Hz."""
    axes = tool.coordsys()
    number = axes.findaxisbyname("spectral")
    start = axes.referencevalue()["numeric"][number]
    pixel = axes.referencepixel()["numeric"][number]
    step = axes.increment()["numeric"][number]
    axes.done()
    return start + (numpy.arange(int(tool.shape()[number])) - pixel) * step


def channels_in(axis, ranges):
    """Channels of an axis (Hz) that lie in ranges from edge to edge."""
    if not ranges or len(axis) < 2:
        return numpy.zeros(0, dtype=int)
    step, last = axis[1] - axis[0], len(axis) - 1
    found = set()
    for low, high in ranges:
        first = numpy.clip((low - axis[0]) / step, 0, last)
        end = numpy.clip((high - axis[0]) / step, 0, last)
        first = int(min(numpy.floor(first + 1.0), last))
        end = int(max(numpy.floor(end), 0))
        found |= set(range(first, end + 1))
    return numpy.array(sorted(found), dtype=int)


def flat_mask(where):
    """The clean mask of all channels as one plane; its path."""
    tool = image()
    tool.open(where + ".mask")
    try:
        shape = tool.shape()
        if shape[2] == 1 and shape[3] == 1:
            return where + ".mask"
        flat = tool.collapse(
            function="max", axes=[2, 3], outfile=where + ".mask.flattened", overwrite=True
        )
        flat.done()
    finally:
        tool.done()
    return where + ".mask.flattened"


def annulus_noise(tool, beam, levels, mask):
    """Noise of each channel between two levels of the primary beam, clipped by Chauvenet's criterion."""
    annulus = "('%s' > %f) && ('%s' < %f)" % (beam, levels[0], beam, levels[1])
    outside = ["('%s' < 0.1) && %s" % (mask, annulus)] if mask and os.path.isdir(mask) else []
    for area in outside + [annulus]:
        found = tool.statistics(
            mask=area, axes=[0, 1, 2], algorithm="chauvenet", maxiter=5, stretch=True
        )
        if len(found["npts"]) and (area == annulus or numpy.median(found["npts"]) >= FEWEST):
            return found["rms"]
    return numpy.zeros(0)


def describe(maker, one, done):
    """Keywords of an image that are not measured, named as the pipeline names them.

    ``maker``: `_clean.Imager`; ``one``: the planned image; ``done``: what `Imager.make` tells.
    """
    cube = one["specmode"] in _clean.CUBES
    target = maker.target(one["target"])
    spws = [spw for spw in maker.facts["spws"] if spw["id"] in one["spws"]]
    numbers = ",".join(map(str, one["spws"]))
    words = {
        "FIELD": one["target"],
        "SPECMODE": "cube" if cube else one["specmode"],
        "SPW": numbers,
        "VIRTSPW": numbers,
        "DATATYPE": "REGCAL_%s_SCIENCE"
        % ("LINE" if cube and is_subtracted(maker, one) else "CONTLINE"),
        "INTENT": "TARGET",
        "LEVEL": "member",
        "STOKES": "I",
        "CASAVER": casatasks.version_string(),
        "ROBUST": float(done["parameters"]["robust"]),
        "WEIGHT": done["parameters"]["weighting"],
        "OBSPATT": "mos" if target["pointings"] > 1 else "sf",
        "ARRAYS": "12m7m" if maker.facts["ebs"][0]["mixed"] else maker.facts["array"],
        "SENSITIV": float(done["sensitivity"]),
        "NSPWNAM": len(spws),
        "NITERDON": int(done["iterations"]),
    }
    axis = _facts.axis(target, one["specmode"], one["spws"][0]) if cube else None
    if axis and axis["nbin"] > 1:
        words["MODIFIER"] = "binned%d" % axis["nbin"]
    if done["threshold"]:
        words["THRESHLD"] = float(done["threshold"])
    names = [spw["name"] for spw in spws]
    words.update(("SPWNAM%02d" % n, name[:68]) for n, name in enumerate(names[:99], 1))
    return words


def is_subtracted(maker, one):
    """Whether the continuum was taken out of the data of a cube."""
    known = (one["target"], one["spws"][0]) in maker.continuum
    return known and any(eb["line_ms"] != eb["ms"] for eb in maker.ebs(one["target"]))


def effective_bandwidth(maker, one, spws):
    """EFFBW, Hz: of one channel of a cube; of the continuum (whole spws where it is not known)."""
    if one["specmode"] in _clean.CUBES:
        axis = _facts.axis(maker.target(one["target"]), one["specmode"], one["spws"][0])
        spw = spws[0]
        return _bandwidth.effective(
            axis["nbin"], spw["nchan"], spw["channel_hz"], spw["smoothing"]
        )[0]
    total = 0.0
    for spw in spws:
        known = maker.continuum.get((one["target"], spw["id"]))
        ranges = _axes.join_ranges(known) if known else [[spw["low_hz"], spw["high_hz"]]]
        total += sum(high - low for low, high in ranges)
    return round(total, 1)


def of_image(maker, one, done, where, suffix):
    """Keywords of all files of an image, and those that only `MEASURED` kinds hold."""
    known = [maker.continuum.get((one["target"], spw)) for spw in one["spws"]]
    ranges = known[0] if one["specmode"] in _clean.CUBES and known[0] else []
    masked = done["threshold"] is not None
    spws = [spw for spw in maker.facts["spws"] if spw["id"] in one["spws"]]
    measured = measure(where, suffix, masked, ranges)
    measured["EFFBW"] = effective_bandwidth(maker, one, spws)
    return describe(maker, one, done), measured
