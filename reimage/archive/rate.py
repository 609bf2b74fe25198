"""Politeness: at most so many bytes per second, at most so many transfers from one host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from reimage.archive.failed import Stopped
from reimage.archive.hosts import origin
from reimage.archive.slots import FOLDER, Account, Slots

LOOK_S = 0.5
"""Who waits looks so often whether there is still something to wait for."""

Wait = Callable[[float], bool]
"""Waits so many seconds; true: nobody wants the files any more (`threading.Event.wait`)."""


class Rate:
    """A limit that all transfers keep together; debts are slept off by who made them.

    Parameters
    ----------
    folder
        The limit is of all processes that use it; None: of this one alone.
    """

    def __init__(
        self,
        bytes_s: int,
        wait: Wait,
        clock: Callable[[], float] = time.monotonic,
        *,
        folder: Path | None = None,
    ) -> None:
        self._bytes_s, self._wait, self._clock = bytes_s, wait, clock
        self._account = None if folder is None else Account(folder / FOLDER)
        self._lock, self._paid_until = threading.Lock(), 0.0

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._bytes_s > 0

    def spend(self, n_bytes: int) -> float:
        """Take account of bytes that came, wait until they are paid for, and return how long that was."""
        if not self.is_limited:
            return 0.0
        with self._lock:
            now, seconds = self._clock(), n_bytes / self._bytes_s
            paid_until = None if self._account is None else self._account.spend(now, seconds)
            self._paid_until = paid_until or max(self._paid_until, now) + seconds
            owed = self._paid_until - now
        self._wait(owed)
        return owed


class Gates:
    """One for each host: so many transfers may be inside; ``folder`` as with `Rate`."""

    def __init__(self, connections: int, wait: Wait, *, folder: Path | None = None) -> None:
        self._connections, self._wait = connections, wait
        self._slots = None if folder is None else Slots(folder / FOLDER, connections, wait)
        self._lock = threading.Lock()
        self._gates: dict[str, threading.BoundedSemaphore] = {}

    @contextmanager
    def inside(self, url: str) -> Iterator[None]:
        """Be one of those who talk to a host.

        Raises
        ------
        Stopped
        """
        with self._lock:
            gate = self._gates.setdefault(
                origin(url), threading.BoundedSemaphore(self._connections)
            )
        while not gate.acquire(timeout=LOOK_S):
            if self._wait(0):
                raise Stopped
        try:
            with nullcontext() if self._slots is None else self._slots.inside(origin(url)):
                yield
        finally:
            gate.release()
