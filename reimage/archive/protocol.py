"""What every archive can do, whether it is a folder or a service."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reimage.archive.listing import ArchiveFile

Tell = Callable[[ArchiveFile, int], None]
"""Receives a file and the number of its bytes that are there so far; called in the caller's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is there, whole."""

    file: ArchiveFile
    n_bytes: int
    sha256: str
    is_cached: bool = False
    """It came from the cache: the archive was not asked."""


class Archive(Protocol):
    """An archive's files."""

    @property
    def knows_us(self) -> bool:
        """Whether it is told who asks: then it says itself what is not for us, whatever the holdings say."""

    def files(self, key: str) -> tuple[ArchiveFile, ...]:
        """Return what the archive offers for a dataset; empty when it offers nothing.

        Raises
        ------
        ArchiveError, Refusal
        """

    def n_blank(self, key: str) -> int:
        """Return how many rows without an address the listing of a dataset had that was asked for."""

    def members(self, file: ArchiveFile) -> tuple[ArchiveFile, ...]:
        """Return what is inside a tar, without fetching it; empty where the archive does not say.

        Raises
        ------
        ArchiveError, Refusal
        """

    def fetch_all(
        self,
        files: Sequence[ArchiveFile],
        folder: Path,
        tell: Tell,
        *,
        dataset: str,
        version: str = "",
    ) -> Generator[Fetched]:
        """Fetch files below a folder, yielding each as it is there, whole and proven.

        A file that cannot be had does not stop the others; its error is raised at the end.  Who stops
        before the end closes the generator: else transfers go on behind an error.

        Raises
        ------
        ArchiveError, Refusal, DiskFull
        """

    def reject(self, file: ArchiveFile, *, dataset: str, version: str = "") -> None:
        """Forget a file that was handed out and turned out to be damaged: it is to be fetched anew."""
