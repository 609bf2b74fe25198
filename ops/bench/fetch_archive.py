"""An archive directory for `fetch`: one large file, many small ones, and as many rows of holdings as wanted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.table import Table

from reimage.archive.directory import FILES, HOLDINGS, PORTAL

MOUS = "uid://A001/X1/X1"
ROWS_OF_A_DATASET = 5
BLOCK = os.urandom(1 << 20)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A file of the archive."""

    name: str
    n_bytes: int


def make_archive(
    root: Path, large_bytes: int, small_bytes: int, small_files: int
) -> tuple[Sequence[Listed], Sequence[Listed]]:
    """Make the archive; return what is large and what is many."""
    large = [Listed(name="large.dat", n_bytes=large_bytes)]
    many = [Listed(name=f"small{n:04}.dat", n_bytes=small_bytes) for n in range(small_files)]
    (root / PORTAL).mkdir(parents=True)
    for file in (*large, *many):
        _write(root / PORTAL / file.name, file.n_bytes)
    names = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")
    listing = [(MOUS, f.name, "#this", "application/octet-stream", f.n_bytes) for f in large + many]
    Table(rows=listing, names=names).write(root / FILES, format="ascii.ecsv")
    make_rows(root, ROWS_OF_A_DATASET)
    return large, many


def make_rows(root: Path, n_rows: int) -> None:
    """Write so many rows of holdings, five for each dataset: its spectral windows."""
    rows = [
        _row(number // ROWS_OF_A_DATASET, number % ROWS_OF_A_DATASET) for number in range(n_rows)
    ]
    Table(rows=rows).write(root / HOLDINGS, format="ascii.ecsv", overwrite=True)


def _write(path: Path, n_bytes: int) -> None:
    with path.open("wb") as stream:
        for begin in range(0, n_bytes, len(BLOCK)):
            stream.write(BLOCK[: min(len(BLOCK), n_bytes - begin)])


def _row(dataset: int, window: int) -> dict[str, Any]:
    uid = f"uid://A001/X{dataset + 1:x}/X1"
    low = 85.0 + dataset % 200 + window
    return {
        "member_ous_uid": uid,
        "obs_id": f"{uid}.source.T{dataset}.spw.{window}",
        "proposal_id": f"20{12 + dataset % 8}.1.{dataset:05d}.S",
        "asdm_uid": f"uid://A002/X{dataset + 1:x}/X2",
        "target_name": f"T{dataset}",
        "band_list": "3",
        "frequency": low + 1,
        "bandwidth": 1.875e9,
        "frequency_support": f"[{low:.2f}..{low + 1.875:.2f}GHz,31250.00kHz,4mJy/beam@native, XX YY]",
        "antenna_arrays": "A001:DA41 A002:DV02 A003:DV03",
        "is_mosaic": "F",
        "pol_states": "/XX/YY/",
        "qa2_passed": "T",
        "data_rights": "Public",
        "obs_release_date": "2020-01-01T00:00:00.000",
        "lastModified": "2025-07-01T00:00:00.000",
        "science_keyword": "Spiral galaxies",
        "spatial_resolution": 1.2,
        "access_estsize": 100,
        "t_min": 57000.0 + dataset / 10,
        "s_ra": dataset * 0.03 % 360,
        "s_dec": -20.0,
        "s_region": "Circle ICRS 10 -20 0.01",
    }
