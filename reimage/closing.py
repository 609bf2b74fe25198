"""The end of an attempt: its evidence kept, judged by triage, and what is to follow decided.

Nothing here speaks to the database: the result is one line of ``controller.jsonl``, whole or absent,
which `reimage.ingest` turns into rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document, remedies
from reimage.errors import DocumentUnreadable
from reimage.ingest import Place, journal_path, own_outcome
from reimage.model import Result, Stage
from reimage.run import Exit, Outcome
from reimage.store.rows import EvidenceRow
from reimage.triage import evidence as evidences
from reimage.triage.catalogue import ErrorClass
from reimage.triage.judge import judge

MOST_MESSAGE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What judging needs besides the run directory."""

    classes: Sequence[ErrorClass]
    max_attempts: int


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
    decision = remedies.decide(
        judgement.result,
        judgement.error_class,
        judgement.remedy.value,
        attempt=attempt,
        max_attempts=policy.max_attempts,
        cancelled=cancelled,
    )
    failed = judgement.result is not Result.IMAGED
    kept = (_keep(place.directory, attempt, evidence),) if failed else ()
    fault = outcome.fault if outcome is not None else None
    return {
        "number": attempt,
        "exit": document.dump(ended) if ended is not None else None,
        "judgement": document.dump(judgement.kept()),
        "decision": {"kind": decision.kind, "reason": decision.reason},
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
