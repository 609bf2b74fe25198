"""Is what arrives the file?  By its name, its content type, its first bytes and its length."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from urllib.parse import unquote

from reimage.archive.faults import (
    ArchiveAnswerMalformed,
    ArchiveFileGrown,
    ArchiveFileSize,
    ArchiveHtmlPage,
)
from reimage.archive.listing import plain_name

HEAD = 512
"""So many bytes decide: a tar's magic is in its first block."""
SHOWN = 300
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)
_PLAIN = re.compile(r'attachment; ?filename="?([A-Za-z0-9_+-][A-Za-z0-9_.+-]*)"?')
"""What the archive nearly always sends: parsed quickly, there may be many small files."""
_PAGES = (".html", ".htm", ".xhtml")
_GZIP, _TAR, _FITS = b"\x1f\x8b", b"ustar", b"SIMPLE  ="
_TAR_AT = 257
_MOST_DIGITS = 18
"""Of a number of bytes or seconds: no file is larger, and longer ones Python refuses to read."""
_TYPES_OF_PAGES = {"text/html", "application/xhtml+xml"}


def require_name(disposition: str | None) -> None:
    """Refuse a Content-Disposition whose name is a path; a plain one is not used: the listing's name is.

    Raises
    ------
    ArchiveNameHostile
    """
    name = disposed_name(disposition)
    if name is not None:
        plain_name(name)


def disposed_name(disposition: str | None) -> str | None:
    """Return the file name of a Content-Disposition header; None where it has none."""
    if not disposition:
        return None
    plain = _PLAIN.fullmatch(disposition)
    if plain is not None:
        return plain[1]
    message = Message()
    message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
    try:
        name = message.get_filename()
    except Exception:  # noqa: BLE001 -- the parser has bugs with forms that nobody sends in good faith
        return None
    return None if name is None else unquote(name)


def require_opening(name: str, content_type: str, head: bytes) -> None:
    """Compare what comes first with what a file of this name begins with.

    Raises
    ------
    ArchiveHtmlPage
        A page, or something else in place of a tar, of gzip or of FITS.
    """
    lower = name.lower()
    if lower.endswith(_PAGES):
        return
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _TYPES_OF_PAGES or is_page(head):
        raise ArchiveHtmlPage(
            f"the archive sent a web page in place of {name}: {page_text(head) or 'empty'}",
            evidence={"file": name, "content_type": content_type, "text": page_text(head)},
        )
    wanted = _opening_of(lower)
    if wanted is not None and wanted[1] != head[wanted[0] : wanted[0] + len(wanted[1])]:
        begins = head[:16].decode("ascii", "replace")
        raise ArchiveHtmlPage(
            f"what the archive sent in place of {name} begins with {begins!r}",
            evidence={"file": name, "content_type": content_type, "text": page_text(head)},
        )


def is_page(head: bytes) -> bool:
    """Whether bytes are the beginning of a web page."""
    return _PAGE.match(head) is not None


def _opening_of(lower: str) -> tuple[int, bytes] | None:
    """Return what a file of this name has where."""
    if lower.endswith(".tar"):
        return _TAR_AT, _TAR
    if lower.endswith((".gz", ".tgz")):
        return 0, _GZIP
    return (0, _FITS) if lower.endswith(".fits") else None


def page_text(page: bytes) -> str:
    """Return the beginning of a page's text, without its tags."""
    text = page.decode("utf-8", "replace")
    text = re.sub(r"(?is)<(style|script)\b.*?(</\1>|$)|<[^>]*(>|$)", " ", text)
    return " ".join(text.split())[:SHOWN]


def require_length(name: str, promised: int | None, offered: int | None) -> int | None:
    """Compare the length that an answer states with the listing's; return the one that holds.

    Raises
    ------
    ArchiveFileGrown, ArchiveFileSize
        The archive now has something else than it lists; not a byte of it was fetched.
    """
    if promised is None or offered is None or promised == offered:
        return offered if promised is None else promised
    kind = ArchiveFileGrown if offered > promised else ArchiveFileSize
    raise kind(
        f"{name}: the archive lists {promised} bytes and sends {offered}",
        evidence={"file": name, "n_bytes": offered, "promised_bytes": promised},
    )


def content_range(headers: Mapping[str, str]) -> tuple[int, int | None] | None:
    """Return where a 206 begins and how long the whole file is; None: it does not say."""
    said = headers.get("Content-Range", "").strip()
    found = re.fullmatch(r"bytes ([^-/]+)-[^-/]+/([^-/]+)", said)
    begin, whole = (number(found[1]), number(found[2])) if found is not None else (None, None)
    if found is None or begin is None or (whole is None and found[2] != "*"):
        return None
    return begin, whole


def number(text: str) -> int | None:
    """Return the number that a header says; None: it says none."""
    plain = text.strip()
    is_number = plain.isascii() and plain.isdigit() and len(plain) <= _MOST_DIGITS
    return int(plain) if is_number else None


def require_plain(name: str, encoding: str) -> None:
    """Refuse bytes that were packed for the way: neither their length nor their sum is the file's.

    Of a file that is gzip itself many servers say so, and mean the file.

    Raises
    ------
    ArchiveAnswerMalformed
    """
    if encoding.strip().lower() in {"", "identity"} or name.lower().endswith((".gz", ".tgz")):
        return
    raise ArchiveAnswerMalformed(
        f"the archive sends {name} packed ({encoding[:SHOWN]}), which nobody asked for",
        evidence={"file": name, "encoding": encoding[:SHOWN]},
    )
