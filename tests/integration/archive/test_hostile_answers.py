"""Answers that no sane server gives, byte by byte, over loopback."""

from __future__ import annotations

import gzip
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reimage.archive.download import Transfers
from reimage.archive.failed import Away, Wrong
from reimage.archive.faults import ArchiveAnswerMalformed
from reimage.archive.hosts import Hosts
from reimage.archive.listing import ArchiveFile
from reimage.archive.requesting import Requester
from reimage.credentials import Secrets
from reimage.run import Transfer

LONG = b"9" * 5000
PACKED = gzip.compress(b"hello " * 100)
DRIP_S = 10.0
ANSWERS = {
    "/ok": b"HTTP/1.0 200 OK\r\n\r\nok",
    "/bytes": b"HTTP/1.0 302 F\r\nLocation: /\xff\xfe\r\n\r\n",
    "/bad": b"HTTP/1.0 302 F\r\nLocation: http://[bad/\r\n\r\n",
    "/port": b"HTTP/1.0 302 F\r\nLocation: http://h:99999/\r\n\r\n",
    "/later": b"HTTP/1.0 503 F\r\nRetry-After: \xb2\r\n\r\n",
    "/gzip": b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + PACKED,
    "/name": b"HTTP/1.0 200 OK\r\nContent-Disposition: attachment; filename*=a'b; filename*0=1"
    b"\r\n\r\nhello",
    "/length": b"HTTP/1.0 200 OK\r\nContent-Length: " + LONG + b"\r\n\r\nhello",
}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        if self.path != "/endless":
            self.wfile.write(ANSWERS.get(self.path, b"HTTP/1.0 404 N\r\n\r\n"))
            return
        self.wfile.write(b"HTTP/1.0 302 F\r\nLocation: /ok\r\n\r\n")
        end = time.monotonic() + DRIP_S
        try:
            while time.monotonic() < end:
                self.wfile.write(b"x" * 1000)
                time.sleep(0.05)
        except OSError:
            self.server.hung_up.set()


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        serving.hung_up = threading.Event()
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield serving
        serving.shutdown()


@pytest.fixture
def base(server):
    return f"http://127.0.0.1:{server.server_port}"


def ask(base, path, secrets=None):
    with closing(Requester(Hosts(base, (), secrets or Secrets()), 2.0)) as requester:
        return requester.get(f"{base}{path}", {}).read()


def fetch(base, path, folder):
    file = ArchiveFile(
        name="a.README.txt", semantics="", content_type="", n_bytes=None, url=f"{base}{path}"
    )
    transfers = Transfers(Transfer(patience_s=0, stall_s=2), Secrets(), home=base)
    return list(transfers.fetch_all([file], folder, lambda *_: None, dataset="d"))


def test_the_body_of_a_redirect_is_not_read(base, server):
    assert ask(base, "/endless") == b"ok"
    assert server.hung_up.wait(DRIP_S)  # we left; else it had come to its end


@pytest.mark.parametrize("path", ["/bad", "/port"])
def test_a_redirect_to_no_address(base, path):
    with pytest.raises(Wrong, match="sends us to"):
        ask(base, path)


def test_a_redirect_in_no_encoding(base):
    with pytest.raises(Exception, match="lists it and does not have it"):
        ask(base, "/bytes")


def test_a_time_that_is_none(base):
    with pytest.raises(Away) as caught:
        ask(base, "/later")
    assert caught.value.wait_s == 0


@pytest.mark.parametrize("path", ["/name", "/length"])
def test_headers_that_say_nothing(base, tmp_path, path):
    (found,) = fetch(base, path, tmp_path)
    assert found.n_bytes == len(b"hello")


def test_what_is_packed_for_the_way_is_not_the_file(base, tmp_path):
    with pytest.raises(ArchiveAnswerMalformed, match="packed"):
        fetch(base, "/gzip", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("token", ["SECRET\r", "SEC\nRET", "SECRET\u20ac"])
def test_a_token_that_cannot_be_sent_is_not_told(base, token):
    with pytest.raises(Wrong) as caught:
        ask(base, "/ok", Secrets(token=token))
    error = caught.value.error
    assert "SEC" not in repr((str(caught.value), error.message, error.evidence))
