"""Politeness across processes: those that share a cache on one machine share its limits.

A slot is a locked file.  The kernel forgets the lock of a process that dies, however it dies.  Where
the folder cannot be written or knows no locks, a limit is that of one process.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reimage import identity
from reimage.archive.failed import Stopped

FOLDER = "slots"
FIRST_LOOK_S = 0.001
LOOK_S = 0.1
"""Who waits looks first so soon, then less often, down to this."""
_MOST = 80
"""Bytes of what an account says."""

Wait = Callable[[float], bool]


class Slots:
    """So many may talk to one host at a time, of all processes of this machine."""

    def __init__(self, folder: Path, n: int, wait: Wait) -> None:
        self._folder, self._n, self._wait = folder, n, wait

    @contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Be one of those who talk to a host.

        Raises
        ------
        Stopped
        """
        handle = self._take(_name(host))
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def _take(self, name: str) -> int | None:
        """Wait for a slot; one waits at the door and the others behind him, so that nobody waits for ever."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            door = self._lock([f"{name}.door"])
            try:
                return self._lock([f"{name}.{number}" for number in range(self._n)])
            finally:
                os.close(door)
        except OSError:
            return None

    def _lock(self, names: Sequence[str]) -> int:
        pause = FIRST_LOOK_S
        while True:
            for name in names:
                handle = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o666)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(handle)
                except OSError:
                    os.close(handle)
                    raise
                else:
                    return handle
            if self._wait(pause):
                raise Stopped
            pause = min(2 * pause, LOOK_S)


class Account:
    """Until when all that processes of this machine have fetched is paid for."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / f"{_name('rate')}.paid"
        self._boot = identity.boot_id()

    def spend(self, now: float, seconds: float) -> float | None:
        """Pay for some seconds more, and return until when all is paid for; None: nobody keeps account.

        ``now`` is the machine's monotonic clock, which begins anew with each boot.
        """
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            book = os.open(self._place, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(book, fcntl.LOCK_EX)
                paid_until = max(self._paid_until(os.pread(book, _MOST, 0)), now) + seconds
                os.pwrite(book, f"{self._boot} {paid_until:020.6f}".encode(), 0)
            finally:
                os.close(book)
        except OSError:
            return None
        return paid_until

    def _paid_until(self, said: bytes) -> float:
        boot, _, until = said.decode("ascii", errors="replace").partition(" ")
        try:
            return float(until) if boot == self._boot else 0.0
        except ValueError:
            return 0.0


def _name(what: str) -> str:
    """Return a file name that is this machine's: a cache may stand on a disk that several share."""
    return hashlib.sha256(f"{socket.gethostname()} {what}".encode()).hexdigest()[:16]
