"""Raw data: the directories of ASDMs, however they are called and wherever under the root they lie.

The archive calls one ``<eb>.asdm.sdm`` and puts it into the member's ``raw``, where scriptForPI.py
looks for it.  People unpack tars elsewhere, drop the suffix as calibration scripts do, or copy over a disk
that turns letters into capitals.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from reimage.delivery.scan import ASDM, Folder, join

_EB = re.compile(r"(?P<eb>uid___A\d{3}_X[0-9a-f]+_X[0-9a-f]+)(\.asdm)?(\.sdm)?", re.IGNORECASE)
_TABLES = ("asdm.xml", "main.xml")
"""An ASDM without its suffix is known by one of them."""


def eb_of(path: str) -> str:
    """Return the execution block whose raw data a directory holds: its name without suffix."""
    name = path.rpartition("/")[2]
    found = _EB.fullmatch(name)
    return found["eb"] if found else name[: -len(ASDM)] if _has_suffix(name) else name


def within(tree: Mapping[str, Folder], place: str) -> Iterator[str]:
    """Yield the ASDMs that lie directly in a directory of a scanned tree."""
    for name in tree[place].folders:
        path = join(place, name)
        if _has_suffix(name) or (
            _EB.fullmatch(name) and path in tree and _has_tables(tree[path].files)
        ):
            yield path


def is_raw(directory: Path) -> bool:
    """Whether a directory is an ASDM."""
    return _has_suffix(directory.name) or bool(
        _EB.fullmatch(directory.name) and _has_tables(one.name for one in directory.iterdir())
    )


def elsewhere(
    tree: Mapping[str, Folder], found: Collection[str], wanted: Iterable[str]
) -> tuple[str, ...]:
    """Return ASDMs outside the member's own places, of calibrated execution blocks that have none there."""
    there = {eb_of(path).casefold() for path in found}
    lacking = {eb.casefold() for eb in wanted} - there
    if not lacking:
        return ()
    every = (path for place in tree for path in within(tree, place))
    return tuple(sorted(path for path in every if eb_of(path).casefold() in lacking))


def one_each(paths: Iterable[str], member: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return one directory per execution block, and the others.

    Taken is the one in the member's ``raw``, and of several there the one that is called as the
    archive calls it.
    """
    home, chosen = join(member, "raw"), dict[str, str]()
    for path in sorted(paths, key=lambda one: _rank(one, home)):
        chosen.setdefault(eb_of(path).casefold(), path)
    kept = set(chosen.values())
    return tuple(sorted(kept)), tuple(sorted(set(paths) - kept))


def _rank(path: str, home: str) -> tuple[bool, bool, bool, int, str]:
    away = path.rpartition("/")[0].casefold() != home.casefold()
    return (away, not path.endswith(ASDM), not _has_suffix(path), path.count("/"), path)


def _has_suffix(name: str) -> bool:
    return name.casefold().endswith(ASDM)


def _has_tables(files: Iterable[str]) -> bool:
    return any(name.casefold() in _TABLES for name in files)
