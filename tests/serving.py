"""A local ALMA archive on loopback, which misbehaves as it is told, for tests of those who ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from reimage.archive.server.app import create_app
from reimage.archive.server.listening import running
from reimage.archive.server.mischief import Mischief


class Served(str):  # noqa: SLOT000 -- it has fields
    """The address of a served archive (a string), and its misbehaviour.

    ``served.mischief.add("status=500@dataPortal/*.tar x1")``; what was asked: ``mischief.asked``,
    ``mischief.n_requests("dataPortal/*")``, ``mischief.n_bytes("dataPortal/*.tar")``.
    """

    mischief: Mischief
    app: FastAPI


@contextmanager
def served(root: Path, *rules: str, port: int = 0, **options: Any) -> Iterator[Served]:
    """Serve an archive directory; ``rules`` are of `reimage.archive.server.mischief`.

    ``options`` are those of `create_app`: ``access=Access(user=..., password=..., token=...)``.
    """
    mischief = Mischief.of(rules)
    options.setdefault("is_controlled", True)
    with running(
        lambda base: create_app(root, base=base, mischief=mischief, **options), port=port
    ) as (base, app):
        here = Served(base)
        here.mischief = mischief
        here.app = app
        yield here
