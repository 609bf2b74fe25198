"""What Linux does for us: deaths that follow deaths, orphans that come home, memory limits, signals."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None)
_VERSIONS = (
    # root, limit, event counts
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"),
    ("/sys/fs/cgroup", "memory.max", "memory.events"),
)
_PREFIX = "reimage"


def adopt_orphans() -> None:
    """Have every orphaned descendant become this process's child instead of init's."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def heard(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have SIGTERM and SIGINT call a handler; in threads, where Python hears none, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {name: signal.signal(name, handler) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for name, earlier in before.items():
            signal.signal(name, earlier)


class Birth:
    """What a child does between fork and exec: tie its life to its parent's, join its cgroup."""

    def __init__(self, parent: int, cgroup: MemoryCgroup | None = None) -> None:
        self._parent, self._cgroup = parent, cgroup

    def __call__(self) -> None:
        """Run in the child; no lock may be held, nothing large done."""
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self._parent:  # it died before the line above
            os._exit(1)
        if self._cgroup is not None:
            self._cgroup.join()


class MemoryCgroup:
    """A memory limit that the kernel enforces on a tree, and counts."""

    def __init__(self, folder: Path, counts: str) -> None:
        self._folder, self._counts = folder, counts

    @classmethod
    def make(cls, name: str, limit_bytes: int) -> MemoryCgroup | None:
        """Return a group with this limit; None where this process may not make one.

        Found by doing: the files may be there and not be writable, or the controller missing.
        """
        for root, limit, counts in _VERSIONS:
            sweep(Path(root))
            folder = Path(root, f"{_PREFIX}-{os.getpid()}-{name}")
            try:
                folder.mkdir()
            except OSError:
                continue
            try:
                # Opened, not made: where no controller is mounted the folder is a plain one.
                with (folder / limit).open("r+", encoding="ascii") as stream:
                    stream.write(str(limit_bytes))
            except OSError:
                with suppress(OSError):
                    folder.rmdir()
                continue
            return cls(folder, counts)
        return None

    def join(self) -> None:
        """Put this process into the group; without the group the sampling still watches."""
        with suppress(OSError):
            (self._folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def close(self) -> int:
        """Remove the group, which must be empty; return how many processes the kernel ended."""
        kills = 0
        with suppress(OSError, ValueError):
            lines = (self._folder / self._counts).read_text(encoding="ascii").splitlines()
            kills = int(dict(line.split() for line in lines).get("oom_kill", 0))
        with suppress(OSError):
            self._folder.rmdir()
        return kills


def sweep(root: Path) -> None:
    """Remove groups whose supervisor was killed; one with processes in it stays."""
    with suppress(OSError):
        for folder in root.glob(f"{_PREFIX}-[0-9]*"):
            pid = folder.name.split("-")[1]
            if not Path("/proc", pid).exists():
                with suppress(OSError):
                    folder.rmdir()
