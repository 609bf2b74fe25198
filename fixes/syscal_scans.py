"""Measurements of system temperatures are outside the atmosphere scans, or a scan has none.

Symptom: ``ERROR: THE SYSCAL TABLE IS MISSING ONE (OR MORE) SCAN(S)``.
Cause: the observatory's software lost a measurement, or wrote a time that is no antenna's.
Remedy: none from what is delivered, so it is reported: SYSCAL does not say which scan a measurement
is of but by its time, and one that was lost cannot be computed from visibilities (it takes the power on
the hot load, which only the ASDM's CalDevice and CalAtmosphere tables have, and a script of the
observatory to regenerate it).  For a restore nothing is needed: its Tsys tables are delivered.
An MS that was split since is not judged: its SYSCAL table may tell of scans that it has no more.
Source: ALMA QA2 calibration script generator; archive pages on known issues.
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
    name="syscal-scans",
    issue="CAS-4981, CSV-2841, ICT-3642",
    title="report SYSCAL rows outside the atmosphere scans",
    find=_find,
)
