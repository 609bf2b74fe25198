"""An X display for the pipeline's plots: Xvfb, started beside the cage, since it writes to ``/tmp``.

A confined job reaches it by the socket that it leaves there.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reimage import kernel

START_S = 10.0
"""Within which Xvfb has found a free number."""
PROGRAM = "Xvfb"


@contextmanager
def started() -> Iterator[str | None]:
    """Give the name of a display, ``:99``; None where there can be none."""
    program = shutil.which(PROGRAM)
    if program is None:
        yield None
        return
    words = ("-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp")
    server = subprocess.Popen(  # noqa: S603 -- fixed
        [program, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=kernel.Birth(os.getpid()),  # noqa: PLW1509 -- the runner has one thread
    )
    try:
        yield _name(server)
    finally:
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and its children: one that lives on would hold the pipe, and us."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    with server:
        server.wait()


def _name(server: subprocess.Popen[bytes]) -> str | None:
    """Return what the server calls itself, once it does."""
    if server.stdout is None:
        return None
    ready, _, _ = select.select([server.stdout], [], [], START_S)
    number = server.stdout.readline().decode("ascii", "replace").strip() if ready else ""
    return f":{number}" if number.isdigit() else None
