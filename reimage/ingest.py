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
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from reimage import document, journal, log
from reimage.errors import DocumentUnreadable, StoreError
from reimage.journal import Event
from reimage.model import ProductState, Result, Stage
from reimage.run import Exit, Judgement, Outcome
from reimage.store import decisions, events, failures, moves, products, runs, stage_records
from reimage.store.failures import NewFailure
from reimage.store.moves import Ending
from reimage.store.rows import DecisionRow, EvidenceRow
from reimage.store.run_tables import StageState
from reimage.store.stage_records import Change

LOG = "controller.jsonl"
_MADE = (ProductState.MADE, ProductState.MITIGATED)


class LogContradicts(StoreError):
    """A run's log tells of a change that its row does not allow."""

    code = "log-contradicts"
    hint = (
        "Two controllers wrote, or a row was changed by hand: `reimage db rebuild` starts afresh."
    )


class LogUnreadable(StoreError):
    """A line of a run's log is an event, and does not say what such an event must."""

    code = "log-unreadable"
    hint = (
        "It was written by hand, or by another program: mend controller.jsonl in the run directory."
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
    last = events.last_seq(session, place.run_id, attempt) if before else 0
    path = journal_path(place.directory, attempt)
    found, after = journal.read_new(
        path,
        before,
        until=until,
        attempt=attempt,
        last=last,
        passed_over=log.line_passed_over(path),
    )
    if after == before:
        return ()
    if not moves.set_journal_offset(session, place.run_id, attempt, before, after):
        raise LogContradicts(f"the journal of run {place.run} was read by somebody else")
    events.append(session, place.run_id, found)
    if found and last == 0:
        moves.start(session, place.run_id, attempt, found[0].at)
    _project(session, place, attempt, found)
    return found


def ingest_log(session: Session, place: Place) -> tuple[Event, ...]:
    """Project what the controller has said of a run since the last time; return the new events."""
    before = runs.log_offset(session, place.run)
    last = events.last_seq(session, place.run_id, 0) if before else 0
    path = place.directory / LOG
    pass_over = log.line_passed_over(path)
    found, after = journal.read_new(path, before, attempt=0, last=last, passed_over=pass_over)
    if after == before:
        return ()
    if not moves.set_log_offset(session, place.run_id, before, after):
        raise LogContradicts(f"the log of run {place.run} was read by somebody else")
    for event in found:
        try:
            _take_in(session, place, event)
        except (KeyError, TypeError, ValueError) as error:
            raise LogUnreadable(
                f"run {place.run}: its log's line {event.seq} ({event.event}) lacks what it must say",
                evidence={"run": place.run, "seq": event.seq, "message": repr(error)},
            ) from error
    return found


def _take_in(session: Session, place: Place, event: Event) -> None:
    if event.event == "attempt.judged":  # covers its journal up to a place
        ingest_journal(session, place, event.data["number"], until=event.data["journal_offset"])
    events.append(session, place.run_id, [event])
    projection = _CONTROLLER.get(event.event)
    if projection is not None:
        projection(session, place, event)


def own_outcome(directory: Path, run: str, attempt: int) -> Outcome | None:
    """Return an attempt's outcome; None when it wrote none (one of an earlier attempt may stand)."""
    try:
        outcome = document.read(Outcome, directory / "outcome.json")
    except DocumentUnreadable:
        return None
    return outcome if (outcome.run, outcome.attempt) == (run, attempt) else None


# --- what the runner says ------------------------------------------------------------------------


def _stage(event: Event) -> Stage | None:
    value = event.data.get("stage")
    return Stage(value) if value in set(Stage) else None


def _project(session: Session, place: Place, attempt: int, found: tuple[Event, ...]) -> None:
    """Make rows of what a runner said: few statements, however much it was."""
    told = [
        (stage, event) for event in found if (stage := _stage(event)) and event.event in _STAGES
    ]
    changes = [Change(stage, _STAGES[event.event], event.at) for stage, event in told]
    if changes:
        stage_records.follow(session, place.run_id, attempt, changes)
    builds = [str(e.data["build"]) for e in found if e.event in _BUILDS and e.data.get("build")]
    moves.follow(
        session,
        place.run_id,
        changes[-1].stage if changes else None,
        builds[-1] if builds else None,
    )
    for event in found:
        if event.event == "fix.applied":
            fix = str(event.data.get("fix", "unnamed"))
            stage_records.add_fix(session, place.run_id, fix, event)


_STAGES: Mapping[str, StageState] = {
    "stage.started": StageState.BEGUN,
    "stage.proven": StageState.PROVEN,
    "stage.kept": StageState.KEPT,
    "stage.adopted": StageState.ADOPTED,
    "stage.failed": StageState.FAILED,
}
_BUILDS = ("casa.chosen", "casa.started")


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
    decisions.record(session, place.run_id, event, "cancel", event.data)


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
    is_final = decision["kind"] != "retry"
    outcome = own_outcome(place.directory, place.run, number) if is_final else None
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
                final=is_final,
                build=outcome.build if outcome is not None else None,
            ),
        )
    decisions.record(session, place.run_id, event, decision["kind"], decision)
    wall_s = ended.wall_s if ended is not None else 0.0
    if not is_final:
        _require(moves.requeue(session, place.run_id, number, wall_s), place, event)
        return
    if outcome is not None:
        products.replace(session, place.run_id, outcome.products)
    ending = _ending(judgement, outcome, event)
    _require(moves.finish(session, place.run_id, ending, wall_s), place, event)


def _cancelled(session: Session, place: Place, event: Event) -> None:
    """End a run that has not begun."""
    decisions.record(session, place.run_id, event, "cancel", event.data)
    reason = str(event.data.get("reason") or "cancelled")
    ending = Ending.unjudged(Result.CANCELLED, "cancelled", reason, event.at)
    _require(moves.finish(session, place.run_id, ending, 0.0), place, event)


def abandon(session: Session, place: Place, reason: str, at: datetime) -> None:
    """End a run of which nothing is left on disk: the one change that no log tells of."""
    row = DecisionRow(
        attempt=0, kind="end", reason=reason, author=decisions.CONTROLLER, decided_at=at
    )
    decisions.add(session, place.run_id, row)
    moves.finish(session, place.run_id, Ending.unjudged(Result.LOST, "lost", reason, at), 0.0)


def _decided(kind: str, session: Session, place: Place, event: Event) -> None:
    decisions.record(session, place.run_id, event, kind, event.data)


_CONTROLLER: Mapping[str, Callable[[Session, Place, Event], None]] = {
    "run.follows": partial(_decided, "remedy"),
    "remedy.refused": partial(_decided, decisions.REFUSED),
    "attempt.submitting": _submitting,
    "attempt.submitted": _submitted,
    "cancel.asked": _cancel_asked,
    "attempt.judged": _judged,
    "run.cancelled": _cancelled,
}


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
        products_mitigated=sum(product.state is ProductState.MITIGATED for product in planned),
        ended_at=event.at,
    )
