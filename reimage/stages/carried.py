"""What of a delivery goes with the new images: how its data were calibrated, and how to do so again."""

from __future__ import annotations

from pathlib import Path

from reimage import document
from reimage.delivery import reading
from reimage.imaging.accompany import SESSIONS
from reimage.model import Delivery, Stage
from reimage.stages.context import StageContext
from reimage.stages.values import ChooseValue

_FLUX, _BUNDLE = "flux.csv", "auxproducts.tgz"


def carried(context: StageContext) -> dict[str, tuple[Path, ...]]:
    """Return the delivered files by kind of product; a kind that the delivery lacks has none.

    Where there is no script of the pipeline that restores, those that calibrated stand for it.
    """
    delivery = context.value(Stage.CHOOSE, ChooseValue).delivery
    root = Path(delivery.root)
    restore = (delivery.piperestore,) if delivery.piperestore else delivery.calibration_scripts
    listed = {
        "calapply": delivery.calapply,
        "flagversions": delivery.flagversions,
        "restorescript": restore,
        SESSIONS: delivery.manifests,
    }
    found = {kind: tuple(root / name for name in names) for kind, names in listed.items()}
    return {**found, _FLUX: _flux(delivery, context.work(Stage.IMAGE) / "delivered")}


def _flux(delivery: Delivery, folder: Path) -> tuple[Path, ...]:
    """Return the flux densities of the calibrators: a file of its own, or out of the bundle."""
    root = Path(delivery.root)
    loose = tuple(root / name for name in delivery.other if name.casefold().endswith(_FLUX))
    if loose:
        return loose
    for bundle in (name for name in delivery.other if name.casefold().endswith(_BUNDLE)):
        for member in reading.members(root / bundle, (_FLUX,)):
            folder.mkdir(exist_ok=True)
            path = folder / member.name.rpartition("/")[2]
            document.write_bytes(path, member.text.encode())
            return (path,)
    return ()
