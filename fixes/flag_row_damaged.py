"""Column FLAG_ROW is damaged, and more is flagged than should be.

Symptom: data that nobody flagged are flagged.
Cause: before CASA 4.2.2 the incremental storage manager wrote FLAG_ROW wrongly when there were more
than about 33 antennas.
Remedy: calibrate anew with a newer CASA.  A restore by the old one keeps the damage, as do the
calibrated MSs of Cycle 0: the table tool's own test of the column tells, and it is reported.
Not mended: FLAG_ROW could be made of FLAG, but tasks that read the damaged column have put it into FLAG
(saving and restoring flags does), and no copy from before is delivered.  Needed: the ASDM.
Source: ALMA knowledge base, article 283.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Report, reporting
from reimage.model import Delivery


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    del delivery
    for ms, fact in facts.items():
        if fact.get("flag_row_sound") is False:
            name = PurePath(ms).name
            yield Report(
                caveat="flag-row-damaged",
                subject=name,
                text=f"column FLAG_ROW of {name} does not stand its storage manager's test",
            )


FIX = reporting(
    name="flag-row-damaged",
    issue="ALMA knowledge base: 283",
    title="report a damaged FLAG_ROW",
    find=_find,
)
