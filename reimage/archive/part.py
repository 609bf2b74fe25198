"""The beginning of a file that is being fetched: ``NAME.part``, and what it is the beginning of.

``NAME.part.json`` says which version of the file on the server the bytes are of (ETag, Last-Modified,
length).  Only a server that proves to have the same version still is asked for the rest.
A killed process leaves both; what it had not written yet is fetched again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from reimage.archive.chunks import CHUNK, Piece
from reimage.archive.digest import Digest
from reimage.archive.failed import Stopped
from reimage.archive.hosts import origin
from reimage.archive.writeback import Writeback

WORTH_RESUMING = 1 << 18
"""Shorter beginnings (bytes) are fetched again: asking for the rest costs as much."""
LOCK_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which version of a file a server sends."""

    origin: str
    etag: str = ""
    last_modified: str = ""
    n_bytes: int | None = None

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str], n_bytes: int | None) -> Version:
        """Return what an answer says; a weak ETag is none: it does not promise equal bytes."""
        etag = headers.get("ETag", "")
        return cls(
            origin=origin(url),
            etag="" if etag.startswith("W/") else etag,
            last_modified=headers.get("Last-Modified", ""),
            n_bytes=n_bytes,
        )

    @property
    def condition(self) -> str:
        """What goes into If-Range; empty: nothing can prove that the file is still the same."""
        return self.etag or self.last_modified

    def is_proven_by(self, other: Version) -> bool:
        """Whether an answer is of this version.

        Another host's copy has a time of its own: there only an equal ETag proves anything.
        """
        if None in {self.n_bytes, other.n_bytes} or self.n_bytes != other.n_bytes:
            return False
        if self.etag or other.etag:
            return self.etag == other.etag
        return self.origin == other.origin and self.last_modified == other.last_modified != ""


class Part:
    """One `.part`, locked against other processes while it is open; a context manager."""

    def __init__(self, target: Path, is_stopped: Callable[[float], bool]) -> None:
        self.target, self._is_stopped = target, is_stopped
        self.path = Path(f"{target}.part")
        self._note = Path(f"{target}.part.json")
        self.version: Version | None = None
        self._noted: Version | None = None
        self.n_bytes = 0
        self._digest = Digest()

    def __enter__(self) -> Self:
        self._handle = self._locked()
        self._writeback = Writeback(self._handle)
        self.version = self._noted = self._read_note() if self.n_bytes else None
        if self.version is None or self._is_too_long():
            self._note.unlink(missing_ok=True)  # of bytes that are no longer there, or of none
            self.restart(None)
        else:
            self._rehash()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._digest.close()
        with suppress(OSError):  # a full disk was told by the write already
            if not self.n_bytes:
                self.path.unlink(missing_ok=True)
            os.close(self._handle)

    def _locked(self) -> int:
        """Open the file and wait until nobody else has it; it may have been finished meanwhile."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            while not _locks(handle):
                if self._is_stopped(LOCK_LOOK_S):
                    os.close(handle)
                    raise Stopped
            mine = os.fstat(handle)
            with suppress(FileNotFoundError):
                if os.path.samestat(self.path.stat(), mine):
                    self.n_bytes = mine.st_size
                    return handle
            os.close(handle)

    def _read_note(self) -> Version | None:
        try:
            return Version(**json.loads(self._note.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _is_too_long(self) -> bool:
        whole = None if self.version is None else self.version.n_bytes
        return whole is not None and self.n_bytes > whole

    def _rehash(self) -> None:
        os.lseek(self._handle, 0, os.SEEK_SET)
        while piece := os.read(self._handle, CHUNK):
            self._digest.update(piece)

    @property
    def is_whole(self) -> bool:
        """Whether every byte of the version is there."""
        return self.version is not None and self.n_bytes == self.version.n_bytes

    @property
    def request(self) -> Mapping[str, str]:
        """Headers that ask for the rest, on the condition that it is still the same file."""
        condition = self.version.condition if self.version is not None else ""
        if not condition or self.n_bytes < WORTH_RESUMING:
            return {}
        return {"Range": f"bytes={self.n_bytes}-", "If-Range": condition}

    def restart(self, version: Version | None) -> None:
        """Begin at 0, with another version."""
        if self._noted is not None:  # first: it must never stand beside other bytes than its own
            self._note.unlink(missing_ok=True)
            self._noted = None
        self.version = version
        if self.n_bytes:
            os.ftruncate(self._handle, 0)
            self._digest.close()
            self.n_bytes, self._digest = 0, Digest()

    def write(self, piece: Piece) -> None:
        """Append; the note is written as soon as there is enough that resuming is worth it.

        The piece is ours from now on (`reimage.archive.chunks`).
        """
        n_bytes, written = len(piece), 0
        with memoryview(piece) as view:
            while written < n_bytes:
                written += os.write(self._handle, view[written:])
        self._digest.update(piece)
        self.n_bytes += n_bytes
        self._writeback.reached(self.n_bytes)
        if self._noted is None and self.n_bytes >= WORTH_RESUMING and self.version is not None:
            self._write_note(self.version)

    def _write_note(self, version: Version) -> None:
        self._noted = version
        if version.condition:
            draft = self._note.with_name(self._note.name + ".new")
            draft.write_text(json.dumps(asdict(version)), encoding="utf-8")
            draft.rename(self._note)

    def finish(self) -> str:
        """Make it the file, whole, and return its sha256."""
        if self.n_bytes >= WORTH_RESUMING:  # what is short is had again as quickly
            self._writeback.finish()  # else a power cut may leave the name without the bytes
        self.path.rename(self.target)
        if self._noted is not None:
            self._note.unlink(missing_ok=True)
        return self._digest.hexdigest()


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks
        return True
    return True
