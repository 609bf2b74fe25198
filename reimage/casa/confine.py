"""Shutting a CASA process in: no network, and write access to its run directory alone (bubblewrap).

Delivered scripts are other people's code.  Where the machine has no working ``bwrap`` a process runs
unconfined, and ``casa.started`` in the journal says so; `reimage doctor` names the package.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path


def prefix(writable: Path) -> list[str]:
    """Return the words to put before a command, none where this machine cannot confine.

    No PID namespace and no new session: the supervisor sees every process, and the group that it
    ends is the command's.
    """
    program = available()
    if program is None:
        return []
    place = str(writable)
    return [
        *(program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--bind", place, place, "--unshare-net", "--unshare-ipc", "--die-with-parent"),
    ]


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
    attempt = [
        program,
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--unshare-net",
        "true",
    ]
    tried = subprocess.run(attempt, check=False, capture_output=True, stdin=subprocess.DEVNULL)  # noqa: S603 -- fixed
    return program if tried.returncode == 0 else None
