"""Delivered scripts name target MSs as another pipeline would.

Symptom: ``<eb>_target.ms`` or ``<eb>_targets.ms`` (or its ``_line``) is wanted and absent.
Cause: the pipeline of 2022 renamed the MS of the targets from ``target.ms`` to ``targets.ms``; a
script of one era meets what a CASA of the other era has left.
Remedy: where the name that a script uses is absent and the other is there, link it at the script's
start; where it is there, nothing changes.
Source: archive pages on scriptForPI (outputs by cycle); ACES reduction, issue 282.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from reimage.fix import Facts, FilePatch, Fix, prelude, scripts
from reimage.model import Delivery, Stage

_MARK = "# reimage: target-names"
_NAME = re.compile(r"_target(?P<plural>s?)(?P<line>_line)?\.ms\b")


def _pairs(delivery: Delivery, text: str) -> list[tuple[str, str]]:
    """Return wanted and other name, for what a script speaks of."""
    spoken = sorted({(found["plural"], found["line"] or "") for found in _NAME.finditer(text)})
    return [
        (f"{eb}_target{plural}{line}.ms", f"{eb}_target{'' if plural else 's'}{line}.ms")
        for eb in delivery.ebs
        for plural, line in spoken
        if ("" if plural else "s", line) not in spoken
    ]


def _lines(pairs: list[tuple[str, str]]) -> str:
    return (
        f"import os  {_MARK}\n"
        f"for _wanted, _other in {pairs!r}:\n"
        "    if not os.path.exists(_wanted) and os.path.exists(_other):\n"
        "        os.symlink(_other, _wanted)\n"
    )


def _ill(delivery: Delivery) -> list[tuple[str, str]]:
    return [
        (name, prelude(text, _lines(_pairs(delivery, text))))
        for name, text in scripts(delivery)
        if _MARK not in text and _pairs(delivery, text)
    ]


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    names = [PurePath(name).name for name, _ in _ill(delivery)]
    return f"target MSs are named by {', '.join(names)}" if names else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(FilePatch(path=name, text=text) for name, text in _ill(delivery))


FIX = Fix(
    id="target-names",
    issue="ACES-CMZ/reduction_ACES#282",
    title="link target MSs under the name that a script uses",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
