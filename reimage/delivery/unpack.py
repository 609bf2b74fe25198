"""Unpack archives that other people made: whole, inside the directory, nothing but files and folders."""

from __future__ import annotations

import errno
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from reimage.errors import NO_ROOM, ArchiveError, DiskFull

MAX_MEMBERS = 500_000
MAX_BYTES = 4 << 40
"""4 TiB unpacked: beyond any delivery (largest visibility volume of Cycles 7 and 8: 1.7 TB)."""

_CONTRADICTIONS = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}
"""What a file system says of members that contradict each other, or have names that cannot be."""


class ArchiveFileDamaged(ArchiveError):
    """A tar does not list to its end, or its content is cut off."""

    code = "archive-file-damaged"
    hint = "Fetch it again; if it stays so, the archive's copy is damaged: tell the archive."


class ArchiveFileHostile(ArchiveError):
    """A tar has a member that would be written outside, or is no plain file, folder or inner link."""

    code = "archive-file-hostile"
    hint = "Nothing of it was unpacked. Look at the tar by hand before trusting its source."


def check(tar: Path) -> int:
    """List a tar to its end, reading every byte, and return its unpacked size.

    Raises
    ------
    ArchiveFileDamaged
        Not a tar (an HTML error page, say), cut off, or corrupt.
    ArchiveFileHostile
        A member points outside, or there are too many, or too large ones.
    """
    total = 0
    try:
        with tarfile.open(tar, "r:*") as archive:
            for count, member in enumerate(_members(archive), start=1):
                _refuse_hostile(tar, member)
                total += member.size
                if count > MAX_MEMBERS or total > MAX_BYTES:
                    raise ArchiveFileHostile(
                        f"{tar.name} unpacks to more than {MAX_MEMBERS} files or {MAX_BYTES} bytes",
                        evidence={"file": tar.name, "members": count, "n_bytes": total},
                    )
                if member.isfile():
                    _read_through(archive, member)
            _require_end(archive)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise _damaged(tar, error) from error
    return total


def unpack(tar: Path, directory: Path) -> tuple[str, ...]:
    """Check a tar, unpack it below a directory, and return the files' names relative to it.

    Existing files of the same names are overwritten, so that a second try after a kill is whole.

    Raises
    ------
    ArchiveFileDamaged, ArchiveFileHostile, DiskFull
    """
    check(tar)
    names: list[str] = []
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(tar, "r:*") as archive:
            for member in archive:
                _extract(tar, archive, member, directory.resolve())
                if not member.isdir():
                    names.append(member.name)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull(f"no room to unpack {tar.name}", evidence={"file": tar.name}) from error
        if error.errno in _CONTRADICTIONS:
            raise ArchiveFileHostile(
                f"{tar.name} cannot be unpacked: {error.strerror}",
                evidence={"file": tar.name, "path": str(error.filename)[-200:]},
            ) from error
        raise
    return tuple(names)


def _extract(tar: Path, archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Write one member below ``root``: its bytes, no owner, no mode, no time.

    Debian 12's Python (3.11.2) has no extraction filters.  Names were checked; here the links that
    are already on disk are followed, so that no chain of inner links leads out.
    """
    target = root / member.name
    place = target.parent.resolve()
    linked = (root if member.islnk() else place) / member.linkname
    inside = place.is_relative_to(root) and (
        member.isreg() or member.isdir() or linked.resolve().is_relative_to(root)
    )
    if not inside:
        raise _hostile(tar, member)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    place.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():  # of an earlier try, or the tar names it twice
        target.unlink()
    if member.issym():
        target.symlink_to(member.linkname)
    elif member.islnk():
        target.hardlink_to(linked)
    else:
        stream = archive.extractfile(member)
        assert stream is not None  # noqa: S101 -- `check` has read it
        with target.open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    yield from archive


def _read_through(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Read a member's bytes: a tar cut off inside its last member lists without a complaint."""
    stream = archive.extractfile(member)
    if stream is None:
        raise tarfile.ReadError(f"{member.name} cannot be read")
    left = member.size
    while left > 0:
        chunk = stream.read(min(left, 1 << 20))
        if not chunk:
            raise tarfile.ReadError(f"ends inside {member.name}")
        left -= len(chunk)


def _require_end(archive: tarfile.TarFile) -> None:
    """Demand the closing zero block: a tar cut between two members looks whole otherwise."""
    stream = archive.fileobj
    assert stream is not None  # noqa: S101 -- open for reading
    stream.seek(archive.offset)
    block = stream.read(tarfile.BLOCKSIZE)
    if not block or block.strip(b"\0"):
        raise tarfile.ReadError("it has no end: it was cut off")
    while stream.read(1 << 20):  # to the very end: a gzip stream has its checksum there
        pass


def _refuse_hostile(tar: Path, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    inside = not path.is_absolute() and ".." not in path.parts
    plain = member.isfile() or member.isdir()
    if member.issym() or member.islnk():
        link = PurePosixPath(member.linkname)
        base = path.parent if member.issym() else PurePosixPath()
        plain = not link.is_absolute() and _stays_inside(base / link)
    if not (inside and plain):
        raise _hostile(tar, member)


def _hostile(tar: Path, member: tarfile.TarInfo) -> ArchiveFileHostile:
    return ArchiveFileHostile(
        f"{tar.name} has a member that points outside or is no file: {member.name!r}",
        evidence={"file": tar.name, "member": member.name, "link": member.linkname},
    )


def _stays_inside(path: PurePosixPath) -> bool:
    depth = 0
    for part in path.parts:
        depth += {"..": -1, ".": 0}.get(part, 1)
        if depth < 0:
            return False
    return True


def _damaged(tar: Path, error: Exception) -> ArchiveFileDamaged:
    with tar.open("rb") as stream:
        head = stream.read(512)
    is_html = head.lstrip()[:1] == b"<"
    what = "is a web page, not a tar" if is_html else f"cannot be read to its end: {error}"
    return ArchiveFileDamaged(
        f"{tar.name} {what}",
        evidence={
            "file": tar.name,
            "n_bytes": tar.stat().st_size,
            "head": head[:80].decode("latin-1"),
        },
    )
