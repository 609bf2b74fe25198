"""Transfers: files of a dataset, from an archive behind URLs into a folder, each whole and proven.

In each thread files are fetched one after the other (`reimage.archive.job`), over hosts and time
(`reimage.archive.patience`), in attempts (`reimage.archive.attempt`); what came of it is told in the
caller's thread.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from reimage.archive import noted, room
from reimage.archive.cache import Cache
from reimage.archive.crew import Crew
from reimage.archive.hosts import Hosts, origin, require_address
from reimage.archive.job import Failure, Job, Progress, Said
from reimage.archive.listing import ArchiveFile, plain_name
from reimage.archive.protocol import Fetched, Tell
from reimage.credentials import Secrets
from reimage.errors import DiskFull, Refusal, ReimageError
from reimage.run import Transfer

MOST_THREADS = 32
"""However many hosts a listing names."""


class Transfers:
    """Fetches files that an archive lists by URLs.

    Parameters
    ----------
    home
        The archive's base URL: credentials go there and to its mirrors, nowhere else.
    """

    def __init__(self, transfer: Transfer, secrets: Secrets, *, home: str = "") -> None:
        self._transfer = transfer
        self._hosts = Hosts(home, transfer.mirrors, secrets)
        self._cache: Cache | None = None
        if transfer.cache and transfer.cache_bytes:
            self._cache = Cache(Path(transfer.cache), transfer.cache_bytes, home)
        self._given_up: set[str] = set()

    def fetch_all(
        self,
        files: Sequence[ArchiveFile],
        folder: Path,
        tell: Tell,
        *,
        dataset: str,
        version: str = "",
    ) -> Generator[Fetched]:
        """Fetch files into a folder, yielding each as it is there.

        What arrived there before, and is still what it was, is not fetched again; what only began
        (``.part``) is gone on with.  A file that cannot be had does not stop the others: its error is
        raised at the end, a refusal before all others, and names what else failed.

        Parameters
        ----------
        version
            Tells deliveries of one dataset apart in the cache: when it was last modified, say.

        Raises
        ------
        ArchiveError, Refusal, DiskFull
        """
        for file in files:
            plain_name(file.name)
            require_address(file.url)
        folder.mkdir(parents=True, exist_ok=True)
        job = Job(
            transfer=self._transfer,
            hosts=self._hosts,
            cache=self._cache,
            given_up=self._given_up,
            folder=folder,
            dataset=dataset,
            version=version,
        )
        self._require_room(files, job)
        hosts = {origin(url) for file in files for url in self._hosts.sources(file.url)}
        n_threads = min(self._transfer.connections * len(hosts), MOST_THREADS)
        crew: Crew[ArchiveFile, Said] = Crew(job.work, n_threads, job.stop)
        failures: list[Failure] = []
        with closing(crew.run(files)) as saying, noted.swept(folder):
            for said in saying:
                if isinstance(said, Failure):
                    failures.append(said)
                    continue
                tell(said.file, said.n_bytes)
                if not isinstance(said, Progress):
                    yield said
        if self._cache is not None:
            self._cache.trim()
        if failures:
            raise _foremost(failures, files)

    def reject(self, file: ArchiveFile, *, dataset: str, version: str = "") -> None:
        """Drop a file from the cache: it came whole, and its content is bad."""
        if self._cache is not None:
            self._cache.forget(dataset, version, file)

    def _require_room(self, files: Sequence[ArchiveFile], job: Job) -> None:
        """Refuse what does not fit; what only the cache needs goes first.

        Raises
        ------
        DiskFull
        """
        cache, folder = self._cache, job.folder
        is_shared = cache is not None and cache.shares_disk(folder)
        known = {file.name: entry for file in files if is_shared and (entry := job.known(file))}
        n_bytes = room.missing_bytes([one for one in files if one.name not in known], folder)
        lacking = room.lacking(n_bytes, folder)
        if lacking and cache is not None and is_shared:
            spared = {entry.sha256 for entry in known.values()}
            if cache.reclaimable(spared) >= lacking:  # else it would be emptied in vain
                cache.make_room(lacking, spared)
        room.require(n_bytes, folder)


def _foremost(failures: Sequence[Failure], files: Sequence[ArchiveFile]) -> ReimageError:
    """Return the error that is raised: what no retry helps before what one may."""
    order = {file.name: number for number, file in enumerate(files)}
    failures = sorted(
        failures,
        key=lambda one: (not isinstance(one.error, DiskFull | Refusal), order[one.file.name]),
    )
    first = failures[0].error
    named = first.evidence.get("file")
    if named not in {None, failures[0].file.name}:  # as the server called it
        first.evidence["named"] = named
    first.evidence["file"] = failures[0].file.name
    if failures[1:]:
        first.evidence["also_failed"] = [f"{one.file.name}: {one.error}" for one in failures[1:]]
    return first
