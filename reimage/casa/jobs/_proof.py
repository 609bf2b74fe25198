"""Export images to FITS with their provenance, and look at what was written.

Return codes prove nothing: a full disk, an empty selection and exhausted memory all leave files.
"""

import os
import re

from casatasks import casalog
from casatools import image

from _calls import exportfits
from _fits import NotAnImage, check_fits

HARMLESS = re.compile(
    r"TAI_UTC seems out-of-date|Until the table is updated|derived from UTC could be wrong"
)
"""The leap-second lines that every CASA writes when its clock is past its data."""
BLANK = "PSF is blank"
_RESTORED = re.compile(r"\.image(\.tt\d)?(\.pbcor)?$")
"""tclean's names of images that were convolved with a beam."""


class LogWatch(object):
    """The CASA log from now on."""

    def __init__(self):
        self._path = casalog.logfile()
        self._offset = os.path.getsize(self._path) if os.path.exists(self._path) else 0

    def bad_lines(self):
        """SEVERE lines, and those that say that nothing was imaged."""
        with open(self._path, errors="replace") as stream:
            stream.seek(self._offset)
            return [
                line.strip()
                for line in stream
                if ("\tSEVERE\t" in line and not HARMLESS.search(line)) or BLANK in line
            ]


def check_made(where, suffix):
    """PSF and weights of a tclean name are there and not zero.

    Raises
    ------
    NotAnImage
    """
    for kind in (".psf", ".sumwt"):
        path = where + kind + suffix
        if not os.path.isdir(path):
            raise NotAnImage("%s was not made" % kind[1:])
        tool = image()
        tool.open(path)
        largest = tool.statistics(robust=False)["max"]
        tool.done()
        if not (len(largest) and largest[0] > 0):
            raise NotAnImage("%s is zero: no data were gridded" % kind[1:])


def is_restored(path):
    """Whether an image has a beam, by its name; directories may be called anything."""
    return _RESTORED.search(path) is not None


def export(source, target, keywords, shape=None):
    """Write an image as FITS, axes RA, Dec, frequency, Stokes; return its size in bytes.

    ``keywords`` go into the header, beside those that CASA writes; ``shape``: channels, rows, columns that
    it must have.  The file has its name only when whole.
    """
    tool = image()
    tool.open(source)
    known = tool.miscinfo()
    known.update(keywords)
    tool.setmiscinfo(known)
    tool.done()
    part = target + ".part"
    exportfits(
        imagename=source,
        fitsimage=part,
        velocity=False,
        optical=False,
        bitpix=-32,
        minpix=0,
        maxpix=-1,
        overwrite=True,
        dropstokes=False,
        stokeslast=True,
    )
    size = check_fits(part, beam=is_restored(source), shape=shape)
    os.rename(part, target)
    return size
