"""Statistics of images, by CASA."""

from casatools import image

import _geometry


def statistics(path, region="", robust=False):
    """CASA's statistics of an image as plain numbers; empty when no pixel is selected.

    ``robust``: medians too, which take ten times longer.
    """
    tool = image()
    tool.open(path)
    try:
        found = tool.statistics(robust=robust, mask=region)
    finally:
        tool.done()
    return {
        key: float(value[0])
        for key, value in found.items()
        if hasattr(value, "__len__") and len(value) == 1 and not isinstance(value[0], str)
    }


def within_beam(where, suffix, robust=False):
    """Statistics of a residual where the primary beam is above the level at which the image ends."""
    beam = where + ".pb" + suffix
    within = "'%s' > %f" % (beam, _geometry.pb_levels(beam)[0])
    found = statistics(where + ".residual" + suffix, within, robust)
    if "max" not in found:
        raise _geometry.NoBeam("the residual image is blank")
    return found
