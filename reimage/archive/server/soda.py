"""SODA: pieces of FITS images, as the ``#cutout`` rows of DataLink offer them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from reimage.archive.server import cutting
from reimage.archive.server.portal import Access, hand_out
from reimage.archive.server.shelf import Shelf

SHAPES = ("CIRCLE", "POLYGON")
"""Parameters that are a shape without its name."""


def router(shelf: Shelf, access: Access) -> APIRouter:
    """Return ``/soda/sync``: ID, and POS, CIRCLE, POLYGON (deg, ICRS) or BAND (two wavelengths, m)."""
    routes = APIRouter()

    @routes.api_route("/soda/sync", methods=["GET", "POST"])
    async def sync(request: Request) -> Response:
        pairs = list(request.query_params.multi_items())
        if request.method == "POST":
            pairs += [(key, str(value)) for key, value in (await request.form()).multi_items()]
        wanted = {key.upper(): value for key, value in pairs}
        return await run_in_threadpool(_answer, shelf, access, wanted, request)

    return routes


def _answer(shelf: Shelf, access: Access, wanted: dict[str, str], request: Request) -> Response:
    name = wanted.get("ID", "")
    span = shelf.find(name)
    if span is None or not name.endswith(".fits"):
        return PlainTextResponse(f"NotFoundFault: no image {name!r}\n", status_code=404)
    try:
        sky, band = _shape(wanted), _band(wanted.get("BAND"))
    except ValueError as error:
        return PlainTextResponse(f"UsageFault: {error}\n", status_code=400)
    if (sky is None and band is None) or not access.sees(shelf, span, request):
        return hand_out(shelf, access, name, request)
    try:
        piece = cutting.cut(cutting.Image(path=span.path, offset=span.offset), sky, band)
    except (ValueError, KeyError, OSError) as error:
        return PlainTextResponse(f"UsageFault: {name}: {error}\n", status_code=400)
    if piece is None:
        return Response(status_code=204)
    told = {"Content-Disposition": f"attachment; filename={name.removesuffix('.fits')}.cutout.fits"}
    return Response(piece, media_type="image/fits", headers=told)


def _shape(wanted: dict[str, str]) -> cutting.Outline | None:
    shapes = [wanted["POS"]] if "POS" in wanted else []
    shapes += [f"{kind} {wanted[kind]}" for kind in SHAPES if kind in wanted]
    if len(shapes) > 1:
        raise ValueError("one shape at a time")
    return cutting.outline(shapes[0]) if shapes else None


def _band(text: str | None) -> tuple[float, float] | None:
    """Return two wavelengths in m; ``-Inf`` and ``+Inf`` leave an end open."""
    if text is None:
        return None
    low, high = (float(word) for word in text.split())
    if not low <= high:
        raise ValueError(f"not a band: {text}")
    return max(low, 0.0), high
