"""The ways to restore: by what was delivered, and by what the build can.

The delivery itself is never written to: scripts work in a farm of links, MSs are copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reimage import document
from reimage.archive import kept
from reimage.delivery import layout, paperwork
from reimage.model import Calibration, Delivery, Stage
from reimage.stages import blocks as execution_blocks
from reimage.stages import identify, mend, room, said, scripts
from reimage.stages.blocks import Blocks
from reimage.stages.context import StageContext

RESTORE = "casa_piperestorescript.py"
Method = Literal["scriptForPI", "scripts", "tables", "delivered"]


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a way of restoring left, and where."""

    method: Method
    where: Path
    words: said.Said = field(default_factory=said.Said)
    """What scriptForPI said of itself."""


def restore(context: StageContext, delivery: Delivery, blocks: Blocks) -> Left:
    """Restore what is promised, and return where it is; what came of it is for the proof to say.

    Raises
    ------
    RestoreScriptMissing, RestoreScriptPython2, RestoreScriptPython3, RestoreScriptUnreadable
    RestoreDiskShort, CasaForJobsMissing
    CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
    """
    work = context.work(Stage.RESTORE)
    if delivery.calibration is Calibration.DELIVERED:
        return _take_delivered(context, delivery, work)
    script = scripts.for_pi(delivery)
    if delivery.calibration is Calibration.PIPELINE and (
        context.build().pipeline is None or script is None
    ):
        return _apply_tables(context, delivery, blocks, work)
    farm = work / "tree"
    scripts.link_farm(Path(delivery.root), farm)
    execution_blocks.link_raw(blocks, farm / delivery.member)
    mend.files(context, delivery, farm)
    if script is None:
        return _run_calibrations(context, delivery, blocks, farm)
    names = scripts.run_by_scriptforpi(delivery)
    scripts.require_runnable(delivery, farm, names, context.build())
    raw = _raw_bytes(blocks)
    needed = _room(context, work, lambda free: room.for_script(raw, free, delivery.scripts))
    # always set: delivered copies differ in their defaults
    options = {"SPACESAVING": needed.spacesaving, "DOSPLIT": True}
    calls_pipeline = delivery.calibration is Calibration.PIPELINE
    words = scripts.start_for_pi(
        context, farm / script, options, work / "script", pipeline=calls_pipeline
    )
    where = farm / delivery.member / "calibrated"
    return Left(method="scriptForPI", where=where, words=words)


def _take_delivered(context: StageContext, delivery: Delivery, work: Path) -> Left:
    """Copy calibrated MSs: CASA writes into an MS even when it only reads."""
    names = [Path(name).name for name in delivery.calibrated]
    if len(set(names)) < len(names):
        raise layout.DeliveryAmbiguous(
            "calibrated MSs of one name in several directories",
            hint="Only one MS of each name can be taken: tell the archive, or take the raw data.",
            evidence={"calibrated": list(delivery.calibrated)},
        )
    found = identify.identify(names, delivery.ebs, delivery.calibration)
    wanted = {one.name for one in found.chosen}
    sources = [Path(delivery.root) / name for name in delivery.calibrated]
    sources = [path for path in sources if path.name in wanted] or sources
    calibrated = sum(map(room.size, sources))
    _room(context, work, lambda free: room.for_copies(calibrated, free))
    target = work / "calibrated"
    for path in sources:
        shutil.copytree(path, target / path.name)
    return Left(method="delivered", where=target)


def _apply_tables(context: StageContext, delivery: Delivery, blocks: Blocks, work: Path) -> Left:
    raw = _raw_bytes(blocks)
    _room(context, work, lambda free: room.for_tables(raw, free))
    root, target = Path(delivery.root), work / "calibrated" / identify.WORKING
    target.mkdir(parents=True)

    def belonging(names: tuple[str, ...], eb: str) -> str:
        return next((str(root / name) for name in names if paperwork.eb_of(name) == eb), "")

    context.run_job(
        "restore_tables",
        {
            "work": str(target),
            "caltables": [str(root / name) for name in delivery.caltables],
            "script": next((str(root / n) for n in delivery.scripts if n.endswith(RESTORE)), None),
            "ebs": [
                {
                    "eb": eb,
                    "asdm": str(blocks.raw[eb]),
                    "flagversions": belonging(delivery.flagversions, eb),
                    "calapply": belonging(delivery.calapply, eb),
                }
                for eb in blocks.promises
            ],
        },
        work / "tables",
    )
    return Left(method="tables", where=work / "calibrated")


def _run_calibrations(
    context: StageContext, delivery: Delivery, blocks: Blocks, farm: Path
) -> Left:
    """Run the calibration script of each execution block, where no scriptForPI does it."""
    named = scripts.by_eb(delivery)
    scripts.require_runnable(delivery, farm, named.values(), context.build())
    raw = _raw_bytes(blocks)
    _room(context, farm, lambda free: room.for_script(raw, free, ()))
    for eb in blocks.promises:
        if eb in named:
            job = farm.parent / f"script-{eb}"
            scripts.start_calibration(context, farm / delivery.member, eb, farm / named[eb], job)
    return Left(method="scripts", where=farm / delivery.member / "calibrated")


def _raw_bytes(blocks: Blocks) -> int:
    return sum(map(room.size, blocks.raw.values()))


def _room(context: StageContext, place: Path, ask: Callable[[int], room.Room]) -> room.Room:
    """Ask for room; where there is too little, what only the cache of fetched files needs goes first.

    Raises
    ------
    RestoreDiskShort
    """
    reclaimed = 0
    try:
        needed = ask(_free(place))
    except room.RestoreDiskShort as short:
        lacking = short.evidence["needed_bytes"] - short.evidence["free_bytes"]
        reclaimed = kept.make_room(place, context.run.transfer, lacking)
        if not reclaimed:
            raise
        needed = ask(_free(place))
    context.emit("restore.room", **document.dump(needed), reclaimed=reclaimed)
    return needed


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free
