"""What the PI asked for, and what follows for the images.  Numpy-free, CASA-free: texts and numbers.

The observatory keeps the goals as lines of text (``representativeBandwidth = 20.0 MHz``) in the MS's
ASDM_SBSUMMARY; older data have none, or some.  The rules are those of the pipeline's
`hifa_imageprecheck` and of its ``repBW`` lists.

Deviations from the pipeline: a representative window is also known by its name without ``#FULL_RES``;
where several spws are equally good for a representative frequency, the lowest id decides.
"""

import re

_UNITS = {
    "arcsec": 1.0,
    "mas": 1e-3,
    "marcsec": 1e-3,
    "arcmin": 60.0,
    "deg": 3600.0,
    "rad": 206264.80624709636,
    "Hz": 1.0,
    "kHz": 1e3,
    "MHz": 1e6,
    "GHz": 1e9,
}
_VALUE = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]+)\s*$")
ROBUSTS = (0.5, 0.0, 1.0, 2.0)
"""Briggs robust values in the order of preference."""
DEFAULT_ROBUST = 0.5
LINES = ("nbin", "repr_spw")
"""Modes in which the representative spw's own beam counts."""
WIDE = 4.0
"""A representative bandwidth of more default channels than this gets a cube of its own."""


def quantity(text):
    """A value with its unit as a number in arcsec or Hz; None when it is nothing or not positive."""
    found = _VALUE.match(str(text or ""))
    if not found or found.group(2) not in _UNITS:
        return None
    value = float(found.group(1)) * _UNITS[found.group(2)]
    return value if value > 0 else None


def parse(lines):
    """The goals of the lines of one scheduling block; what is not said is None."""
    said = {}
    for line in lines:
        key, mark, value = str(line).partition("=")
        if mark:
            said.setdefault(key.strip(), value.strip())

    def name(key):
        value = said.get(key, "")
        return None if value.lower() in ("", "none") else value

    return {
        "source": name("representativeSource"),
        "frequency_hz": quantity(said.get("representativeFrequency")),
        "bandwidth_hz": quantity(said.get("representativeBandwidth")),
        "window": name("representativeWindow"),
        "min_arcsec": quantity(said.get("minAcceptableAngResolution")),
        "max_arcsec": quantity(said.get("maxAcceptableAngResolution")),
    }


def is_real(goals):
    """Whether there is a representative target with a bandwidth: what the pipeline calls a real one."""
    return bool(goals and goals["source"] and goals["bandwidth_hz"])


def choose_spw(goals, spws, frequency_topo):
    """Id of the representative spw among the target's.

    By name; else the widest of those that hold the representative frequency (TOPO, Hz) with channels of at
    most the representative bandwidth; where none does, as near as can be had.
    """
    for spw in spws:
        if goals["window"] and spw["name"] in (goals["window"], goals["window"] + "#FULL_RES"):
            return spw["id"]
    if not goals["bandwidth_hz"] or not frequency_topo:
        return min(spw["id"] for spw in spws)
    # online smoothing makes a channel a little wider than the bandwidth that was asked for
    fine = [spw for spw in spws if spw["channel_hz"] <= 1.01 * goals["bandwidth_hz"]]

    def holding(some):
        return [spw for spw in some if spw["low_hz"] <= frequency_topo <= spw["high_hz"]]

    if holding(fine):
        return max(holding(fine), key=lambda spw: (spw["high_hz"] - spw["low_hz"], -spw["id"]))[
            "id"
        ]
    if fine:
        return max(fine, key=lambda spw: (spw["channel_hz"], -spw["id"]))["id"]
    if holding(spws):
        return min(holding(spws), key=lambda spw: (spw["channel_hz"], spw["id"]))["id"]
    return min(spws, key=lambda spw: (abs(spw["mean_hz"] - frequency_topo), spw["id"]))["id"]


def aggregate_bandwidth(spws):
    """Bandwidth that spws cover together, Hz; what two of them cover counts once."""
    total, reached = 0.0, 0.0
    for low, high in sorted((spw["low_hz"], spw["high_hz"]) for spw in spws):
        total += max(0.0, high - max(low, reached))
        reached = max(reached, high)
    return total


def bandwidth_mode(bandwidth, spw, spws):
    """What the representative bandwidth asks for: ``nbin`` channels of a line, a whole spw, or several."""
    width = spw["high_hz"] - spw["low_hz"]
    together = aggregate_bandwidth(spws)
    if bandwidth > 0.9 * together:
        return "all_spw"
    if bandwidth > width:
        return "multi_spw"
    return "repr_spw" if bandwidth > 0.2 * width else "nbin"


def bins(bandwidth, channel, default=1):
    """Channels of the cube at the representative bandwidth; None when the default cube is as good."""
    if bandwidth <= WIDE * default * channel:
        return None
    return int(bandwidth / channel + 0.5)


def choose_robust(beams, smallest, largest):
    """Briggs robust for the PI's range of angular resolution (arcsec), and why.

    ``beams``: major and minor axis (arcsec) by robust, 0.5 among them.  Beams are compared as areas.
    """
    if not largest:
        return DEFAULT_ROBUST, "no range of angular resolution is known"
    if not beams:
        return DEFAULT_ROBUST, "no beam can be predicted"
    if set(beams) == {DEFAULT_ROBUST}:
        return DEFAULT_ROBUST, "the 7-m array is always imaged so"
    area = {robust: major * minor for robust, (major, minor) in beams.items()}
    low, high = (smallest or 0.0) ** 2, (largest or 0.0) ** 2
    for robust in ROBUSTS:
        if low <= area[robust] <= high:
            return robust, "its beam is in the range that was asked for"
    if area[2.0] < low:
        return 2.0, "every beam is smaller than was asked for"
    if area[0.0] > high:
        return 0.0, "every beam is larger than was asked for"
    return DEFAULT_ROBUST, "the range that was asked for lies between two beams"
