"""The POINTING table spoils mosaics that an old CASA images.

Symptom: the mosaic's primary beam, and the fluxes with it, are wrong.
Cause: a bug with mosaics in CASA 4.2.2 and all before 4.5, which uses rows of POINTING.
Remedy: empty the POINTING table of the restored MS before imaging, as delivered scripts of that time
do ("Listobs, clear pointing table, and save original flags"); only where such a CASA is going
to image, and only for mosaics.
Source: delivered scriptForImaging.py of the CASA 4.2.2 era (archive pages on known issues).
"""

from __future__ import annotations

from collections.abc import Iterator

from reimage.fix import Facts, Fix, MsOperation, is_mosaic, version
from reimage.model import Delivery, Stage

_SOUND_SINCE = (4, 5, 0)


def _ill(facts: Facts) -> Iterator[MsOperation]:
    for ms, fact in facts.items():
        casa = version(fact.get("imaging_casa", ""))
        if casa and casa < _SOUND_SINCE and fact.get("pointing_rows") and is_mosaic(fact):
            yield MsOperation(
                ms=ms,
                kind="delete_rows",
                arguments={"subtable": "POINTING", "query": "ANTENNA_ID >= 0"},
            )


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del delivery
    n = sum(1 for _ in _ill(facts))
    return f"{n} mosaics with a POINTING table, imaged by a CASA before 4.5" if n else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[MsOperation, ...]:
    del delivery
    return tuple(_ill(facts))


FIX = Fix(
    id="pointing-table-mosaic",
    issue="CASA 4.2.2: bug with mosaics",
    title="empty the POINTING table of mosaics before an old CASA images",
    before=Stage.IMAGE,
    applies=_applies,
    apply=_apply,
)
