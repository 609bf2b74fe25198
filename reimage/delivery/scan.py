"""The directories of a delivery, listed once: nothing is opened, and no file is asked for its size.

ASDMs and CASA tables are leaves.  Links to directories outside are followed, as an operator sets
them for large raw data; links that lead back inside are only named.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reimage.errors import DeliveryError

MAX_DEPTH = 12
"""project / goal / group / member / part, once more for a tree that was unpacked inside another."""
MAX_ENTRIES = 2_000_000
ASDM = ".asdm.sdm"


class DeliveryNoDirectory(DeliveryError):
    """What was called a delivery is a file, or is not there."""

    code = "delivery-no-directory"
    hint = "Name the directory into which the archive's tars were unpacked."


class DeliveryUnreadable(DeliveryError):
    """A directory or a file of a delivery cannot be read; what it holds is not known to be absent."""

    code = "delivery-unreadable"
    hint = "Give the service's account read access to it (chmod -R u+rX), or look at the disk."


class DeliveryTooLarge(DeliveryError):
    """There are more files than any delivery has: the path leads to something else."""

    code = "delivery-too-large"
    hint = "Name the directory of one dataset, not the disk on which it lies."


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One directory: its name and what is directly in it, sorted."""

    name: str
    folders: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def is_table(self) -> bool:
        """Whether it is a CASA table."""
        return "table.dat" in self.files


@dataclass(slots=True)
class _Entries:
    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)


def scan(root: Path) -> Mapping[str, Folder]:
    """Return every directory of a tree by its path relative to ``root`` (``""`` for itself).

    Raises
    ------
    DeliveryNoDirectory, DeliveryUnreadable, DeliveryTooLarge
    """
    _require_directory(root)
    top, found, entries = root.resolve(), {}, 0
    waiting = [("", 0)]
    while waiting:
        path, depth = waiting.pop()
        name = path.rpartition("/")[2] or root.resolve().name
        listed = _list(root / path, top)
        folder = Folder(
            name=name, folders=tuple(sorted(listed.folders)), files=tuple(sorted(listed.files))
        )
        found[path] = folder
        entries += len(folder.folders) + len(folder.files)
        if entries > MAX_ENTRIES:
            raise DeliveryTooLarge(
                f"{root} holds more than {MAX_ENTRIES} files", evidence={"path": str(root)}
            )
        if depth < MAX_DEPTH and not folder.is_table:
            below = (one for one in listed.followed if not one.casefold().endswith(ASDM))
            waiting += [(join(path, one), depth + 1) for one in below]
    return found


def join(path: str, name: str) -> str:
    """Return the path of what lies in a directory."""
    return f"{path}/{name}" if path else name


def _require_directory(root: Path) -> None:
    try:
        mode = root.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DeliveryNoDirectory(f"{root} is not there", evidence={"path": str(root)}) from error
    except OSError as error:
        raise _unreadable("look at", root, error) from error
    if not stat.S_ISDIR(mode):
        raise DeliveryNoDirectory(f"{root} is a file", evidence={"path": str(root)})


def _list(directory: Path, top: Path) -> _Entries:
    listed = _Entries()
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if not _is_directory(entry):
                    listed.files.append(entry.name)
                    continue
                listed.folders.append(entry.name)
                linked = entry.is_symlink()
                if not (linked and Path(entry.path).resolve().is_relative_to(top)):
                    listed.followed.append(entry.name)
    except OSError as error:
        raise _unreadable("list", directory, error) from error
    return listed


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself leads nowhere
            return False
        raise


def _unreadable(what: str, path: Path, error: OSError) -> DeliveryUnreadable:
    return DeliveryUnreadable(
        f"cannot {what} {path}: {error.strerror}", evidence={"path": str(path)}
    )
