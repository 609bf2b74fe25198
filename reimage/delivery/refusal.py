"""When a dataset is *not applicable by rule*: pure, asked before anything large is fetched.

A refusal is no failure.  Each rule names what would change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reimage.delivery.layout import DeliveryEmpty
from reimage.errors import Refusal
from reimage.model import Calibration, Delivery


class DataProprietary(Refusal):
    """The archive does not hand these data to the public yet."""

    code = "data-proprietary"
    hint = "Launch it again after its release date, or with credentials (REIMAGE_ARCHIVE_TOKEN) that may have it."


class NoRecipe(Refusal):
    """No recipe covers this kind of data."""

    code = "no-recipe"
    hint = "Write a recipe for this kind of data, then launch it again."


class NothingToRestore(Refusal):
    """A semipass shell: raw data without anything to calibrate them with."""

    code = "nothing-to-restore"
    hint = "Nothing can be done with this delivery; the archive would have to calibrate it first."


def refuse_by_facts(facts: Mapping[str, Any], *, archive_decides: bool = False) -> None:
    """Refuse what the holdings alone rule out.

    Parameters
    ----------
    archive_decides
        The archive knows who asks, or has handed out the data: what the holdings say of rights is for others.

    Raises
    ------
    DataProprietary, NoRecipe
    """
    if facts.get("data_rights") == "Proprietary" and not archive_decides:
        raise DataProprietary(
            f"proprietary until {facts.get('release_at') or 'further notice'}",
            evidence={"release_at": facts.get("release_at")},
        )
    if facts.get("array") == "TP":
        raise NoRecipe(
            "total-power data, and no recipe images them",
            evidence={"array": "TP", "missing": "total power"},
        )


def refuse_by_delivery(delivery: Delivery) -> None:
    """Refuse what the delivery's own files rule out.

    Raises
    ------
    NoRecipe, NothingToRestore
    DeliveryEmpty
        There is nothing but a README: no rule speaks of that, something was not delivered.
    """
    if delivery.era == "readme-only":
        raise DeliveryEmpty(
            f"no delivery in {delivery.root}, only a README", evidence={"path": delivery.root}
        )
    if delivery.is_total_power:
        raise NoRecipe(
            "total-power data, by the delivery's own files, and no recipe images them",
            evidence={
                "array": "TP",
                "missing": "total power",
                "procedure": delivery.procedure,
                "scripts": list(delivery.scripts),
            },
        )
    if delivery.calibration is Calibration.NONE:
        raise NothingToRestore(
            "no calibration tables, no calibration script, no calibrated data: nothing to restore",
            evidence={
                "scripts": list(delivery.scripts),
                "raw": list(delivery.raw),
                "layout": delivery.layout,
                "era": delivery.era,
            },
        )
