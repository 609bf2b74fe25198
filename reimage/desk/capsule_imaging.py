"""What the jobs that image found when they began, cut down to what failed.

Of the engine *tasks* one image is left of the plan, of the ALMA pipeline the steps up to the one that broke.
MSs are as the run left them: CASA writes into them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from reimage import document
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_entry import Entry, Found, data, folder
from reimage.errors import DocumentUnreadable
from reimage.imaging import records
from reimage.model import ProductState, Stage
from reimage.stages.context import PROVEN

SMALL_BYTES = 32 << 20
"""Records and facts are texts; what is larger is none."""


def image(call: Call) -> Found:
    """Return what a process that makes images found: one image, and the work that it builds on."""
    told, work = call.inputs, call.run_dir / Stage.IMAGE
    is_prepared = _is_prepared(work, told)
    plan = _plan(work)
    chosen = _failed(work, plan) or plan
    entries = [one for key in _FOLDERS for one in folder(call, told[key])]
    entries += _prepared(work) if is_prepared else _restored(call)
    if told.get("contfile"):
        entries.append(data(call, told["contfile"], "read"))
    texts = _records(work) if is_prepared else {}
    place = call.relative(told["plan"])
    texts |= {str(place): json.dumps({"images": chosen[:1], "workers": 1})} if place else {}
    return Found(
        inputs={**told, "worker": 0},
        entries=tuple(entries),
        texts=texts,
        cut=_told(plan, chosen, is_prepared=is_prepared),
        looked=(str(Path(Stage.IMAGE) / records.RECORDS),),
    )


def pipeline(call: Call) -> Found:
    """Return what a job that drives the ALMA pipeline found: the MSs, and steps up to the one that broke."""
    told = call.inputs
    broken = _broken(call, told)
    steps = told["steps"] if broken is None else told["steps"][:broken]
    cut = ["without a weblog: plots need a display of their own"] if told.get("display") else []
    if len(steps) < len(told["steps"]):
        cut.append(f"{len(steps)} of {len(told['steps'])} steps: the last of them failed")
    named = [data(call, one["path"], "copy") for one in told["ms"]]
    records_folder = list(folder(call, told["records"]))
    return Found(
        inputs={**told, "steps": steps, "weblog": False, "display": None},
        entries=(*named, *records_folder, *folder(call, told["root"])),
        cut=tuple(cut),
        looked=tuple(one.path for one in records_folder),
    )


_FOLDERS = ("claims", "records", "products", "scratch", "ms_directory")


def _told(plan: Sequence[Any], chosen: Sequence[Any], *, is_prepared: bool) -> tuple[str, ...]:
    if not plan:
        return ("there was no plan yet: it ends when the MSs are prepared",)
    begins = "from the prepared MSs" if is_prepared else "from the restored MSs"
    return (f"1 of {len(plan)} planned images, {begins}: {chosen[0]['id']}",)


def _is_prepared(work: Path, told: Mapping[str, Any]) -> bool:
    """Whether the facts are there that all images share, and the MSs that they are of."""
    kept = _json(work / "prepared.json")
    try:
        made = [Path(eb["ms"]).name for eb in kept["facts"]["ebs"]]
        return bool(kept["digest"] == told["digest"]) and all(
            (work / records.MS / name).exists() for name in made
        )
    except (KeyError, TypeError):
        return False


def _prepared(work: Path) -> list[Entry]:
    there = sorted((work / records.MS).iterdir())
    found = [Entry(kind="copy", path=str(Path(Stage.IMAGE, records.MS, one.name))) for one in there]
    if (work / records.PRODUCTS / "cont.dat").exists():
        found.append(Entry(kind="copy", path=str(Path(Stage.IMAGE, records.PRODUCTS, "cont.dat"))))
    return found


def _restored(call: Call) -> list[Entry]:
    found = []
    for one in call.inputs["prepare"]["ms"]:
        ms = data(call, one["path"], "copy")
        found.append(ms)
        beside = Path(ms.path.rsplit(".ms", 1)[0] + ".flagtargetstemplate.txt")
        if (call.run_dir / beside).exists():
            found.append(Entry(kind="read", path=str(beside)))
    return found


def _records(work: Path) -> dict[str, str]:
    """Return what is known of all images together; no record of an image."""
    paths = [work / "prepared.json"]
    paths += [
        path
        for path in sorted((work / records.RECORDS).glob("*.json"))
        if path.name.startswith(records.CONTINUUM)
    ]
    return {
        str(path.relative_to(work.parent)): path.read_text(encoding="utf-8")
        for path in paths
        if path.stat().st_size < SMALL_BYTES
    }


def _plan(work: Path) -> list[dict[str, Any]]:
    """Return the planned images as the job wants them: of the work under way, else as proven."""
    for path in sorted((work / "scratch").glob("claims-*.json"))[-1:]:
        images: list[dict[str, Any]] = _json(path).get("images", [])
        return images
    proven = _json(work / PROVEN).get("value", {}).get("plan", ())
    return [{**one, "record": f"{one['basename']}.json", "cost": 0} for one in proven]


def _failed(work: Path, plan: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the images that were tried and are absent; else those that were never finished."""
    kept = {one["id"]: _json(work / records.RECORDS / one["record"]) for one in plan}
    tried = [one for one in plan if not one.get("dropped")]
    absent = [one for one in tried if kept[one["id"]].get("state") == ProductState.ABSENT]
    claimed = {path.name for path in (work / "scratch").glob("claims-*/*")}
    dying = [one for one in tried if one["basename"] in claimed]
    return dying or absent or [one for one in tried if not kept[one["id"]]]


def _broken(call: Call, told: Mapping[str, Any]) -> int | None:
    """Return the number of the first step that failed, or in which the process died."""
    inside = call.relative(told["records"])
    for number, step in enumerate(told["steps"], 1) if inside else ():
        path = call.run_dir / str(inside) / f"{number:02d}-{step['id']}.json"
        if _json(path).get("state") not in ("done", None):
            return number
    underway = _json(call.run_dir / str(inside) / "underway.json").get("number")
    return int(underway) if underway else None


def _json(path: Path) -> dict[str, Any]:
    with suppress(DocumentUnreadable):
        kept = document.read_json(path)
        return kept if isinstance(kept, dict) else {}
    return {}
