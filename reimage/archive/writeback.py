"""Bytes on their way to the disk while more arrive, so that in the end there is little to wait for.

Without it a file of 2 GB lies in memory until its end, and `fsync` then takes 0.7 s, a third of the transfer.
"""

from __future__ import annotations

import ctypes
import os

STEP = 32 << 20
"""Bytes that are sent to the disk at once."""
_WRITE = 2  # SYNC_FILE_RANGE_WRITE: begin, and wait for nothing


def _call() -> ctypes._NamedFuncPointer | None:
    try:
        call = ctypes.CDLL(None).sync_file_range
    except (OSError, AttributeError):  # not Linux: then all of it is written in the end
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return call


_SYNC_FILE_RANGE = _call()


class Writeback:
    """Of one open file."""

    def __init__(self, handle: int) -> None:
        self._handle, self._begun = handle, 0

    def reached(self, n_bytes: int) -> None:
        """Begin to write what has come since, if it is enough; a file system may not care."""
        if n_bytes < self._begun:  # begun again
            self._begun = 0
        if n_bytes - self._begun >= STEP and _SYNC_FILE_RANGE is not None:
            _SYNC_FILE_RANGE(self._handle, self._begun, n_bytes - self._begun, _WRITE)
            self._begun = n_bytes

    def finish(self) -> None:
        """Return when all of it is on the disk.

        Raises
        ------
        OSError
        """
        os.fsync(self._handle)
