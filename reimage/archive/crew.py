"""Threads that work, and one thread that hears of it: the caller's."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Told = TypeVar("Told")
FAREWELL_S = 2.0
"""So long threads that hang in a socket are waited for when nobody wants their work any more."""
BREATH_S = 0.005
"""Who listens takes a breath after all that was said: else each word of a thread stops it to be heard."""

Say = Callable[[Told], None]
"""Hands something to the caller's thread; callable from every thread."""


class Crew(Generic[Item, Told]):
    """Does items in threads, first come first served.

    Parameters
    ----------
    work
        Called in each thread with the items that it takes, and what it says things with.
    stop
        Set when nobody listens any more; ``work`` looks at it.
    """

    def __init__(
        self,
        work: Callable[[Iterator[Item], Say[Told]], None],
        n_threads: int,
        stop: threading.Event,
    ) -> None:
        self._work, self._n_threads, self._stop = work, n_threads, stop
        self._todo: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[Told | BaseException | None] = queue.SimpleQueue()

    def run(self, items: Sequence[Item]) -> Generator[Told]:
        """Yield what the threads say, until all have ended; their bugs are raised here."""
        for item in items:
            self._todo.put(item)
        threads = [
            threading.Thread(target=self._live, name=f"fetch-{number}", daemon=True)
            for number in range(min(self._n_threads, len(items)))
        ]
        for thread in threads:
            thread.start()
        left = len(threads)
        try:
            while left:
                if self._said.empty():
                    time.sleep(BREATH_S)
                said = self._said.get()
                if said is None:
                    left -= 1
                elif isinstance(said, BaseException):
                    raise said
                else:
                    yield said
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(FAREWELL_S / len(threads))

    def _live(self) -> None:
        try:
            self._work(self._items(), self._said.put)
        except BaseException as error:  # noqa: BLE001 -- handed over whole, to be raised where it is heard
            self._said.put(error)
        finally:
            self._said.put(None)

    def _items(self) -> Iterator[Item]:
        while not self._stop.is_set():
            try:
                yield self._todo.get_nowait()
            except queue.Empty:
                return
