"""What we fetched into a folder: without a note, a file of the right name and length proves nothing.

``fetched.sha256`` holds the sums of files that arrived whole, as ``sha256sum`` writes and checks them
(``sha256sum -c fetched.sha256``).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from reimage.archive.cache import sha256_of
from reimage.archive.listing import NOTES

SUM_LENGTH = 64


def note(target: Path, sha256: str) -> None:
    """Note that a file is there, whole; without a note it is fetched again, which is no harm."""
    with suppress(OSError), (target.parent / NOTES).open("ab") as book:
        fcntl.flock(book, fcntl.LOCK_EX)
        book.write(f"{sha256}  {target.name}\n".encode())


def noted(target: Path) -> str | None:
    """Return the sha256 that a file had when it arrived; None: we know nothing of it."""
    try:
        with (target.parent / NOTES).open("rb") as book:
            return _last(book.read(), target.name)
    except OSError:
        return None


def here(target: Path, n_bytes: int | None) -> str | None:
    """Return the sha256 of a file that is there as it arrived, of the listed length; it is read whole."""
    with suppress(OSError):
        expected = noted(target)
        is_whole = target.stat().st_size == n_bytes
        if expected is not None and is_whole and sha256_of(target) == expected:
            return expected
    return None


@contextmanager
def swept(folder: Path) -> Iterator[None]:
    """Leave one line for each file that is still there, in the end, and no notes where none is."""
    try:
        yield
    finally:
        with suppress(OSError), (folder / NOTES).open("r+b") as book:
            fcntl.flock(book, fcntl.LOCK_EX)
            _sweep(folder, book)


def _sweep(folder: Path, book: BinaryIO) -> None:
    said = book.read()
    names = {line[SUM_LENGTH + 2 :] for line in said.decode(errors="replace").splitlines()}
    lines = {
        name: sha256
        for name in names
        if Path(name).name == name
        and (folder / name).is_file()
        and (sha256 := _last(said, name)) is not None
    }
    if not lines:
        (folder / NOTES).unlink(missing_ok=True)
        return
    book.seek(0)
    book.write("".join(f"{lines[name]}  {name}\n" for name in sorted(lines)).encode())
    book.truncate()


def _last(said: bytes, name: str) -> str | None:
    """Return what the last line of a name says: a file may have been fetched anew."""
    at = said.rfind(f"  {name}\n".encode())
    sha256 = said[max(at - SUM_LENGTH, 0) : at] if at >= 0 else b""
    begins = at == SUM_LENGTH or said[at - SUM_LENGTH - 1 : at - SUM_LENGTH] == b"\n"
    is_sum = len(sha256) == SUM_LENGTH and not sha256.strip(b"0123456789abcdef")
    return sha256.decode("ascii") if is_sum and begins else None
