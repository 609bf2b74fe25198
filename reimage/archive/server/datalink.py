"""DataLink over HTTP: the answers of `links` as VOTables, and what the service says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape, quoteattr

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from reimage.archive.server.links import (
    DATALINK_TYPE,
    LINKS_ID,
    Link,
    Linker,
    Links,
    Service,
)

FIELDS: tuple[tuple[str, str, str, str], ...] = (
    # name, datatype, UCD, unit
    ("ID", "char", "meta.id;meta.main", ""),
    ("access_url", "char", "meta.ref.url", ""),
    ("service_def", "char", "meta.ref", ""),
    ("error_message", "char", "meta.code.error", ""),
    ("semantics", "char", "meta.code", ""),
    ("description", "char", "meta.note", ""),
    ("content_type", "char", "meta.code.mime", ""),
    ("content_length", "long", "phys.size;meta.file", "byte"),
    ("readable", "boolean", "", ""),
    ("link_auth", "char", "meta.code", ""),
    ("link_authorized", "boolean", "meta.code", ""),
    ("content_qualifier", "char", "", ""),
    ("local_semantics", "char", "", ""),
)
"""The archive's columns: nine since 2022, and the later four of DataLink 1.1."""
READABLE = "the caller is allowed to use this link with the current authenticated identity"
FORMATS = {"votable", "application/x-votable+xml", "text/xml", DATALINK_TYPE}
VOTABLE = (
    '<VOTABLE xmlns="http://www.ivoa.net/xml/VOTable/v1.3"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.4">'
)


def router(linker: Callable[[Request], Linker]) -> APIRouter:
    """Return ``/datalink/sync`` and its VOSI resources; ``linker`` knows who asks and from where."""
    routes = APIRouter()

    @routes.api_route("/datalink/sync", methods=["GET", "POST"])
    async def sync(request: Request) -> Response:
        pairs = list(request.query_params.multi_items())
        if request.method == "POST":
            form = await request.form()
            pairs += [(key, str(value)) for key, value in form.multi_items()]
        ids = [value for key, value in pairs if key.upper() == "ID" and value]
        wanted = [value for key, value in pairs if key.upper() == "RESPONSEFORMAT"]
        for form_ in wanted:
            if form_.replace(" ", "").lower() not in FORMATS:
                return PlainTextResponse(f"UsageFault: no such format: {form_}\n", status_code=400)
        asked = linker(request)
        links = await run_in_threadpool(asked.answer, ids)
        return Response(document(links, asked.base), media_type=DATALINK_TYPE)

    @routes.get("/datalink/availability")
    async def availability() -> Response:
        return Response(AVAILABLE, media_type="text/xml")

    @routes.get("/datalink/capabilities")
    async def capabilities(request: Request) -> Response:
        return Response(_capabilities(linker(request).base), media_type="text/xml")

    return routes


def document(links: Links, base: str) -> str:
    """Return an answer as a VOTable."""
    return "\n".join(_lines(links, base)) + "\n"


def _lines(links: Links, base: str) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield VOTABLE
    yield '<RESOURCE type="results">'
    yield f'<INFO name="standardID" value={quoteattr(LINKS_ID.replace("1.0", "1.1"))} />'
    yield '<INFO name="QUERY_STATUS" value="OK" />'
    yield "<TABLE>"
    for name, datatype, ucd, unit in FIELDS:
        yield _field(name, datatype, ucd, unit)
    yield "<DATA><TABLEDATA>"
    for row in links.rows:
        yield f"<TR>{''.join(f'<TD>{_text(cell)}</TD>' for cell in _cells(row))}</TR>"
    yield "</TABLEDATA></DATA>"
    yield "</TABLE>"
    yield "</RESOURCE>"
    for service in links.services:
        yield from _service(service)
    yield from _itself(base)
    yield "</VOTABLE>"


def _field(name: str, datatype: str, ucd: str, unit: str) -> str:
    size = ' arraysize="*"' if datatype == "char" else ""
    more = f' ucd="{ucd}"' if ucd else ""
    more += f' unit="{unit}"' if unit else ""
    start = f'<FIELD name="{name}" datatype="{datatype}"{size}{more}'
    if name == "readable":
        return f"{start}><DESCRIPTION>{READABLE}</DESCRIPTION></FIELD>"
    return f"{start} />"


def _cells(row: Link) -> Iterator[str]:
    for name, *_ in FIELDS:
        value = getattr(row, name.lower())
        if value is None:
            yield ""
        elif isinstance(value, bool):
            yield "true" if value else "false"
        else:
            yield str(value)


def _text(cell: str) -> str:
    """Return what XML can hold: an ID comes from outside and may have any character."""
    return escape(_UNSPEAKABLE.sub("\ufffd", cell))


_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 forbids, even escaped."""


def _service(service: Service) -> Iterator[str]:
    """Describe a service by its address, as the archive does: the ID is part of it."""
    yield f'<RESOURCE type="meta" ID={quoteattr(service.id)} utype="adhoc:service">'
    if service.resource:
        yield _param("resourceIdentifier", service.resource)
    yield _param("standardID", service.standard)
    yield _param("accessURL", service.access_url)
    yield '<GROUP name="inputParams" />'
    yield "</RESOURCE>"


def _itself(base: str) -> Iterator[str]:
    """Describe the service that has answered."""
    yield '<RESOURCE type="meta" name="this" utype="adhoc:service">'
    yield _param("standardID", LINKS_ID)
    yield _param("accessURL", f"{base}/datalink/sync")
    yield '<GROUP name="inputParams">'
    yield '<PARAM name="ID" datatype="char" arraysize="*" ucd="meta.id;meta.main" value="" />'
    yield "</GROUP>"
    yield "</RESOURCE>"


def _param(name: str, value: str) -> str:
    return (
        f'<PARAM name="{name}" datatype="char" arraysize="{len(value)}" value={quoteattr(value)} />'
    )


AVAILABLE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">'
    "<vosi:available>true</vosi:available></vosi:availability>\n"
)


def _capabilities(base: str) -> str:
    """Return the capabilities document."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0"'
        ' xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        + _capability(LINKS_ID, f"{base}/datalink/sync", 'use="base"', 'role="std" version="1.1"')
        + "".join(
            _capability(f"ivo://ivoa.net/std/VOSI#{name}", f"{base}/datalink/{name}", 'use="full"')
            for name in ("capabilities", "availability")
        )
        + "</vosi:capabilities>\n"
    )


def _capability(standard: str, url: str, use: str, more: str = "") -> str:
    return (
        f'<capability standardID="{standard}"><interface xsi:type="vs:ParamHTTP" {more}>'
        f"<accessURL {use}>{escape(url)}</accessURL></interface></capability>"
    )
