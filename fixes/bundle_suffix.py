"""Bundles of old deliveries are called ``.tar.gz`` where newer CASA looks for ``.tgz``.

Symptom: ``No such file or directory: ...flagversions.tgz`` (or caltables.tgz) at the restore.
Cause: pipelines before CASA 4.7 called caltables and flagversions ``*.tar.gz``; later ones ``*.tgz``.
Remedy: give each such bundle its other name as well.
Source: ALMA knowledge base, article S20.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath

from reimage.fix import Facts, FileLink, Fix
from reimage.model import Delivery, Stage


def _links(delivery: Delivery) -> Iterator[FileLink]:
    root = Path(delivery.root)
    for name in (*delivery.caltables, *delivery.flagversions):
        wanted = f"{name.removesuffix('.tar.gz')}.tgz"
        if name.endswith(".tar.gz") and (root / name).exists() and not (root / wanted).exists():
            yield FileLink(path=wanted, target=name)


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    names = [PurePath(link.target).name for link in _links(delivery)]
    return f"no .tgz of {', '.join(names)}" if names else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FileLink, ...]:
    del facts
    return tuple(_links(delivery))


FIX = Fix(
    id="bundle-suffix",
    issue="ALMA knowledge base: S20",
    title="give .tar.gz bundles their .tgz name",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
