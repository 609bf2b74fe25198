"""Flags of the ACA correlator were read by a CASA that misread them.

Symptom: data of the 7m array are flagged where they are good, or not where they are bad.
Cause: importasdm before CASA 4.7.1 misreads the binary flags of the ALMA_ACA correlator (CAS-8995).
Remedy: import without them and run ``bdflags2MS`` afterwards, as delivered scripts of that time do;
that program is gone from CASA 6, where importasdm is right.  Here it is reported: an MS whose
import is that old and whose scripts do not call ``bdflags2MS``.
Not mended: such an MS was delivered calibrated, its flags hold those of the import and of the calibration
together, and nothing tells one from the other.  Needed: the ASDM, and a calibration of its own.
Source: ALMA QA2 calibration script generator; CAS-8995.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Report, reporting, scripts, versions_in
from reimage.model import Delivery

_RIGHT_SINCE = (4, 7, 1)


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    repaired: bool | None = None
    for ms, fact in facts.items():
        imported = min(versions_in(fact, "importasdm"), default=_RIGHT_SINCE)
        if "ALMA_ACA" not in fact.get("correlators", ()) or imported >= _RIGHT_SINCE:
            continue
        if repaired is None:
            repaired = any("bdflags2MS" in text for _, text in scripts(delivery))
        if not repaired:
            name = PurePath(ms).name
            yield Report(
                caveat="aca-flags-misread",
                subject=name,
                text=f"{name}: ALMA_ACA data imported by CASA {'.'.join(map(str, imported))} (CAS-8995)",
            )


FIX = reporting(
    name="aca-bdfflags",
    issue="CAS-8995",
    title="report ACA data whose flags an old import misread",
    find=_find,
)
