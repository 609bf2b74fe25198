"""Tar files with a fixed look: same content, same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

Content: TypeAlias = bytes | str | Path
"""What a member is made of: bytes, text, or a file or directory on disk."""
Tree: TypeAlias = dict[str, Content]
"""Names within a tar, and what is there."""

MODIFIED_AT = 1_751_328_000
"""2025-07-01: the archive's tars carry the date of their repackaging."""


def tar(path: Path, tree: Mapping[str, Content]) -> None:
    """Write a tar of a tree (name within the tar to content)."""
    with path.open("wb") as stream:
        stream.write(_tar_bytes(tree))


def tgz(tree: Mapping[str, Content]) -> bytes:
    """Return a gzipped tar of a tree."""
    return gzip.compress(_tar_bytes(tree), mtime=MODIFIED_AT)


def gz(content: Content) -> bytes:
    """Return one gzipped file."""
    return gzip.compress(_bytes(content), mtime=MODIFIED_AT)


def _tar_bytes(tree: Mapping[str, Content]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in sorted(tree.items()):
            for member, data in _members(name, content):
                archive.addfile(_info(member, data), io.BytesIO(data or b""))
    return buffer.getvalue()


def _members(name: str, content: Content) -> Iterator[tuple[str, bytes | None]]:
    """Yield (name, bytes) of files and (name, None) of directories."""
    if isinstance(content, Path) and content.is_dir():
        yield name, None
        for child in sorted(content.iterdir()):
            yield from _members(f"{name}/{child.name}", child)
    else:
        yield name, _bytes(content)


def _bytes(content: Content) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content


def _info(name: str, data: bytes | None) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
    info.size = len(data or b"")
    info.mode = 0o755 if data is None else 0o644
    info.mtime = MODIFIED_AT
    info.uname = info.gname = "alma"
    return info
