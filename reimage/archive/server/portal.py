"""The data portal: files by name, with ranges, and only to those who may have them."""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import hmac
import mimetypes
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from reimage.archive.server.shelf import Shelf, Span

CHUNK = 1 << 20
MIME_OF_TAR = "application/x-tar"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Access:
    """Who may have what is not public.  Empty: nobody."""

    user: str = ""
    password: str = ""
    token: str = ""

    def admits(self, authorization: str) -> bool:
        """Tell whether an ``Authorization`` header is good (Basic, or Bearer with the token)."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return bool(self.token) and _same(given.strip(), self.token)
        if scheme.lower() != "basic" or not self.user:
            return False
        try:
            told = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return _same(told, f"{self.user}:{self.password}")

    def sees(self, shelf: Shelf, span: Span, request: Request) -> bool:
        """Tell whether who asks may have a file."""
        return shelf.is_public(span.dataset) or self.admits(
            request.headers.get("authorization", "")
        )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def router(shelf: Shelf, access: Access) -> APIRouter:
    """Return ``/dataPortal/<file>``, and ``/dataPortal/sso/<file>`` which asks who one is.

    What is not public is refused with 403 by the first and with 401 by the second, unless the right
    credentials come along.
    """
    routes = APIRouter()

    @routes.api_route("/dataPortal/sso/{name}", methods=["GET", "HEAD"])
    async def with_login(name: str, request: Request) -> Response:
        return await run_in_threadpool(hand_out, shelf, access, name, request, asks=True)

    @routes.api_route("/dataPortal/{name}", methods=["GET", "HEAD"])
    async def plain(name: str, request: Request) -> Response:
        return await run_in_threadpool(hand_out, shelf, access, name, request)

    return routes


def hand_out(
    shelf: Shelf, access: Access, name: str, request: Request, *, asks: bool = False
) -> Response:
    """Return the answer to who asks for a file; ``asks``: who may not have it is asked who they are."""
    span = shelf.find(name)
    if span is None:
        return PlainTextResponse(f"no such file: {name}\n", status_code=404)
    if not access.sees(shelf, span, request):
        return _refused(name, asks=asks)
    try:
        return _answer(span, request)
    except FileNotFoundError:
        return PlainTextResponse(f"no such file: {name}\n", status_code=404)


def _refused(name: str, *, asks: bool) -> Response:
    told = f"{name} is proprietary\n"
    if not asks:
        return PlainTextResponse(told, status_code=403)
    challenge = {"WWW-Authenticate": 'Basic realm="ALMA", Bearer realm="ALMA"'}
    return PlainTextResponse(told, status_code=401, headers=challenge)


def _answer(span: Span, request: Request) -> Response:
    """Return the whole of it, or the range that was asked for."""
    state = span.path.stat()
    total = state.st_size if span.n_bytes is None else span.n_bytes
    modified = email.utils.formatdate(state.st_mtime, usegmt=True)
    seed = f"{span.name} {state.st_mtime_ns} {state.st_size}"
    etag = f'"{hashlib.sha256(seed.encode()).hexdigest()[:32]}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; {_named(span.name)}",
        "Last-Modified": modified,
        "ETag": etag,
    }
    wanted = request.headers.get("range", "")
    condition = request.headers.get("if-range")
    first, last, status = 0, total - 1, 200
    if wanted and condition in {None, etag, modified}:
        found = parse_range(wanted, total)
        if found == UNSATISFIABLE:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{total}"})
        if found is not None:
            first, last = found
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    n_bytes = last - first + 1
    headers["Content-Length"] = str(n_bytes)
    mime = content_type(span.name)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=mime)
    body = _Stretch(span.path, span.offset + first, n_bytes)
    if n_bytes <= CHUNK:  # at once, in the thread that we are in
        return Response(body.whole(), status_code=status, headers=headers, media_type=mime)
    return SpanResponse(body, status_code=status, headers=headers, media_type=mime)


UNSATISFIABLE = (-1, -1)
"""A range that begins after the end."""


def parse_range(header: str, total: int) -> tuple[int, int] | None:
    """Return first and last byte of a ``Range`` header.

    None where it is malformed or has several ranges: the whole is answered, as HTTP allows.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.replace(" ", ""), re.ASCII)
    if match is None or match.group(1, 2) == ("", ""):
        return None
    begin, end = match.group(1, 2)
    if not begin:
        length = min(int(end), total)
        return (total - length, total - 1) if length else UNSATISFIABLE
    first, last = int(begin), min(int(end), total - 1) if end else total - 1
    if end and int(end) < first:
        return None
    return UNSATISFIABLE if first >= total else (first, last)


def _named(name: str) -> str:
    """Return a file name as the archive writes it, without quotes; else as RFC 6266 wants it."""
    return f"filename={name}" if name.isascii() else f"filename*=UTF-8''{quote(name)}"


class _Stretch:
    """Bytes of a file on their way; a file that has become shorter breaks the connection."""

    def __init__(self, path: Path, offset: int, n_bytes: int) -> None:
        self.path = path
        self._offset, self._n_bytes = offset, n_bytes
        self.file: BinaryIO | None = None

    def whole(self) -> bytes:
        """Return all of it."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            return file.read(self._n_bytes)

    def __aiter__(self) -> _Stretch:
        return self

    async def __anext__(self) -> bytes:
        if not self._n_bytes:
            raise StopAsyncIteration
        file = self.file
        if file is None:
            file = self.file = self.path.open("rb", buffering=0)
        size = min(CHUNK, self._n_bytes)
        chunk = await run_in_threadpool(os.pread, file.fileno(), size, self._offset)
        if not chunk:
            raise StopAsyncIteration
        self._offset, self._n_bytes = self._offset + len(chunk), self._n_bytes - len(chunk)
        return chunk


class SpanResponse(StreamingResponse):
    """Hands a stretch of a file out, and closes the file however that ends."""

    def __init__(self, stretch: _Stretch, **arguments: Any) -> None:  # noqa: ANN401 -- starlette's own
        super().__init__(stretch, **arguments)
        self.stretch = stretch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.stretch.file is not None:
                self.stretch.file.close()


def content_type(name: str) -> str:
    """Return the content type that the archive tells for a file name."""
    if name.endswith(".tar"):
        return MIME_OF_TAR
    if name.endswith((".txt", ".html", ".pdf", ".png")):
        return mimetypes.guess_type(name)[0] or "application/octet-stream"
    return "application/octet-stream"
