"""Shutting a CASA process in: no network, no process but its own, write access to its run directory alone.

Delivered scripts are other people's code.  Where the machine has no working ``bwrap`` a process runs
unconfined, and ``casa.started`` in the journal says so; `reimage doctor` names the package.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

FIRST = Path(__file__).with_name("first.py")


def prefix(writable: Path) -> list[str]:
    """Return the words to put before a command, none where this machine cannot confine.

    No new session: the group that is ended is the command's.  In its PID namespace a script sees and
    signals its own processes only, and what forked away dies with the job; the supervisor, outside,
    still sees every one of them.
    """
    program = available()
    if program is None:
        return []
    place = str(writable)
    words = [
        *(program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--bind", place, place, "--unshare-net", "--unshare-ipc", "--die-with-parent"),
    ]
    if _has_pid_namespaces(program):
        words += ["--unshare-pid", "--as-pid-1", sys.executable, "-I", str(FIRST)]
    return words


def own_status(code: int) -> int:
    """Return the exit status of a confined command: ``bwrap`` turns signal N into code 128 + N."""
    number = code - 128
    return -number if number in {int(known) for known in signal.Signals} else code


@cache
def available() -> str | None:
    """Return the path of a ``bwrap`` that works here, found by using it."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    return program if _works(program, "--unshare-net") else None


@cache
def _has_pid_namespaces(program: str) -> bool:
    """Whether a process can have a ``/proc`` of its own: containers often forbid it."""
    return _works(program, "--unshare-net", "--unshare-pid")


def _works(program: str, *words: str) -> bool:
    whole = (program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
    tried = subprocess.run(  # noqa: S603 -- fixed
        [*whole, *words, "true"], check=False, capture_output=True, stdin=subprocess.DEVNULL
    )
    return tried.returncode == 0
