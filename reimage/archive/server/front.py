"""The front page: what is served, for people who open the address."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from reimage.archive.server.shelf import Shelf

SHOWN = 200
"""Datasets listed on the page."""


def router(shelf: Shelf) -> APIRouter:
    """Return ``/``."""
    routes = APIRouter()

    @routes.get("/")
    def front() -> HTMLResponse:
        return HTMLResponse(_page(shelf))

    return routes


def _page(shelf: Shelf) -> str:
    datasets = shelf.datasets
    lines = "".join(_line(shelf, dataset) for dataset in datasets[:SHOWN])
    more = f"<p>... and {len(datasets) - SHOWN} more</p>" if len(datasets) > SHOWN else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A local archive</title></head>'
        f"<body><h1>A local archive of {len(datasets)} datasets</h1>"
        '<p>TAP at <a href="tap/capabilities">/tap</a>, DataLink at'
        ' <a href="datalink/capabilities">/datalink/sync?ID=</a>, files at /dataPortal/.</p>'
        f"<ul>{lines}</ul>{more}</body></html>\n"
    )


def _line(shelf: Shelf, dataset: str) -> str:
    files = shelf.files(dataset)
    n_bytes = sum(one.n_bytes for one in files)
    rights = "" if shelf.is_public(dataset) else ", proprietary"
    link = f'<a href="datalink/sync?ID={quote(dataset, safe=":/")}">{escape(dataset)}</a>'
    return f"<li>{link}: {len(files)} files, {n_bytes / 1e6:.1f} MB{rights}</li>"
