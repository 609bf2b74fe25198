"""Who a process is: host, boot, pid and start time, written ``host:boot:pid:start``.

A pid alone is used again; a pid with the start time that the kernel keeps (clock ticks since boot)
is not, within one boot.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_STATE, _START = 0, 19
"""Fields of ``/proc/<pid>/stat`` after the name's closing parenthesis."""
_DEAD = ("Z", "X")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, of all that ever were."""

    host: str
    boot_id: str
    pid: int
    start: int
    """Clock ticks since boot."""

    def __str__(self) -> str:
        return f"{self.host}:{self.boot_id}:{self.pid}:{self.start}"

    @classmethod
    def parse(cls, text: str) -> Identity | None:
        """Read the written form; None when it is not one."""
        parts = text.rsplit(":", 3)
        if len(parts) != 4 or not (parts[2].isdigit() and parts[3].isdigit()):  # noqa: PLR2004
            return None
        return cls(parts[0], parts[1], int(parts[2]), int(parts[3]))

    def is_here(self) -> bool:
        """Whether it is a process of this machine, in this boot or an earlier one."""
        return self.host == socket.gethostname()

    def is_alive(self) -> bool | None:
        """Whether it runs; None when it is another machine's and cannot be seen from here.

        A zombie does not run: it waits for its parent to read how it ended.
        """
        if not self.is_here():
            return None
        return self.boot_id == boot_id() and _start(self.pid) == self.start


def of_process(pid: int | None = None) -> Identity | None:
    """Return who a process of this machine is, this one by default; None when it does not run."""
    pid = os.getpid() if pid is None else pid
    start = _start(pid)
    return None if start is None else Identity(socket.gethostname(), boot_id(), pid, start)


def of_self() -> Identity:
    """Return who this process is."""
    own = of_process()
    if own is None:
        raise RuntimeError("this process is not in /proc: not a Linux?")
    return own


def boot_id() -> str:
    """Return the kernel's name of this boot."""
    return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _start(pid: int) -> int | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in _DEAD else int(fields[_START])
