"""Scripts of the manual era import ``fixsyscaltimes`` from a package that only old CASA has.

Symptom: ``ModuleNotFoundError: No module named 'recipes'`` when scriptForCalibration.py starts.
Cause: the generator of calibration scripts wrote ``from recipes.almahelpers import fixsyscaltimes``
(monolithic CASA up to 5) and calls it right after the import, for ASDMs whose SYSCAL times were
wrong (CAS-4981, CSV-2841, ICT-3642).  CASA 6 renamed the package; the wheels do not have it.
Remedy: guard the import.  Where the package is missing the call does nothing, and says so: the Tsys
tables that a restore applies are delivered, so the times of SYSCAL are not read again.
Source: ALMA QA2 calibration script generator; docs of casarecipes.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from reimage.fix import Facts, FilePatch, Fix
from reimage.model import Delivery, Stage

_IMPORT = re.compile(
    r"^(?P<indent>[ \t]*)from recipes\.almahelpers import fixsyscaltimes[^\n]*$", re.MULTILINE
)

_GUARDED = """\
try:
    from casarecipes.almahelpers import fixsyscaltimes
except ImportError:
    def fixsyscaltimes(vis, *args, **kwargs):
        print('reimage: fixsyscaltimes is not in this CASA; SYSCAL of %s left as it is' % vis)"""


def _guarded(match: re.Match[str]) -> str:
    return textwrap.indent(_GUARDED, match["indent"])


def _ill(delivery: Delivery) -> list[tuple[str, str]]:
    texts = (
        (name, (Path(delivery.root) / name).read_text(errors="surrogateescape"))
        for name in delivery.scripts
    )
    return [(name, text) for name, text in texts if _IMPORT.search(text)]


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    names = [name.rpartition("/")[2] for name, _ in _ill(delivery)]
    return f"recipes.almahelpers is imported by {', '.join(names)}" if names else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(
        FilePatch(path=name, text=_IMPORT.sub(_guarded, text)) for name, text in _ill(delivery)
    )


FIX = Fix(
    id="recipes-almahelpers",
    issue="https://casa.nrao.edu/casadocs: casarecipes; CAS-4981",
    title="guard the import of recipes.almahelpers",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
