"""What the local archive has on its shelf: datasets, their rights, files, and members of tars."""

from __future__ import annotations

import re
import tarfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from astropy.table import Table

from reimage.archive.directory import FILES, HOLDINGS, PORTAL, DirectoryArchive
from reimage.archive.faults import ArchiveForeign
from reimage.errors import UidMalformed
from reimage.uid import Uid

RAW_SUFFIX = ".asdm.sdm.tar"
EXPANDED = ("#this", "#auxiliary")
"""Semantics of the tars whose members the archive offers one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file as `files.ecsv` lists it; it may not be there."""

    dataset: str
    name: str
    semantics: str
    content_type: str
    n_bytes: int

    @property
    def is_expandable(self) -> bool:
        """Whether it is a tar whose members are offered one by one."""
        return self.semantics in EXPANDED and self.name.endswith(".tar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file inside a tar."""

    path: PurePosixPath
    offset: int
    """Where its bytes begin in the tar."""
    n_bytes: int

    @property
    def name(self) -> str:
        """Under which the archive offers it."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes that can be handed out: a file, or a stretch of one."""

    path: Path
    name: str
    dataset: str
    offset: int = 0
    n_bytes: int | None = None
    """None: to the end."""


@dataclass(frozen=True, slots=True)
class _Contents:
    """What the two tables of an archive said at one time."""

    files: dict[str, list[Listed]]
    by_name: dict[str, Listed]
    rights: dict[str, set[str]]


class Shelf:
    """A directory archive, as its server sees it; tables that change while it runs are read again.

    Raises
    ------
    ArchiveForeign
        The directory is no archive.
    """

    def __init__(self, root: Path) -> None:
        DirectoryArchive(root)
        self.root = root
        self._lock = threading.RLock()
        self._members: dict[tuple[str, int], tuple[Member, ...]] = {}
        self._stamp = self._stamped()
        self._contents = _read(root)

    def _stamped(self) -> tuple[int, ...]:
        files = [self.root / name for name in (FILES, HOLDINGS)]
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)

    @property
    def _now(self) -> _Contents:
        with self._lock:
            stamp = self._stamped()
            if stamp != self._stamp:
                with suppress(
                    ArchiveForeign
                ):  # being written: what was there holds until it is whole
                    self._contents, self._stamp = _read(self.root), stamp
            return self._contents

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every dataset that is known, by holdings or by files."""
        return tuple(sorted(self._now.rights.keys() | self._now.files.keys()))

    def is_public(self, dataset: str) -> bool:
        """Tell whether all of a dataset is free for everyone."""
        return self._now.rights.get(dataset, set()) <= {"Public"}

    def files(self, dataset: str) -> tuple[Listed, ...]:
        """Return what is listed for a dataset."""
        return tuple(self._now.files.get(dataset, ()))

    def knows(self, dataset: str) -> bool:
        """Tell whether there is such a dataset."""
        return dataset in self._now.rights or dataset in self._now.files

    def listed(self, name: str) -> Listed | None:
        """Return the file of this name."""
        return self._now.by_name.get(name)

    def members(self, tar: Listed) -> tuple[Member, ...]:
        """Return the files inside a tar, in order; none when it is missing or no tar."""
        path = self.root / PORTAL / tar.name
        if not path.is_file():
            return ()
        key = (tar.name, path.stat().st_mtime_ns)
        with self._lock:
            if key not in self._members:
                self._members[key] = tuple(_members(path))
            return self._members[key]

    def find(self, name: str) -> Span | None:
        """Return what is handed out under a name: a file, a raw tar by its EB alone, or a tar's member."""
        if not name or PurePosixPath(name).name != name or name in {".", ".."}:
            return None
        listed = self.listed(name) or self._raw(name)
        if listed is not None:
            path = self.root / PORTAL / listed.name
            return (
                Span(path=path, name=listed.name, dataset=listed.dataset)
                if path.is_file()
                else None
            )
        return next(self._inside(name), None)

    def _raw(self, name: str) -> Listed | None:
        """Return the raw tar of an EB whose name is given without project and suffix."""
        if re.fullmatch(r"uid___A\d+_X[0-9a-fA-F]+_X[0-9a-fA-F]+", name) is None:
            return None
        ending = f"{name}{RAW_SUFFIX}"
        return next((one for key, one in self._now.by_name.items() if key.endswith(ending)), None)

    def _inside(self, name: str) -> Iterator[Span]:
        """Yield the tars' members of this name; those of the dataset that it names come first."""
        uid = Uid.find(name)
        own = self.files(str(uid)) if uid else ()
        others = (one for one in self._now.by_name.values() if one not in own)
        for tar in (*own, *others):
            if not tar.is_expandable:
                continue
            for member in self.members(tar):
                if member.name == name:
                    yield Span(
                        path=self.root / PORTAL / tar.name,
                        name=name,
                        dataset=tar.dataset,
                        offset=member.offset,
                        n_bytes=member.n_bytes,
                    )


_COLUMNS = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")


def _read(root: Path) -> _Contents:
    """Read both tables.

    Raises
    ------
    ArchiveForeign
    """
    try:
        return _understood(root)
    except (OSError, ValueError, KeyError, UidMalformed) as error:
        raise ArchiveForeign(
            f"cannot read {root}: {error}", evidence={"path": str(root)}
        ) from error


def _understood(root: Path) -> _Contents:
    found = _Contents(files=defaultdict(list), by_name={}, rights=defaultdict(set))
    for row in Table.read(root / FILES, format="ascii.ecsv").iterrows(*_COLUMNS):
        listed = _listed(row)
        found.files[listed.dataset].append(listed)
        found.by_name.setdefault(listed.name, listed)
    holdings = Table.read(root / HOLDINGS, format="ascii.ecsv")
    for uid, right in holdings.iterrows("member_ous_uid", "data_rights"):
        found.rights[str(Uid.parse(str(uid)))].add(str(right))
    return found


def _listed(row: tuple[Any, ...]) -> Listed:
    uid, name, semantics, content_type, n_bytes = row
    return Listed(
        dataset=str(Uid.parse(str(uid))),
        name=str(name),
        semantics=str(semantics),
        content_type=str(content_type),
        n_bytes=int(n_bytes),
    )


def _members(path: Path) -> Iterator[Member]:
    """Read the index of a tar, which is not compressed: members can be handed out where they lie."""
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                if info.isreg():
                    yield Member(
                        path=PurePosixPath(info.name),
                        offset=info.offset_data,
                        n_bytes=info.size,
                    )
    except (OSError, tarfile.TarError):
        return
