"""What an MS holds, as plain values: targets, science spws, antennas, baselines, flagged channels."""

import numpy
from casatools import measures, msmetadata, table

import _heuristics

TARGET_INTENT = "OBSERVE_TARGET"
NOT_SCIENCE = ("WVR", "SQLD", "CH_AVG")
"""Words in the names of spws that are never imaged: radiometers, power detectors, channel averages."""
ROWS_AT_ONCE = 4096
FIXED = ("ICRS", "J2000", "JMEAN", "B1950", "BMEAN", "GALACTIC")
"""Frames in which a direction stays where it is."""
BODIES = frozenset("MERCURY VENUS MARS JUPITER SATURN URANUS NEPTUNE PLUTO SUN MOON COMET".split())
"""Frames that move."""


class NoTargets(RuntimeError):
    """No field was observed with a target intent, or no science spw on it."""


class ForeignTelescope(RuntimeError):
    """The data are not ALMA's: its heuristics do not hold for them."""


class MissingColumn(RuntimeError):
    """The column that holds the calibrated data is not there."""


def open_metadata(path):
    """The metadata tool on an MS; the caller calls ``done()``."""
    tool = msmetadata()
    tool.open(path)
    return tool


def require_alma(tool):
    """Raise `ForeignTelescope` unless every observation is ALMA's."""
    names = set(tool.observatorynames())
    if names != {"ALMA"}:
        raise ForeignTelescope(
            "observed by %s, not by ALMA" % (", ".join(sorted(names)) or "nobody")
        )


def target_intents(tool):
    """Intents of the science target, joined for MS selection."""
    found = sorted(i for i in tool.intents() if i.startswith(TARGET_INTENT) and "ON_SOURCE" in i)
    found = found or sorted(i for i in tool.intents() if i.startswith(TARGET_INTENT))
    if not found:
        raise NoTargets(
            "no field has the intent %s; intents: %s"
            % (TARGET_INTENT, ", ".join(sorted(tool.intents())) or "none")
        )
    return ",".join(found)


def science_spws(tool, intents):
    """Ids of the spws with channels that saw the target, ascending."""
    seen = set()
    for intent in intents.split(","):
        seen |= set(int(spw) for spw in tool.spwsforintent(intent))
    found = []
    for spw in sorted(seen):
        name = tool.namesforspws(spw)[0]
        if any(word in name for word in NOT_SCIENCE) or tool.nchan(spw) in (1, 4):
            continue
        found.append(spw)
    if not found:
        raise NoTargets("no spw with more than 4 channels was observed on the target")
    return found


def describe_spw(tool, spw):
    """Name, edges, channels of one spw, Hz; edges are TOPO."""
    centres, widths = tool.chanfreqs(spw), numpy.abs(tool.chanwidths(spw))
    return {
        "id": int(spw),
        "name": tool.namesforspws(spw)[0],
        "nchan": int(tool.nchan(spw)),
        "low_hz": float(numpy.min(centres - widths / 2)),
        "high_hz": float(numpy.max(centres + widths / 2)),
        "reference_hz": float(tool.reffreq(spw)["m0"]["value"]),
        "mean_hz": float(tool.meanfreq(spw)),
        "channel_hz": float(widths[0]),
        "smoothing": float(abs(tool.chaneffbws(spw)[0]) / widths[0]) or 1.0,
        "ascending": bool(centres[-1] >= centres[0]),
    }


def targets(tool, intents):
    """Field ids of each target name, in the order of the ids."""
    found = {}
    ids = set()
    for intent in intents.split(","):
        ids |= set(int(field) for field in tool.fieldsforintent(intent))
    names = tool.fieldnames()
    for field in sorted(ids):
        found.setdefault(names[field], []).append(field)
    return found


def directions(tool, fields):
    """Phase centres of fields as ICRS (longitude, latitude) in rad."""
    converter = measures()
    found = []
    for field in fields:
        direction = tool.phasecenter(field)
        if direction["refer"] not in FIXED:
            raise NoTargets("field %d has a direction in %s" % (field, direction["refer"]))
        if direction["refer"] != "ICRS":
            direction = converter.measure(direction, "ICRS")
        found.append((direction["m0"]["value"], direction["m1"]["value"]))
    converter.done()
    return found


def has_ephemeris(path, fields):
    """Whether a field follows a solar-system body: a table of its places, or its name as the frame."""
    tool = table()
    tool.open(path + "/FIELD")
    try:
        if "EPHEMERIS_ID" in tool.colnames():
            ids = tool.getcol("EPHEMERIS_ID")
            if any(ids[field] >= 0 for field in fields):
                return True
    finally:
        tool.close()
    metadata = open_metadata(path)
    frames = {metadata.phasecenter(field)["refer"] for field in fields}
    metadata.done()
    return bool(frames & BODIES)


def dishes(tool):
    """Diameter (m) of each antenna that the MS lists."""
    ids = sorted(int(antenna) for antenna in tool.antennaids())
    return {antenna: float(tool.antennadiameter(antenna)["value"]) for antenna in ids}


def majority(dishes):
    """The most frequent diameter of several EBs; of a tie, the one that is met last."""
    counts = {}
    for sizes in dishes:
        for diameter in sizes.values():
            counts[diameter] = counts.get(diameter, 0) + 1
    return sorted(counts.items(), key=lambda item: item[1])[-1][0]


def baseline_75(path, antennas):
    """75th percentile of the lengths (m) of the baselines between antennas."""
    tool = table()
    tool.open(path + "/ANTENNA")
    positions = tool.getcol("POSITION").T[antennas]
    tool.close()
    lengths = [
        float(numpy.linalg.norm(one - other))
        for n, one in enumerate(positions)
        for other in positions[:n]
    ]
    return float(numpy.percentile(lengths, 75)) if lengths else 0.0


def column_names(path):
    """Columns of an MS's main table."""
    tool = table()
    tool.open(path)
    names = list(tool.colnames())
    tool.close()
    return names


def good_channels(path, tool, fields, spw):
    """Of each channel of a spw, whether any visibility of these fields is unflagged; None: no rows.

    Of two antennas: what an antenna saw by itself is not imaged, and may be unflagged alone.
    """
    ids = [int(d) for d in tool.datadescids(spw=spw)]
    good = numpy.zeros(tool.nchan(spw), dtype=bool)
    main = table()
    main.open(path)
    which = "FIELD_ID IN %s && DATA_DESC_ID IN %s" % (list(fields), ids)
    rows = main.query(which)
    if rows.nrows() == 0:
        good = None
    rows.close()
    rows = main.query(which + " && !FLAG_ROW && ANTENNA1 != ANTENNA2")
    for start in range(0, rows.nrows(), ROWS_AT_ONCE):
        flags = rows.getcol("FLAG", start, min(ROWS_AT_ONCE, rows.nrows() - start))
        good |= ~flags.all(axis=(0, 2))
        if good.all():
            break
    rows.close()
    main.close()
    return good


def seconds_on(path, tool, field, spw):
    """Time on a field, s, from the distinct times of one spw."""
    ids = [int(d) for d in tool.datadescids(spw=spw)]
    main = table()
    main.open(path)
    rows = main.query(
        "FIELD_ID == %d && DATA_DESC_ID IN %s" % (field, ids), columns="TIME,INTERVAL"
    )
    times, intervals = rows.getcol("TIME"), rows.getcol("INTERVAL")
    rows.close()
    main.close()
    if len(times) == 0:
        return 0.0
    return float(len(numpy.unique(times)) * numpy.median(intervals))


def first_time(path, fields):
    """Time of the first visibility of fields, s (UTC)."""
    main = table()
    main.open(path)
    rows = main.query("FIELD_ID IN %s" % list(fields), columns="TIME")
    times = rows.getcol("TIME")
    rows.close()
    main.close()
    return float(times.min())


SAME_WIDTH = 0.01
"""Part by which the widths of one spw may differ between EBs: the correlator's are equal."""


def match_spws(spws, others):
    """Which spw of another EB is which of these, by id: by name where names are real, else by frequency.

    Each is taken once: two spws are never one in another EB.  Names of old data do not tell one spectral
    setup from another: spws that do not overlap are not the same.
    """
    pairs = []
    for spw in spws:
        named = [o for o in others if o["name"] == spw["name"] and spw["name"] and _overlap(o, spw)]
        for other in others:
            away = abs(other["mean_hz"] - spw["mean_hz"])
            if len(named) == 1 and other is named[0]:
                pairs.append((0, away, spw["id"], other["id"]))
            elif _is_like(spw, other):
                pairs.append((1, away, spw["id"], other["id"]))
    found = {}
    for _, _, spw, other in sorted(pairs):
        if spw not in found and other not in found.values():
            found[spw] = other
    return found


def _is_like(one, other):
    """Whether spws have as many channels of the same width in the same place."""
    width = one["high_hz"] - one["low_hz"]
    return (
        one["nchan"] == other["nchan"]
        and abs(other["high_hz"] - other["low_hz"] - width) <= SAME_WIDTH * width
        and abs(one["mean_hz"] - other["mean_hz"]) < width / 2
    )


def _overlap(one, other):
    return min(one["high_hz"], other["high_hz"]) > max(one["low_hz"], other["low_hz"])


SAME_POINTING = 0.5
"""Arcsec: two EBs point at one place of a mosaic within milliarcseconds, other places are seconds away."""


def together(per_eb):
    """Directions of all EBs: those of the first, and of others what lies elsewhere; one may have ended early."""
    found = list(per_eb[0])
    for place in (place for places in per_eb[1:] for place in places):
        if nearest(found, place)[1] > SAME_POINTING:
            found.append(place)
    return found


def nearest(pointings, centre):
    """Index of the pointing nearest to a place (the last one of a tie), and its distance in arcsec."""
    distances = [_heuristics.separation(p, centre) for p in pointings]
    best = min(distances)
    return max(n for n, d in enumerate(distances) if d <= best + 1e-6), best
