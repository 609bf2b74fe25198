"""The layer around the server that carries the rules of `mischief` out and counts what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from reimage.archive.server.mischief import Asked, Mischief

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

CONTROL = "_mischief"
"""The path by which rules are changed and counts are read; never misbehaves."""
TRANSPORT = "transport"
"""Under which name `listening` tells an application the connection it speaks on."""
STEP_S = 0.05
"""How finely a dripping body is cut."""
TOMCAT = """<!doctype html><html lang="en"><head><title>HTTP Status {code} \u2013 {title}</title></head>\
<body><h1>HTTP Status {code} \u2013 {title}</h1><hr class="line" /><p><b>Type</b> Exception Report</p>\
<p><b>Message</b> the server is misbehaving, as it was told to</p><hr class="line" />\
<h3>Apache Tomcat</h3></body></html>"""


class Cut(Exception):
    """The connection was cut on purpose."""


class Misbehaving:
    """An application that answers as the rules want it to."""

    def __init__(self, app: Application, mischief: Mischief) -> None:
        self.app = app
        self.mischief = mischief

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, well or badly."""
        path = unquote(scope.get("path", "")).lstrip("/")
        if scope["type"] != "http" or path == CONTROL:
            await self.app(scope, receive, send)
            return
        query = unquote(scope["query_string"].decode("latin-1"))
        asked = Asked(
            method=scope["method"],
            path=path,
            query=query,
            range=_header(scope, b"range"),
            agent=_header(scope, b"user-agent"),
        )
        self.mischief.remember(asked)
        done = self.mischief.taken(path, query)
        answer = Answer(scope, receive, send, done, asked, self.mischief)
        try:
            await self._answer(answer)
        except Cut:
            await _cut(answer)

    async def _answer(self, answer: Answer) -> None:
        done = answer.done
        if self.mischief.is_away or "drop" in done:
            raise Cut
        if "latency" in done:
            await asyncio.sleep(float(done["latency"]))
        if "status" in done or "html" in done or "redirect" in done:
            await _instead(answer)
            return
        if {"norange", "etag"} & done.keys():
            wanted = _header(answer.scope, b"if-range")
            if "norange" in done or (wanted and wanted != _quoted(done["etag"])):
                _drop_header(answer.scope, b"range")
            _drop_header(answer.scope, b"if-range")
        await self.app(answer.scope, answer.receive, answer.passed)


@dataclass
class Answer:
    """One answer on its way, and what is done to it."""

    scope: Scope
    receive: Receive
    send: Send
    done: dict[str, str]
    asked: Asked
    mischief: Mischief
    started: bool = False
    position: int = 0
    """Bytes of the body seen so far."""

    async def passed(self, message: Message) -> None:
        """Pass a message on, changed where it has to be."""
        if message["type"] == "http.response.start":
            self.asked.status = message["status"]
            await self.send({**message, "headers": self._headers(message)})
            self.started = True
            return
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        if self.asked.method == "HEAD" or not self.done:
            await self._out(body, more=more)
            return
        await self._bad(body, more=more)

    async def _bad(self, body: bytes, *, more: bool) -> None:
        begin, self.position = self.position, self.position + len(body)
        if "corrupt" in self.done:
            body = _changed(body, int(self.done["corrupt"]) - begin)
        for kind in ("truncate", "stall"):
            room = int(self.done[kind]) - begin if kind in self.done else None
            if room is not None and room <= len(body):
                await self._out(body[: max(room, 0)], more=True)
                if kind == "stall":
                    await _until_left(self.receive)
                raise Cut
        if not more and "growth" in self.done:
            body += b"\0" * int(self.done["growth"])
        if "drip" in self.done:
            await self._drip(body, float(self.done["drip"]), more=more)
        else:
            await self._out(body, more=more)

    async def _out(self, body: bytes, *, more: bool) -> None:
        if self.mischief.is_away:  # it went while this was under way
            raise Cut
        await self.send({"type": "http.response.body", "body": body, "more_body": more})
        if self.asked.method != "HEAD":
            self.asked.n_bytes += len(body)

    async def _drip(self, body: bytes, rate: float, *, more: bool) -> None:
        step = max(1, int(rate * STEP_S))
        for begin in range(0, len(body), step):
            piece = body[begin : begin + step]
            await self._out(piece, more=True)
            await asyncio.sleep(len(piece) / rate)
        await self._out(b"", more=more)

    def _headers(self, message: Message) -> Headers:
        """Return the headers as the rules want them."""
        headers: Headers = list(message["headers"])
        done = self.done
        if "growth" in done or "nolength" in done:
            length = _take(headers, b"content-length")
            if length and "nolength" not in done:
                _put(headers, b"content-length", str(int(length) + int(done["growth"])))
        if "norange" in done:
            _take(headers, b"accept-ranges")
        if "shift" in done and message["status"] == 206:  # noqa: PLR2004 -- Partial Content
            _put(
                headers, b"content-range", _shifted(_take(headers, b"content-range"), done["shift"])
            )
        if "etag" in done:
            _put(headers, b"etag", _quoted(done["etag"]))
        if "type" in done:
            _put(headers, b"content-type", done["type"])
        if {"nodisposition", "name"} & done.keys():
            _take(headers, b"content-disposition")
        if "name" in done:
            _put(headers, b"content-disposition", f'attachment; filename="{done["name"]}"')
        return headers


async def _instead(answer: Answer) -> None:
    """Answer something else than what was asked for."""
    done, body = answer.done, b""
    headers: Headers = []
    if "redirect" in done:
        status = 302
        target = done["redirect"] or "/" + answer.asked.path
        _put(headers, b"location", target)
    elif "html" in done:
        status = int(done["html"] or 200)
        body = TOMCAT.format(code=500, title="Internal Server Error").encode()
        _put(headers, b"content-type", "text/html;charset=utf-8")
    else:
        code, _, wait = done["status"].partition("/")
        status, body = int(code), f"{code}: as it was told to\n".encode()
        _put(headers, b"content-type", "text/plain")
        if wait:
            _put(headers, b"retry-after", wait)
    _put(headers, b"content-length", str(len(body)))
    answer.asked.status = status
    await answer.send({"type": "http.response.start", "status": status, "headers": headers})
    await answer.send({"type": "http.response.body", "body": body})


async def _cut(answer: Answer) -> None:
    """End the connection, with nothing said that was not said before."""
    transport = answer.scope.get("state", {}).get(TRANSPORT)
    if transport is None:  # not our own server: the nearest to it is an answer that breaks off
        if not answer.started:
            headers = [(b"content-length", b"1")]
            await answer.send({"type": "http.response.start", "status": 500, "headers": headers})
        return
    transport.close() if answer.started else transport.abort()
    await _until_left(answer.receive)  # the answer then counts as given


async def _until_left(receive: Receive) -> None:
    """Say nothing until the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _drop_header(scope: Scope, name: bytes) -> None:
    scope["headers"] = [(key, value) for key, value in scope["headers"] if key != name]


def _take(headers: Headers, name: bytes) -> str:
    """Remove a header and return its value; empty where it is not there."""
    found = [value for key, value in headers if key.lower() == name]
    headers[:] = [(key, value) for key, value in headers if key.lower() != name]
    return found[0].decode("latin-1") if found else ""


def _put(headers: Headers, name: bytes, value: str) -> None:
    headers[:] = [pair for pair in headers if pair[0].lower() != name]
    headers.append((name, value.encode("latin-1", "replace")))


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') else f'"{etag}"'


def _changed(body: bytes, offset: int) -> bytes:
    if not 0 <= offset < len(body):
        return body
    return body[:offset] + bytes([body[offset] ^ 0xFF]) + body[offset + 1 :]


def _shifted(content_range: str, by: str) -> str:
    span, _, total = content_range.removeprefix("bytes ").partition("/")
    first, _, last = span.partition("-")
    return f"bytes {int(first) + int(by)}-{int(last) + int(by)}/{total}"
