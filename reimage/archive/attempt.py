"""One attempt at one file from one host: ask, compare what comes with what was promised, write it down."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, IncompleteRead, ReadTimeoutError

from reimage.archive import verify
from reimage.archive.chunks import CHUNK, Piece
from reimage.archive.failed import Attempted, Away, Stopped, Wrong
from reimage.archive.faults import (
    ArchiveFileGrown,
    ArchiveFileSize,
    ArchiveStalled,
    ArchiveUnavailable,
)
from reimage.archive.hosts import origin
from reimage.archive.listing import ArchiveFile
from reimage.archive.part import Part, Version
from reimage.archive.rate import Rate
from reimage.archive.requesting import Requester
from reimage.errors import ArchiveError

LEAST_BYTES = 1 << 16
"""A transfer that brings less than this within the time of a stall has stalled."""
SEEN = 1 << 14
"""So much of the beginning is looked at: of a page in place of the file its text is told."""
WHOLE, REST, BEYOND = 200, 206, 416


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What an attempt needs besides the file; the same for all attempts of a thread."""

    requester: Requester
    rate: Rate
    stall_s: float
    is_stopped: Callable[[], bool]
    tell: Callable[[ArchiveFile, int], None]
    clock: Callable[[], float] = time.monotonic

    def make(self, file: ArchiveFile, url: str, part: Part) -> None:
        """Bring the part to its end.

        Raises
        ------
        Away, Wrong, Absent
        ArchiveNotPublic, DiskFull
        Stopped
        """
        if part.is_whole:  # killed between its last byte and its name
            return
        response = self.requester.get(url, part.request)
        if response.status != WHOLE and not _is_rest(response, url, part):
            response.close()
            part.restart(None)
            response = self.requester.get(url, {})
        try:
            whole = self._begin(file, url, part, response)
            self._stream(file, url, part, response, whole)
        except Attempted:
            raise
        except ArchiveError as error:
            raise Wrong(error) from error
        finally:
            response.close()

    def _begin(
        self, file: ArchiveFile, url: str, part: Part, response: BaseHTTPResponse
    ) -> int | None:
        """Look at what an answer says, and at its first bytes; return how long the file will be."""
        headers = response.headers
        verify.require_name(headers.get("Content-Disposition"))
        verify.require_plain(file.name, headers.get("Content-Encoding", ""))
        if response.status == REST:
            return part.version.n_bytes if part.version is not None else None
        if response.status != WHOLE:
            raise ArchiveUnavailable(
                f"{origin(url)} answers with {response.status} what was asked in whole",
                evidence={"url": url, "status": response.status},
            )
        head = self._head(file, url, response)
        verify.require_opening(file.name, headers.get("Content-Type", ""), bytes(head[:SEEN]))
        offered = verify.number(headers.get("Content-Length", ""))
        whole = verify.require_length(file.name, file.n_bytes, offered)
        part.restart(Version.of(url, headers, whole))
        self._take(file, part, head, whole)
        return whole

    def _head(self, file: ArchiveFile, url: str, response: BaseHTTPResponse) -> Piece:
        """Return what comes first: enough to see what it is, unless the file is shorter."""
        head: Piece = b""
        try:
            while len(head) < verify.HEAD and (piece := _read(url, response, self.stall_s)):
                head = bytes(head) + piece if head else piece
        except _Cut as cut:
            if not head and not cut.is_end:
                raise _broken(url, cut) from cut
            if not verify.is_page(bytes(head)):
                raise _short(file, len(head), file.n_bytes) from cut
        return head

    def _stream(
        self,
        file: ArchiveFile,
        url: str,
        part: Part,
        response: BaseHTTPResponse,
        whole: int | None,
    ) -> None:
        since, at_since, began_at = self.clock(), part.n_bytes, part.n_bytes
        try:
            while piece := _read(url, response, self.stall_s):
                since += self._take(file, part, piece, whole)  # what we waited is not its fault
                now = self.clock()
                if now - since >= self.stall_s:
                    if part.n_bytes - at_since < LEAST_BYTES:
                        raise _stalled(
                            url, f"{part.n_bytes - at_since} bytes in {now - since:.0f} s"
                        )
                    since, at_since = now, part.n_bytes
        except _Cut as cut:
            if (
                part.n_bytes == began_at and not cut.is_end
            ):  # accepted and dropped: a host in trouble
                raise _broken(url, cut) from cut
            raise _short(file, part.n_bytes, whole) from cut
        if whole is not None and part.n_bytes < whole:
            raise _short(file, part.n_bytes, whole)

    def _take(self, file: ArchiveFile, part: Part, piece: Piece, whole: int | None) -> float:
        """Write a piece down; return the seconds that the limit of the rate took."""
        if self.is_stopped():
            raise Stopped
        n_bytes = len(piece)
        if whole is not None and part.n_bytes + n_bytes > whole:
            raise _grown(file, part, whole)
        part.write(piece)
        waited_s = self.rate.spend(n_bytes)
        self.tell(file, part.n_bytes)
        return waited_s


def _is_rest(response: BaseHTTPResponse, url: str, part: Part) -> bool:
    """Whether an answer continues our part: where it ends, and of the same version of the file."""
    said = verify.content_range(response.headers)
    if response.status != REST or said is None or part.version is None:
        return False
    begin, whole = said
    is_same = part.version.is_proven_by(Version.of(url, response.headers, whole))
    return begin == part.n_bytes and is_same


def _read(url: str, response: BaseHTTPResponse, stall_s: float) -> Piece:
    """Return what has arrived, at most a chunk; empty at the end of the answer."""
    try:
        return response.read1(CHUNK, decode_content=False) or b""
    except ReadTimeoutError as error:
        raise _stalled(url, f"nothing for {stall_s:g} s") from error
    except (HTTPError, OSError) as error:
        raise _Cut(str(error), is_end=_is_end(error)) from error


class _Cut(Exception):
    """The connection was lost, or ended before the length that was announced."""

    def __init__(self, told: str, *, is_end: bool) -> None:
        super().__init__(told)
        self.is_end = is_end


def _is_end(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, IncompleteRead | http.client.IncompleteRead):
            return True
        error = error.__cause__ or error.__context__
    return False


def _broken(url: str, cut: Exception) -> Away:
    return Away(ArchiveUnavailable(f"{origin(url)} broke off: {cut}", evidence={"url": url}))


def _stalled(url: str, told: str) -> Away:
    return Away(ArchiveStalled(f"{origin(url)} sends no more: {told}", evidence={"url": url}))


def _grown(file: ArchiveFile, part: Part, whole: int) -> ArchiveFileGrown:
    part.restart(None)
    return ArchiveFileGrown(
        f"{file.name}: the archive sends more than the {whole} bytes that it promised",
        evidence={"file": file.name, "promised_bytes": whole},
    )


def _short(file: ArchiveFile, n_bytes: int, whole: int | None) -> ArchiveFileSize:
    return ArchiveFileSize(
        f"{file.name}: the transfer ends after {n_bytes} of {whole or 'unknown'} bytes",
        evidence={"file": file.name, "n_bytes": n_bytes, "promised_bytes": whole},
    )
