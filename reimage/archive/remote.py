"""An archive behind an address: listed by DataLink, fetched by `reimage.archive.download`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from reimage import log
from reimage.archive import datalink
from reimage.archive.asking import Asker
from reimage.archive.datalink import Answer
from reimage.archive.download import Transfers
from reimage.archive.faults import ArchiveListingIncomplete
from reimage.archive.listing import ArchiveFile
from reimage.archive.protocol import Fetched, Tell
from reimage.credentials import Secrets
from reimage.run import Transfer

DATALINK = "/datalink/sync"


class RemoteArchive:
    """The archive at an address (``https://almascience.eso.org``)."""

    def __init__(self, address: str, transfer: Transfer, secrets: Secrets) -> None:
        self.address = address.rstrip("/")
        self._asker = Asker(self.address, transfer, secrets)
        self._transfers = Transfers(transfer, secrets, home=self.address)
        self._knows_us = secrets.is_somebody
        self._inside: dict[str, str] = {}
        self._blank: dict[str, int] = {}

    @property
    def knows_us(self) -> bool:
        """Whether we have credentials."""
        return self._knows_us

    def answer(self, key: str) -> Answer:
        """Return all that the archive says of a dataset's files.

        Raises
        ------
        ArchiveUnknownDataset, ArchiveListingIncomplete, ArchiveNotPublic, ArchiveUnavailable,
        ArchiveAnswerMalformed, ArchiveRedirects, ArchiveNameHostile
        """
        url = f"{self.address}{DATALINK}?{urlencode({'ID': key})}"
        said = datalink.read(self._asker.ask(url), key)
        self._inside.update(said.inside)
        self._blank[key] = said.blank
        if said.blank:
            log.logger(__name__).warning("datalink.blank", dataset=key, rows=said.blank)
        if said.blank and not said.files:
            raise ArchiveListingIncomplete(
                f"the archive lists {said.blank} files for {key} and no address of any",
                evidence={"dataset": key, "rows": said.blank},
            )
        return said

    def files(self, key: str) -> tuple[ArchiveFile, ...]:
        """Return what the archive offers for a dataset; see `answer`."""
        return self.answer(key).files

    def n_blank(self, key: str) -> int:
        """Return the rows without an address of the last answer about a dataset."""
        return self._blank.get(key, 0)

    def members(self, file: ArchiveFile) -> tuple[ArchiveFile, ...]:
        """Return what is inside a tar of a dataset that was asked for; empty where it cannot be expanded."""
        address = self._inside.get(file.name)
        if address is None:
            return ()
        inside = datalink.read(self._asker.ask(address), file.name).files
        return tuple(one for one in inside if one.name != file.name and one.is_offered)

    def fetch_all(
        self,
        files: Sequence[ArchiveFile],
        folder: Path,
        tell: Tell,
        *,
        dataset: str,
        version: str = "",
    ) -> Generator[Fetched]:
        """Fetch files (`reimage.archive.protocol.Archive`).

        Raises
        ------
        ArchiveListingIncomplete
            One of them has no address.
        """
        lost = [file.name for file in files if not file.is_offered]
        if lost:
            raise ArchiveListingIncomplete(
                f"the archive names {lost[0]} and says no address of it", evidence={"files": lost}
            )
        yield from self._transfers.fetch_all(files, folder, tell, dataset=dataset, version=version)

    def reject(self, file: ArchiveFile, *, dataset: str, version: str = "") -> None:
        """Drop a file from the cache."""
        self._transfers.reject(file, dataset=dataset, version=version)
