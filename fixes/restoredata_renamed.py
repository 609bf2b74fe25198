"""Restore scripts call ``hif_restoredata``, which newer pipelines call ``hifa_restoredata``.

Symptom: ``NameError: name 'hif_restoredata' is not defined`` in casa_piperestorescript.py.
Cause: the task was renamed after CASA 4.7; the script was written before.
Remedy: let the script know the task by its old name where only the new one is there; where the old
one is there, nothing changes.  The pipeline manifest that CASA 5.1.1 and later want besides cannot
be made up: deliveries without one (processed before 2017-10) need the CASA that they state.
Source: ALMA knowledge base, article S19.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from reimage.fix import Facts, FilePatch, Fix, prelude, scripts
from reimage.model import Delivery, Stage

_MARK = "# reimage: restoredata-renamed"
_CALL = re.compile(r"^[ \t]*hif_restoredata[ \t]*\(", re.MULTILINE)
_ALIAS = f"""\
if "hif_restoredata" not in globals() and "hifa_restoredata" in globals():  {_MARK}
    hif_restoredata = hifa_restoredata
"""


def _ill(delivery: Delivery) -> list[tuple[str, str]]:
    return [
        (name, text) for name, text in scripts(delivery) if _CALL.search(text) and _MARK not in text
    ]


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    names = [PurePath(name).name for name, _ in _ill(delivery)]
    return f"hif_restoredata is called by {', '.join(names)}" if names else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(FilePatch(path=name, text=prelude(text, _ALIAS)) for name, text in _ill(delivery))


FIX = Fix(
    id="restoredata-renamed",
    issue="ALMA knowledge base: S19",
    title="know hifa_restoredata by its old name",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
