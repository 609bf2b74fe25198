"""TAP 1.1 over a directory archive: ``/tap/sync``, ``/tap/async``, what it says of itself."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from reimage.archive.directory import HOLDINGS
from reimage.archive.server import asking, job_routes, tables, votable
from reimage.archive.server.adql import QueryRefused
from reimage.archive.server.asking import Answer, Hold, Limits, Sent
from reimage.archive.server.database import Database
from reimage.archive.server.receiving import received
from reimage.archive.server.uws import Jobs
from reimage.archive.server.uws_documents import moment
from reimage.errors import ReimageError

__all__ = ["Limits", "TapService", "router"]

PREFIX: Final = "/tap"


class TapService:
    """One archive's TAP service; holdings that change while it runs are read again.

    Parameters
    ----------
    base
        The address that answers tell, without a slash at the end; None: that of the first request.
    """

    def __init__(
        self, root: Path, *, base: str | None = None, limits: Limits | None = None
    ) -> None:
        self._root, self._base = root, base
        # Only an address that we were given is ours: that of a request is what a client says.
        self.limits = replace(limits or Limits(), uploads_from=base or "")
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._last: Database | None = None
        self.jobs = Jobs(
            self.begin,
            duration_s=self.limits.execution_s,
            retention_s=self.limits.retention_s,
        )
        self.since = moment(datetime.now(UTC))
        self._stamp = (0, 0)
        if base is not None:
            self.database()  # holdings that cannot be read are told before anyone asks

    def base(self, request: Request) -> str:
        """Return the address that answers tell."""
        with self._lock:
            if self._base is None:
                self._base = str(request.base_url).rstrip("/")
            return self._base

    def database(self) -> Database:
        """Return the tables, made anew when the holdings have changed.

        Raises
        ------
        ArchiveForeign
        """
        with self._lock:
            stamp = _stamp(self._root / HOLDINGS)
            if self._database is None or stamp != self._stamp:
                made = Database(self._root, self._base or "")
                if self._last is not None:
                    self._last.close()  # not yet the present one: a query may be opening it
                self._last, self._database, self._stamp = self._database, made, stamp
            return self._database

    def begin(self, sent: Sent, seconds: float, hold: Hold | None = None) -> Answer:
        """Begin the answer to a query.

        Raises
        ------
        QueryRefused
        """
        ask = asking.understood(sent, self.limits)
        time.sleep(self.limits.latency_s)
        return Answer(self.database(), ask, self.limits, seconds, hold)

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Close when the application ends."""
        yield
        await run_in_threadpool(self.close)

    def close(self) -> None:
        """End all jobs and remove all temporary files."""
        self.jobs.close()
        with self._lock:
            for database in filter(None, (self._last, self._database)):
                database.stop()
                database.close()


def _stamp(file: Path) -> tuple[int, int]:
    """Return what changes when a file is written."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def router(service: TapService) -> APIRouter:
    """Return the routes below ``/tap``."""
    routes = APIRouter(prefix=PREFIX)

    @routes.api_route("/sync", methods=["GET", "POST"])
    async def sync(request: Request) -> Response:
        sent = await received(request)
        service.base(request)
        try:
            answer = await run_in_threadpool(service.begin, sent, service.limits.execution_s)
        except ReimageError as error:
            status = 400 if isinstance(error, QueryRefused) else 503
            document = asking.refusal(error)
            return Response(document, status_code=status, media_type=votable.MEDIA_TYPE)
        return StreamingResponse(answer.chunks(), media_type=answer.media_type)

    _describe(routes, service)
    job_routes.add(routes, service.jobs, lambda request: f"{service.base(request)}{PREFIX}/async")
    return routes


def _describe(routes: APIRouter, service: TapService) -> None:
    """Add the routes that say what the service is."""

    @routes.get("/capabilities")
    def capabilities(request: Request) -> Response:
        said = tables.capabilities(service.base(request), service.limits)
        return Response(said, media_type=tables.XML, headers={"Server": "reimage"})

    @routes.get("/availability")
    def availability() -> Response:
        return Response(tables.availability(service.since), media_type=tables.XML)

    @routes.get("/examples")
    def examples() -> Response:
        return Response(tables.examples(), media_type="application/xhtml+xml")

    @routes.get("/tables")
    def tableset(request: Request) -> Response:
        service.base(request)
        return Response(tables.tableset(service.database().shapes), media_type=tables.XML)

    @routes.get("/tables/{name}")
    def table(request: Request, name: str) -> Response:
        service.base(request)
        shape = service.database().tables.get(name.lower())
        if shape is None:
            return Response(f"there is no table {name}\n", status_code=404, media_type="text/plain")
        return Response(tables.table(shape), media_type=tables.XML)
