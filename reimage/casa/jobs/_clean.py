"""One image by tclean: dirty image, threshold, clean, and what to do when the mask stays empty.

Deviations from the pipeline: the clean continues from the dirty image's files instead of a copy (same
result).
"""

import math
import os
import shutil

from casatools import image

import _axes
import _facts
import _geometry
import _heuristics
import _noise
import _residual
from _calls import own, tclean

ZERO_MASK = 7
"""tclean's stop code for a clean mask without a pixel."""
CUBES = ("cube", "repBW")


class NoAxis(RuntimeError):
    """The EBs share no range of frequency in this spw."""


class Imager(object):
    """Everything that the images of one dataset have in common.

    ``facts``: the value of `image_prepare`, spw keys of the EBs as integers; ``continuum``: LSRK ranges (Hz)
    by (target, spw); ``pure``: the (target, spw) without lines; ``settings``: parameters by specmode, as
    `reimage.recipes.tasks` gives them.
    """

    def __init__(self, facts, continuum, pure, settings):
        self.facts, self.continuum, self.pure, self.settings = facts, continuum, pure, settings
        self._ranges = {}

    def target(self, name):
        """Facts of a target."""
        return next(target for target in self.facts["targets"] if target["name"] == name)

    def ebs(self, name):
        """The EBs that hold a target."""
        return [eb for eb in self.facts["ebs"] if name in eb["fields"]]

    def topo_ranges(self, name, spw):
        """Per EB, selection text and channel count of a spw's continuum; the whole spw where none is known."""
        if (name, spw) not in self._ranges:
            found = {}
            target = self.target(name)
            for eb in self.ebs(name):
                if spw not in eb["spws"]:
                    continue
                real = eb["described"][str(eb["spws"][spw])]
                ranges = self.continuum.get((name, spw))
                if ranges:
                    asked = _geometry.fields_outward(eb, target, target["geometry"])
                    found[eb["eb"]] = first_selection(eb["ms"], asked, real, ranges)
                else:
                    found[eb["eb"]] = (
                        "%.10f~%.10fGHz" % (real["low_hz"] / 1e9, real["high_hz"] / 1e9),
                        real["nchan"],
                    )
            self._ranges[name, spw] = found
        return self._ranges[name, spw]

    def sensitivity(self, name, spws, specmode):
        """Expected noise of an image, Jy/beam; see section 6 of the heuristics."""
        noises = []
        for spw in spws:
            known = _facts.sensitivity(self.target(name), specmode, spw)
            if specmode in CUBES:
                axis = _facts.axis(self.target(name), specmode, spw)
                selected = dict.fromkeys(known["ebs"], axis["nbin"] if axis else 1)
            else:
                selected = {eb: n for eb, (_, n) in self.topo_ranges(name, spw).items()}
            noises += _noise.of_selection(known, selected, 3 if specmode == "cont" else None)
        if not noises:
            raise _geometry.NoData("no unflagged data of spw %s" % ",".join(map(str, spws)))
        return _heuristics.combine(noises)

    def parameters(self, name, spws, specmode, nterms):
        """tclean's parameters that dirty image and clean share."""
        target, settings = self.target(name), self.settings[specmode]
        geometry, cube = _facts.geometry(target, specmode), specmode in CUBES
        common = {
            "imsize": geometry["imsize"],
            "cell": "%garcsec" % geometry["cell_arcsec"],
            "phasecenter": geometry["phasecenter"],
            "gridder": geometry["gridder"],
            "mosweight": geometry["mosweight"],
            "usepointing": False,
            "pblimit": 0.2,
            "stokes": "I",
            "outframe": "LSRK",
            "robust": _facts.robust(self.facts, settings),
            "npixels": 0,
            "nsigma": settings["nsigma"],
            "interactive": False,
            "savemodel": "none",
            "parallel": False,
            "restoringbeam": "common",
            "perchanweightdensity": cube,
            "weighting": "briggsbwtaper" if cube else "briggs",
            "deconvolver": "mtmfs" if nterms > 1 else "hogbom",
            "specmode": "cube" if cube else "mfs",
        }
        if geometry["psfphasecenter"]:
            common["psfphasecenter"] = geometry["psfphasecenter"]
        if geometry["uvtaper"]:
            common["uvtaper"] = [geometry["uvtaper"]]
        if cube:
            common.update(self._cube(name, spws, specmode))
        else:
            common.update(self._continuum(name, spws, nterms))
        return common

    def _cube(self, name, spws, specmode):
        """Data and spectral axis of a cube; two channels as one are not interpolated."""
        axis = _facts.axis(self.target(name), specmode, spws[0])
        if axis is None:
            raise NoAxis("the execution blocks share no frequency range in spw %d" % spws[0])
        chosen = dict(
            _geometry.selection(name, self.ebs(name), spws, key="line_ms"),
            nchan=axis["nchan"],
            start="%.10fGHz" % (axis["start_hz"] / 1e9),
            width="%.7fMHz" % (axis["width_hz"] / 1e6),
        )
        return dict(chosen, interpolation="nearest") if axis["nbin"] == 2 else chosen

    def _continuum(self, name, spws, nterms):
        """Data of a continuum image, and the reference frequency of a multi-term one."""
        texts = {}
        for spw in spws:
            for eb, (text, _) in self.topo_ranges(name, spw).items():
                texts.setdefault(eb, {})[spw] = text
        chosen = dict(_geometry.selection(name, self.ebs(name), spws, texts), nchan=-1)
        if nterms > 1:
            # in GHz with the digits of cont.dat, so that the last digit is the pipeline's
            edges = [
                (round(low / 1e9, 10), round(high / 1e9, 10))
                for spw in spws
                for low, high in self.lsrk_ranges(name, spw)
            ]
            chosen.update(nterms=nterms, reffreq="%rGHz" % _heuristics.reference_frequency(edges))
        return chosen

    def lsrk_ranges(self, name, spw):
        """LSRK ranges that an image of a spw's continuum covers; TOPO edges where the spw has no cube."""
        known = self.continuum.get((name, spw))
        if known:
            return known
        axis = self.target(name)["axes"].get(str(spw))
        if axis is None:  # too narrow for a cube, or not the same in all EBs
            whole = next(one for one in self.facts["spws"] if one["id"] == spw)
            return [[whole["low_hz"], whole["high_hz"]]]
        low = axis["start_hz"] - axis["width_hz"] / 2
        return [[low, low + axis["nchan"] * axis["width_hz"]]]

    def make(self, name, spws, specmode, nterms, where):
        """Make one image; return what was done.  ``where``: the name of the CASA images."""
        _geometry.remove(where)
        settings = self.settings[specmode]
        common = dict(self.parameters(name, spws, specmode, nterms), imagename=where)
        suffix = ".tt0" if nterms > 1 else ""
        sensitivity = self.sensitivity(name, spws, specmode)
        done = {
            "sensitivity": sensitivity,
            "caveats": [],
            "auto_mask": False,
            "threshold": None,
            "iterations": 0,
            "parameters": {key: common[key] for key in sorted(common) if key != "imagename"},
        }
        never = specmode in CUBES and (name, spws[0]) in self.pure
        clean = settings["masking"] == "auto" and not never
        tclean(niter=0, restoration=not clean, pbcor=not clean, **common)
        chosen = self._threshold(done, name, specmode, _residual.within_beam(where, suffix)["max"])
        if clean:
            self._clean(done, common, specmode, suffix, chosen)
        else:
            done["caveats"].append("cube-not-cleaned" if never else "not-cleaned")
        return done

    def _threshold(self, done, name, specmode, peak):
        """Choose the threshold from the dirty image's peak; see `_heuristics.clean_threshold`."""
        target = self.target(name)
        mosaic = _facts.geometry(target, specmode)["gridder"] == "mosaic"
        short = specmode in CUBES and mosaic and 0 < min(target["seconds"] or [0]) <= 60
        chosen = _heuristics.clean_threshold(
            done["sensitivity"],
            peak,
            self.facts["array"],
            len(self.ebs(name)),
            short,
            self.settings[specmode]["tlimit"],
        )
        done.update(dynamic_range=chosen["dynamic_range"], dirty_peak=peak, factor=chosen["factor"])
        return chosen

    def _clean(self, done, common, specmode, suffix, chosen):
        """Clean on from the dirty image within an automatic mask."""
        settings, where = self.settings[specmode], common["imagename"]
        mask = _heuristics.mask_parameters(
            self.facts["array"], self.facts["baseline_75_m"], specmode
        )
        mask.update(settings["mask"], usemask="auto-multithresh")
        cycle = settings["cyclefactor"] or chosen["cyclefactor"]
        loop = dict(
            common,
            restoration=True,
            pbcor=True,
            calcres=False,
            calcpsf=False,
            restart=True,
            fullsummary=specmode not in CUBES,
            niter=_heuristics.iteration_limit(
                common["imsize"], done["dirty_peak"], chosen["threshold"]
            ),
        )
        if cycle:
            loop["cyclefactor"] = cycle
        first = tclean(threshold="%gJy" % chosen["threshold"], **dict(loop, **mask))
        done.update(threshold=chosen["threshold"], auto_mask=True)
        if stop_code(first, where) == ZERO_MASK:
            self._without_mask(done, loop, where, suffix, specmode, chosen)
            return
        done["iterations"] = int(first.get("iterdone", 0))
        if done["iterations"] >= loop["niter"]:
            done["caveats"].append("iteration-limit-reached")

    def _without_mask(self, done, loop, where, suffix, specmode, chosen):
        """The automatic mask stayed empty: clean within a PB mask, or leave the dirty image."""
        numbers = _residual.within_beam(where, suffix, robust=True)
        ratio = numbers["max"] / (1.4826 * numbers["medabsdevmed"] or math.inf)
        done["peak_over_mad"] = ratio
        if not _heuristics.wants_second_clean(specmode, chosen["dynamic_range"], ratio):
            done["caveats"].append("dirty-image")
            return
        restart_in_pb_mask(where, suffix, _geometry.pb_levels(where + ".pb" + suffix)[1])
        done["threshold"] = _heuristics.significant(2 * chosen["threshold"], 3)
        second = tclean(
            threshold="%gJy" % done["threshold"],
            usemask="user",
            mask=where + ".cleanmask",
            fastnoise=True,
            **loop,
        )
        done.update(auto_mask=False, iterations=int(second.get("iterdone", 0)))
        done["caveats"].append("cleaned-in-pb-mask")


def first_selection(path, fields, spw, ranges):
    """`_axes.topo_selection` of the first field that has the spw: an EB may have ended early."""
    for field in fields:
        text, count = _axes.topo_selection(path, field, spw, ranges)
        if text:
            break
    return text, count


def stop_code(answer, where):
    """tclean's stop code; where an old CASA tells none, the mask is looked at."""
    if "stopcode" in answer:
        return int(answer["stopcode"])
    return 0 if _residual.statistics(where + ".mask").get("sum", 0) > 0 else ZERO_MASK


@own
def restart_in_pb_mask(where, suffix, level):
    """Drop mask and restored images, and write a clean mask: 1 where the primary beam is above a level."""
    for name in (".mask", ".image", ".image.pbcor", ".image.tt0", ".image.tt1"):
        if os.path.isdir(where + name):
            shutil.rmtree(where + name)
    tool = image()
    tool.open(where + ".pb" + suffix)
    values, axes = tool.getchunk(), tool.coordsys()
    tool.done()
    made = tool.newimagefromarray(
        where + ".cleanmask", (values > level).astype(float), axes.torecord(), overwrite=True
    )
    made.done()
    axes.done()
