"""Look at a FITS file without CASA or astropy: its header, its size, its pixels."""

import os

import numpy

BLOCK = 2880


class NotAnImage(RuntimeError):
    """What was made is not a sound image; the message says why."""


def header_of(path):
    """Keywords of a FITS file's first header, and its length in bytes; values as text, unquoted."""
    found, length = {}, 0
    with open(path, "rb") as stream:
        while "END" not in found:
            block = stream.read(BLOCK)
            if len(block) < BLOCK:
                raise NotAnImage("%s: the header has no end" % os.path.basename(path))
            length += BLOCK
            for start in range(0, BLOCK, 80):
                card = block[start : start + 80].decode("ascii", "replace")
                key = card[:8].strip()
                if card[8:10] == "= ":
                    value = card[10:].strip()
                    found[key] = (
                        value[1:].split("'")[0].strip()
                        if value.startswith("'")
                        else value.split("/")[0].strip()
                    )
                elif key == "END":
                    found["END"] = ""
                    break
    return found, length


LEAST_FINITE = 0.01
"""Share of pixels that have a value: an image is blank outside the primary beam, not everywhere."""


def check_fits(path, beam=True, shape=None):
    """A FITS file is as large as its header says, has a sane beam, and pixels.  Returns its bytes.

    ``shape``: channels, rows and columns that it must have; None: whatever it has.

    Raises
    ------
    NotAnImage
    """
    name = os.path.basename(path)
    if not os.path.exists(path):
        raise NotAnImage("%s was not written" % name)
    header, length = header_of(path)
    axes = [int(header["NAXIS%d" % n]) for n in range(int(header.get("NAXIS", 0)), 0, -1)]
    if len(axes) < 2 or header.get("BITPIX") != "-32":
        raise NotAnImage("%s is not an image of 32-bit floats" % name)
    expected = length + -(-4 * int(numpy.prod(axes)) // BLOCK) * BLOCK
    size = os.path.getsize(path)
    if size != expected:
        raise NotAnImage("%s has %d bytes, its header promises %d" % (name, size, expected))
    planes = numpy.memmap(path, dtype=">f4", mode="r", offset=length, shape=tuple(axes)).reshape(
        (-1,) + tuple(axes[-2:])
    )
    if shape is not None and planes.shape != tuple(shape):
        found = tuple(planes.shape) + tuple(shape)
        raise NotAnImage("%s has %d channels of %d x %d, not %d of %d x %d" % ((name,) + found))
    check_pixels(name, planes, beam)
    if beam:
        check_beam(name, header)
    return size


def check_pixels(name, planes, varied):
    """Enough pixels have a value; where it must vary, it does."""
    low, high, number = numpy.inf, -numpy.inf, 0
    for plane in planes:
        finite = plane[numpy.isfinite(plane)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            number += finite.size
    if high < low:
        raise NotAnImage("%s has no finite pixel" % name)
    if number < LEAST_FINITE * planes.size:
        raise NotAnImage("%s: only %d of %d pixels are finite" % (name, number, planes.size))
    if varied and high == low:
        raise NotAnImage("%s is blank: every pixel is %g" % (name, low))


def check_beam(name, header):
    """There is a beam, and it is smaller than the image."""
    major = float(header.get("BMAJ", 0))
    if not major > 0:
        if header.get("CASAMBM", "F") != "T":
            raise NotAnImage("%s has no beam" % name)
        return
    minor = float(header.get("BMIN", major))
    width = int(header["NAXIS1"]) * abs(float(header.get("CDELT1", "inf")))
    if not 0 < minor <= major < width:
        raise NotAnImage(
            "%s has a beam of %g x %g degrees, the image is %g wide" % (name, major, minor, width)
        )
