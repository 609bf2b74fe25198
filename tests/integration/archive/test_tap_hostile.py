"""A TAP service that drips, never ends, never finishes a job, or sends tables that do harm."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reimage.archive import faults, shards
from reimage.archive.holdings import TapHoldings
from reimage.archive.tap import QuerySlowError, Tap

HEAD = '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
TABLE = (
    HEAD + '<RESOURCE type="results"><INFO name="QUERY_STATUS" value="OK"/><TABLE{rows}>'
    '<FIELD name="n" datatype="int"/><DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>'
)
ONE = TABLE.format(rows="", data="<TABLEDATA><TR><TD>7</TD></TR></TABLEDATA>")
JOB = (
    '<uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" version="1.1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<uws:jobId>1</uws:jobId><uws:ownerId/><uws:phase>{phase}</uws:phase><uws:quote/>"
    "<uws:startTime/><uws:endTime/><uws:executionDuration>0</uws:executionDuration>"
    "<uws:destruction/><uws:parameters/><uws:results/></uws:job>"
)


@contextmanager
def answering(answer):
    """Serve: ``answer(handler)`` writes each answer."""

    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            asked.append((self.command, self.path, dict(self.headers)))
            try:
                answer(self)
            except OSError:  # who asked has gone
                self.close_connection = True

        do_GET = do_POST = do_DELETE = do  # noqa: N815 -- as http.server calls them

        def send(self, status, content=b"", **headers):
            body = content.encode() if isinstance(content, str) else content
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def jobs(phase):
    def answer(handler):
        if handler.command == "POST" and handler.path.endswith("/async"):
            handler.send(303, Location=handler.path + "/1")
        elif handler.command == "POST":
            handler.send(303, Location=handler.path.removesuffix("/phase"))
        else:
            handler.send(200, JOB.format(phase=phase) if handler.command == "GET" else "")

    return answer


@pytest.mark.parametrize("phase", ["EXECUTING", "QUEUED", "HELD"])
def test_a_job_that_never_ends_is_given_up_and_deleted(phase):
    with answering(jobs(phase)) as (address, asked):
        begun = time.monotonic()
        with pytest.raises(faults.ArchiveUnavailable, match=phase):
            Tap(address, patience_s=1).ask("SELECT 1", is_async=True)
    assert time.monotonic() - begun < 8
    assert asked[-1][0] == "DELETE"


@pytest.mark.parametrize("is_head", [True, False], ids=["head", "body"])
def test_an_answer_that_drips_is_too_slow(is_head):
    def answer(handler):
        if is_head:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(60):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)

    with answering(answer) as (address, _):
        begun = time.monotonic()
        with pytest.raises(QuerySlowError):
            Tap(address, timeout_s=0.5, patience_s=0).ask("SELECT 1")
    assert time.monotonic() - begun < 4


def test_an_answer_without_end_is_cut():
    sent = []

    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + HEAD.encode())
        for _ in range(4000):
            handler.wfile.write(b" " * (1 << 16))
            sent.append(1 << 16)

    with answering(answer) as (address, _):
        tap = Tap(address, patience_s=5, sleep=lambda _: None, most_bytes=1 << 20)
        with pytest.raises(faults.ArchiveAnswerMalformed, match="bytes"):
            tap.ask("SELECT 1")
    assert sum(sent) < 64 << 20


@pytest.mark.parametrize(
    ("rows", "data"),
    [
        ("", '<BINARY><STREAM href="file://{secret}"/></BINARY>'),
        ("", '<BINARY><STREAM href="{address}/elsewhere"/></BINARY>'),
        (' nrows="30000000"', "<TABLEDATA><TR><TD>7</TD></TR></TABLEDATA>"),
    ],
)
def test_a_table_that_does_harm_is_not_read(tmp_path, rows, data):
    (tmp_path / "secret").write_bytes(bytes([0, 0, 0, 42]))
    said = []
    with answering(lambda handler: handler.send(200, said[0])) as (address, asked):
        here = data.format(secret=tmp_path / "secret", address=address)
        said.append(TABLE.format(rows=rows, data=here))
        with pytest.raises(faults.ArchiveAnswerMalformed):
            Tap(address, patience_s=5, sleep=lambda _: None).ask("SELECT 1")
    assert not any("elsewhere" in path for _, path, _ in asked)


def test_entities_are_not_expanded():
    page = ONE.replace("<VOTABLE", '<!DOCTYPE V [<!ENTITY a "7">]><VOTABLE')
    with (
        answering(lambda handler: handler.send(200, page)) as (address, _),
        pytest.raises(faults.ArchiveAnswerMalformed),
    ):
        Tap(address, patience_s=5, sleep=lambda _: None).ask("SELECT 1")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, faults.ArchiveNotPublic),
        (403, faults.ArchiveNotPublic),
        (404, faults.ArchiveAnswerMalformed),
        (410, faults.ArchiveAnswerMalformed),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_door_that_stays_shut_is_knocked_at_once(status, error, is_async):
    with answering(lambda handler: handler.send(status, "<p>no</p>")) as (address, asked):
        with pytest.raises(error, match=str(status)) as caught:
            Tap(address, patience_s=5, sleep=lambda _: None).ask("SELECT 1", is_async=is_async)
        assert caught.value.hint
    assert len(asked) == 1


def test_netrc_is_not_asked(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login joe password GEHEIM\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    def answer(handler):
        if "again" in handler.path:
            handler.send(200, ONE)
        else:
            handler.send(302, Location="/tap/sync/again")

    with answering(answer) as (address, asked):
        found = Tap(address).ask("SELECT 1")
    assert found.columns == {"n": [7]}
    assert len(asked) == 2
    assert not any("Authorization" in headers for _, _, headers in asked)


@pytest.mark.parametrize("location", ["http://[bad/", "/\xff", "file:///etc/passwd"])
def test_a_redirect_to_nowhere_is_told(location):
    with (
        answering(lambda handler: handler.send(302, Location=location)) as (address, _),
        pytest.raises((faults.ArchiveAnswerMalformed, faults.ArchiveUnavailable)),
    ):
        Tap(address, patience_s=0, sleep=lambda _: None).ask("SELECT 1")


@pytest.mark.parametrize("status", [504, 408])
def test_a_gateway_that_gives_up_at_the_first_query_is_told(status):
    with (
        answering(lambda handler: handler.send(status)) as (address, asked),
        pytest.raises(faults.ArchiveUnavailable),
    ):
        TapHoldings(Tap(address, patience_s=1, timeout_s=2)).plan(shards.whole(2026))
    assert any("/async" in path for _, path, _ in asked)


def test_a_job_whose_result_is_a_page_is_told():
    finished = JOB.format(phase="COMPLETED").replace(
        "<uws:results/>",
        '<uws:results><uws:result id="result" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' xlink:href="{0}/page"/></uws:results>',
    )
    where = []

    def answer(handler):
        if handler.path.endswith("/page"):
            handler.send(200, "<html>Welcome</html>")
        elif handler.command == "POST":
            handler.send(303, Location="/tap/async/1")
        else:
            handler.send(200, finished.replace("{0}", where[0]))

    with answering(answer) as (address, _):
        where.append(address)
        with pytest.raises(faults.ArchiveAnswerMalformed):
            Tap(address, patience_s=5, sleep=lambda _: None).ask("SELECT 1", is_async=True)
