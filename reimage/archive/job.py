"""The files of one call, and what a thread does with one of them: there already, cached, or fetched."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reimage.archive import noted, room
from reimage.archive.attempt import Attempt
from reimage.archive.cache import Cache, Entry, sha256_of
from reimage.archive.failed import Stopped
from reimage.archive.faults import ArchiveUnavailable
from reimage.archive.hosts import Hosts, origin
from reimage.archive.listing import ArchiveFile
from reimage.archive.part import Part
from reimage.archive.patience import IN_A_ROW, Patience
from reimage.archive.protocol import Fetched
from reimage.archive.rate import Gates, Rate
from reimage.archive.requesting import Requester
from reimage.errors import DiskFull, ReimageError
from reimage.run import Transfer

TELL_S = 0.1
"""Of a transfer under way no more often than this is told."""


@dataclass(frozen=True, slots=True)
class Progress:
    """So many bytes of a file are there."""

    file: ArchiveFile
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A file cannot be had."""

    file: ArchiveFile
    error: ReimageError


Said = Progress | Failure | Fetched


@dataclass
class Job:
    """What the threads of one call share."""

    transfer: Transfer
    hosts: Hosts
    cache: Cache | None
    given_up: set[str]
    """Origins that were waited for in vain: the next files do not wait for them."""
    folder: Path
    dataset: str
    version: str
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        shared = Path(self.transfer.cache) if self.transfer.cache else None
        self._rate = Rate(self.transfer.rate_bytes_s, self.stop.wait, folder=shared)
        self._gates = Gates(self.transfer.connections, self.stop.wait, folder=shared)

    def work(self, files: Iterator[ArchiveFile], say: Callable[[Said], None]) -> None:
        """Do files one after the other, in one thread."""
        requester = Requester(self.hosts, self.transfer.stall_s)
        attempt = Attempt(
            requester=requester,
            rate=self._rate,
            stall_s=self.transfer.stall_s,
            is_stopped=self.stop.is_set,
            tell=_sparingly(say),
        )
        try:
            for file in files:
                try:
                    say(self._have(file, attempt))
                except ReimageError as error:
                    if isinstance(error, DiskFull):  # the others would find it full, too
                        self.stop.set()
                    say(Failure(file, error))
        except Stopped:
            pass
        finally:
            requester.close()

    def known(self, file: ArchiveFile) -> Entry | None:
        """Return what the cache has of a file."""
        return self.cache.known(self.dataset, self.version, file) if self.cache else None

    def _have(self, file: ArchiveFile, attempt: Attempt) -> Fetched:
        target = self.folder / file.name
        with room.told(file, self.folder):
            return (
                self._there(file, target)
                or self._cached(file, target)
                or self._fetched(file, target, attempt)
            )

    def _there(self, file: ArchiveFile, target: Path) -> Fetched | None:
        """Return a file that an earlier call left; none that we do not know to be what arrived then."""
        try:
            n_bytes = target.stat().st_size
        except OSError:
            return None
        if n_bytes != file.n_bytes:
            return None
        known = self.known(file)
        expected = known.sha256 if known is not None else noted.noted(target)
        if expected is None:
            return None
        sha256 = sha256_of(target)
        if expected != sha256:
            target.unlink(missing_ok=True)
            return None
        return Fetched(file=file, n_bytes=n_bytes, sha256=sha256, is_cached=True)

    def _cached(self, file: ArchiveFile, target: Path) -> Fetched | None:
        if self.cache is None:
            return None
        entry = self.cache.take(self.dataset, self.version, file, target)
        if entry is None:
            return None
        return Fetched(file=file, n_bytes=entry.n_bytes, sha256=entry.sha256, is_cached=True)

    def _fetched(self, file: ArchiveFile, target: Path, attempt: Attempt) -> Fetched:
        with Part(target, self.stop.wait) as part:
            if not part.n_bytes and (
                there := self._there(file, target)
            ):  # another process was faster
                return there
            if part.version is not None and file.n_bytes not in {None, part.version.n_bytes}:
                part.restart(None)  # it was replaced in the archive since
            self._persist(file, part, attempt)
            n_bytes, sha256 = part.n_bytes, part.finish()
            if self.cache is None or not self.cache.put(
                self.dataset, self.version, file, sha256, target
            ):
                noted.note(target, sha256)
        return Fetched(file=file, n_bytes=n_bytes, sha256=sha256)

    def _persist(self, file: ArchiveFile, part: Part, attempt: Attempt) -> None:
        urls = self.hosts.sources(file.url)
        origins = {origin(url) for url in urls}

        patience = Patience(urls, self.transfer.patience_s, self.stop.wait)
        if origins <= self.given_up:
            patience = Patience(urls, 0.0, self.stop.wait, least=IN_A_ROW)

        def once(url: str) -> None:
            begun = time.monotonic()
            with self._gates.inside(url):
                patience.excuse(time.monotonic() - begun)
                attempt.make(file, url, part)

        try:
            self.given_up.discard(origin(patience.persist(once, part)))
        except ArchiveUnavailable:  # one file that stalls says nothing of the others
            self.given_up.update(origins)
            raise


def _sparingly(say: Callable[[Said], None]) -> Callable[[ArchiveFile, int], None]:
    told_at = 0.0

    def tell(file: ArchiveFile, n_bytes: int) -> None:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at >= TELL_S:
            told_at = now
            say(Progress(file, n_bytes))

    return tell
