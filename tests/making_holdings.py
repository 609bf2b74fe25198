"""Makers of archive directories that a local server can serve: several datasets, tars within."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from making import make_row

FILE_COLUMNS = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")
BLOCK = 512
RA, DEC, PIXEL = 10.0, -20.0, 0.001
"""Of `cube_bytes`, deg."""
FIRST, STEP = 230e9, 1e6
"""Its first channel and their distance, Hz."""
CUBE_SHAPE = (1, 6, 30, 40)


def make_holdings(
    root: Path,
    listed: Sequence[tuple[str, str, str, str, int]],
    rights: Mapping[str, str],
    data: Mapping[str, bytes],
    **other: Any,
) -> Path:
    """Make an archive: rows of `files.ecsv`, data rights by dataset, the files that are there."""
    (root / "dataPortal").mkdir(parents=True)
    for name, content in data.items():
        (root / "dataPortal" / name).write_bytes(content)
    Table(rows=list(listed), names=FILE_COLUMNS).write(root / "files.ecsv", format="ascii.ecsv")
    rows = [
        make_row(member_ous_uid=uid, data_rights=right, **other) for uid, right in rights.items()
    ]
    Table(rows=rows).write(root / "holdings.ecsv", format="ascii.ecsv")
    return root


def make_hollow_tar(path: Path, members: Mapping[str, int]) -> Path:
    """Make a tar of zeros that takes no room: ``{path inside: bytes}``."""
    with path.open("wb") as file:
        for name, n_bytes in members.items():
            info = tarfile.TarInfo(name)
            info.size = n_bytes
            file.write(info.tobuf(tarfile.GNU_FORMAT))
            file.seek(-(-n_bytes // BLOCK) * BLOCK, 1)
        file.truncate(file.tell() + 2 * BLOCK)
    return path


def cube_bytes(dtype: str = ">f4", **keys: Any) -> bytes:
    """Make a FITS cube whose values number its pixels."""
    header = fits.Header()
    axes = (
        ("RA---SIN", RA, -PIXEL, 20.0),
        ("DEC--SIN", DEC, PIXEL, 15.0),
        ("FREQ", FIRST, STEP, 1.0),
        ("STOKES", 1.0, 1.0, 1.0),
    )
    for number, (kind, value, step, reference) in enumerate(axes, start=1):
        header[f"CTYPE{number}"], header[f"CRVAL{number}"] = kind, value
        header[f"CDELT{number}"], header[f"CRPIX{number}"] = step, reference
    header.update({"CUNIT1": "deg", "CUNIT2": "deg", "CUNIT3": "Hz", **keys})
    values = np.arange(np.prod(CUBE_SHAPE)).reshape(CUBE_SHAPE).astype(dtype)
    out = io.BytesIO()
    fits.PrimaryHDU(values, header).writeto(out)
    return out.getvalue()
