"""An archive that is a folder: `holdings.ecsv`, `files.ecsv` and the files in `dataPortal/`.

The two tables carry what ALMA's TAP (``ivoa.obscore``) and DataLink services say, under the same
column names, so that what is read from here is read from there.  Rows of the holdings are finer
than a dataset: one per source, spectral window and execution.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage.archive import grouping
from reimage.archive.faults import ArchiveFileMissing, ArchiveFileSize, ArchiveForeign
from reimage.archive.listing import ArchiveFile, once, plain_name
from reimage.archive.protocol import Fetched, Tell
from reimage.errors import NO_ROOM, DiskFull, ReimageError
from reimage.uid import Uid

HOLDINGS, FILES, PORTAL = "holdings.ecsv", "files.ecsv", "dataPortal"
CHUNK = 1 << 20
Progress = Callable[[int], None]
"""Receives the number of bytes copied so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow:
    """One dataset of the holdings, its archive rows grouped."""

    key: str
    facts: dict[str, Any]
    """Typed columns, units in the names; see `reimage.archive.grouping`."""


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
        path = self.root / HOLDINGS
        for key, facts in grouping.grouped(_read_table(path), _nameless(path)):
            yield HoldingRow(key=key, facts=facts)

    def files(self, key: str) -> tuple[ArchiveFile, ...]:
        """Return what the archive offers for a dataset; empty when it knows nothing of it."""
        return once(
            ArchiveFile(
                name=plain_name(row["filename"]),
                semantics=row["semantics"],
                content_type=row["content_type"],
                n_bytes=None if row["content_length"] is None else int(row["content_length"]),
            )
            for row in self._files
            if str(Uid.parse(row["member_ous_uid"])) == key
        )

    @property
    def knows_us(self) -> bool:
        """A folder asks nobody who he is."""
        return False

    def n_blank(self, key: str) -> int:  # noqa: ARG002 -- as every archive has it
        """Return 0: every row names a file."""
        return 0

    def members(self, file: ArchiveFile) -> tuple[ArchiveFile, ...]:
        """Return the files inside a tar, by its own index; empty where that cannot be read."""
        try:
            with tarfile.open(self.root / PORTAL / file.name, "r:*") as tar:
                inside = [member for member in tar if member.isfile()]
        except (OSError, tarfile.TarError, EOFError):
            return ()  # absent or damaged: fetching it will tell
        return tuple(
            ArchiveFile(
                name=member.name.rpartition("/")[2],
                semantics=file.semantics,
                content_type="application/octet-stream",
                n_bytes=member.size,
                description=member.name,
            )
            for member in inside
        )

    def fetch_all(
        self,
        files: Sequence[ArchiveFile],
        folder: Path,
        tell: Tell,
        *,
        dataset: str,
        version: str = "",
    ) -> Generator[Fetched]:
        """Copy files one after the other (`reimage.archive.protocol.Archive`)."""
        del dataset, version  # nothing is cached: it is all here
        failure: ReimageError | None = None
        for file in files:
            target = folder / file.name
            try:
                sha256 = self.fetch(file, target, lambda done, file=file: tell(file, done))  # type: ignore[misc]
            except DiskFull:
                raise
            except ReimageError as error:
                failure = failure or error
                continue
            yield Fetched(file=file, n_bytes=target.stat().st_size, sha256=sha256)
        if failure is not None:
            raise failure

    def reject(self, file: ArchiveFile, *, dataset: str, version: str = "") -> None:
        """Nothing is kept of what was handed out."""

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
            if error.errno in NO_ROOM:
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
        if file.n_bytes is not None and done != file.n_bytes:
            raise ArchiveFileSize(
                f"{file.name}: {done} bytes, the archive says {file.n_bytes}",
                evidence={"file": file.name, "n_bytes": done, "promised_bytes": file.n_bytes},
            )
        part.rename(target)
        return seen.hexdigest()


def _read_table(path: Path) -> list[dict[str, Any]]:
    from astropy.table import Table  # noqa: PLC0415 -- readers of runs come by here and need none

    try:
        from astropy.table import Table  # noqa: PLC0415 -- slow to load: who only names an archive does without

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


def _nameless(path: Path) -> Callable[[grouping.Row], None]:
    def told(row: grouping.Row) -> None:
        raise ArchiveForeign(
            f"{path}: a row names no member OUS: {row.get('member_ous_uid')!r}",
            evidence={"path": str(path)},
        )

    return told
