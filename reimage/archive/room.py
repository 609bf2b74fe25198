"""Is there room for what is to be fetched?  Asked before, and told when the disk says no meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reimage.archive.listing import ArchiveFile
from reimage.errors import NO_ROOM, DiskFull


def missing_bytes(files: Sequence[ArchiveFile], folder: Path) -> int:
    """Return how many bytes are still to come, as far as the archive says: less what is in `.part`."""
    return sum(max((file.n_bytes or 0) - _there(folder / file.name), 0) for file in files)


def _there(target: Path) -> int:
    for path in (target, target.with_name(target.name + ".part")):
        try:
            return path.stat().st_size
        except OSError:
            continue
    return 0


def lacking(n_bytes: int, folder: Path) -> int:
    """Return how many bytes more would have to be free; 0: there is room."""
    return max(n_bytes - shutil.disk_usage(folder).free, 0)


def require(n_bytes: int, folder: Path) -> None:
    """Refuse what does not fit.

    Raises
    ------
    DiskFull
    """
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise DiskFull(
            f"{n_bytes} bytes are to be fetched, and {folder} has room for {free}",
            evidence={"path": str(folder), "n_bytes": n_bytes, "free_bytes": free},
        )


@contextmanager
def told(file: ArchiveFile, folder: Path) -> Iterator[None]:
    """Turn the system's word for a full disk into ours; what is there is kept: it can be gone on with.

    Raises
    ------
    DiskFull
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        free = shutil.disk_usage(folder).free
        raise DiskFull(
            f"no room for {file.name} ({file.n_bytes or 'unknown'} bytes): {free} are free below {folder}",
            evidence={
                "file": file.name,
                "n_bytes": file.n_bytes,
                "path": str(folder),
                "free_bytes": free,
            },
        ) from error
