"""A FITS image as CASA exports it: sky plane(s), spectral axis, beam; the pixels stay on disk.

Axes are found by their kind, not their place: right ascension, declination, FREQ and STOKES in CASA's order,
in the older STOKES, FREQ order, or without the degenerate ones.  The first Stokes plane is taken.
Pixels outside the primary-beam limit are NaN.
"""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from scipy.constants import speed_of_light

from reimage.errors import ProductError
from reimage.products.beam import Beam, read_beams

Plane: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
Pixels: TypeAlias = npt.NDArray[np.bool_]


class FitsUnreadable(ProductError):
    """A file is not a FITS image."""

    code = "fits-unreadable"
    hint = "Look at the file's first bytes; export the image again."


class FitsTruncated(ProductError):
    """A FITS file is shorter than its header promises."""

    code = "fits-truncated"
    hint = "The disk was full or the export was killed: export the image again."


class FitsNotSky(ProductError):
    """A FITS image has no celestial axes, or is of more dimensions than an image of the sky."""

    code = "fits-not-sky"
    hint = "Only images with a right ascension and a declination axis have previews and footprints."


class FitsBlank(ProductError):
    """No pixel of a FITS image is finite, or a brightness is the same everywhere."""

    code = "fits-blank"
    hint = "The imaging made nothing: look at the CASA log of this image."


@dataclass(frozen=True, slots=True, kw_only=True)
class FitsImage:
    """An open image.  ``data`` is memory-mapped; ask for planes, not for all of it."""

    path: Path
    data: npt.NDArray[Any]
    """(channel, y, x), in the byte order of the file."""
    mapping: mmap.mmap | None
    """Of the file; None when the pixels had to be read and scaled."""
    header: fits.Header
    wcs: WCS
    """Celestial, two-dimensional."""
    frequency_hz: Floats | None
    """Centre of each channel, None when the header does not say."""
    beams: tuple[Beam | None, ...]
    """Empty, one, or one for each channel (None for a channel without)."""

    @property
    def n_channels(self) -> int:
        """The number of channels; 1 for a continuum image."""
        return int(self.data.shape[0])

    @property
    def is_cube(self) -> bool:
        """Whether there is more than one channel."""
        return self.n_channels > 1

    @property
    def shape(self) -> tuple[int, int]:
        """The size of a plane: (y, x)."""
        return int(self.data.shape[1]), int(self.data.shape[2])

    @property
    def unit(self) -> str:
        """``Jy/beam`` as in the header; empty for ratios and masks."""
        return str(self.header.get("BUNIT", "")).strip()

    @property
    def target(self) -> str:
        """The header's OBJECT; empty when it has none."""
        return str(self.header.get("OBJECT", "")).strip()

    @property
    def pixel_arcsec(self) -> float:
        """The geometric mean of the pixel's sides."""
        return float(np.sqrt(self.wcs.proj_plane_pixel_area().to_value("arcsec2")))

    @property
    def beam(self) -> Beam | None:
        """The beam, of a cube with one per channel that of median area; None when there is none."""
        known = sorted((beam for beam in self.beams if beam), key=lambda beam: beam.area_arcsec2)
        return known[len(known) // 2] if known else None

    @property
    def pixels_per_beam(self) -> float | None:
        """The beam's solid angle in pixels: Jy/beam summed over pixels, divided by it, are Jy."""
        return self.beam.area_arcsec2 / self.pixel_arcsec**2 if self.beam else None

    @property
    def channel_hz(self) -> float | None:
        """The width of a channel, signed as the axis runs."""
        if self.frequency_hz is None:
            return None
        if self.is_cube:
            return float(np.median(np.diff(self.frequency_hz)))
        width = _spectral(self.header, "CDELT")
        return float(width) if width is not None else None

    def plane(self, channel: int = 0) -> Plane:
        """Return one channel in native byte order, a copy; what is infinite is NaN in it."""
        return self.rows(channel, slice(None))

    def rows(self, channel: int, part: slice) -> Plane:
        """Return some rows of a channel, as `plane` does."""
        rows = np.asarray(self.data[channel, part]).astype(np.float32)
        rows[np.isinf(rows)] = np.nan
        if self.mapping is not None:  # mapped pages would count as the process's own memory
            self.mapping.madvise(mmap.MADV_DONTNEED)
        return rows

    def planes(self) -> Iterator[Plane]:
        """Yield every channel, one in memory at a time."""
        for channel in range(self.n_channels):
            yield self.plane(channel)

    def finite(self) -> Pixels:
        """Return the pixels that are finite in at least one channel."""
        seen = np.zeros(self.shape, dtype=bool)
        for plane in self.planes():
            seen |= np.isfinite(plane)
            if seen.all():
                break
        return seen


def open_image(path: Path) -> FitsImage:
    """Open an image; only its header is read.

    Raises
    ------
    FitsUnreadable, FitsTruncated, FitsNotSky
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # truncation and deviations are judged below
            with fits.open(path, memmap=False, lazy_load_hdus=True) as hdus:
                hdu = hdus[0]
                header = hdu.header
                data, mapping = _mapped(path, hdu)
                beams = read_beams(hdus, header)
    except (OSError, TypeError, KeyError, IndexError, fits.VerifyError) as error:
        raise FitsUnreadable(
            f"{path.name} is not a FITS image: {error}", evidence={"file": str(path)}
        ) from error
    wcs, cube = _arranged(path, header, data)
    return FitsImage(
        path=path,
        data=cube,
        mapping=mapping,
        header=header,
        wcs=wcs,
        frequency_hz=_frequencies(header, cube.shape[0]),
        beams=beams,
    )


def _mapped(path: Path, hdu: fits.PrimaryHDU) -> tuple[npt.NDArray[Any], mmap.mmap | None]:
    """Map the pixels of the first HDU; integers and scaled values are read and scaled."""
    header = hdu.header
    shape = tuple(header[f"NAXIS{i}"] for i in range(header["NAXIS"], 0, -1))
    if not shape:
        raise FitsUnreadable(
            f"{path.name} has no image in its first HDU", evidence={"file": str(path)}
        )
    offset = int(hdu.fileinfo()["datLoc"])
    wanted = offset + abs(header["BITPIX"]) // 8 * int(np.prod(shape))
    size = path.stat().st_size
    if size < wanted:
        raise FitsTruncated(
            f"{path.name} has {size} of {wanted} bytes",
            evidence={"file": str(path), "n_bytes": size, "wanted": wanted},
        )
    scaled = header.get("BSCALE", 1.0) != 1.0 or header.get("BZERO", 0.0) != 0.0
    if header["BITPIX"] > 0 or scaled:
        return np.asarray(hdu.data, dtype=np.float32), None
    kind = np.dtype(f">f{-header['BITPIX'] // 8}")
    with path.open("rb") as stream:
        mapping = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    flat = np.frombuffer(mapping, kind, count=int(np.prod(shape)), offset=offset)
    return flat.reshape(shape), mapping


def _arranged(
    path: Path, header: fits.Header, data: npt.NDArray[Any]
) -> tuple[WCS, npt.NDArray[Any]]:
    """Return the celestial WCS, and the data as (channel, y, x)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = WCS(header)
    longitude, latitude = wcs.wcs.lng, wcs.wcs.lat
    if longitude < 0 or latitude < 0:
        raise FitsNotSky(f"{path.name} has no celestial axes", evidence={"file": str(path)})
    spectral = _spectral_axis(header)
    order = [axis for axis in (spectral, latitude, longitude) if axis is not None]
    numpy_axes = [data.ndim - 1 - axis for axis in order]
    others = [axis for axis in range(data.ndim) if axis not in numpy_axes]
    cube = np.transpose(data, others + numpy_axes)
    for _ in others:  # Stokes: the first; anything else is degenerate in CASA's images
        cube = cube[0]
    return wcs.celestial, cube if spectral is not None else cube[np.newaxis]


def _spectral_axis(header: fits.Header) -> int | None:
    """Return which FITS axis, from 0, is spectral."""
    for axis in range(header["NAXIS"]):
        name = str(header.get(f"CTYPE{axis + 1}", ""))
        if name.startswith(("FREQ", "VRAD", "VOPT", "VELO", "FELO")):
            return axis
    return None


def _spectral(header: fits.Header, keyword: str) -> Any:  # noqa: ANN401 -- a header's value
    axis = _spectral_axis(header)
    return None if axis is None else header.get(f"{keyword}{axis + 1}")


_TO_HZ = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}
_TO_M_S = {"m/s": 1.0, "km/s": 1e3}


def _frequencies(header: fits.Header, n_channels: int) -> Floats | None:
    """Return the channels' frequencies; velocities are turned round the header's rest frequency."""
    kind = str(_spectral(header, "CTYPE") or "")
    start, step = _spectral(header, "CRVAL"), _spectral(header, "CDELT")
    if start is None or step is None:
        return None
    unit = str(_spectral(header, "CUNIT") or "").strip()
    pixels = np.arange(n_channels) + 1.0 - float(_spectral(header, "CRPIX") or 1.0)
    axis = float(start) + pixels * float(step)
    if kind.startswith("FREQ"):
        return np.asarray(axis * _TO_HZ.get(unit, 1.0), dtype=np.float64)
    rest = header.get("RESTFRQ", header.get("RESTFREQ"))
    if not rest:
        return None
    ratio = axis * _TO_M_S.get(unit, 1.0) / speed_of_light
    radio = not kind.startswith(("VOPT", "FELO"))
    return np.asarray(rest * (1 - ratio) if radio else rest / (1 + ratio), dtype=np.float64)
