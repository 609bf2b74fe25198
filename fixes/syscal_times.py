"""The times of the SYSCAL table are not those of the atmosphere scans.

Symptom: ``ERROR: THE SYSCAL TABLE IS MISSING ONE (OR MORE) SCAN(S)``; a Tsys table lacks scans.
Cause: the correlator software wrote wrong times in Cycles 0 to 2, and now and then up to Cycle 5.
Remedy: for a restore none is needed, because the Tsys tables that it applies are delivered; it is
reported, for whoever wants to calibrate anew: then ``fixsyscaltimes`` comes right after the import.
An MS that was split since is not judged: its SYSCAL table may tell of scans that it has no more.
Source: ALMA QA2 calibration script generator; CAS-4981, CSV-2841, ICT-3642.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Report, reporting
from reimage.model import Delivery

_SPLITTING = {"split", "mstransform"}


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    del delivery
    for ms, fact in facts.items():
        if _SPLITTING & {task for task, _ in fact.get("history", ())}:
            continue
        syscal, name = fact.get("syscal", {}), PurePath(ms).name
        outside, without = syscal.get("rows_outside"), syscal.get("scans_without")
        if outside or without:
            yield Report(
                caveat="syscal-times-wrong",
                subject=name,
                text=f"{name}: {outside or 0} of {syscal['rows']} SYSCAL rows are outside the atmosphere"
                f" scans, scans without a row: {', '.join(map(str, without or ())) or 'none'}",
            )


FIX = reporting(
    name="syscal-times",
    issue="CAS-4981, CSV-2841, ICT-3642",
    title="report SYSCAL times outside the atmosphere scans",
    find=_find,
)
