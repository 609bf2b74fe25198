"""The demonstration's archive behind HTTP: a server of its own, for as long as it is needed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from reimage import kernel
from reimage.errors import ReimageError, UsageError

LOOPBACK = "127.0.0.1"
START_S = 60.0
ANSWER_S = 5.0
POLL_S = 0.05


class DemoArchiveElsewhere(UsageError):
    """The settings name an archive that is not the demonstration's."""

    code = "demo-archive-elsewhere"
    hint = "Run the demonstration in an empty directory, without REIMAGE_ARCHIVE."


class DemoArchiveSilent(ReimageError):
    """The demonstration's archive could not be served."""

    code = "demo-archive-silent"
    hint = "Look into the log that the message names; another `archive` in reimage.toml takes another port."


def free_address() -> str:
    """Return an address on loopback at which nobody listens: two demonstrations at once have two."""
    with closing(socket.socket()) as tried:
        tried.bind((LOOPBACK, 0))
        return f"http://{LOOPBACK}:{tried.getsockname()[1]}"


def require_ours(archive: str) -> None:
    """Refuse an archive on another machine: it would be asked for the demonstration's datasets.

    Raises
    ------
    DemoArchiveElsewhere
    """
    if "://" in archive and urlsplit(archive).hostname not in {LOOPBACK, "localhost"}:
        raise DemoArchiveElsewhere(
            f"the settings name {archive}, which is not on this machine",
            evidence={"archive": archive},
        )


@contextmanager
def served(directory: Path, archive: str, log: Path) -> Iterator[None]:
    """Serve a directory at the address of an archive while the body runs.

    Where ``archive`` is a directory, or a server answers there already, nothing is done.

    Raises
    ------
    DemoArchiveSilent
    """
    if "://" not in archive or _answers(archive):
        yield
        return
    port = str(urlsplit(archive).port or 80)
    words = (sys.executable, "-m", "reimage", "archive", "serve", str(directory), "--port", port)
    with log.open("wb") as out:
        server = subprocess.Popen(  # noqa: S603 -- ourselves
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=kernel.Birth(os.getpid()),  # noqa: PLW1509 -- we have one thread yet
        )
    try:
        _wait(server, archive, log)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait(server: subprocess.Popen[bytes], archive: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while server.poll() is not None or not _answers(archive):
        # what answers although ours has ended is somebody else's
        if server.poll() is not None or time.monotonic() > deadline:
            raise DemoArchiveSilent(
                f"the demonstration's archive is not served at {archive}: {log}",
                evidence={"archive": archive, "log": str(log)},
            )
        time.sleep(POLL_S)


def _answers(archive: str) -> bool:
    try:
        answer = requests.get(f"{archive.rstrip('/')}/tap/availability", timeout=ANSWER_S)
    except requests.RequestException:
        return False
    return answer.ok
