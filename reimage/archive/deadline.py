"""An end to waiting that holds whatever a server does.

The timeouts of sockets are for one read each: a server that sends a byte now and then, in its headers or
in what follows, is never late.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(TimeoutError):
    """It took too long; what was asked goes on in its thread, and nobody waits for it."""


def within(seconds: float, ask: Callable[[], T]) -> T:
    """Return what a function returns, or raise what it raises, if it does so in time.

    Raises
    ------
    DeadlineError
    """
    came: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            came.put((ask(), None))
        except BaseException as error:  # noqa: BLE001 -- raised again by who waits
            came.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, error = came.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        raise DeadlineError(f"no end after {seconds:g} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
