"""Positions of DA42 and DA50 were wrong by 3 mm in the winter of 2016/2017.

Symptom: phases of baselines with DA42 or DA50 drift with the direction; most at the highest bands.
Cause: a wrong position was in the database for data observed from 2016-12-25 (DA50) or 2017-01-03
(DA42) to 2017-01-31, and processed before 2017-02-21.
Remedy: a new antennapos.csv and a run of the calibration; a restore keeps the error, so it is reported.
Not mended: the delivered phase gains were solved with the wrong position and have taken up most of it.
To move the antenna before they are applied would put the error in again, with the other sign.  Needed:
the right position (TMCDB after 2017-02-21) and new gains, which is a calibration, not a restore.
The date of processing is that of the first CASA log that was delivered; where there is none, the
report says so.
Source: ALMA knowledge base, article 390.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import PurePath

from reimage.fix import Facts, Report, reporting
from reimage.model import Delivery

_SINCE = {"DA50": date(2016, 12, 25), "DA42": date(2017, 1, 3)}
_UNTIL = date(2017, 1, 31)
_CORRECTED = date(2017, 2, 21)
_MJD_0 = date(1858, 11, 17)
_LOG = re.compile(r"casa(?:py)?-(\d{4})(\d\d)(\d\d)-\d{6}\.log")


def _processed(delivery: Delivery) -> date | None:
    found = [_LOG.search(name) for name in delivery.logs]
    dates = [date(int(m[1]), int(m[2]), int(m[3])) for m in found if m and m[2] <= "12"]
    return min(dates, default=None)


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    processed = _processed(delivery)
    if processed is not None and processed >= _CORRECTED:
        return
    for ms, fact in facts.items():
        observed = _MJD_0 + timedelta(days=int(fact["observing_start_mjd"]))
        for antenna, since in _SINCE.items():
            if antenna in fact.get("antennas", ()) and since <= observed <= _UNTIL:
                name = PurePath(ms).name
                yield Report(
                    caveat="antenna-position-wrong",
                    subject=f"{antenna} in {name}",
                    text=f"{name}, observed {observed}, has {antenna}, whose position was 3 mm wrong;"
                    f" processed {processed or 'at a date that is not known'}",
                )


FIX = reporting(
    name="antenna-positions-2017",
    issue="ALMA knowledge base: 390",
    title="report DA42 and DA50 while their positions were wrong",
    find=_find,
)
