"""An archive that is a folder: `holdings.ecsv`, `files.ecsv` and the files in `dataPortal/`.

The two tables carry what ALMA's TAP (``ivoa.obscore``) and DataLink services say, under the same
column names, so that what is read from here is read from there.  Rows of the holdings are finer
than a dataset: one per source, spectral window and execution.
"""

from __future__ import annotations

import errno
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from astropy.table import Table

from reimage.errors import ArchiveError, DiskFull, UsageError
from reimage.uid import Uid

HOLDINGS, FILES, PORTAL = "holdings.ecsv", "files.ecsv", "dataPortal"
CHUNK = 1 << 20
Progress = Callable[[int], None]
"""Receives the number of bytes copied so far."""

PROPRIETARY_SENTINEL = "3000-01-01T00:00:00.000"
"""What the archive writes as release date of data without one."""


class ArchiveForeign(UsageError):
    """A directory is not one of our archives."""

    code = "archive-foreign"
    hint = "An archive directory holds holdings.ecsv, files.ecsv and dataPortal/; `reimage demo build` makes one."


class ArchiveFileMissing(ArchiveError):
    """The archive lists a file that it does not have."""

    code = "archive-file-missing"
    hint = "Ask the archive; nothing can be restored without it."


class ArchiveFileSize(ArchiveError):
    """A file is longer or shorter than the archive says."""

    code = "archive-file-size"
    hint = "Fetch it again; if it stays so, the archive's copy is damaged: tell the archive."


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """One file that the archive offers for a dataset.

    ``semantics`` is DataLink's: ``#documentation`` (README), ``#auxiliary`` (scripts, calibration),
    ``#this`` (products), ``#progenitor`` (raw).
    """

    name: str
    semantics: str
    content_type: str
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow:
    """One dataset of the holdings, its archive rows grouped."""

    key: str
    facts: dict[str, Any]
    """Typed columns, units in the names; see `_facts`."""


class DirectoryArchive:
    """Reads one archive directory.

    Raises
    ------
    ArchiveForeign
        The directory is absent, empty or something else.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in (HOLDINGS, FILES, PORTAL):
            if not (root / name).exists():
                raise ArchiveForeign(
                    f"{root} is not an archive: it has no {name}", evidence={"path": str(root)}
                )
        self._files = _read_table(root / FILES)

    def datasets(self) -> Iterator[HoldingRow]:
        """Yield every dataset once, in order of its uid."""
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in _read_table(self.root / HOLDINGS):
            rows[str(Uid.parse(row["member_ous_uid"]))].append(row)
        for key in sorted(rows):
            yield HoldingRow(key=key, facts=_facts(rows[key]))

    def files(self, key: str) -> tuple[ArchiveFile, ...]:
        """Return what the archive offers for a dataset; empty when it knows nothing of it."""
        return tuple(
            ArchiveFile(
                name=_plain_name(row["filename"]),
                semantics=row["semantics"],
                content_type=row["content_type"],
                n_bytes=int(row["content_length"]),
            )
            for row in self._files
            if str(Uid.parse(row["member_ous_uid"])) == key
        )

    def fetch(self, file: ArchiveFile, target: Path, progress: Progress) -> str:
        """Copy a file to ``target`` and return its sha256; ``progress`` gets the bytes so far.

        The copy is made as ``.part`` and renamed when its length is what the archive says.

        Raises
        ------
        ArchiveFileMissing, ArchiveFileSize, DiskFull
        """
        source, part = self.root / PORTAL / file.name, target.with_name(target.name + ".part")
        seen, done = hashlib.sha256(), 0
        try:
            with source.open("rb") as reader, part.open("wb") as writer:
                while chunk := reader.read(CHUNK):
                    writer.write(chunk)
                    seen.update(chunk)
                    done += len(chunk)
                    progress(done)
        except FileNotFoundError as error:
            raise ArchiveFileMissing(
                f"the archive lists {file.name} and does not have it", evidence={"file": file.name}
            ) from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                part.unlink(missing_ok=True)
                raise DiskFull(
                    f"no room for {file.name} ({file.n_bytes} bytes)",
                    evidence={
                        "file": file.name,
                        "n_bytes": file.n_bytes,
                        "path": str(target.parent),
                    },
                ) from error
            raise
        if done != file.n_bytes:
            raise ArchiveFileSize(
                f"{file.name}: {done} bytes, the archive says {file.n_bytes}",
                evidence={"file": file.name, "n_bytes": done, "promised_bytes": file.n_bytes},
            )
        part.rename(target)
        return seen.hexdigest()


def _read_table(path: Path) -> list[dict[str, Any]]:
    try:
        table = Table.read(path, format="ascii.ecsv")
    except (OSError, ValueError) as error:
        raise ArchiveForeign(
            f"cannot read {path}: {error}", evidence={"path": str(path)}
        ) from error
    return [
        {name: _python(value) for name, value in zip(table.colnames, row, strict=True)}
        for row in table.iterrows()
    ]


def _python(value: Any) -> Any:  # noqa: ANN401 -- a table's cell
    """Return a cell as a Python value, None where it is masked."""
    if getattr(value, "mask", False) is not False and bool(value.mask):
        return None
    return value.item() if hasattr(value, "item") else value


def _plain_name(name: str) -> str:
    """Refuse a file name that is a path: names from an archive never become paths."""
    if PurePosixPath(name).name != name or name in {"", ".", ".."}:
        raise ArchiveError(
            f"the archive offers a file with the name {name!r}",
            hint="Nothing was fetched; tell the archive.",
            evidence={"file": name},
        )
    return name


def _facts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Group the rows of one dataset; units as the archive really uses them.

    ``frequency`` is GHz and ``bandwidth`` Hz, resolutions are arcsec (the reference data show so,
    whatever older help pages say).
    """
    first = rows[0]
    arrays = sorted({array for row in rows for array in _arrays(row.get("antenna_arrays") or "")})
    half = [(row["frequency"] * 1e9, row["bandwidth"] / 2) for row in rows]
    return {
        "mous": str(Uid.parse(first["member_ous_uid"])),
        "project": first["proposal_id"],
        "cycle": _cycle(first["proposal_id"]),
        "bands": sorted({int(band) for row in rows for band in str(row["band_list"]).split()}),
        "array": "+".join(arrays) or None,
        "targets": sorted({row["target_name"] for row in rows}),
        "is_mosaic": any(row["is_mosaic"] == "T" for row in rows),
        "pol_states": first["pol_states"],
        "n_ebs": len({row["asdm_uid"] for row in rows}),
        "ebs": sorted({str(Uid.parse(row["asdm_uid"])) for row in rows}),
        "qa2_passed": all(row["qa2_passed"] == "T" for row in rows),
        "data_rights": first["data_rights"],
        "release_at": None
        if first["obs_release_date"] == PROPRIETARY_SENTINEL
        else first["obs_release_date"],
        "last_modified": first["lastModified"],
        "frequency_min_hz": min(centre - width for centre, width in half),
        "frequency_max_hz": max(centre + width for centre, width in half),
        "resolution_arcsec": min(row["spatial_resolution"] for row in rows),
        "size_bytes": 1000 * max(row.get("access_estsize") or 0 for row in rows) or None,
        "s_ra_deg": first["s_ra"],
        "s_dec_deg": first["s_dec"],
        "s_region": first.get("s_region"),
    }


def _arrays(antenna_arrays: str) -> Iterator[str]:
    """``A109:DV09 ...``: the antennas' names tell the array (a rule of thumb)."""
    for item in antenna_arrays.split():
        antenna = item.partition(":")[2]
        yield {"D": "12m", "C": "7m", "P": "TP"}.get(antenna[:1], "other")


_CYCLES = {"2011": 0, "2012": 1, "2013": 2, "2015": 3}


def _cycle(project: str) -> int | None:
    """Return the observing cycle of a project code: 2011.0 is 0, 2019.1 is 7, 2021.1 is 8."""
    year = project[:4]
    if not year.isdigit():
        return None
    number = int(year)
    skipped_2020 = 1 if number > 2020 else 0  # noqa: PLR2004 -- there was no 2020.1 call
    return _CYCLES.get(year, number - 2012 - skipped_2020)
