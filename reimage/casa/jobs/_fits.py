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


def check_fits(path, beam=True):
    """A FITS file is as large as its header says, and has a beam and finite pixels.  Returns its bytes.

    Raises
    ------
    NotAnImage
    """
    if not os.path.exists(path):
        raise NotAnImage("%s was not written" % os.path.basename(path))
    header, length = header_of(path)
    shape = [int(header["NAXIS%d" % n]) for n in range(int(header.get("NAXIS", 0)), 0, -1)]
    if len(shape) < 2 or header.get("BITPIX") != "-32":
        raise NotAnImage("%s is not an image of 32-bit floats" % os.path.basename(path))
    expected = length + -(-4 * int(numpy.prod(shape)) // BLOCK) * BLOCK
    size = os.path.getsize(path)
    if size != expected:
        raise NotAnImage(
            "%s has %d bytes, its header promises %d" % (os.path.basename(path), size, expected)
        )
    pixels = numpy.memmap(path, dtype=">f4", mode="r", offset=length, shape=tuple(shape))
    low, high = numpy.inf, -numpy.inf
    for plane in pixels.reshape((-1,) + tuple(shape[-2:])):
        finite = plane[numpy.isfinite(plane)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if high < low:
        raise NotAnImage("%s has no finite pixel" % os.path.basename(path))
    if beam:
        if high == low:
            raise NotAnImage("%s is blank: every pixel is %g" % (os.path.basename(path), low))
        if not float(header.get("BMAJ", 0)) > 0 and header.get("CASAMBM", "F") != "T":
            raise NotAnImage("%s has no beam" % os.path.basename(path))
    return size
