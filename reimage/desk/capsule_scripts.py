"""What delivered scripts, and the job that applies delivered tables, found when they began.

Scripts work in a farm of links to the delivery (`reimage.stages.scripts`): of it counts what was there
before they ran, which is what the delivery has, the raw data, and what fixes have changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reimage.desk import capsule_call
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_entry import Entry, Found, data, folder

MADE = "calibrated"
"""Directory that delivered scripts fill."""
RAW = "raw"
_FARM_DEPTH = 2
"""``restore/tree``"""


def script(call: Call) -> Found:
    """Return what a delivered script found: the farm of links as it was."""
    place = call.relative(str(call.inputs["script"]))
    if place is None:
        return Found(inputs=call.inputs, entries=())
    farm = Path(*place.parts[:_FARM_DEPTH])
    cwd = call.relative(str(call.inputs.get("cwd") or ""))
    entries = [*_farm(call, farm), *(_calibration(call, cwd) if cwd else ())]
    return Found(inputs=call.inputs, entries=tuple(entries))


def tables(call: Call) -> Found:
    """Return what the job that applies the pipeline's tables found; its working directory was empty."""
    told = call.inputs
    named = [*told["caltables"], told.get("script")]
    named += [eb[key] for eb in told["ebs"] for key in ("asdm", "flagversions", "calapply")]
    entries = [*folder(call, told["work"]), *(data(call, name, "read") for name in named if name)]
    return Found(inputs=told, entries=tuple(entries))


def _farm(call: Call, farm: Path) -> Iterator[Entry]:
    root = call.run_dir / farm
    delivered = _delivery(call)
    for place, folders, files in os.walk(root):
        here = Path(place)
        below = here.relative_to(root)
        linked = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in linked and (name != MADE or (delivered / below / name).exists())
        ]
        yield Entry(kind="folder", path=str(farm / below))
        for name in (*files, *linked):
            yield from _of_farm(call, farm / below / name, delivered / below / name)


def _of_farm(call: Call, path: Path, original: Path) -> Iterator[Entry]:
    """Yield a link and what it leads to; a file that took a delivered one's place is a fix's."""
    there = call.run_dir / path
    if not there.is_symlink():
        if original.exists():
            yield Entry(kind="copy", path=str(path))
        return
    source = data(call, str(there.parent / there.readlink()), "read")
    if source.path.startswith("fetch/") or path.parent.name == RAW:
        yield source
        yield Entry(kind="link", path=str(path), target=source.path)


def _delivery(call: Call) -> Path:
    chosen = capsule_call.chosen_of(call.run_dir)
    inside = call.relative(chosen.delivery.root) if chosen else None
    return call.run_dir / (inside or "fetch/delivery")


def _calibration(call: Call, cwd: Path) -> Iterator[Entry]:
    """Yield what `scripts.start_calibration` prepares: delivered tables, and the ASDM by its bare name."""
    top, eb = cwd.parent.parent, cwd.name.removesuffix(".calibration")
    yield Entry(kind="folder", path=str(cwd))
    packed = sorted((call.run_dir / top / "calibration").glob(f"*{eb}.calibration.t*gz"))
    for path in packed[:1]:
        inside = str(path.relative_to(call.run_dir))
        yield Entry(kind="unpack", path=inside, target=str(cwd.parent))
    yield Entry(kind="link", path=str(cwd / eb), target=str(top / RAW / f"{eb}.asdm.sdm"))
