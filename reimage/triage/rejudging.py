"""Judge a failure again, from the evidence that was kept and the result that was recorded.

The run directory's working files may be gone, and ``outcome.json`` is the last attempt's; what a
judgement needs of the outcome follows from the evidence and the recorded result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reimage import SCHEMA_VERSION, document
from reimage.errors import DocumentUnreadable
from reimage.model import Product, ProductState, Result
from reimage.run import Judgement, Outcome
from reimage.triage.catalogue import ErrorClass
from reimage.triage.evidence import Evidence
from reimage.triage.judge import Judged, judge

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A failure as it was kept: the evidence's file and what was recorded beside it."""

    path: Path
    result: Result = Result.FAILED
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """Evidence that cannot be read, and why."""

    reason: str


def read(path: Path) -> Evidence:
    """Read the evidence of one attempt.

    Raises
    ------
    DocumentUnreadable
        It is absent, torn, no evidence, or of a newer reimage.
    """
    data = document.read_json(path)
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        raise DocumentUnreadable(
            f"{path} is of a newer reimage: schema {schema}",
            hint="Upgrade reimage to judge it.",
            evidence={"origin": str(path), "schema": schema},
        )
    return document.load(Evidence, data, origin=str(path))


def rejudge(
    evidence: Evidence, result: Result, caveats: tuple[str, ...], classes: Iterable[ErrorClass]
) -> Judged:
    """Return today's judgement of an attempt that was once judged to have ended in ``result``."""
    return judge(
        outcome_of(evidence, result, caveats),
        evidence.exit,
        evidence,
        classes,
        cancelled=result is Result.CANCELLED,
    )


def of_files(stored: Iterable[Stored], classes: Sequence[ErrorClass]) -> list[Judgement | Unjudged]:
    """Judge stored failures again, in their order."""
    known = tuple(classes)
    return [_of_file(one, known) for one in stored]


def _of_file(stored: Stored, classes: tuple[ErrorClass, ...]) -> Judgement | Unjudged:
    try:
        evidence = read(stored.path)
    except DocumentUnreadable as error:
        return Unjudged(reason=error.message)
    return rejudge(evidence, stored.result, stored.caveats, classes).kept()


def outcome_of(evidence: Evidence, result: Result, caveats: tuple[str, ...]) -> Outcome | None:
    """Return what the runner must have written, as far as a judge asks; None when it wrote nothing."""
    if evidence.fault is None and not _finished(evidence, result):
        return None
    return Outcome(
        run=evidence.run,
        attempt=evidence.attempt,
        stage=evidence.stage,
        finished=evidence.fault is None,
        refused=result is Result.REFUSED,
        fault=evidence.fault,
        caveats=caveats,
        products=_products(evidence),
        ended_at=_LONG_AGO,
    )


def _finished(evidence: Evidence, result: Result) -> bool:
    """Whether the runner came to its end and only the plan was not met."""
    ended = evidence.exit
    well = ended is not None and ended.why == "exit" and ended.exit_code == 0
    return result is Result.PARTIAL or (
        result is Result.FAILED and (evidence.n_planned > 0 or well)
    )


def _products(evidence: Evidence) -> tuple[Product, ...]:
    """Return one planned product for each way in which planned ones ended: a judge asks no more."""
    states = [ProductState.MADE] * bool(evidence.n_made)
    states += [ProductState.ABSENT] * (evidence.n_planned > evidence.n_made)
    return tuple(
        Product(name=state, kind="image", image="", target="", spws="", specmode="", state=state)
        for state in states
    )
