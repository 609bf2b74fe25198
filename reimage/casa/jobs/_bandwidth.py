"""What the correlator's online smoothing does to bandwidths and to the noise.  Standard library only.

ALMA's correlator smooths spectra and may average channels afterwards: neighbouring channels then
share noise, and a channel's effective bandwidth is larger than its width.
"""

_AVERAGED = {2.667: 1, 1.6: 2, 1.231: 4, 1.104: 8, 1.049: 16}
"""Effective bandwidth of a channel in channel widths -> how many smoothed channels were averaged."""
_CORRELATED = 1.12
"""Channel widths that smoothing shares with the neighbours of a selection, over the averaged number."""


def averaged(ratio):
    """How many smoothed channels make one channel of this effective bandwidth / width; 0: no smoothing."""
    if ratio <= 1:
        return 0
    return next((n for known, n in _AVERAGED.items() if agree(ratio, known)), 0)


def agree(one, other, digits=4):
    """Whether two numbers are equal to a number of significant digits."""
    return float("%.*g" % (digits, one)) == float("%.*g" % (digits, other))


def twice_sampled(ratio):
    """Whether each two channels hold one independent value, so that binning by 2 loses nothing."""
    return agree(ratio, 2.667)


def effective(channels, total, width, ratio):
    """Effective bandwidth of ``channels`` of a spw's ``total``, in the unit of ``width``.

    Also the factor by which their noise is above that of as many independent channels of the effective
    bandwidth that CASA's weights know: it makes `apparentsens` of the whole spw the noise of a selection.
    """
    count = averaged(ratio)
    if not count or channels <= 1:
        return channels * width, 1.0
    real = (channels + _CORRELATED * (total - channels) / total / count) * width
    return real, (channels * ratio * width / real) ** 0.5
