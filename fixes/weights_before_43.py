"""Weights of old calibrations are not 1/sigma**2.

Symptom: datasets that are combined, or an image of several spws, are weighted wrongly.
Cause: the pipeline before CASA 4.2.2, and manual calibration before 4.3, wrote WEIGHT and SIGMA
without channel width and integration time.
Remedy: calibrate anew, or ``statwt`` on line-free data, or scale before combining; it is reported,
because an image of one dataset alone is little worse for it and no remedy is free of choices:
``statwt`` wants channels without line emission, which nothing delivered names for such data, and a scale
of 2 x channel width x integration time holds only where Tsys was applied with calwt, which is not told.
HISTORY tells the versions; an MS that was delivered calibrated and tells none is of Cycle 0, whose
data were processed by CASA 3.3 to 4.0.
Source: casaguides, DataWeightsAndCombination.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from reimage.fix import Facts, Report, reporting, versions_in
from reimage.model import Calibration, Delivery


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    right_since = (4, 2, 2) if delivery.calibration is Calibration.PIPELINE else (4, 3, 0)
    for ms, fact in facts.items():
        told = versions_in(fact)
        if told:
            casa = f"CASA {'.'.join(map(str, min(told)))}"
            is_ill = min(told) < right_since
        else:
            casa = "a CASA of Cycle 0"
            is_ill = delivery.calibration is Calibration.DELIVERED and "history" in fact
        if is_ill:
            name = PurePath(ms).name
            yield Report(
                caveat="weights-not-absolute",
                subject=name,
                text=f"{name} was calibrated by {casa}: its weights are relative",
            )


FIX = reporting(
    name="weights-before-43",
    issue="https://casaguides.nrao.edu: DataWeightsAndCombination",
    title="report weights that are not absolute",
    find=_find,
)
