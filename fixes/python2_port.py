"""Scripts for CASA 5 and before are Python 2, and the build that is chosen runs Python 3.

Symptom: ``restore-script-python-2``: the scripts are recognised before they are run, and not run.
Cause: CASA up to 5 is Python 2; where the build that the delivery states is not to be had (before CASA 6
there are no wheels), nothing can run its scripts.
Remedy: a mechanical port (`reimage.delivery.port`): print, except, raise, execfile, has_key, octal
numbers, lists that became iterators, imports of CASA's own modules; and the gate line, which refuses
every CASA but the one of the script, is opened.  *Offered*, never silent: the operator names it
(``reimage rerun DATASET --casa BUILD --fix python2-port``), the diff is in the run's evidence, and the
run carries the caveat.  All or nothing: where one script has a line for which no rule is safe, none is
ported, and the lines are told.  What no port can know: whether a newer CASA's task does the same by the
same parameters.
Deleted when: no delivery is left that was calibrated before CASA 6.
Source: ALMA QA2 calibration script generator; archive.md 4.4; what's new in Python 3.0.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from reimage.delivery import port, python2
from reimage.fix import Facts, FilePatch, Fix, scripts
from reimage.model import Delivery, Stage

_RUN = (
    r"scriptForPI\.py$|casa_piperestorescript\.py$"
    r"|scriptFor(?:Calibration|FluxCalibration|PolCalibration|ImagingPrep)\.py$"
)
"""The scripts that a restore runs; those of the imaging are not."""


def _ill(delivery: Delivery) -> list[tuple[str, str]]:
    return [(name, text) for name, text in scripts(delivery, _RUN) if python2.find(text)]


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    told = [
        f"{PurePath(name).name} ({python2.find(text)[0].what})" for name, text in _ill(delivery)
    ]
    return f"Python 2: {', '.join(told)}" if told else None


def _obstacles(delivery: Delivery, facts: Facts) -> tuple[str, ...]:
    del facts
    return tuple(
        re.sub("^line ", f"{PurePath(name).name} line ", str(why))
        for name, text in _ill(delivery)
        for why in port.port(text).obstacles
    )


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(FilePatch(path=name, text=port.port(text).text) for name, text in _ill(delivery))


FIX = Fix(
    id="python2-port",
    issue="archive.md 4.4: CASA 5 to 6, Python 2 to 3",
    title="port scripts of CASA 5 and before to Python 3",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
    offered=True,
    python="3",
    obstacles=_obstacles,
    caveat="scripts-ported-to-python-3",
)
