"""Ids of fields, sources and spws contradict each other, and names do not settle it (CSV-2555).

Symptom: a FIELD row names a source that SOURCE lacks, or SOURCE names a spw that the MS lacks.
Cause: "Inconsistency in FIELD_ID, SOURCE_ID and Spw_ID in single dish data", written by the observatory;
or SOURCE rows that never came.
Remedy: none, so it is reported.  Where a source has the field's name, source-ids-inconsistent mends it.
A row that is not there cannot be made: its velocity and rest frequencies are in the ASDM alone.  Which
spw a row meant that names one too many is told nowhere.  Imaging selects by field and spw and does
not read SOURCE.
Source: ALMA QA2 calibration script generator, which calls the fix for every MS; archive pages on known issues.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Report, reporting
from reimage.model import Delivery


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    del delivery
    for ms, fact in facts.items():
        sources, name = fact.get("sources", {}), PurePath(ms).name
        mended = {field for field, _ in sources.get("misnamed", ())}
        told = {
            "fields without a source": set(sources.get("fields_without", ())) - mended,
            "sources with unknown spws": sources.get("unknown_spws"),
        }
        said = [f"{what} {', '.join(map(str, sorted(ids)))}" for what, ids in told.items() if ids]
        if said:
            yield Report(
                caveat="source-ids-inconsistent",
                subject=name,
                text=f"{name} has {' and '.join(said)} (CSV-2555)",
            )


FIX = reporting(
    name="source-rows-lost",
    issue="CSV-2555",
    title="report fields, sources and spws that contradict each other",
    find=_find,
)
