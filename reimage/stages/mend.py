"""Applying fixes within a run: which ones, what they changed, and that twice is once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reimage import document, fix
from reimage.model import Delivery, Stage
from reimage.stages.context import StageContext


def files(context: StageContext, delivery: Delivery, farm: Path) -> tuple[str, ...]:
    """Patch delivered files in the link farm; the unified diff of each fix goes into the evidence.

    Raises
    ------
    FixIneffective
        A fix still applies to what it has patched.
    """
    applied = []
    for one in _before(context, Stage.RESTORE):
        why = one.applies(delivery, {})
        if why is None:
            continue
        patches = [p for p in one.apply(delivery, {}) if isinstance(p, fix.FilePatch)]
        diffs = [_patch(delivery, farm, patch) for patch in patches]
        name = f"fix-{one.id}.diff"
        evidence = context.directory / "evidence"
        evidence.mkdir(exist_ok=True)
        document.write_bytes(evidence / name, "".join(diffs).encode())
        patched = _at(delivery, farm)
        if one.applies(patched, {}) is not None:
            raise fix.FixIneffective(
                f"fix {one.id} changed nothing that matters", evidence={"fix": one.id}
            )
        context.emit(
            "fix.applied",
            fix=one.id,
            before="restore",
            because=why,
            changed=[p.path for p in patches],
            evidence=name,
        )
        applied.append(one.id)
    return tuple(applied)


def measurement_sets(
    context: StageContext, delivery: Delivery, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Carry out what fixes declare on MSs, in the build; return the ids of those applied."""
    applied = []
    for one in _before(context, Stage.IMAGE):
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
    for one in _before(context, Stage.IMAGE):
        why = one.applies(delivery, facts)
        if why is not None:
            raise fix.FixIneffective(
                f"fix {one.id} was applied and is still needed: {why}", evidence={"fix": one.id}
            )


def _before(context: StageContext, stage: Stage) -> list[fix.Fix]:
    return [one for one in map(fix.frozen, context.run.fixes) if one.before is stage]


def _patch(delivery: Delivery, farm: Path, patch: fix.FilePatch) -> str:
    original = (Path(delivery.root) / patch.path).read_text(errors="surrogateescape")
    target = farm / patch.path
    target.unlink()  # a link to the delivery, which stays as it was handed over
    target.write_text(patch.text, errors="surrogateescape")
    return fix.difference(patch.path, original, patch.text)


def _at(delivery: Delivery, root: Path) -> Delivery:
    return document.load(Delivery, {**document.dump(delivery), "root": str(root)})
