"""What ADMIT would make of a cube, made with our own means: a directory per cube.

``<stem>.admit/`` holds ``admit.json`` (summary), ``channels.ecsv``, ``spectrum.ecsv`` and
``segments.ecsv`` (tables), ``peak.fits`` and ``cubesum.fits``, for each line segment
``line<n>.moment0.fits`` and ``line<n>.moment0.clipped.fits``, the pictures and ``index.html``.
The directory is whole or absent: it is made beside and renamed.

Unlike ADMIT's, segments are right to a channel, blended lines stay apart, fluxes are not clipped,
and no line is given a name: that needs the source's velocity, which the header does not hold.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable

from reimage import SCHEMA_VERSION, document
from reimage.products.admit_page import write_pages
from reimage.products.cube import CLIP_SIGMA, MASK_SIGMA, SUM_SIGMA, CubeAnalysis, LineMap
from reimage.products.fits_image import FitsBlank, FitsImage, Plane
from reimage.products.segments import Finder

Json: TypeAlias = dict[str, Any]

SUMMARY = "admit.json"
SEGMENT_COLUMNS = (
    "first_channel",
    "last_channel",
    "sign",
    "first_hz",
    "last_hz",
    "peak_channel",
    "peak_snr",
    "moment0_peak_snr",
    "flux_jy_km_s",
    "clipped_flux_jy_km_s",
)
"""Also the keys of a segment in the summary; channels from 0, both included."""


def write_admit(analysis: CubeAnalysis, directory: Path, finder: Finder | None = None) -> Json:
    """Write the ADMIT directory of a cube and return its summary.

    Parameters
    ----------
    analysis
        Of the cube (`cube.analyse`).
    directory
        To be made; one that is there is replaced.
    finder
        The parameters that the analysis was made with.

    Raises
    ------
    FitsBlank
        No channel holds a finite pixel.
    """
    image = analysis.flat.image
    if not np.isfinite(analysis.scan.peak).any():
        raise FitsBlank(
            f"{image.path.name} holds no finite pixel", evidence={"file": image.path.name}
        )
    part = directory.with_name(directory.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    _tables(analysis, part)
    _maps(analysis, part)
    summary = _summary(analysis, finder or Finder())
    write_pages(analysis, summary, part)
    document.write(part / SUMMARY, summary)
    if directory.exists():
        shutil.rmtree(directory)
    part.rename(directory)
    document.sync_directory(directory.parent)
    return summary


def _tables(analysis: CubeAnalysis, part: Path) -> None:
    image, table = analysis.flat.image, analysis.scan.table
    unit = u.Unit(image.unit) if image.unit == "Jy/beam" else u.dimensionless_unscaled
    channel = np.arange(image.n_channels)
    common: dict[str, Any] = {"channel": channel}
    if image.frequency_hz is not None:
        common["frequency"] = image.frequency_hz * u.Hz
    brightness = ("mean", "sigma", "maximum", "minimum")
    rest = ("max_x", "max_y", "min_x", "min_y", "n_finite")
    channels = QTable(
        common
        | {name: getattr(table, name) * unit for name in brightness}
        | {name: getattr(table, name) for name in rest}
    )
    channels.meta["about"] = "Flat noise, continuum removed; sigma is 1.4826 MAD"
    _write(channels, part / "channels.ecsv")
    spectra = analysis.spectra
    spectrum = QTable(
        common
        | {
            "at_peak": spectra.at_peak * unit,
            "integrated": spectra.integrated * u.Jy,
            "peak_snr": table.maximum / table.noise,
            "dip_snr": table.minimum / table.noise,
        }
    )
    spectrum.meta |= {"peak_x": spectra.x, "peak_y": spectra.y, "aperture": spectra.aperture}
    _write(spectrum, part / "spectrum.ecsv")
    rows = [_segment(line) for line in analysis.lines]
    columns = {name: [row[name] for row in rows] for name in SEGMENT_COLUMNS}
    _write(QTable(columns), part / "segments.ecsv")


def _write(table: QTable, path: Path) -> None:
    table.write(path, format="ascii.ecsv")


def _segment(line: LineMap) -> Json:
    segment = line.segment
    values = (
        segment.first_channel,
        segment.last_channel,
        segment.sign,
        line.first_hz,
        line.last_hz,
        segment.peak_channel,
        segment.peak_snr,
        line.peak_snr,
        line.flux_jy_km_s,
        line.clipped_flux_jy_km_s,
    )
    return dict(zip(SEGMENT_COLUMNS, values, strict=True))


def _maps(analysis: CubeAnalysis, part: Path) -> None:
    image = analysis.flat.image
    unit = f"{image.unit}.km/s" if image.unit else "km/s"
    _write_map(image, analysis.scan.peak, image.unit, part / "peak.fits", "peak of each pixel")
    said = f"sum of voxels above {SUM_SIGMA:g} sigma"
    _write_map(image, analysis.total, unit, part / "cubesum.fits", said)
    for number, line in enumerate(analysis.lines, start=1):
        first, last = line.segment.first_channel, line.segment.last_channel
        said = f"moment 0 of channels {first} to {last}"
        path = part / f"line{number}.moment0.fits"
        _write_map(image, line.moment0, unit, path, said)
        said += f", above {CLIP_SIGMA:g} sigma"
        path = part / f"line{number}.moment0.clipped.fits"
        _write_map(image, line.clipped, unit, path, said)


def _write_map(image: FitsImage, plane: Plane, unit: str, path: Path, said: str) -> None:
    header = image.wcs.to_header()
    header["BUNIT"] = unit
    header["OBJECT"] = image.target
    if image.beam:
        header["BMAJ"] = image.beam.major_arcsec / 3600
        header["BMIN"] = image.beam.minor_arcsec / 3600
        header["BPA"] = image.beam.pa_deg
    for keyword in ("RESTFRQ", "SPECSYS", "TELESCOP", "DATE-OBS"):
        if keyword in image.header:
            header[keyword] = image.header[keyword]
    header["ORIGIN"] = "reimage"
    header["HISTORY"] = said
    header["HISTORY"] = f"of {image.path.name}"
    fits.PrimaryHDU(plane, header).writeto(path)


def _summary(analysis: CubeAnalysis, finder: Finder) -> Json:
    image, noise = analysis.flat.image, analysis.scan.table.sigma
    caveats = []
    if analysis.scan.continuum is not None:
        caveats.append("continuum-left-in")
    blank = int((analysis.scan.table.n_finite == 0).sum())
    if blank:
        caveats.append(f"blank-channels:{blank}")
    return {
        "schema": SCHEMA_VERSION,
        "file": image.path.name,
        "pb": analysis.flat.pb.path.name if analysis.flat.pb else None,
        "target": image.target,
        "unit": image.unit,
        "n_channels": image.n_channels,
        "channel_hz": image.channel_hz,
        "rms_jy_beam": float(np.nanmedian(noise)),
        "parameters": asdict(finder)
        | {"clip_sigma": CLIP_SIGMA, "sum_sigma": SUM_SIGMA, "mask_sigma": MASK_SIGMA},
        "segments": [_segment(line) for line in analysis.lines],
        "lines": [],
        "peak_pixel": {"x": analysis.spectra.x, "y": analysis.spectra.y},
        "aperture": analysis.spectra.aperture,
        "caveats": caveats,
    }
