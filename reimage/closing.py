"""The end of an attempt: its evidence kept, judged by triage, and what is to follow decided.

Nothing here speaks to the database: the result is one line of ``controller.jsonl``, whole or absent,
which `reimage.ingest` turns into rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reimage import document, histories, remedies
from reimage.cases import Bounds
from reimage.errors import DocumentUnreadable
from reimage.imaging import memory
from reimage.ingest import Place, journal_path, own_outcome
from reimage.model import Result, Stage
from reimage.run import Exit, Outcome
from reimage.settings import Settings
from reimage.store.rows import EvidenceRow
from reimage.triage import evidence as evidences
from reimage.triage.catalogue import ErrorClass
from reimage.triage.judge import judge

MOST_MESSAGE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What judging needs besides the run directory."""

    classes: Sequence[ErrorClass]
    bounds: Bounds = field(default_factory=Bounds)


def bounds(settings: Settings) -> Bounds:
    """Return how far remedies go at a site whose runs execute on this machine."""
    machine_mb = memory.machine_mb()
    return Bounds(
        mode=settings.remedies,
        max_attempts=settings.max_attempts,
        max_interruptions=settings.max_interruptions,
        max_remedies=settings.max_remedies,
        memory_mb=min(settings.memory_most_mb or machine_mb, machine_mb),
        wall_s=settings.wall_most_s,
    )


def read_exit(directory: Path, attempt: int) -> Exit | None:
    """Return how an attempt's runner ended; None when its supervisor wrote nothing (yet)."""
    try:
        return document.read(Exit, directory / "attempts" / str(attempt) / "exit.json")
    except DocumentUnreadable:
        return None


def close(place: Place, attempt: int, policy: Policy, *, cancelled: bool) -> dict[str, Any]:
    """Return the facts of ``attempt.judged``; evidence is written into the run directory."""
    ended = read_exit(place.directory, attempt)
    outcome = own_outcome(place.directory, place.run, attempt)
    evidence = evidences.collect(place.directory, attempt, outcome, ended)
    judgement = judge(outcome, ended, evidence, policy.classes, cancelled=cancelled)
    case = histories.read_case(
        place.directory,
        evidence,
        attempt=attempt,
        result=judgement.result,
        error_class=judgement.error_class,
        family=judgement.family,
        remedy=judgement.remedy,
        fix=judgement.fix,
        cancelled=cancelled,
    )
    decision = remedies.decide(case, policy.bounds)
    failed = judgement.result is not Result.IMAGED
    kept = (_keep(place.directory, attempt, evidence),) if failed else ()
    fault = outcome.fault if outcome is not None else None
    return {
        "number": attempt,
        "exit": document.dump(ended) if ended is not None else None,
        "judgement": document.dump(judgement.kept()),
        "decision": document.dump(decision),
        "evidence": document.dump(kept),
        "journal_offset": _whole(journal_path(place.directory, attempt)),
        "stage": _last_stage(outcome, evidence.stage),
        "code": fault.code if fault is not None else None,
        "message": fault.message[:MOST_MESSAGE] if fault is not None else None,
    }


def _keep(directory: Path, attempt: int, evidence: evidences.Evidence) -> EvidenceRow:
    """Write the evidence of an attempt; return its record."""
    folder = directory / "evidence"
    folder.mkdir(exist_ok=True)
    path = folder / f"attempt-{attempt}.json"
    document.write(path, evidence)
    return EvidenceRow(
        attempt=attempt,
        kind="bundle",
        path=str(path.relative_to(directory)),
        n_bytes=path.stat().st_size,
        sha256=document.file_sha256(path),
        excerpt=evidences.excerpt(evidence),
    )


def _last_stage(outcome: Outcome | None, seen: Stage | None) -> str | None:
    stage = outcome.stage if outcome is not None and outcome.stage is not None else seen
    return stage.value if stage is not None else None


def _whole(path: Path) -> int:
    """Return the offset after the last whole line of a file."""
    try:
        return path.read_bytes().rfind(b"\n") + 1
    except FileNotFoundError:
        return 0
