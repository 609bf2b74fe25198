"""Texts of a delivery, read with bounds: other people's files, of any encoding and any size."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

MAX_TEXT_BYTES = 8 << 20
"""A script, a report, the part of a log that is looked at."""
MAX_UNPACKED_BYTES = 1 << 30
MAX_MEMBERS = 50_000
_MAX_READ_BYTES = 16 << 20
UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError)
"""What a damaged or hostile archive raises while it is read."""


class TooLarge(OSError):
    """An archive is larger than a look into it may cost; what was found before it stands."""


class Member(NamedTuple):
    """One file in an archive."""

    name: str
    text: str


def decode(data: bytes) -> str:
    """Delivered texts are UTF-8, or latin-1 where an early README was written by hand."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def text(path: Path) -> str:
    """Return a file's text, as far as it is looked at; empty where it cannot be read."""
    return decode(head(path, MAX_TEXT_BYTES)).replace("\r\n", "\n").replace("\r", "\n")


def head(path: Path, n_bytes: int) -> bytes:
    """Return a file's first bytes, unpacked where it is a ``.gz``; none where it cannot be read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                return stream.read(n_bytes)
        with path.open("rb") as file:
            return file.read(n_bytes)
    except (OSError, EOFError, zlib.error):
        return b""


def line_of(whole: str, part: str) -> int:
    """Return the number of the first line that has a part, 1 where none has."""
    lines = enumerate(whole.splitlines(), start=1)
    return next((number for number, line in lines if part in line), 1)


def members(path: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    """Yield texts of an archive (``.tgz``, ``.tar.gz``, ``.tar``) without unpacking it, in its order.

    Ends where the archive is damaged or too large: what came before is what is known.
    """
    try:
        with _opened(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for count, member in enumerate(archive):
                if count >= MAX_MEMBERS:
                    return
                if member.isfile() and member.name.casefold().endswith(suffixes):
                    file = archive.extractfile(member)
                    data = file.read(MAX_TEXT_BYTES) if file else b""
                    yield Member(member.name, decode(data))
    except UNREADABLE:
        return


def _opened(path: Path) -> BinaryIO:
    packed = path.name.casefold().endswith("gz")
    return cast("BinaryIO", _Bounded(gzip.open(path) if packed else path.open("rb")))


class _Bounded(io.RawIOBase):
    """A stream that refuses to be read further, or in larger pieces, than a look may cost."""

    def __init__(self, stream: io.BufferedIOBase | gzip.GzipFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_READ_BYTES:
            raise TooLarge(f"{size} bytes at once")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > MAX_UNPACKED_BYTES:
            raise TooLarge(f"{offset} bytes")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        super().close()
