"""The execution blocks of a delivery: what is promised of each, and why some are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reimage.delivery import asdm, raw
from reimage.delivery.scan import ASDM
from reimage.errors import DeliveryError, ReimageError
from reimage.model import Calibration, Delivery
from reimage.stages.context import StageContext


class RestoreRawMissing(DeliveryError):
    """Raw data of an execution block that the calibration names were not delivered."""

    code = "restore-raw-missing"
    hint = "Fetch the missing ASDM; the archive lists what belongs to the dataset."


@dataclass(kw_only=True)
class Blocks:
    """What becomes of each execution block in the course of a restore."""

    promises: dict[str, asdm.AsdmPromise] = field(default_factory=dict)
    raw: dict[str, Path] = field(default_factory=dict)
    """The ASDM of each execution block that is promised."""
    left_out: dict[str, ReimageError] = field(default_factory=dict)

    def leave_out(self, context: StageContext, eb: str, error: ReimageError) -> None:
        """Go on without an execution block, and say so."""
        self.left_out[eb] = error
        context.emit("eb.left_out", eb=eb, code=error.code, message=error.message)

    def require_some(self, left: Iterable[object]) -> None:
        """Raise the first reason where nothing is left."""
        if not list(left):
            raise next(iter(self.left_out.values()))


def promised(context: StageContext, delivery: Delivery) -> Blocks:
    """Count what each ASDM promises; importasdm would leave rows out in silence.

    Raises
    ------
    RestoreRawMissing, AsdmIncomplete, AsdmUnreadable
        The raw data of no execution block can be used.
    """
    blocks = Blocks()
    if delivery.calibration is Calibration.DELIVERED:
        return blocks
    held = {raw.eb_of(name).casefold(): Path(delivery.root) / name for name in delivery.raw}
    absent = [eb for eb in delivery.ebs if eb.casefold() not in held]
    for eb in delivery.ebs:
        try:
            if eb in absent:
                raise RestoreRawMissing(
                    f"no raw data of {', '.join(absent)}",
                    evidence={"missing": absent, "delivered": sorted(map(raw.eb_of, delivery.raw))},
                )
            path = held[eb.casefold()]
            blocks.promises[eb] = asdm.read_promise(path)
            blocks.raw[eb] = path
        except DeliveryError as error:
            blocks.leave_out(context, eb, error)
    if not delivery.ebs:
        raise RestoreRawMissing("the delivery names no execution block")
    blocks.require_some(blocks.promises)
    return blocks


def link_raw(blocks: Blocks, member: Path) -> None:
    """Give a script the raw data that can be used, where and as it looks for them.

    Parameters
    ----------
    member
        The member directory in the farm of links.
    """
    folder = member / "raw"
    folder.mkdir(exist_ok=True)
    for eb, path in blocks.raw.items():
        (folder / f"{eb}{ASDM}").symlink_to(path)
