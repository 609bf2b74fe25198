"""Applying fixes within a run: which ones, what they changed, and that twice is once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reimage import document, fix
from reimage.casa.imaging import ImagingCasaTooOld
from reimage.model import Delivery, Stage
from reimage.stages.context import StageContext


def files(context: StageContext, delivery: Delivery, farm: Path) -> tuple[str, ...]:
    """Patch delivered files in the link farm; the unified diff of each fix goes into the evidence.

    One fix sees what the fixes before it have made of the files.  A fix that is needed and would not be
    safe is left out, and the journal says why.

    Raises
    ------
    FixIneffective
        A fix still applies to what it has patched.
    """
    applied = []
    mended = _at(delivery, farm)
    for one in _before(context, Stage.RESTORE):
        why = one.applies(mended, {})
        if why is None or not _is_of_build(context, one):
            continue
        obstacles = one.obstacles(mended, {})
        if obstacles:
            context.emit("fix.refused", fix=one.id, because=why, obstacles=list(obstacles))
            continue
        changes = [c for c in one.apply(mended, {}) if isinstance(c, fix.FilePatch | fix.FileLink)]
        diffs = [_change(farm, change) for change in changes]
        evidence = _evidence(context, one)
        evidence.parent.mkdir(exist_ok=True)
        document.write_bytes(evidence, "".join(diffs).encode(errors="surrogateescape"))
        if one.applies(mended, {}) is not None:
            raise fix.FixIneffective(
                f"fix {one.id} changed nothing that matters", evidence={"fix": one.id}
            )
        context.emit(
            "fix.applied",
            fix=one.id,
            before="restore",
            because=why,
            changed=[change.path for change in changes],
            evidence=evidence.name,
        )
        applied.append(one.id)
    return tuple(applied)


def measurement_sets(
    context: StageContext, delivery: Delivery, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Carry out what fixes declare on MSs, in the build; return the ids of those applied."""
    applied = []
    facts = _with_imaging(context, facts)
    for one in _operating(context):
        why = one.applies(delivery, facts)
        if why is None:
            continue
        operations = [op for op in one.apply(delivery, facts) if isinstance(op, fix.MsOperation)]
        changes = context.run_job(
            "fix_ms",
            {"operations": document.dump(operations)},
            context.work(Stage.RESTORE) / f"fix-{one.id}",
        )
        context.emit("fix.applied", fix=one.id, before="image", because=why, changed=changes)
        applied.append(one.id)
    return tuple(applied)


def require_cured(context: StageContext, delivery: Delivery, facts: Mapping[str, Any]) -> None:
    """Demand that no MS fix applies any more to the MSs as they are now.

    Raises
    ------
    FixIneffective
    """
    facts = _with_imaging(context, facts)
    for one in _operating(context):
        why = one.applies(delivery, facts)
        if why is not None:
            raise fix.FixIneffective(
                f"fix {one.id} was applied and is still needed: {why}", evidence={"fix": one.id}
            )


def caveats(context: StageContext, delivery: Delivery, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what fixes have to tell of the delivery and its MSs.

    Those that were applied to files and are a caveat in themselves; and what those that only report
    say, which is told in the journal too.
    """
    applied = [one for one in _before(context, Stage.RESTORE) if _evidence(context, one).exists()]
    found = dict.fromkeys(one.caveat for one in applied if one.caveat)
    facts = _with_imaging(context, facts)
    for one in _before(context, Stage.IMAGE):
        why = one.applies(delivery, facts) if one.reports else None
        if why is None:
            continue
        reports = [r for r in one.apply(delivery, facts) if isinstance(r, fix.Report)]
        context.emit(
            "fix.reported",
            fix=one.id,
            because=why,
            reports=[{"caveat": str(r), "text": r.text} for r in reports],
        )
        found |= dict.fromkeys(map(str, reports))
    return tuple(found)


def _before(context: StageContext, stage: Stage) -> list[fix.Fix]:
    return [one for one in map(fix.frozen, context.run.fixes) if one.before is stage]


def _is_of_build(context: StageContext, one: fix.Fix) -> bool:
    """Whether a fix is for the Python of the build; one that tells none is of Python 3."""
    return not one.python or (context.build().python_version or "3").startswith(one.python)


def _evidence(context: StageContext, one: fix.Fix) -> Path:
    """Return where the diff of a fix of files is, once it was applied."""
    return context.directory / "evidence" / f"fix-{one.id}.diff"


def _operating(context: StageContext) -> list[fix.Fix]:
    return [one for one in _before(context, Stage.IMAGE) if not one.reports]


def _with_imaging(context: StageContext, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with the CASA that is going to image, where one is registered that can."""
    try:
        told = {"imaging_casa": context.imaging_build().version}
    except ImagingCasaTooOld:
        told = {}
    return {ms: {**fact, **told} for ms, fact in facts.items()}


def _change(farm: Path, change: fix.FilePatch | fix.FileLink) -> str:
    """Change the farm and return the diff; the delivery stays as it was handed over."""
    place = farm / change.path
    if isinstance(change, fix.FileLink):
        place.symlink_to((farm / change.target).resolve())
        return f"link {change.path} -> {change.target}\n"
    original = fix.decode(place.read_bytes())
    place.unlink()  # a link to the delivery, or what an earlier fix has written
    place.write_bytes(change.text.encode("utf-8", errors="surrogateescape"))
    lines = difflib.unified_diff(
        original.splitlines(keepends=True),
        change.text.splitlines(keepends=True),
        f"delivered/{change.path}",
        f"patched/{change.path}",
    )
    return "".join(lines)


def _at(delivery: Delivery, root: Path) -> Delivery:
    return document.load(Delivery, {**document.dump(delivery), "root": str(root)})
