"""Cycle 0: deliveries hold raw, calibrated and imaged data in the same tars, and have ids of their own.

Which execution blocks (ASDMs) a delivery must contain is not in the archive's listing: it is in
``cycle0.tsv``, a table made at ESO (its head says by whom, and under which licence).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from reimage.archive.listing import PRODUCT, ArchiveFile
from reimage.uid import Uid

TABLE = Path(__file__).with_name("cycle0.tsv")
_DELIVERY = re.compile(r"2011\.0\.\d{5}\.[A-Z]_\d{4}-\d{2}-\d{2}")


@cache
def deliveries() -> Mapping[str, frozenset[str]]:
    """Return the execution blocks of every delivery of Cycle 0, by its id (``2011.0.00170.S_2013-07-22``)."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            delivery, block = line.split("\t")
            found[delivery].add(str(Uid.parse(block)))
    return MappingProxyType({name: frozenset(blocks) for name, blocks in found.items()})


def delivery_of(file: ArchiveFile) -> str | None:
    """Return the id of the delivery that a tar is a part of, by its name."""
    found = _DELIVERY.search(file.name) if file.semantics == PRODUCT else None
    return None if found is None else found.group(0)


def expected(blocks: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the deliveries that hold any of a dataset's execution blocks, and which of them."""
    wanted = frozenset(blocks)
    held = {name: wanted & inside for name, inside in deliveries().items()}
    return {name: inside for name, inside in held.items() if inside}


def absent(files: Iterable[ArchiveFile], blocks: Iterable[str]) -> tuple[str, ...]:
    """Return the execution blocks of a dataset that no listed delivery contains.

    Blocks that the table does not know, and listings whose tars do not name their delivery, say nothing.
    """
    listed = {name for file in files if (name := delivery_of(file))}
    if not listed:
        return ()
    known = frozenset[str]().union(*expected(blocks).values())
    there = frozenset[str]().union(*(deliveries().get(name, frozenset()) for name in listed))
    return tuple(sorted(known - there))
