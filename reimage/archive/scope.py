"""What of an archive is to be synchronised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reimage.address import is_web_address
from reimage.archive import project, shards
from reimage.archive.shards import Shard
from reimage.errors import UsageError


class ArchiveAddressMalformed(UsageError):
    """What was given as the address of an archive is none, or has credentials in it."""

    code = "archive-address-malformed"
    hint = "Write it as in https://almascience.eso.org; who you are goes into REIMAGE_ARCHIVE_USER and _PASSWORD."


def place(text: str) -> str:
    """Return an archive in one spelling: a folder by its whole path, an address without end slash.

    Raises
    ------
    ArchiveAddressMalformed
        The message does not quote it: an address is kept and shown, a password in it must not be.
    """
    if "://" not in text:
        return str(Path(text).expanduser().absolute()) if text else ""
    if "@" in re.split(r"[/?#]", text.partition("://")[2])[0]:
        raise ArchiveAddressMalformed("the archive's address has a user or a password in it")
    if not is_web_address(text):
        raise ArchiveAddressMalformed("the archive's address is none")
    return text.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of an archive is to be synchronised."""

    archive: str
    since: datetime | None = None
    """Only what the archive changed since then; None: what it changed since the last time."""
    proposal: str = ""
    cycle: int | None = None
    full: bool = False
    """Everything, also what was not changed."""

    @property
    def is_part(self) -> bool:
        """Whether only a part of the archive is asked for."""
        return bool(self.proposal) or self.cycle is not None

    def roots(self, this_year: int) -> tuple[Shard, ...]:
        """Return the parts of the listing that it begins with.

        Raises
        ------
        ProjectMalformed
        """
        if self.proposal:
            return (shards.of_project(self.proposal),)
        if self.cycle is not None:
            return tuple(shards.of_project(f"{year}.") for year in project.years(self.cycle))
        return shards.whole(this_year)

    def takes(self, facts: Mapping[str, Any]) -> bool:
        """Whether a dataset of a folder is asked for."""
        if not str(facts.get("project") or "").startswith(self.proposal):
            return False
        if self.cycle is not None and facts.get("cycle") != self.cycle:
            return False
        changed = str(facts.get("last_modified") or "")
        return self.since is None or not changed or changed >= f"{self.since:%Y-%m-%dT%H:%M:%S}"
