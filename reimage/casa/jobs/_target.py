"""One target: what was observed of it, and what its images share.

A target that follows an ephemeris is described but given no geometry, so that its images end absent.
"""

import numpy

import _axes
import _geometry
import _heuristics
import _metadata

EPHEMERIS = "ephemeris-target-not-imaged"
"""First word of the reason of images whose target moves."""
FLAGGED = "spw-fully-flagged"


def observe(name, ebs, spws, caveats):
    """Pointings of a target, time on them, and the spws that have data."""
    with_it = [eb for eb in ebs if name in eb["fields"]]
    target = {
        "name": name,
        "pointings": len(with_it[0]["fields"][name]),
        "ephemeris": any(_metadata.has_ephemeris(eb["ms"], eb["fields"][name]) for eb in with_it),
        "spws": [spw["id"] for spw in spws],
        "flagged": [spw["id"] for spw in spws],
        "axes": {},
        "too_few": [],
        "own": {},
        "mitigation": None,
    }
    if target["ephemeris"]:
        caveats.append("%s:%s" % (EPHEMERIS, name))
        return target, {}
    for eb in with_it:
        tool = _metadata.open_metadata(eb["ms"])
        eb.setdefault("directions", {})[name] = _metadata.directions(tool, eb["fields"][name])
        tool.done()
    target["directions"] = _metadata.together([eb["directions"][name] for eb in with_it])
    target["pointings"] = len(target["directions"])
    target["seconds"] = [seconds for eb in with_it for seconds in times_on(eb, name)]
    good = {
        (eb["eb"], spw["id"]): usable_channels(eb, name, spw["id"])
        for eb in with_it
        for spw in spws
    }
    observed = [spw for spw in spws if any(good[eb["eb"], spw["id"]] is not None for eb in with_it)]
    usable = [spw for spw in observed if any(good[eb["eb"], spw["id"]] for eb in with_it)]
    target["spws"] = [spw["id"] for spw in observed]
    target["flagged"] = [spw["id"] for spw in observed if spw not in usable]
    caveats += ["%s:%s.spw%d" % (FLAGGED, name, spw) for spw in target["flagged"]]
    return target, good


def times_on(eb, name):
    """Time on each pointing of a target in one EB, s, in the first spw that saw it."""
    tool = _metadata.open_metadata(eb["ms"])
    found = []
    for spw in sorted(eb["spws"].values()):
        times = [_metadata.seconds_on(eb["ms"], tool, field, spw) for field in eb["fields"][name]]
        found = found or [seconds for seconds in times if seconds]
        if found:
            break
    tool.done()
    return found


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


def axis_of(target, ebs, spw, good, nbin=1):
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
    axis = _heuristics.cube_axis(unflagged, full, channels, nbin)
    return axis and dict(axis, nbin=nbin)


def sensitivities(target, ebs, spw, good, robust, geometry):
    """Noise of the whole spw in each EB, and what turns it into the noise of a selection.

    ``jy_beam`` is of ``channels`` unflagged channels of ``total``; ``smoothing`` as in `_bandwidth`.
    """
    found = {}
    for eb in ebs:
        usable = good[eb["eb"], spw["id"]]
        if not usable:
            continue
        central = _geometry.fields_outward(eb, target, geometry)[0]
        value = _geometry.apparent_sensitivity(eb, central, eb["spws"][spw["id"]], geometry, robust)
        real = eb["described"][str(eb["spws"][spw["id"]])]
        if value > 0 and numpy.isfinite(value):
            found[eb["eb"]] = {
                "jy_beam": value,
                "channels": usable[2],
                "total": real["nchan"],
                "smoothing": real["smoothing"],
            }
    overlap = 1.0
    if target["pointings"] > 1:
        overlap = _heuristics.mosaic_overlap(
            target["directions"], spw["mean_hz"], min(eb["diameter_m"] for eb in ebs)
        )
    return {"ebs": found, "overlap": overlap}
