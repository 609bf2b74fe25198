"""Antennas of one measurement of system temperatures have different times in the SYSCAL table.

Symptom: a Tsys table made of the MS lacks antennas or scans: ``ERROR: THE SYSCAL TABLE IS MISSING ONE (OR
MORE) SCAN(S)``.  ``gencal`` wants all antennas of a measurement at one TIME.
Cause: the online software wrote INTERVALs of different lengths, and TIME is their middle; Cycles 0 to
2, and now and then up to Cycle 5.
Remedy: as ``fixsyscaltimes`` of almahelpers: when a measurement began (TIME - INTERVAL/2) is the same for
all antennas, so each gets that time, and an interval of 2 s.  A delivered script that runs its own
import calls the recipe there (recipes-almahelpers gives it one that works); here it is done to the
restored MS, for whoever calibrates anew: the Tsys tables that a restore applies are delivered.
Source: docs of recipes.almahelpers.fixsyscaltimes; CAS-4981, CSV-2841, ICT-3642.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Fix, MsOperation
from reimage.model import Delivery, Stage

_INTERVAL_S = 2.0


def _ill(facts: Facts) -> Iterator[MsOperation]:
    for ms, fact in facts.items():
        if fact.get("syscal", {}).get("torn"):
            yield MsOperation(
                ms=ms, kind="join_syscal_times", arguments={"interval_s": _INTERVAL_S}
            )


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del delivery
    told = [
        f"{PurePath(one.ms).name}: {facts[one.ms]['syscal']['torn']} Tsys measurements have several times"
        for one in _ill(facts)
    ]
    return "; ".join(told) or None


def _apply(delivery: Delivery, facts: Facts) -> tuple[MsOperation, ...]:
    del delivery
    return tuple(_ill(facts))


FIX = Fix(
    id="syscal-times",
    issue="CAS-4981, CSV-2841, ICT-3642",
    title="give the antennas of a Tsys measurement one time",
    before=Stage.IMAGE,
    applies=_applies,
    apply=_apply,
)
