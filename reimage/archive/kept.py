"""What the cache means for a disk: what it has of a listing needs no room there, what else it has can make some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reimage.archive.cache import Cache
from reimage.archive.listing import ArchiveFile
from reimage.run import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the cache has on the disk of a run."""

    names: frozenset[str] = frozenset()
    """Of files that were asked about."""
    reclaimable_bytes: int = 0
    """Of all else that the cache alone holds."""


def make_room(place: Path, transfer: Transfer, n_bytes: int) -> int:
    """Have the cache free so many bytes on the disk of a directory, and return how many it did.

    Where it is on another disk, or has not so much that only it holds, it is left as it is.
    """
    if not (transfer.cache and transfer.cache_bytes):
        return 0
    cache = Cache(Path(transfer.cache), transfer.cache_bytes)
    if not cache.shares_disk(place) or cache.reclaimable() < n_bytes:
        return 0
    return cache.make_room(n_bytes)


def on_disk_of(
    place: Path,
    locator: str,
    transfer: Transfer,
    wanted: Sequence[ArchiveFile],
    *,
    dataset: str,
    version: str,
) -> Kept:
    """Return what the cache has on the disk of a directory; nothing where it is on another, or off."""
    if not (transfer.cache and transfer.cache_bytes):
        return Kept()
    cache = Cache(Path(transfer.cache), transfer.cache_bytes, locator.rstrip("/"))
    if not cache.shares_disk(place):
        return Kept()
    found = {one.name: entry for one in wanted if (entry := cache.known(dataset, version, one))}
    return Kept(
        names=frozenset(found),
        reclaimable_bytes=cache.reclaimable({entry.sha256 for entry in found.values()}),
    )
