"""What a request carries, in its address or in its body."""

from __future__ import annotations

from fastapi import Request

from reimage.archive.server.asking import Sent


async def received(request: Request) -> Sent:
    """Return the parameters, by their names in capitals, and the files of a request."""
    items: list[tuple[str, str | bytes]] = list(request.query_params.multi_items())
    if request.method in {"POST", "PUT"}:
        async with request.form() as form:
            for name, value in form.multi_items():
                items.append((name, value if isinstance(value, str) else await value.read()))
    return _sorted(items)


def _sorted(items: list[tuple[str, str | bytes]]) -> Sent:
    parameters: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, value in items:
        if isinstance(value, bytes):
            files[name] = value
        elif name.upper() == "UPLOAD" and "UPLOAD" in parameters:
            parameters["UPLOAD"] += f";{value}"  # it may be said more than once
        else:
            parameters[name.upper()] = value
    return Sent(parameters=parameters, files=files)
