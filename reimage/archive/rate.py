"""Politeness: at most so many bytes per second, at most so many transfers from one host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reimage.archive.failed import Stopped
from reimage.archive.hosts import origin

LOOK_S = 0.5
"""Who waits looks so often whether there is still something to wait for."""

Wait = Callable[[float], bool]
"""Waits so many seconds; true: nobody wants the files any more (`threading.Event.wait`)."""


class Rate:
    """A limit that all transfers of a process keep together; debts are slept off by who made them."""

    def __init__(
        self, bytes_s: int, wait: Wait, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bytes_s, self._wait, self._clock = bytes_s, wait, clock
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
            now = self._clock()
            self._paid_until = max(self._paid_until, now) + n_bytes / self._bytes_s
            owed = self._paid_until - now
        self._wait(owed)
        return owed


class Gates:
    """One for each host: so many transfers may be inside."""

    def __init__(self, connections: int, wait: Wait) -> None:
        self._connections, self._wait = connections, wait
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
            yield
        finally:
            gate.release()
