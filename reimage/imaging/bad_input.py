"""Data that cannot be imaged, each kind with a code: what the CASA job found, said in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reimage.casa import process
from reimage.errors import CasaError, DeliveryError, Refusal, ReimageError, ResourceError
from reimage.recipes.plan import UNMITIGABLE


class ImagingNoTargets(DeliveryError):
    """No calibrated MS holds a science target that could be imaged."""

    code = "imaging-no-targets"
    hint = (
        "`reimage show RUN` lists the intents found; a calibration-only dataset has none to image."
    )


class ImagingColumnMissing(DeliveryError):
    """The column that should hold the calibrated data is not in the MS."""

    code = "imaging-column-missing"
    hint = "The restore proved another MS than the one that is here: re-run from *restore*."


class ImagingForeignTelescope(DeliveryError):
    """The data are not ALMA's, and the recipe's heuristics are."""

    code = "imaging-foreign-telescope"
    hint = "Choose a recipe of the data's own holding."


class ImagingNotAnMs(DeliveryError):
    """What should be an MS is something else, or is not there."""

    code = "imaging-not-an-ms"
    hint = "Name the directory of the MS itself, the one with `table.dat` and `ANTENNA` in it."


class ImagingSubtableMissing(DeliveryError):
    """The MS lacks a subtable that imaging needs."""

    code = "imaging-subtable-missing"
    hint = "The MS was copied or made incompletely: make it again from its ASDM, or copy it whole."


class ImagingNoRows(DeliveryError):
    """The MS has no rows, or none of its targets."""

    code = "imaging-no-rows"
    hint = "Look at the MS with listobs: a split or an import selected nothing."


class ImagingMsDamaged(DeliveryError):
    """Files of the MS are cut off, missing or overwritten."""

    code = "imaging-ms-damaged"
    hint = "The MS cannot be mended: restore it anew (`reimage rerun RUN`), and look at the disk."


class EphemerisTargetNotImaged(Refusal):
    """Every target of the dataset moves, and the recipe images none such."""

    code = "ephemeris-target-not-imaged"
    hint = "Leave it for a recipe that images moving targets."


class ProductSizeUnmitigable(ResourceError):
    """The images would be larger than the recipe allows, whatever is given up."""

    code = UNMITIGABLE
    hint = (
        "Raise the limits for this dataset: `--set checkproductsize.maxcubelimit=...` or "
        "`--set checkproductsize.maxproductsize=...` (GB)."
    )


class ImagingMadeNothing(CasaError):
    """Not one image of the plan could be made."""

    code = "imaging-made-nothing"
    hint = "The reasons of the single images are in the evidence; `reimage show RUN` has the log lines."


CODED: Mapping[str, type[ReimageError]] = {
    "NoTargets": ImagingNoTargets,
    "MissingColumn": ImagingColumnMissing,
    "ForeignTelescope": ImagingForeignTelescope,
    "NotAMeasurementSet": ImagingNotAnMs,
    "SubtableMissing": ImagingSubtableMissing,
    "NoRows": ImagingNoRows,
    "DamagedMs": ImagingMsDamaged,
    "EphemerisTargets": EphemerisTargetNotImaged,
}
"""What the job raises on data that are not as they should be."""


def coded(error: process.CasaJobFailed) -> ReimageError:
    """Return the coded error that a job's failure means; the failure itself when it means none."""
    for name, known in CODED.items():
        head, found, message = error.message.partition(f": {name}: ")
        if found and head:
            return known(message, evidence=error.evidence)
    return error


def made_nothing(reasons: Mapping[str, str | None]) -> ReimageError:
    """Return the error of a plan of which every image is absent, from the reasons by image."""
    told: Sequence[str] = [reason or "" for reason in reasons.values()]
    evidence = {"reasons": dict(reasons)}
    if all(UNMITIGABLE in reason for reason in told):
        return ProductSizeUnmitigable(told[0].partition(f"{UNMITIGABLE}: ")[2], evidence=evidence)
    return ImagingMadeNothing(
        f"none of {len(told)} images could be made: {told[0]}", evidence=evidence
    )
