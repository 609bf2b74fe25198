"""From LSRK to the channels of an MS and back, by CASA's own conversion."""

import sys

from casatools import synthesisutils


def lsrk_range(path, field, spw, first, last):
    """LSRK edges (Hz) that channels ``first`` to ``last`` of a spw cover during the observation.

    None where the field has no rows of the spw: CASA then answers from nothing to the largest number.
    """
    tool = synthesisutils()
    edges = tool.advisechansel(
        msname=path,
        fieldid=field,
        spwselection="%d:%d~%d" % (spw, first, last),
        getfreqrange=True,
        freqframe="LSRK",
    )
    tool.done()
    low, high = sorted((edges["freqstart"]["value"], edges["freqend"]["value"]))
    return (low, high) if 0 < low and high < sys.float_info.max else None


def channels_of(path, field, spw, low_hz, high_hz):
    """First and last channel of a spw that the LSRK range touches, with CASA's padding; None: none."""
    tool = synthesisutils()
    found = tool.advisechansel(
        freqstart="%.10fGHz" % (low_hz / 1e9),
        freqend="%.10fGHz" % (high_hz / 1e9),
        freqframe="LSRK",
        msname=path,
        fieldid=field,
        spwselection=str(spw),
    )
    tool.done()
    for which, start, count in zip(found["spw"], found["start"], found["nchan"]):
        if int(which) == spw and int(count) > 0:
            return int(start), int(start) + int(count) - 1
    return None


def topo_selection(path, field, spw, ranges_hz):
    """TOPO frequencies of LSRK ranges as MS selection writes them, and how many channels they are.

    ``spw``: its description (`_metadata.describe_spw`) in this MS.  The text is empty when no channel
    of the spw lies in the ranges.
    """
    texts, chosen = [], set()
    for low, high in ranges_hz:
        channels = channels_of(path, field, spw["id"], low, high)
        if channels is None:
            continue
        chosen |= set(range(channels[0], channels[1] + 1))
        step = spw["channel_hz"]
        if spw["ascending"]:
            edges = spw["low_hz"] + channels[0] * step, spw["low_hz"] + (channels[1] + 1) * step
        else:
            edges = spw["high_hz"] - (channels[1] + 1) * step, spw["high_hz"] - channels[0] * step
        texts.append("%.10f~%.10fGHz" % (edges[0] / 1e9, edges[1] / 1e9))
    return ";".join(sorted(texts)), len(chosen)


def join_ranges(ranges):
    """Ranges in order, those that overlap as one."""
    joined = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return joined
