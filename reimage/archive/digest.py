"""SHA-256 of a file while it arrives.

Hashing takes as long as receiving.  hashlib lets other threads run meanwhile, so that the two go side by side;
measured on 2 cores with 2 GB over loopback: 1.5 s instead of 2.6 s (curl, which does not hash: 1.9 s).
"""

from __future__ import annotations

import hashlib
import threading
from queue import Queue

from reimage.archive.chunks import Piece, give_back

ALONE = 1 << 21
"""Bytes from which on a thread pays."""
WAITING = 6
"""Pieces that may wait for the thread: the memory that it costs."""


class Digest:
    """The hash of what it is given; `close` it when it is no longer wanted."""

    def __init__(self) -> None:
        self._sha256, self._n_bytes = hashlib.sha256(), 0
        self._queue: Queue[Piece | None]
        self._thread: threading.Thread | None = None

    def update(self, piece: Piece) -> None:
        """Take what comes next, for good: its buffer goes back when it is hashed."""
        self._n_bytes += len(piece)
        if self._thread is None and self._n_bytes > ALONE:
            self._queue = Queue(WAITING)
            self._thread = threading.Thread(target=self._work, name="sha256", daemon=True)
            self._thread.start()
        if self._thread is None:
            self._hash(piece)
        else:
            self._queue.put(piece)

    def close(self) -> None:
        """Wait until all of it is reckoned; the thread ends."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread, self._n_bytes = None, 0

    def hexdigest(self) -> str:
        """Return the hash of everything so far."""
        self.close()
        return self._sha256.hexdigest()

    def _work(self) -> None:
        while (piece := self._queue.get()) is not None:
            self._hash(piece)

    def _hash(self, piece: Piece) -> None:
        self._sha256.update(piece)
        give_back(piece)
