"""How hosts are reached: proxies, certificates, connections that stay, and what is not sent along."""

from __future__ import annotations

import base64
import hashlib
import shutil
import ssl
import subprocess
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reimage.archive.chunks import CHUNK
from reimage.archive.download import Transfers
from reimage.archive.failed import Away, Wrong
from reimage.archive.hosts import Hosts
from reimage.archive.listing import ArchiveFile
from reimage.archive.requesting import Requester
from reimage.credentials import Secrets
from reimage.run import Transfer

WHOLE = bytes(range(251)) * (3 * CHUNK // 251)
PIECE = 100_000
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers), self.client_address))
        self.send_response(200)
        self.send_header("Set-Cookie", "who=me; Path=/")
        if self.path.endswith("chunked.dat"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for begin in range(0, len(WHOLE), PIECE):
                piece = WHOLE[begin : begin + PIECE]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(WHOLE)))
        self.end_headers()
        self.wfile.write(WHOLE)


@contextmanager
def serving(context=None):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.daemon_threads = True
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server():
    with serving() as one:
        yield one


@pytest.fixture
def encrypted(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as one:
        one.certificate = certificate
        yield one


def base_of(server, scheme="http"):
    return f"{scheme}://127.0.0.1:{server.server_port}"


def fetch(base, folder, *names, secrets=None, n_bytes=None):
    files = [
        ArchiveFile(name=name, semantics="", content_type="", n_bytes=n_bytes, url=f"{base}/{name}")
        for name in names
    ]
    transfer = Transfer(patience_s=0, stall_s=5, connections=1)
    transfers = Transfers(transfer, secrets or Secrets(), home=base)
    return list(transfers.fetch_all(files, folder, lambda *_: None, dataset="d"))


def ask(url, stall_s=2.0):
    with closing(Requester(Hosts(url, (), Secrets()), stall_s)) as requester:
        return requester.get(url, {}).read()


@pytest.mark.parametrize("name", ["a.dat", "chunked.dat"])
def test_many_buffers_make_one_file(server, tmp_path, name):
    (found,) = fetch(base_of(server), tmp_path, name)
    assert (tmp_path / name).read_bytes() == WHOLE
    assert found.sha256 == hashlib.sha256(WHOLE).hexdigest()


def test_one_connection_brings_all_files_and_no_cookie_goes_back(server, tmp_path):
    fetch(base_of(server), tmp_path, "a.dat", "chunked.dat", "b.dat")
    assert len({address for _, _, address in server.asked}) == 1
    assert not [headers for _, headers, _ in server.asked if "Cookie" in headers]


def test_a_proxy_is_asked_for_the_whole_address(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://joe:secret@127.0.0.1:{server.server_port}")
    (found,) = fetch("http://archive.invalid", tmp_path, "a.dat")
    assert found.n_bytes == len(WHOLE)
    ((path, headers, _),) = server.asked
    assert path == "http://archive.invalid/a.dat"
    said = base64.b64decode(headers["Proxy-Authorization"].partition(" ")[2])
    assert said == b"joe:secret"


def test_what_needs_no_proxy_is_asked_itself(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert ask(f"{base_of(server)}/a.dat") == WHOLE


def test_a_certificate_that_nobody_trusts_is_not_asked_twice(encrypted):
    with pytest.raises(Wrong, match="cannot be asked"):
        ask(f"{base_of(encrypted, 'https')}/a.dat")
    assert not encrypted.asked


def test_a_certificate_of_ones_own_is_named_by_the_surroundings(encrypted, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(encrypted.certificate))
    (found,) = fetch(base_of(encrypted, "https"), tmp_path / "got", "a.dat", n_bytes=len(WHOLE))
    assert found.sha256 == hashlib.sha256(WHOLE).hexdigest()


@pytest.mark.parametrize("bundle", ["missing.pem", "empty.pem"])
def test_a_bundle_that_is_none_is_told(encrypted, tmp_path, monkeypatch, bundle):
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / bundle))
    with pytest.raises((Wrong, Away), match="cannot be"):
        ask(f"{base_of(encrypted, 'https')}/a.dat")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "127.0.0.1/a", "http:///a", "http://*/a"])
def test_what_is_no_address_of_ours_cannot_be_asked(url):
    with pytest.raises(Wrong, match="cannot be asked"):
        ask(url)


def test_nobody_there():
    with pytest.raises(Away, match="cannot be reached: Connection refused"):
        ask("http://127.0.0.1:9/a")
