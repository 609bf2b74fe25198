"""Restore: calibrated MSs, proven, one per execution block, with its data column.

By what was delivered: run scriptForPI.py, or the calibration scripts that it would run; apply the
pipeline's tables without the pipeline; take the calibrated MSs that are in the delivery.

An execution block that cannot be restored is left out and named, with its reason; the run goes on as
long as one is proven (ops/decisions, "Partial restores").
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document, fix
from reimage.errors import CasaError
from reimage.model import CalibratedMs, Delivery, Stage
from reimage.stages import blocks as execution_blocks
from reimage.stages import identify, mend, restored, ways
from reimage.stages.blocks import Blocks
from reimage.stages.context import StageContext
from reimage.stages.identify import Candidate
from reimage.stages.values import ChooseValue, RestoreValue

PARTIAL = "restored-partially"


def run(context: StageContext) -> RestoreValue:
    """Restore every execution block and prove it.

    Raises
    ------
    RestoreScriptMissing, RestoreScriptPython2, RestoreScriptUnreadable, RestoreRawMissing
    AsdmIncomplete, AsdmUnreadable
        What was delivered does not suffice.
    RestoreDiskShort
        There is no room; asked before anything is written.
    CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
        CASA said so itself.
    RestoreNoMs, RestoreRowsMissing, RestoreNotCalibrated, RestoreAllFlagged
        CASA said nothing, and the proof failed for every execution block.
    """
    delivery = context.value(Stage.CHOOSE, ChooseValue).delivery
    work = context.work(Stage.RESTORE)
    for (
        old
    ) in work.iterdir():  # an attempt that was killed: importasdm and split refuse to overwrite
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    blocks = execution_blocks.promised(context, delivery)
    left = ways.restore(context, delivery, blocks)
    chosen = _identify(context, delivery, blocks, left)
    facts = _inspect(context, left.where, chosen, work / "inspect")
    proven = _prove(context, left.where, chosen, facts, blocks)
    told = [caveat for one in proven for caveat in restored.caveats(one.eb, one.proof)]
    facts = _mended(context, delivery, left.where, facts, proven)
    return RestoreValue(
        ms=tuple(
            CalibratedMs(
                eb=one.eb,
                path=str(one.path.relative_to(context.directory)),
                column=one.proof.column,
                rows=facts[str(one.path)]["rows"],
                promised_rows=one.promised_rows,
                because=one.candidate.because,
            )
            for one in proven
        ),
        method=left.method,
        facts={
            str(Path(path).relative_to(context.directory)): fact for path, fact in facts.items()
        },
        missing={eb: error.message for eb, error in blocks.left_out.items()},
        caveats=(
            *(("restored-without-pipeline",) if left.method == "tables" else ()),
            *((f"{PARTIAL}:{','.join(sorted(blocks.left_out))}",) if blocks.left_out else ()),
            *told,
            *mend.caveats(context, delivery, facts),
        ),
    )


def _identify(
    context: StageContext, delivery: Delivery, blocks: Blocks, left: ways.Left
) -> tuple[Candidate, ...]:
    """Choose the one MS of each execution block; name those that have none.

    Raises
    ------
    RestoreNoMs
        No execution block has one.
    """
    names = identify.listing(left.where)
    ebs = tuple(blocks.promises) or delivery.ebs
    found = identify.identify(names, ebs, delivery.calibration)
    for one in found.chosen:
        context.emit("ms.chosen", eb=one.eb, ms=one.name, because=one.because, view=one.view.value)
    if found.passed_over:
        context.emit("ms.passed_over", ms=dict(found.passed_over))
    evidence = {
        "missing": list(found.missing),
        "there": list(names)[:30],
        "said": list(left.words.quoted),
    }
    for eb in found.missing:
        why = left.words.of(eb) or "nothing was said about it"
        error = restored.RestoreNoMs(f"no calibrated MS of {eb} ({why})", evidence=evidence)
        blocks.leave_out(context, eb, error)
    if not found.chosen:
        whose = ", ".join(found.missing) or "any execution block"
        raise restored.RestoreNoMs(f"no calibrated MS of {whose}", evidence=evidence)
    return found.chosen


def _inspect(
    context: StageContext, where: Path, chosen: Iterable[Candidate], directory: Path
) -> dict[str, Any]:
    """Look into the MSs, and into those that they were split from."""
    names = [name for one in chosen for name in (one.name, one.origin, one.imported) if name]
    paths = [str(where / name) for name in dict.fromkeys(names)]
    return context.run_job("inspect_ms", {"ms": paths}, directory)


@dataclass(frozen=True, kw_only=True)
class _Proven:
    """An MS that holds what it must."""

    candidate: Candidate
    path: Path
    promised_rows: int | None
    proof: restored.Proof

    @property
    def eb(self) -> str:
        return self.candidate.eb


def _prove(
    context: StageContext,
    where: Path,
    chosen: Iterable[Candidate],
    facts: Mapping[str, Any],
    blocks: Blocks,
) -> list[_Proven]:
    """Prove each MS; leave out what fails, as long as one holds."""
    proven = []
    for one in chosen:
        path = where / one.name
        promise = blocks.promises.get(one.eb)
        rows = promise.rows if promise else None
        origin = facts[str(where / one.origin)] if one.origin else None
        try:
            if promise and one.imported:
                restored.require_imported(one, facts[str(where / one.imported)], promise)
            proof = restored.prove(one, facts[str(path)], rows, origin)
        except CasaError as error:
            blocks.leave_out(context, one.eb, error)
        else:
            proven.append(_Proven(candidate=one, path=path, promised_rows=rows, proof=proof))
    blocks.require_some(proven)
    return proven


def _mended(
    context: StageContext,
    delivery: Delivery,
    where: Path,
    facts: Mapping[str, Any],
    proven: list[_Proven],
) -> dict[str, Any]:
    """Flag what is raw, apply fixes, and return the facts of the proven MSs as they are then."""
    known = {str(one.path): facts[str(one.path)] for one in proven}
    flagged = _flag_raw(context, proven)
    mended = mend.measurement_sets(context, delivery, known)
    if flagged or mended:
        directory = context.work(Stage.RESTORE) / "inspect-mended"
        again = _inspect(context, where, [one.candidate for one in proven], directory)
        known = {path: again[path] for path in known}
        for one in proven:
            restored.prove(one.candidate, known[str(one.path)], one.promised_rows)
    if mended:
        mend.require_cured(context, delivery, known)
    return known


def _flag_raw(context: StageContext, proven: Iterable[_Proven]) -> bool:
    """Flag spws that nothing was applied to: what is flagged is never imaged as if it were data."""
    operations = [
        fix.MsOperation(
            ms=str(one.path),
            kind="flagdata",
            arguments={
                "mode": "manual",
                "spw": ",".join(map(str, one.proof.uncalibrated)),
                "flagbackup": False,
            },
        )
        for one in proven
        if one.proof.uncalibrated
    ]
    if operations:
        directory = context.work(Stage.RESTORE) / "flag-uncalibrated"
        changes = context.run_job("fix_ms", {"operations": document.dump(operations)}, directory)
        context.emit("spw.flagged", because="nothing was applied to it", changed=changes)
    return bool(operations)
