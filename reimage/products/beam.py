"""The restoring beam: from the header, or from CASA's table of one beam per channel."""

from __future__ import annotations

import math
from dataclasses import dataclass

from astropy.io import fits

from reimage.errors import ProductError


class BeamMissing(ProductError):
    """An image in Jy/beam does not say what its beam is."""

    code = "fits-beam-missing"
    hint = "Image without a restoring beam: was the image restored? Look at the CASA log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """A Gaussian beam: full widths at half maximum, position angle from north through east."""

    major_arcsec: float
    minor_arcsec: float
    pa_deg: float

    @property
    def area_arcsec2(self) -> float:
        """The beam's solid angle."""
        return math.pi * self.major_arcsec * self.minor_arcsec / (4 * math.log(2))

    @property
    def axial_ratio(self) -> float:
        """Major over minor axis, 1 for a round beam."""
        return self.major_arcsec / self.minor_arcsec


_ARCSEC = {"arcsec": 1.0, "deg": 3600.0, "arcmin": 60.0}


def read_beams(hdus: fits.HDUList, header: fits.Header) -> tuple[Beam | None, ...]:
    """Return no beam, the common one, or one for each channel of the first polarisation.

    CASA writes several beams (``CASAMBM``) as a table ``BEAMS``; a channel without data has
    a beam of size 0 there, given as None.
    """
    if header.get("CASAMBM") and "BEAMS" in hdus:
        return _table(hdus["BEAMS"])
    if header.get("BMAJ") and header.get("BMIN"):
        major, minor = header["BMAJ"] * 3600, header["BMIN"] * 3600
        return (_beam(major, minor, header.get("BPA", 0.0)),)
    return ()


def _table(hdu: fits.BinTableHDU) -> tuple[Beam | None, ...]:
    scale = [_ARCSEC.get(hdu.columns[name].unit, 1.0) for name in ("BMAJ", "BMIN")]
    rows = sorted(
        (int(row["CHAN"]), row["BMAJ"] * scale[0], row["BMIN"] * scale[1], row["BPA"])
        for row in hdu.data
        if row["POL"] == 0
    )
    return tuple(_beam(*row[1:]) for row in rows)


def _beam(major: float, minor: float, pa: float) -> Beam | None:
    if not (major > 0 and minor > 0):
        return None
    return Beam(major_arcsec=float(major), minor_arcsec=float(minor), pa_deg=float(pa))
