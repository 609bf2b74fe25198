"""The local ALMA archive: a directory archive behind the protocols of the real one."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from reimage.archive.server import datalink, front, portal, soda, tap
from reimage.archive.server.links import Linker
from reimage.archive.server.misbehaving import CONTROL, Misbehaving
from reimage.archive.server.mischief import Mischief, MischiefMalformed
from reimage.archive.server.portal import Access
from reimage.archive.server.shelf import Shelf


def create_app(
    root: Path,
    *,
    base: str | None = None,
    mischief: Mischief | None = None,
    access: Access | None = None,
    is_controlled: bool = False,
    limits: tap.Limits | None = None,
) -> FastAPI:
    """Return the archive as an application.

    Parameters
    ----------
    base
        The address that its answers tell, without a slash at the end; None: that of each request.
    access
        Who may have what is not public; None: nobody.
    is_controlled
        Whether anyone may change the misbehaviour by ``/_mischief``.
    limits
        Of TAP; None: those of the real archive.

    Raises
    ------
    ArchiveForeign
    """
    shelf = Shelf(root)
    queries = tap.TapService(root, base=base, limits=limits)
    app = FastAPI(
        title="reimage archive",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=queries.lifespan,
    )
    doors = access or Access()

    def linker(request: Request) -> Linker:
        return Linker(
            shelf=shelf,
            base=base or str(request.base_url).rstrip("/"),
            is_known=doors.admits(request.headers.get("authorization", "")),
            mischief=mischief or Mischief(),
        )

    app.include_router(portal.router(shelf, doors))
    app.include_router(datalink.router(linker))
    app.include_router(soda.router(shelf, doors))
    app.include_router(tap.router(queries))
    app.include_router(front.router(shelf))
    if mischief is not None:
        app.add_middleware(Misbehaving, mischief=mischief)
        if is_controlled:
            _control(app, mischief)
    return app


def _control(app: FastAPI, mischief: Mischief) -> None:
    """Let requests change the misbehaviour: POST rules, one a line; DELETE them; GET what was asked."""

    @app.post(f"/{CONTROL}")
    async def add(request: Request) -> Response:
        lines = (await request.body()).decode("utf-8", "replace").splitlines()
        try:
            mischief.add(*(line for line in lines if line.strip()))
        except MischiefMalformed as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        return PlainTextResponse("in force\n")

    @app.delete(f"/{CONTROL}")
    async def clear() -> Response:
        mischief.clear()
        return PlainTextResponse("behaving\n")

    @app.get(f"/{CONTROL}")
    async def report() -> Response:
        return JSONResponse(json.loads(json.dumps(mischief.report())))
