"""Makers of small real things for tests: tars, deliveries, archives, runs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from astropy.table import Table

from reimage.model import CasaBuild
from reimage.run import Limits, Run

MOUS = "uid://A001/X1/X2"
MEMBER = (
    "2018.1.00001.S/science_goal.uid___A001_X1_X0/group.uid___A001_X1_X1/member.uid___A001_X1_X2"
)
EB = "uid___A002_Xc0ffee_X1"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_tar(path: Path, files: Mapping[str, bytes], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def make_row(**other: Any) -> dict[str, Any]:
    row = {
        "member_ous_uid": MOUS,
        "proposal_id": "2018.1.00001.S",
        "asdm_uid": "uid://A002/Xc0ffee/X1",
        "target_name": "NGC_1",
        "band_list": "6",
        "frequency": 230.0,
        "bandwidth": 1.875e9,
        "antenna_arrays": "A001:DA41 A002:DV02",
        "is_mosaic": "F",
        "pol_states": "/XX/YY/",
        "qa2_passed": "T",
        "data_rights": "Public",
        "obs_release_date": "2020-01-01T00:00:00.000",
        "lastModified": "2025-07-01T00:00:00.000",
        "spatial_resolution": 1.2,
        "access_estsize": 100,
        "s_ra": 10.0,
        "s_dec": -20.0,
        "s_region": "Circle ICRS 10 -20 0.01",
    }
    return {**row, **other}


def make_archive(
    root: Path, files: Mapping[str, tuple[str, bytes]], rows: list[dict[str, Any]] | None = None
) -> Path:
    """Make a directory archive of one dataset; ``files`` is ``{name: (semantics, data)}``."""
    (root / "dataPortal").mkdir(parents=True)
    listing = []
    for name, (semantics, data) in files.items():
        (root / "dataPortal" / name).write_bytes(data)
        listing.append((MOUS, name, semantics, "application/x-tar", len(data)))
    names = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")
    Table(rows=listing, names=names).write(root / "files.ecsv", format="ascii.ecsv")
    Table(rows=rows or [make_row()]).write(root / "holdings.ecsv", format="ascii.ecsv")
    return root


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def make_build(version: str = "6.7.0.31", **other: Any) -> CasaBuild:
    fields: dict[str, Any] = {
        "id": f"casa-{version}-py311",
        "version": version,
        "kind": "modular",
        "python": "python",
    }
    return CasaBuild(**{**fields, **other})


def make_run(archive: Path, **other: Any) -> Run:
    fields: dict[str, Any] = {
        "run": "20260102-030405-abcd",
        "holding": "alma",
        "dataset": MOUS,
        "facts": {"data_rights": "Public", "array": "12m"},
        "recipe": {"stages": ["fetch", "choose", "restore", "image", "derive", "assess"]},
        "recipe_digest": "0",
        "archive": str(archive),
        "builds": (make_build(),),
        "fixes": (),
        "limits": Limits(memory_mb=4000, wall_s=600, silence_s=60),
        "created_at": WHEN,
    }
    return Run(**{**fields, **other})
