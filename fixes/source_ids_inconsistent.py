"""Fields name the wrong source, or none (CSV-2555).

Symptom: FIELD.SOURCE_ID names a source of another name, or one that SOURCE lacks: rest frequencies,
velocities and proper motions are another object's.
Cause: "Inconsistency in FIELD_ID, SOURCE_ID and Spw_ID in single dish data", written by the observatory.
Remedy: where one source alone is called as the field is, the field gets its id; the observatory's own
repair of ASDMs (SACM-211) pairs them by name too.  Delivered scripts run ``fixForCSV2555`` only when
they calibrate anew, not on a restore.  What names do not settle: see source-rows-lost.
Source: ALMA QA2 calibration script generator, which calls the fix for every MS; the check
``iscsv2555`` of SDK/sacm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Fix, MsOperation
from reimage.model import Delivery, Stage


def _ill(facts: Facts) -> Iterator[MsOperation]:
    for ms, fact in facts.items():
        for field, source in fact.get("sources", {}).get("misnamed", ()):
            yield MsOperation(
                ms=ms, kind="set_field_source", arguments={"field": field, "source": source}
            )


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del delivery
    told = [
        f"{PurePath(one.ms).name} field {one.arguments['field']}, which is source"
        f" {one.arguments['source']}"
        for one in _ill(facts)
    ]
    return f"a source of another name: {', '.join(told)} (CSV-2555)" if told else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[MsOperation, ...]:
    del delivery
    return tuple(_ill(facts))


FIX = Fix(
    id="source-ids-inconsistent",
    issue="CSV-2555",
    title="let fields name the sources that are called as they are",
    before=Stage.IMAGE,
    applies=_applies,
    apply=_apply,
)
