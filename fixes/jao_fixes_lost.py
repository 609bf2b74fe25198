"""The observatory's fixes are in casa_pipescript.py and not in casa_piperestorescript.py.

Symptom: none at the restore; the restored MS lacks what was corrected before the calibration.
Cause: in pipeline deliveries of Cycles 2 to 5, staff put calls of ``fixsyscaltimes`` or ``fixplanets``
between the import and the rest, marked ``# SACM/JAO - Fixes``.  The exported restore script may carry
the import of the recipe and no call: ``hifa_restoredata`` imports and restores in one go.
Remedy: as the observatory's own complete scripts do it: import first, make the calls, save and
open the context anew, then restore.  A restore without the pipeline runs no script: there see
planets-not-fixed; the times of SYSCAL do not matter to it, because its Tsys tables are delivered.
Source: delivered scripts of 2017.1.01355.L, with the calls and without (ALMA-IMF/reduction).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from reimage.fix import Facts, FilePatch, Fix, prelude, scripts
from reimage.model import Delivery, Stage

_CALL = re.compile(
    r"^[ \t]*(?P<call>(?:fixsyscaltimes|fixplanets)[ \t]*\([^\n#]*\))[ \t]*#[ \t]*SACM/JAO - Fixes",
    re.MULTILINE,
)
_RECIPE = re.compile(r"^[^\n#]*almahelpers import [^\n#]*fixsyscaltimes", re.MULTILINE)
_RECIPE_LINE = "from recipes.almahelpers import fixsyscaltimes # SACM/JAO - Fixes\n"


def _calls(text: str) -> dict[str, str]:
    """Return the calls of a script, without their blanks, and as they are written."""
    return {re.sub(r"\s", "", found["call"]): found["call"] for found in _CALL.finditer(text)}


def _task(tree: ast.Module, name: str) -> ast.Call | None:
    """Return the one call of a task whose arguments are keywords."""
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
    return found[0] if len(found) == 1 and not found[0].args else None


def _mended(text: str, calls: list[str]) -> str | None:
    """Return a restore script with the calls; None where it is not of the known form."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    restore = _task(tree, "hifa_restoredata")
    if restore is None:
        return None
    lines = text.splitlines(keepends=True)
    at = restore.lineno - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    new = [f"{call} # SACM/JAO - Fixes" for call in calls]
    if _task(tree, "hifa_importdata") is None:
        arguments = {k.arg: k.value for k in restore.keywords if k.arg}
        imported = _import(arguments)
        if imported is None:
            return None
        new = [imported, *new, "h_save() # SACM/JAO - Fixes", "h_init() # SACM/JAO - Fixes"]
    lines[at:at] = [f"{indent}{line}\n" for line in new]
    mended = "".join(lines)
    needs = any("fixsyscaltimes" in call for call in calls) and not _RECIPE.search(text)
    return prelude(mended, _RECIPE_LINE) if needs else mended


def _import(arguments: dict[str, ast.expr]) -> str | None:
    """Return the import of what is going to be restored."""
    try:
        told = {name: ast.literal_eval(arguments[name]) for name in ("vis", "session")}
        ocorr = ast.literal_eval(arguments["ocorr_mode"]) if "ocorr_mode" in arguments else None
    except (KeyError, ValueError):
        return None
    raw = [eb if "/" in eb else f"../rawdata/{eb}" for eb in told["vis"]]
    mode = "" if ocorr is None else f", ocorr_mode={ocorr!r}"
    return (
        f"hifa_importdata(vis={raw!r}, session={told['session']!r}, dbservice=False, "
        f"bdfflags=False{mode}) # SACM/JAO - Fixes"
    )


def _ill(delivery: Delivery) -> Iterator[tuple[str, str, list[str]]]:
    wanted: dict[str, str] = {}
    for _, text in scripts(delivery, r"casa_pipescript\.py$"):
        wanted |= _calls(text)
    for name, text in scripts(delivery, r"casa_piperestorescript\.py$"):
        there = _calls(text)
        lost = [call for key, call in wanted.items() if key not in there]
        mended = _mended(text, lost) if lost else None
        if mended is not None:
            yield name, mended, lost


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    lost = [call for _, _, calls in _ill(delivery) for call in calls]
    return f"the restore script lacks {', '.join(lost)}" if lost else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(FilePatch(path=name, text=text) for name, text, _ in _ill(delivery))


FIX = Fix(
    id="jao-fixes-lost",
    issue="SACM/JAO - Fixes; CAS-4981, CSV-2841, ICT-3642",
    title="put the observatory's fixes into the restore script",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
