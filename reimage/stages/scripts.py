"""Delivered scripts: which of them run, whether the build's Python can, and how they are started.

Scripts work in a farm of links: the delivery itself is never written to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from reimage import fix
from reimage.delivery import port, python2, python3, raw, unpack
from reimage.errors import DeliveryError
from reimage.model import CasaBuild, Delivery
from reimage.stages import said
from reimage.stages.context import StageContext

SCRIPT_FOR_PI = "scriptForPI.py"
_CALIBRATE = re.compile(r"scriptForCalibration\.py$")
_RESTORE = re.compile(r"casa_piperestorescript\.py$")
_LATER = re.compile(r"scriptFor(?:FluxCalibration|PolCalibration|ImagingPrep)\.py$")


class RestoreScriptMissing(DeliveryError):
    """A delivery that must be restored has no script that does it, or several that would."""

    code = "restore-script-missing"
    hint = "The auxiliary tar is incomplete: fetch it again, or ask the archive."


class RestoreScriptUnreadable(DeliveryError):
    """A delivered script is no Python at all."""

    code = "restore-script-unreadable"
    hint = "The script is damaged: fetch the auxiliary tar again, then tell the archive."


class RestoreScriptPython2(DeliveryError):
    """A delivered script is Python 2 and the chosen build runs Python 3."""

    code = "restore-script-python-2"
    hint = "Register the CASA that the delivery states (before 6) and re-run with `--casa`."


class RestoreScriptPython3(DeliveryError):
    """A delivered script is Python 3 and the chosen build runs Python 2."""

    code = "restore-script-python-3"
    hint = "Re-run with `--casa` and the CASA 6 that the delivery states: this build is CASA 5 or older."


def for_pi(delivery: Delivery) -> str | None:
    """Return the delivery's scriptForPI, None where it has none.

    Raises
    ------
    RestoreScriptMissing
        It has several: nothing says which.
    """
    found = [name for name in delivery.scripts if name.endswith(SCRIPT_FOR_PI)]
    if len(found) > 1:
        raise RestoreScriptMissing(
            f"{len(found)} {SCRIPT_FOR_PI} in the delivery", evidence={"scripts": found}
        )
    return found[0] if found else None


def by_eb(delivery: Delivery) -> dict[str, str]:
    """Return each execution block's own calibration script.

    Raises
    ------
    RestoreScriptMissing
        No execution block has one.
    """
    named = [name for name in delivery.scripts if _CALIBRATE.search(name)]
    found = {
        eb: next((name for name in named if re.search(rf"{re.escape(eb)}\b", name)), None)
        for eb in delivery.ebs
    }
    if not any(found.values()):
        raise RestoreScriptMissing(
            f"no {SCRIPT_FOR_PI} and no scriptForCalibration.py of any execution block",
            evidence={"scripts": list(delivery.scripts)},
        )
    return {eb: name for eb, name in found.items() if name}


def require_runnable(
    delivery: Delivery, farm: Path, names: Collection[str], build: CasaBuild
) -> None:
    """Demand that the Python of a build can run the scripts, as they are after the fixes.

    Raises
    ------
    RestoreScriptPython2, RestoreScriptPython3, RestoreScriptUnreadable
    """
    is_python_2 = build.python_version.startswith("2")
    for name in names:
        text = fix.decode((farm / name).read_bytes())
        idioms = python2.find(text)
        if is_python_2:
            _require_python_2(text, name, build)
        elif idioms:
            first = idioms[0]
            raise RestoreScriptPython2(
                f"{Path(name).name} is Python 2 (line {first.line}: {first.what}), "
                f"CASA {build.version} runs Python 3",
                hint=f"{RestoreScriptPython2.hint} {port.advice(_texts(delivery, names))}",
                evidence={
                    "script": name,
                    "build": build.id,
                    "lines": [f"{one.line}: {one.what}: {one.text}" for one in idioms],
                },
            )
        why = python2.unreadable(text)
        if why is not None and not idioms:
            raise RestoreScriptUnreadable(
                f"{Path(name).name} cannot be read: {why}", evidence={"script": name, "why": why}
            )


def _texts(delivery: Delivery, names: Iterable[str]) -> dict[str, str]:
    """Return scripts as they were delivered: a fix of another issue may have put Python 3 into them."""
    return {name: fix.decode((Path(delivery.root) / name).read_bytes()) for name in names}


def _require_python_2(text: str, name: str, build: CasaBuild) -> None:
    idioms = python3.find(text)
    if idioms:
        first = idioms[0]
        raise RestoreScriptPython3(
            f"{Path(name).name} is Python 3 (line {first.line}: {first.what}), "
            f"CASA {build.version} runs Python 2",
            evidence={
                "script": name,
                "build": build.id,
                "lines": [f"{one.line}: {one.what}: {one.text}" for one in idioms],
            },
        )


def run_by_scriptforpi(delivery: Delivery) -> list[str]:
    """Return the scripts that scriptForPI executes, and itself."""
    calibrate = [name for name in delivery.scripts if _CALIBRATE.search(name)]
    restore = [name for name in delivery.scripts if _RESTORE.search(name)]
    later = [name for name in delivery.scripts if _LATER.search(name)]
    first = for_pi(delivery)
    return [*([first] if first else []), *(calibrate or restore), *later]


def link_farm(source: Path, target: Path) -> None:
    """Mirror a delivery: real directories, links to files; without raw data (`blocks.link_raw`)."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        copy = target / path.name
        if not path.is_dir():
            copy.symlink_to(path)
        elif not raw.is_raw(path):
            link_farm(path, copy)


def start_for_pi(
    context: StageContext, script: Path, options: dict[str, Any], job: Path, *, pipeline: bool
) -> said.Said:
    """Run scriptForPI, with the pipeline where it calls it, and return what it said."""
    context.run_script({"script": str(script), "options": options}, job, pipeline=pipeline)
    return said.read(job / "stdout.log")


def start_calibration(context: StageContext, top: Path, eb: str, script: Path, job: Path) -> None:
    """Run one execution block's scriptForCalibration as scriptForPI does, in a directory of its own.

    ``calibrated/<eb>.calibration`` holds the delivered tables and a link to the ASDM by its bare
    name; with ``applyonly`` the script applies the tables instead of solving for them.

    Parameters
    ----------
    top
        The member directory in the farm.
    """
    target = top / "calibrated" / f"{eb}.calibration"
    packed = sorted((top / "calibration").glob(f"*{eb}.calibration.t*gz"))
    (top / "calibrated").mkdir(exist_ok=True)
    if packed:
        unpack.unpack(packed[0], top / "calibrated")
    target.mkdir(exist_ok=True)
    (target / eb).symlink_to(top / "raw" / f"{eb}.asdm.sdm")
    context.run_script(
        {
            "script": str(script),
            "cwd": str(target),
            "options": {"applyonly": True, "mysteps": []},
        },
        job,
    )
