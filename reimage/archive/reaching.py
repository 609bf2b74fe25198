"""Does the archive answer?  Its query service is asked what it can do, once and briefly."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from defusedxml import ElementTree

from reimage.archive.asking import Asker
from reimage.archive.faults import ArchiveAnswerMalformed
from reimage.credentials import Secrets
from reimage.run import Transfer

CAPABILITIES = "/tap/capabilities"
TAP = "ivo://ivoa.net/std/tap"
STALL_S = 10.0
"""Somebody waits: a healthy archive answers within two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How an archive answered."""

    address: str
    seconds: float
    has_credentials: bool
    """Whether we told it who we are."""


def reach(address: str, transfer: Transfer, secrets: Secrets) -> Reached:
    """Ask an archive for the capabilities of its TAP service.

    Raises
    ------
    ArchiveUnavailable, ArchiveHtmlPage, ArchiveAnswerMalformed, ArchiveRedirects, ArchiveNotPublic
    """
    url = address.rstrip("/") + CAPABILITIES
    brief = replace(transfer, patience_s=0, stall_s=min(transfer.stall_s, STALL_S))
    begun = time.monotonic()
    said = Asker(address, brief, secrets).ask(url)
    seconds = time.monotonic() - begun
    try:
        standards = {
            str(one.get("standardID")).casefold()
            for one in ElementTree.fromstring(said).iter("capability")
        }
    except (ElementTree.ParseError, ValueError) as error:
        raise _malformed(url, f"is no XML: {error}") from error
    if not any(one.startswith(TAP) for one in standards):
        raise _malformed(url, "speaks of no TAP service")
    return Reached(
        address=address,
        seconds=seconds,
        has_credentials=secrets.is_somebody,
    )


def _malformed(url: str, what: str) -> ArchiveAnswerMalformed:
    return ArchiveAnswerMalformed(f"what is at {url} {what}", evidence={"url": url})
