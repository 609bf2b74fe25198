"""Asking for a listing has an end, whatever the server does."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, contextmanager

import pytest

from reimage.archive.asking import Asker
from reimage.archive.faults import ArchiveUnavailable
from reimage.credentials import Secrets
from reimage.run import Transfer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-votable+xml\r\n"


@contextmanager
def dripping(first, drop, n_drops=200):
    """Serve: some bytes at once, then a few every tenth of a second."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def serve(there):
            with there:
                try:
                    there.recv(65536)
                    there.sendall(first)
                    for _ in range(n_drops):
                        if ended.wait(0.1):
                            return
                        there.sendall(drop)
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    there, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(there,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"<a/>"),
        (HEAD + b"\r\n", b"<a/>"),
        (HEAD, b"X-More: x\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
@pytest.mark.parametrize("patience_s", [0, 1.5])
def test_a_server_that_drips_is_left(first, drop, patience_s):
    with dripping(first, drop) as base:
        begun = time.monotonic()
        with pytest.raises(ArchiveUnavailable, match=r"127\.0\.0\.1") as caught:
            Asker(base, Transfer(patience_s=patience_s, stall_s=1), Secrets()).ask(f"{base}/x")
        assert time.monotonic() - begun < 5
        assert caught.value.evidence["url"] == f"{base}/x"


def test_an_answer_that_takes_longer_than_a_stall_and_less_than_our_patience_is_taken():
    with dripping(HEAD + b"Content-Length: 20\r\n\r\n", b"<ab/>", n_drops=4) as base:
        answer = Asker(base, Transfer(patience_s=20, stall_s=0.3), Secrets()).ask(f"{base}/x")
    assert answer == b"<ab/>" * 4


def test_a_mirror_is_asked_where_the_archive_drips():
    whole = HEAD + b"Content-Length: 4\r\n\r\n<a/>"
    with dripping(HEAD + b"\r\n", b"x") as base, dripping(whole, b"") as mirror:
        transfer = Transfer(patience_s=2, stall_s=1, mirrors=(mirror,))
        assert Asker(base, transfer, Secrets()).ask(f"{base}/x") == b"<a/>"


@pytest.mark.parametrize("patience_s", [0.2, 68, 300])
def test_an_archive_that_is_away_is_asked_once_more_when_patience_ends(patience_s):
    """Waits double: who gave up before the next would be too long would use half of the patience."""
    waits = []
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and nobody listens
        asker = Asker(
            base := f"http://127.0.0.1:{unused.getsockname()[1]}",
            Transfer(patience_s=patience_s, stall_s=1),
            Secrets(),
            sleep=waits.append,
            clock=lambda: sum(waits),
        )
        with pytest.raises(ArchiveUnavailable):
            asker.ask(f"{base}/x")
    assert sum(waits) == pytest.approx(patience_s)
