"""An archive by its place: a folder, or an address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reimage.archive.directory import DirectoryArchive
from reimage.archive.protocol import Archive
from reimage.credentials import Secrets
from reimage.run import Transfer


def is_address(locator: str) -> bool:
    """Whether an archive is behind an address, and not a folder."""
    return "://" in locator


def open_archive(
    locator: str, transfer: Transfer, secrets: Secrets | Callable[[], Secrets]
) -> Archive:
    """Return the archive at a place.

    Parameters
    ----------
    secrets
        Who we are, or what tells it: a folder does not ask, and a keyring takes its time.

    Raises
    ------
    ArchiveForeign
        A folder is absent, empty or something else.
    """
    if is_address(locator):
        from reimage.archive.remote import RemoteArchive  # noqa: PLC0415 -- pyvo: a folder does without

        who = secrets if isinstance(secrets, Secrets) else secrets()
        return RemoteArchive(locator, transfer, who)
    return DirectoryArchive(Path(locator))
