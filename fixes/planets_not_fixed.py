"""The pipeline's script ran ``fixplanets``; the restored MS has not seen it.

Symptom: FIELD directions and uvw of a restored MS differ from those that the pipeline imaged.
Cause: staff put ``fixplanets`` into casa_pipescript.py (``# SACM/JAO - Fixes``); the exported restore
script may not carry the call, and a restore without the pipeline runs no script at all.
Remedy: make the same calls on the MS, once: with the script's direction, or, where it gives none, with
the one that the antennas pointed at.  HISTORY tells that it was done.  A call whose arguments
are no plain words, that names an ephemeris table, or that counts fields of an MS that was split
since, is left out: nothing is guessed.
Source: delivered pipeline scripts (archive pages on "SACM/JAO - Fixes"); CASA documentation of fixplanets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from reimage.fix import Facts, Fix, MsOperation, scripts
from reimage.model import Delivery, Stage

_CALL = re.compile(r"^[ \t]*(?P<call>fixplanets[ \t]*\([^\n#]*\))", re.MULTILINE)
_DIRECTION_WORDS = 3


def _calls(delivery: Delivery) -> Iterator[dict[str, Any]]:
    """Yield the arguments of the pipeline script's calls, where they are plain words."""
    for _, text in scripts(delivery, r"casa_pipescript\.py$"):
        for found in _CALL.finditer(text):
            try:
                call = ast.parse(found["call"], mode="eval").body
                given = {k.arg: ast.literal_eval(k.value) for k in getattr(call, "keywords", ())}
            except (SyntaxError, ValueError):
                continue
            if {"vis", "field"} <= given.keys() and _is_direction(given.get("direction", "")):
                yield {str(key): value for key, value in given.items()}


def _is_direction(told: object) -> bool:
    return told == "" or (isinstance(told, str) and len(told.split()) == _DIRECTION_WORDS)


def _ill(delivery: Delivery, facts: Facts) -> Iterator[MsOperation]:
    for call in _calls(delivery):
        field = str(call["field"])
        for ms, fact in facts.items():
            name = PurePath(ms).name
            counts_anew = name != str(call["vis"]) and field.replace(",", "").isdigit()
            known = "history" in fact and "fixplanets" not in dict(fact["history"])
            if f"{name}.".startswith(f"{call['vis']}.") and known and not counts_anew:
                yield MsOperation(
                    ms=ms,
                    kind="fix_planets",
                    arguments={
                        "field": field,
                        "direction": call.get("direction", ""),
                        "fixuvw": bool(call.get("fixuvw", False)),
                    },
                )


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    found = [
        f"{PurePath(op.ms).name} field {op.arguments['field']}" for op in _ill(delivery, facts)
    ]
    return f"fixplanets was run by the pipeline's script: {', '.join(found)}" if found else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[MsOperation, ...]:
    return tuple(_ill(delivery, facts))


FIX = Fix(
    id="planets-not-fixed",
    issue="SACM/JAO - Fixes; https://casa.nrao.edu/casadocs: fixplanets",
    title="run fixplanets as the pipeline's script did",
    before=Stage.IMAGE,
    applies=_applies,
    apply=_apply,
)
