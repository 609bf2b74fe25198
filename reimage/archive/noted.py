"""Notes of what we fetched into a folder: without one, a file of the right name and length proves nothing.

``.fetched/NAME`` holds the sha256 of a file that arrived whole, where no cache knows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reimage.archive.cache import sha256_of

NOTES = ".fetched"


def note(target: Path, sha256: str) -> None:
    """Note that a file is there, whole; without a note it is fetched again, which is no harm."""
    place = _place(target)
    with suppress(OSError):
        try:
            place.write_text(sha256, encoding="ascii")
        except FileNotFoundError:
            place.parent.mkdir(exist_ok=True)
            place.write_text(sha256, encoding="ascii")


def noted(target: Path) -> str | None:
    """Return the sha256 that a file had when it arrived; None: we know nothing of it."""
    try:
        return _place(target).read_text(encoding="ascii")
    except (OSError, ValueError):
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
    """Remove the notes of what is no longer there, in the end."""
    try:
        yield
    finally:
        with suppress(OSError):
            for place in (folder / NOTES).iterdir():
                if not (folder / place.name).exists():
                    place.unlink(missing_ok=True)
            (folder / NOTES).rmdir()  # refused while there are others


def _place(target: Path) -> Path:
    return target.parent / NOTES / target.name
