"""Restore: calibrated MSs, proven, one per execution block, with its data column.

Three ways, by what was delivered: run scriptForPI.py; apply the pipeline's tables without the
pipeline; take the calibrated MSs that are in the delivery.  The delivery itself is never written
to: scripts work in a farm of links.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Literal

from reimage.delivery import asdm
from reimage.errors import DeliveryError
from reimage.model import CalibratedMs, Calibration, Delivery, Stage
from reimage.stages import mend, restored
from reimage.stages.context import StageContext
from reimage.stages.values import ChooseValue, RestoreValue

SCRIPT_OPTIONS = {"SPACESAVING": 0, "DOSPLIT": True}
"""Always set: delivered copies differ in their defaults (archive pages on scriptForPI)."""

Method = Literal["scriptForPI", "tables", "delivered"]


class RestoreScriptMissing(DeliveryError):
    """A delivery that must be restored has no scriptForPI.py."""

    code = "restore-script-missing"
    hint = "The auxiliary tar is incomplete: fetch it again, or ask the archive."


class RestoreRawMissing(DeliveryError):
    """Raw data of an execution block that the calibration names were not delivered."""

    code = "restore-raw-missing"
    hint = "Fetch the missing ASDM; the archive lists what belongs to the dataset."


def run(context: StageContext) -> RestoreValue:
    """Restore every execution block and prove it.

    Raises
    ------
    RestoreScriptMissing, RestoreRawMissing, AsdmIncomplete, AsdmUnreadable
        What was delivered does not suffice.
    CasaJobFailed, CasaTimeout, CasaSilent
        CASA said so itself.
    RestoreNoMs, RestoreRowsMissing, RestoreNotCalibrated, RestoreAllFlagged
        CASA said nothing, and the proof failed.
    """
    chosen = context.value(Stage.CHOOSE, ChooseValue)
    work = context.work(Stage.RESTORE)
    for (
        left
    ) in work.iterdir():  # an attempt that was killed: importasdm and split refuse to overwrite
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    delivery = chosen.delivery
    promises = _promises(delivery)
    method: Method
    if delivery.calibration is Calibration.DELIVERED:
        method, where = "delivered", _take_delivered(delivery, work)
    elif delivery.calibration is Calibration.PIPELINE and context.build().pipeline is None:
        method, where = "tables", _apply_tables(context, delivery, work)
    else:
        method, where = "scriptForPI", _run_script(context, delivery, work)
    paths = restored.find(where, delivery.ebs)
    facts = _inspect(context, list(paths.values()), work / "inspect")
    mended = mend.measurement_sets(context, delivery, facts)
    if mended:
        facts = _inspect(context, list(paths.values()), work / "inspect-mended")
        mend.require_cured(context, delivery, facts)
    return RestoreValue(
        ms=tuple(
            _prove(eb, path, facts, promises, context.directory) for eb, path in paths.items()
        ),
        method=method,
        facts={
            str(Path(path).relative_to(context.directory)): fact for path, fact in facts.items()
        },
        caveats=("restored-without-pipeline",) if method == "tables" else (),
    )


def _promises(delivery: Delivery) -> dict[str, asdm.AsdmPromise]:
    """Count what each ASDM promises; importasdm would leave rows out in silence."""
    raw = {
        Path(name).name.removesuffix(".asdm.sdm"): Path(delivery.root) / name
        for name in delivery.raw
    }
    if delivery.calibration is Calibration.DELIVERED:
        return {}
    missing = [eb for eb in delivery.ebs if eb not in raw]
    if missing:
        raise RestoreRawMissing(
            f"no raw data of {', '.join(missing)}",
            evidence={"missing": missing, "delivered": sorted(raw)},
        )
    return {eb: asdm.read_promise(raw[eb]) for eb in delivery.ebs}


def _take_delivered(delivery: Delivery, work: Path) -> Path:
    """Copy calibrated MSs: CASA writes into an MS even when it only reads."""
    target = work / "calibrated"
    for name in delivery.calibrated:
        shutil.copytree(Path(delivery.root) / name, target / Path(name).name)
    return target


def _apply_tables(context: StageContext, delivery: Delivery, work: Path) -> Path:
    root, target = Path(delivery.root), work / "calibrated" / "working"
    target.mkdir(parents=True)

    def belonging(names: tuple[str, ...], eb: str) -> str:
        return next((str(root / name) for name in names if eb in name), "")

    context.run_job(
        "restore_tables",
        {
            "work": str(target),
            "caltables": [str(root / name) for name in delivery.caltables],
            "ebs": [
                {
                    "eb": eb,
                    "asdm": belonging(delivery.raw, eb),
                    "flagversions": belonging(delivery.flagversions, eb),
                    "calapply": belonging(delivery.calapply, eb),
                }
                for eb in delivery.ebs
            ],
        },
        work / "tables",
    )
    return work / "calibrated"


def _run_script(context: StageContext, delivery: Delivery, work: Path) -> Path:
    scripts = [name for name in delivery.scripts if name.endswith("scriptForPI.py")]
    if len(scripts) != 1:
        raise RestoreScriptMissing(
            f"{len(scripts)} scriptForPI.py in the delivery",
            evidence={"scripts": list(delivery.scripts)},
        )
    farm = work / "tree"
    _link_farm(Path(delivery.root), farm)
    mend.files(context, delivery, farm)
    context.run_job(
        "restore_script",
        {"script": str(farm / scripts[0]), "options": SCRIPT_OPTIONS},
        work / "script",
    )
    return farm / delivery.member / "calibrated"


def _link_farm(source: Path, target: Path) -> None:
    """Mirror a delivery: real directories, links to files.  ASDMs are linked whole."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        copy = target / path.name
        if path.is_dir() and not path.name.endswith(".asdm.sdm"):
            _link_farm(path, copy)
        else:
            copy.symlink_to(path)


def _inspect(context: StageContext, paths: list[Path], directory: Path) -> dict[str, Any]:
    return context.run_job("inspect_ms", {"ms": [str(path) for path in paths]}, directory)


def _prove(
    eb: str,
    path: Path,
    facts: dict[str, Any],
    promises: dict[str, asdm.AsdmPromise],
    run_directory: Path,
) -> CalibratedMs:
    promised = promises[eb].rows if eb in promises else None
    return CalibratedMs(
        eb=eb,
        path=str(path.relative_to(run_directory)),
        column=restored.prove(eb, path.name, facts[str(path)], promised),
        rows=facts[str(path)]["rows"],
        promised_rows=promised,
    )
