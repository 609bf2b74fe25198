"""Delivered images of a target whose name ends in ``-`` may have a wrong flux scale.

Symptom: a new image and the delivered one disagree in flux.
Cause: ``clean`` of CASA 3.4, 4.0 and 4.1 took such a name wrongly when fields were selected by name.
Remedy: select by id, as this software does.  The new images are right; that the delivered ones may be
wrong is reported, so that nobody takes them for the measure.
Source: ALMA knowledge base (archive pages on known issues).
"""

from __future__ import annotations

from collections.abc import Iterator

from reimage.fix import Facts, Report, products_casa, reporting, target_names
from reimage.model import Delivery

_ILL = {(3, 4), (4, 0), (4, 1)}


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    names = [name for name in target_names(facts) if name.endswith("-")]
    casa = products_casa(delivery) if names else ()
    if casa[:2] in _ILL:
        for name in names:
            yield Report(
                caveat="delivered-flux-scale-doubtful",
                subject=name,
                text=f"delivered images of {name!r} were made by CASA {'.'.join(map(str, casa))}",
            )


FIX = reporting(
    name="field-name-hyphen",
    issue="CASA 3.4 to 4.1: clean and field names that end in -",
    title="report delivered images of targets whose name ends in -",
    find=_find,
)
