"""What the archive says that it has: ObsCore rows (`holdings.ecsv`) and files (`files.ecsv`)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import Table

from reimage.demo.delivery import ArchiveFile
from reimage.demo.plan import Block, DemoDataset, Field, Observation

LIGHT = 299_792_458.0
DISH_M = 12.0
L80_M, SHORTEST_M = 95.0, 15.0
"""Baselines of the configuration: 80th percentile and shortest."""
RELEASED_AT = "2020-01-01T00:00:00.000"
MODIFIED_AT = "2025-07-01T00:00:00.000"
UNITS = {
    "s_ra": "deg", "s_dec": "deg", "s_fov": "deg", "s_resolution": "arcsec",
    "spatial_resolution": "arcsec", "spatial_scale_max": "arcsec", "t_min": "d", "t_max": "d",
    "t_exptime": "s", "em_min": "m", "em_max": "m", "frequency": "GHz", "bandwidth": "Hz",
    "spectral_resolution": "Hz", "velocity_resolution": "m/s", "sensitivity_10kms": "mJy/beam",
    "cont_sensitivity_bandwidth": "mJy/beam", "pwv": "mm", "access_estsize": "kbyte",
    "gal_longitude": "deg", "gal_latitude": "deg",
}  # fmt: skip


def write_holdings(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the ObsCore table: one row per source, spectral window and execution block."""
    table = Table(rows=[dict(row) for row in rows])
    for name, unit in UNITS.items():
        table[name].unit = unit
    table.write(path, format="ascii.ecsv", overwrite=True)


def write_files(path: Path, files: Iterable[tuple[DemoDataset, ArchiveFile]]) -> None:
    """Write the listing of files, as DataLink would answer for each MOUS."""
    rows = [
        {
            "member_ous_uid": str(dataset.mous),
            "filename": file.name,
            "semantics": file.semantics,
            "content_type": file.content_type,
            "content_length": file.n_bytes,
        }
        for dataset, file in files
    ]
    Table(rows=rows).write(path, format="ascii.ecsv", overwrite=True)


def rows(
    dataset: DemoDataset, times: Mapping[str, tuple[float, float]], kbyte: int
) -> list[dict[str, Any]]:
    """Return a dataset's ObsCore rows.

    Parameters
    ----------
    times
        First and last MJD of each execution block, by its file name.
    kbyte
        Size of all files together.
    """
    return [
        _row(dataset, block, number, times=times[block.eb.name], kbyte=kbyte)
        for block in dataset.blocks
        for number in range(len(block.observation.spws))
    ]


def _row(
    dataset: DemoDataset,
    block: Block,
    number: int,
    *,
    times: tuple[float, float],
    kbyte: int,
) -> dict[str, Any]:
    return {
        **_identity(dataset, block, number),
        **_sky(block.observation, number),
        **_time_and_noise(block.observation, number, times),
        "access_url": f"https://almascience.org/datalink/sync?ID={dataset.mous}",
        "access_format": "application/x-votable+xml; content=datalink",
        "access_estsize": kbyte,
        "data_rights": "Public",
        "obs_release_date": RELEASED_AT,
        "qa2_passed": "T",
        "lastModified": MODIFIED_AT,
    }


def _identity(dataset: DemoDataset, block: Block, number: int) -> dict[str, Any]:
    """Return who, what and for which purpose."""
    observation = block.observation
    pads = zip(observation.pads, observation.antennas, strict=True)
    return {
        "obs_publisher_did": f"ADS/JAO.ALMA#{dataset.project}",
        "obs_collection": "ALMA",
        "facility_name": "JAO",
        "instrument_name": "ALMA",
        "obs_id": f"{dataset.mous}.source.{dataset.target}.spw.{number}",
        "dataproduct_type": "cube",
        "calib_level": 2,
        "target_name": dataset.target,
        "proposal_id": dataset.project,
        "band_list": str(dataset.band),
        "antenna_arrays": " ".join(f"{pad}:{antenna}" for pad, antenna in pads),
        "obs_creator_name": "Nobody, Simulated",
        "obs_title": f"Simulated: {dataset.about}",
        "schedblock_name": f"{dataset.target}_a_{dataset.band:02d}_TM1",
        "group_ous_uid": str(dataset.group),
        "member_ous_uid": str(dataset.mous),
        "asdm_uid": str(block.eb),
        "type": "S",
        "scan_intent": "TARGET",
        "science_observation": "T",
        "collections": "",
        "science_keyword": "Simulated data",
        "scientific_category": "Simulated data",
    }


def _sky(observation: Observation, number: int) -> dict[str, Any]:
    """Return where, and how finely."""
    pointings = observation.targets
    wavelength = LIGHT / observation.spws[number].centre_hz
    ra, dec = _middle(pointings)
    galactic = SkyCoord(ra, dec, unit="deg", frame="icrs").galactic
    resolution = math.degrees(0.574 * wavelength / L80_M) * 3600
    return {
        "s_ra": ra,
        "s_dec": dec,
        "s_fov": _field_of_view(wavelength),
        "s_region": _region(pointings, wavelength),
        "s_resolution": resolution,
        "spatial_resolution": resolution,
        "spatial_scale_max": math.degrees(0.6 * wavelength / SHORTEST_M) * 3600,
        "gal_longitude": float(galactic.l.to_value(units.deg)),
        "gal_latitude": float(galactic.b.to_value(units.deg)),
        "is_mosaic": "T" if len(pointings) > 1 else "F",
    }


def _time_and_noise(
    observation: Observation, number: int, times: tuple[float, float]
) -> dict[str, Any]:
    """Return when, at which frequencies, and how deep."""
    spw, pointings = observation.spws[number], observation.targets
    low, high = spw.edges_hz
    bandwidth = spw.width_hz * spw.channels
    integrations = sum(
        n for field, n in observation.sequence if observation.fields[field] in pointings
    )
    seconds = integrations * observation.integration_s
    noise_mjy = _noise_mjy(observation, seconds, bandwidth)
    ten_km_s = spw.centre_hz * 1e4 / LIGHT
    return {
        "t_min": times[0],
        "t_max": times[1],
        "t_exptime": seconds,
        "em_min": LIGHT / high,
        "em_max": LIGHT / low,
        "em_xel": spw.channels,
        "pol_states": "/XX/YY/",
        "pol_xel": 2,
        "o_ucd": "phot.flux.density;phys.polarization",
        "bandwidth": bandwidth,
        "frequency": spw.centre_hz / 1e9,
        "frequency_support": _frequency_support(observation, seconds),
        "velocity_resolution": spw.width_hz / spw.centre_hz * LIGHT,
        "spectral_resolution": spw.width_hz,
        "sensitivity_10kms": noise_mjy * math.sqrt(bandwidth / ten_km_s),
        "cont_sensitivity_bandwidth": noise_mjy,
        "pwv": 1.0,
    }


def _middle(pointings: tuple[Field, ...]) -> tuple[float, float]:
    """Return the mean direction in deg (the pointings of a mosaic are arcseconds apart)."""
    n = len(pointings)
    return (
        math.degrees(sum(field.direction[0] for field in pointings) / n) % 360,
        math.degrees(sum(field.direction[1] for field in pointings) / n),
    )


def _field_of_view(wavelength: float) -> float:
    return math.degrees(1.13 * wavelength / DISH_M)


def _region(pointings: tuple[Field, ...], wavelength: float) -> str:
    """Return the footprint in the archive's STC-S; a union states its frame once, outside."""
    radius = _field_of_view(wavelength) / 2
    circles = []
    for field in pointings:
        ra, dec = (math.degrees(angle) for angle in field.direction)
        circles.append(f"{ra % 360:.6f} {dec:.6f} {radius:.6f}")
    if len(circles) == 1:
        return f"Circle ICRS {circles[0]}"
    return "Union ICRS ( " + " ".join(f"Circle {circle}" for circle in circles) + " )"


def _noise_mjy(observation: Observation, seconds: float, bandwidth_hz: float) -> float:
    """Return the noise of natural weighting, two polarisations."""
    n = len(observation.antennas)
    return observation.sefd_jy / math.sqrt(n * (n - 1) * 2 * bandwidth_hz * seconds) * 1e3


def _frequency_support(observation: Observation, seconds: float) -> str:
    """Return the archive's own summary of all windows; units mix, as they do there."""
    parts = []
    for spw in observation.spws:
        low, high = (edge / 1e9 for edge in spw.edges_hz)
        wide = _noise_mjy(observation, seconds, spw.centre_hz * 1e4 / LIGHT)
        native = _noise_mjy(observation, seconds, spw.width_hz) * 1e3
        parts.append(
            f"[{low:.2f}..{high:.2f}GHz,{spw.width_hz / 1e3:.2f}kHz,"
            f"{wide:.1f}mJy/beam@10km/s,{native:.1f}uJy/beam@native, XX YY]"
        )
    return " U ".join(parts)
