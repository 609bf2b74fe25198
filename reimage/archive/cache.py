"""Fetched files, kept: what was fetched once is not fetched again for another run.

``sha256/ab/<hash>`` holds content, ``index/ab/<hash>.json`` says what content a dataset's file has.  A
file in a run and in the cache are one file on disk (hard links) where both are on one file system.
The limit is on what only the cache holds: taking away what a run has, too, would free nothing.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from reimage.archive.listing import ArchiveFile
from reimage.errors import NO_ROOM

DRAFT = ".new-"
STALE_S = 86_400
"""A draft that is older was left by a process that was killed."""
UNLINKABLE = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP})
"""What a file system says where a hard link cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What content a file of a dataset has."""

    dataset: str
    name: str
    version: str
    listed_bytes: int | None
    sha256: str
    n_bytes: int
    mtime_ns: int
    """Of the content when it was put in: what was touched since is hashed before it is believed."""


class Cache:
    """One folder, shared by processes; never a reason to fail: what it cannot do is done without it.

    Parameters
    ----------
    home
        The archive that files are of: another one may have something else under the same name.
    """

    def __init__(self, root: Path, limit_bytes: int, home: str = "") -> None:
        self._root, self._limit, self._home = root, limit_bytes, home

    def known(self, dataset: str, version: str, file: ArchiveFile) -> Entry | None:
        """Return what is known of a file, its content there and of the right length."""
        place = self._index(dataset, version, file)
        try:
            entry = Entry(**json.loads(place.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        try:
            is_there = self._content(entry.sha256).stat().st_size == entry.n_bytes
        except OSError:
            is_there = False
        if not is_there:
            self._drop(place, entry)
        return entry if is_there else None

    def take(self, dataset: str, version: str, file: ArchiveFile, target: Path) -> Entry | None:
        """Put a file at its place in a run; None: it is not there, or no longer what it was."""
        entry = self.known(dataset, version, file)
        if entry is None:
            return None
        content, place = self._content(entry.sha256), self._index(dataset, version, file)
        try:
            mtime_ns = content.stat().st_mtime_ns
            if mtime_ns != entry.mtime_ns:
                if sha256_of(content) != entry.sha256:
                    self._drop(place, entry)
                    return None
                with suppress(OSError):  # another user's: hashed again the next time
                    _write(place, replace(entry, mtime_ns=mtime_ns))
            _link(content, target)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            return None  # another process made room, or another user keeps it to himself
        with suppress(OSError):
            os.utime(
                place
            )  # used last: now; the content's own times are what tells that it changed
        return entry

    def put(self, dataset: str, version: str, file: ArchiveFile, sha256: str, source: Path) -> bool:
        """Keep a file that was fetched, and return whether; without harm where there is no room for it."""
        with suppress(OSError):
            n_bytes = source.stat().st_size
            if n_bytes > self._limit:
                return False
            content = self._content(sha256)
            content.parent.mkdir(parents=True, exist_ok=True)
            _link(source, content)  # also where it is there: this one is known to be good
            entry = Entry(
                dataset=dataset,
                name=file.name,
                version=version,
                listed_bytes=file.n_bytes,
                sha256=sha256,
                n_bytes=n_bytes,
                mtime_ns=content.stat().st_mtime_ns,
            )
            place = self._index(dataset, version, file)
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(place, entry)
            return True
        return False

    def forget(self, dataset: str, version: str, file: ArchiveFile) -> None:
        """Drop a file whose content turned out to be bad."""
        entry = self.known(dataset, version, file)
        if entry is not None:
            self._drop(self._index(dataset, version, file), entry)

    def trim(self) -> int:
        """Take away what was used least recently until the limit holds; return the bytes freed."""
        with suppress(OSError), self._alone():
            kept = self._alone_here()
            return self._take_away(kept, sum(kept.values()) - self._limit)
        return 0

    def make_room(self, n_bytes: int, spared: Collection[str] = ()) -> int:
        """Take away what was used least recently until so many bytes are freed; return how many are.

        Parameters
        ----------
        spared
            Sums (sha256) of what is wanted now, and stays.
        """
        with suppress(OSError), self._alone():
            kept = self._alone_here()
            spare = {path: size for path, size in kept.items() if path.name not in spared}
            return self._take_away(spare, n_bytes)
        return 0

    def reclaimable(self, spared: Collection[str] = ()) -> int:
        """Return the bytes that `make_room` can free at most."""
        kept = self._alone_here()
        return sum(size for path, size in kept.items() if path.name not in spared)

    def _alone_here(self) -> dict[Path, int]:
        """Return the content that no run has, too, with its bytes: taking it away frees them."""
        found = {}
        for path in self._root.glob("sha256/??/[0-9a-f]*"):
            with suppress(OSError):  # another process made room
                about = path.stat()
                if about.st_nlink == 1:
                    found[path] = about.st_size
        return found

    def _take_away(self, kept: Mapping[Path, int], n_bytes: int) -> int:
        if n_bytes <= 0:
            return 0
        freed, used = 0, self._last_used()
        for path in sorted(kept, key=lambda path: (used.get(path.name, 0), path)):
            if freed >= n_bytes:
                break
            with suppress(OSError):
                path.unlink(missing_ok=True)
                freed += kept[path]
        self._sweep()
        return freed

    def _last_used(self) -> dict[str, int]:
        """Return when content was put in or taken last, by its sum, as its index files' times say."""
        used: dict[str, int] = {}
        for place in self._root.glob("index/??/*.json"):
            with suppress(OSError, ValueError, LookupError, TypeError):
                sha256 = str(json.loads(place.read_bytes())["sha256"])
                used[sha256] = max(used.get(sha256, 0), place.stat().st_mtime_ns)
        return used

    def shares_disk(self, folder: Path) -> bool:
        """Whether what is taken from here into a folder needs no room there."""
        try:
            return self._root.stat().st_dev == folder.stat().st_dev
        except OSError:
            return False

    def _sweep(self) -> None:
        """Remove what the index says of content that is gone, and what killed processes left."""
        for draft in self._root.glob(f"*/??/{DRAFT}*"):
            if time.time() - draft.stat().st_mtime > STALE_S:
                draft.unlink()
        for place in self._root.glob("index/??/*.json"):
            try:
                sha256 = str(json.loads(place.read_bytes())["sha256"])
                is_kept = self._content(sha256).exists()
            except (OSError, ValueError, LookupError, TypeError):
                is_kept = False
            if not is_kept:
                place.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _drop(self, place: Path, entry: Entry) -> None:
        with suppress(OSError):
            place.unlink(missing_ok=True)
            self._content(entry.sha256).unlink(missing_ok=True)

    def _content(self, sha256: str) -> Path:
        return self._root / "sha256" / sha256[:2] / sha256

    def _index(self, dataset: str, version: str, file: ArchiveFile) -> Path:
        key = json.dumps([self._home, dataset, file.name, file.n_bytes, version])
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._root / "index" / name[:2] / f"{name}.json"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _link(source: Path, target: Path) -> None:
    """Make two names of one file, replacing the second; a copy where that cannot be."""
    draft = target.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    try:
        try:
            draft.hardlink_to(source)
        except OSError as error:
            if error.errno not in UNLINKABLE:
                raise
            shutil.copy2(source, draft)
        draft.replace(target)
    finally:
        draft.unlink(
            missing_ok=True
        )  # also where both were one file already: then a rename does nothing


def make_own(path: Path) -> None:
    """Make a file one that has no other name: who writes into it changes nothing in the cache.

    Raises
    ------
    OSError
    """
    if path.stat().st_nlink == 1:
        return
    draft = path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    try:
        shutil.copy2(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, entry: Entry) -> None:
    draft = path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    draft.write_text(json.dumps(asdict(entry), indent=1), encoding="utf-8")
    draft.replace(path)
