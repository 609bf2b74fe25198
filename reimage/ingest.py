"""From disk to rows: the journals of a run, projected into the database.

Everything that the rows of a run say comes from files: ``run.json``, the controller's own
``controller.jsonl``, the attempts' ``journal.jsonl`` and ``outcome.json``.  The byte offset up to which
a file was read moves in the transaction of the rows, so that nothing is read twice or left out,
whoever is killed when; and `reimage.rebuild` finds the same rows by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from reimage import document, journal
from reimage.errors import DocumentUnreadable, StoreError
from reimage.journal import Event
from reimage.model import ProductState, Result, Stage
from reimage.run import Exit, Judgement, Outcome
from reimage.store import decisions, events, failures, moves, products, runs, stage_records
from reimage.store.failures import NewFailure
from reimage.store.moves import Ending
from reimage.store.rows import DecisionRow, EvidenceRow
from reimage.store.run_tables import StageState

LOG = "controller.jsonl"
_BOOKKEEPER = "controller"
_MADE = (ProductState.MADE, ProductState.MITIGATED)


class LogContradicts(StoreError):
    """A run's log tells of a change that its row does not allow."""

    code = "log-contradicts"
    hint = (
        "Two controllers wrote, or a row was changed by hand: `reimage db rebuild` starts afresh."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A run, in the database and on disk."""

    run: str
    run_id: int
    directory: Path


def journal_path(directory: Path, attempt: int) -> Path:
    """Return where an attempt's journal is."""
    return directory / "attempts" / str(attempt) / "journal.jsonl"


def has_grown(path: Path, offset: int) -> bool:
    """Whether a journal has grown since it was read up to an offset; asks no database."""
    try:
        return path.stat().st_size > offset
    except FileNotFoundError:
        return False


def ingest_journal(
    session: Session, place: Place, attempt: int, *, until: int | None = None
) -> tuple[Event, ...]:
    """Project what a runner has said since the last time; return the new events.

    ``until`` ends the reading at a byte offset: where it stood when the attempt was judged.
    """
    before = runs.journal_offset(session, place.run_id, attempt)
    found, after = _new(journal_path(place.directory, attempt), before, until)
    if after == before:
        return ()
    if not moves.set_journal_offset(session, place.run_id, attempt, before, after):
        raise LogContradicts(f"the journal of run {place.run} was read by somebody else")
    events.append(session, place.run_id, found)
    if before == 0:
        moves.start(session, place.run_id, attempt, found[0].at)
    for event in found:
        projection = _RUNNER.get(event.event)
        if projection is not None:
            projection(session, place, event)
    return found


def ingest_log(session: Session, place: Place) -> tuple[Event, ...]:
    """Project what the controller has said of a run since the last time; return the new events."""
    before = runs.log_offset(session, place.run)
    found, after = _new(place.directory / LOG, before, None)
    if after == before:
        return ()
    if not moves.set_log_offset(session, place.run_id, before, after):
        raise LogContradicts(f"the log of run {place.run} was read by somebody else")
    for event in found:
        if event.event == "attempt.judged":  # covers its journal up to a place
            ingest_journal(session, place, event.data["number"], until=event.data["journal_offset"])
        events.append(session, place.run_id, [event])
        projection = _CONTROLLER.get(event.event)
        if projection is not None:
            projection(session, place, event)
    return found


def own_outcome(directory: Path, run: str, attempt: int) -> Outcome | None:
    """Return an attempt's outcome; None when it wrote none (one of an earlier attempt may stand)."""
    try:
        outcome = document.read(Outcome, directory / "outcome.json")
    except DocumentUnreadable:
        return None
    return outcome if (outcome.run, outcome.attempt) == (run, attempt) else None


def _new(path: Path, before: int, until: int | None) -> tuple[tuple[Event, ...], int]:
    found: list[Event] = []
    after = before
    for event, offset in journal.read(path, before):
        if until is not None and offset > until:
            break
        found.append(event)
        after = offset
    return tuple(found), after


# --- what the runner says ------------------------------------------------------------------------


def _stage(event: Event) -> Stage | None:
    value = event.data.get("stage")
    return Stage(value) if value in set(Stage) else None


def _stage_started(session: Session, place: Place, event: Event) -> None:
    stage = _stage(event)
    if stage is not None:
        moves.set_stage(session, place.run_id, stage)
        stage_records.begin(session, place.run_id, stage, attempt=event.attempt, at=event.at)


def _stage_ended(state: StageState) -> Callable[[Session, Place, Event], None]:
    def project(session: Session, place: Place, event: Event) -> None:
        stage = _stage(event)
        if stage is not None:
            moves.set_stage(session, place.run_id, stage)
            stage_records.end(
                session, place.run_id, stage, state, attempt=event.attempt, at=event.at
            )

    return project


def _build_told(session: Session, place: Place, event: Event) -> None:
    if event.data.get("build"):
        moves.set_build(session, place.run_id, str(event.data["build"]))


def _fix_applied(session: Session, place: Place, event: Event) -> None:
    stage_records.add_fix(session, place.run_id, str(event.data.get("fix", "unnamed")), event)


_RUNNER: Mapping[str, Callable[[Session, Place, Event], None]] = {
    "stage.started": _stage_started,
    "stage.proven": _stage_ended(StageState.PROVEN),
    "stage.kept": _stage_ended(StageState.KEPT),
    "stage.adopted": _stage_ended(StageState.ADOPTED),
    "stage.failed": _stage_ended(StageState.FAILED),
    "casa.chosen": _build_told,
    "casa.started": _build_told,
    "fix.applied": _fix_applied,
}


# --- what the controller says ----------------------------------------------------------------------


def _require(done: bool, place: Place, event: Event) -> None:  # noqa: FBT001 -- reads as a sentence
    if not done:
        raise LogContradicts(
            f"run {place.run}: its row does not allow {event.event}",
            evidence={"run": place.run, "event": event.event, "seq": event.seq},
        )


def _submitting(session: Session, place: Place, event: Event) -> None:
    number, executor = event.data["number"], event.data["executor"]
    _require(moves.submit(session, place.run_id, number, executor, event.at), place, event)


def _submitted(session: Session, place: Place, event: Event) -> None:
    moves.set_job(session, place.run_id, event.data["number"], event.data["job"])


def _cancel_asked(session: Session, place: Place, event: Event) -> None:
    moves.ask_cancel(session, place.run_id, event.at)
    decisions.add(session, place.run_id, _decision(event, "cancel", event.data))


def _judged(session: Session, place: Place, event: Event) -> None:
    """Record an attempt's end, the judgement, what was decided, and perhaps the run's end."""
    data, number = event.data, event.data["number"]
    ended = document.load(Exit, data["exit"]) if data["exit"] is not None else None
    judgement = document.load(Judgement, data["judgement"])
    decision = data["decision"]
    moves.end_attempt(session, place.run_id, number, ended)
    failures.add_evidence(
        session, place.run_id, document.load(tuple[EvidenceRow, ...], data["evidence"])
    )
    if judgement.error_class is not None:
        stage_records.fail_open(session, place.run_id, number, event.at)
        failures.add(
            session,
            NewFailure(
                run_id=place.run_id,
                attempt=number,
                stage=_stage(event),
                judgement=judgement,
                code=data["code"],
                message=data["message"],
                failed_at=event.at,
                final=decision["kind"] != "retry",
            ),
        )
    decisions.add(session, place.run_id, _decision(event, decision["kind"], decision))
    wall_s = ended.wall_s if ended is not None else 0.0
    if decision["kind"] == "retry":
        _require(moves.requeue(session, place.run_id, number, wall_s), place, event)
        return
    outcome = own_outcome(place.directory, place.run, number)
    if outcome is not None:
        products.replace(session, place.run_id, outcome.products)
    ending = _ending(judgement, outcome, event)
    _require(moves.finish(session, place.run_id, ending, wall_s), place, event)


def _cancelled(session: Session, place: Place, event: Event) -> None:
    """End a run that has not begun."""
    decisions.add(session, place.run_id, _decision(event, "cancel", event.data))
    reason = str(event.data.get("reason") or "cancelled")
    ending = _unjudged(Result.CANCELLED, "cancelled", reason, event.at)
    _require(moves.finish(session, place.run_id, ending, 0.0), place, event)


def abandon(session: Session, place: Place, reason: str, at: datetime) -> None:
    """End a run of which nothing is left on disk: the one change that no log tells of."""
    row = DecisionRow(attempt=0, kind="end", reason=reason, author=_BOOKKEEPER, decided_at=at)
    decisions.add(session, place.run_id, row)
    moves.finish(session, place.run_id, _unjudged(Result.LOST, "lost", reason, at), 0.0)


def _unjudged(result: Result, error_class: str, reason: str, at: datetime) -> Ending:
    return Ending(
        result=result,
        error_class=error_class,
        signature=None,
        decisive=reason,
        caveats=(),
        build=None,
        stage=None,
        products_planned=0,
        products_made=0,
        ended_at=at,
    )


_CONTROLLER: Mapping[str, Callable[[Session, Place, Event], None]] = {
    "attempt.submitting": _submitting,
    "attempt.submitted": _submitted,
    "cancel.asked": _cancel_asked,
    "attempt.judged": _judged,
    "run.cancelled": _cancelled,
}


def _decision(event: Event, kind: str, data: Mapping[str, object]) -> DecisionRow:
    reason = data.get("reason")
    return DecisionRow(
        attempt=int(event.data.get("number", 0)),
        kind=kind,
        reason=None if reason is None else str(reason),
        author=str(data.get("author", _BOOKKEEPER)),
        decided_at=event.at,
    )


def _ending(judgement: Judgement, outcome: Outcome | None, event: Event) -> Ending:
    planned = [product for product in outcome.products if product.planned] if outcome else []
    return Ending(
        result=judgement.result,
        error_class=judgement.error_class,
        signature=judgement.signature,
        decisive=judgement.decisive,
        caveats=judgement.caveats,
        build=outcome.build if outcome is not None else None,
        stage=_stage(event),
        products_planned=len(planned),
        products_made=sum(product.state in _MADE for product in planned),
        ended_at=event.at,
    )
