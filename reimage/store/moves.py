"""The guarded statements that make and move runs.

Every change of state is one UPDATE that names the state it expects; who loses a race changes
nothing.  The values come from what stands on disk (`reimage.ingest`), so that a rebuilt database
has the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ScalarSelect, Update, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reimage.errors import StoreError
from reimage.model import Result, Stage, State
from reimage.run import Exit
from reimage.run import Run as FrozenRun
from reimage.store import runs, tallies
from reimage.store.columns import Moment
from reimage.store.run_tables import Attempt, Run


class RunLive(StoreError):
    """The dataset already has a run of this recipe that is not done."""

    code = "run-live"
    hint = "`reimage status` shows it; wait for its end, or cancel it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended: what `finish` writes."""

    result: Result
    error_class: str | None
    signature: str | None
    decisive: str | None
    caveats: tuple[str, ...]
    build: str | None
    stage: Stage | None
    products_planned: int
    products_made: int
    ended_at: datetime
    products_mitigated: int = 0
    """Of those made."""

    @classmethod
    def unjudged(cls, result: Result, error_class: str, reason: str, at: datetime) -> Self:
        """Return the end of a run that no attempt brought about."""
        return cls(
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


def insert_run(session: Session, run: FrozenRun, *, dataset_id: int, directory: str) -> int:
    """Insert a queued run; return its row's id.

    Raises
    ------
    RunLive
    """
    values = {
        "run": run.run,
        "dataset_id": dataset_id,
        "recipe": str(run.recipe["id"]),
        "recipe_digest": run.recipe_digest,
        "state": State.QUEUED,
        "casa_asked": run.casa,
        "category": run.category,
        "sweep": run.sweep,
        "retry_of": run.retry_of,
        "directory": directory,
        "attempt_no": 0,
        "priority": 0,
        "memory_mb": run.limits.memory_mb,
        "limit_s": run.limits.wall_s,
        "created_at": run.created_at,
        "products_planned": 0,
        "products_made": 0,
        "caveats": [],
        "log_offset": 0,
    }
    try:
        with session.begin_nested():
            session.execute(insert(Run).values(values))
    except IntegrityError as error:
        other = runs.live_run(session, run.holding, run.dataset, str(run.recipe["id"]))
        if other is None:
            raise
        raise RunLive(
            f"{run.dataset}: run {other.run} of {other.recipe} is {other.state}",
            evidence={"run": other.run, "state": other.state.value, "recipe": other.recipe},
        ) from error
    return runs.row_id(session, run.run)


def submit(session: Session, run_id: int, attempt: int, executor: str, at: datetime) -> bool:
    """Move a queued run to submitted, with a new attempt; False when it was not queued."""
    moved = _changed(
        session,
        update(Run)
        .where(Run.id == run_id, Run.state == State.QUEUED, Run.attempt_no == attempt - 1)
        .values(state=State.SUBMITTED, attempt_no=attempt, submitted_at=at),
    )
    if moved:
        session.connection().execute(
            insert(Attempt).values(
                run_id=run_id,
                attempt_no=attempt,
                executor=executor,
                submitted_at=at,
                journal_offset=0,
            )
        )
    return moved


def set_job(session: Session, run_id: int, attempt: int, job: str) -> bool:
    """Record the executor's name of an attempt."""
    key = (Attempt.run_id == run_id, Attempt.attempt_no == attempt)
    return _changed(session, update(Attempt).where(*key).values(job=job))


def start(session: Session, run_id: int, attempt: int, at: datetime) -> bool:
    """Move a submitted run to running: its runner was heard."""
    return _changed(
        session,
        update(Run)
        .where(Run.id == run_id, Run.state == State.SUBMITTED, Run.attempt_no == attempt)
        .values(
            state=State.RUNNING, started_at=func.coalesce(Run.started_at, literal(at, Moment()))
        ),
    )


def requeue(session: Session, run_id: int, attempt: int, wall_s: float) -> bool:
    """Put a run whose attempt ended back into the queue."""
    return _changed(
        session,
        update(Run)
        .where(
            Run.id == run_id,
            Run.state.in_((State.SUBMITTED, State.RUNNING)),
            Run.attempt_no == attempt,
        )
        .values(
            state=State.QUEUED,
            wall_s=func.coalesce(Run.wall_s, 0.0) + wall_s,
            **_OF_ATTEMPTS,
        ),
    )


def finish(session: Session, run_id: int, ending: Ending, wall_s: float) -> bool:
    """Move a run to done, once, and count it; its products and its attempts' ends stand before."""
    moved = _changed(
        session,
        update(Run)
        .where(Run.id == run_id, Run.state != State.DONE)
        .values(
            state=State.DONE,
            result=ending.result,
            error_class=ending.error_class,
            signature=ending.signature,
            decisive=ending.decisive,
            caveats=list(ending.caveats),
            build=func.coalesce(ending.build, Run.build),
            stage=ending.stage if ending.stage is not None else Run.stage,
            products_planned=ending.products_planned,
            products_made=ending.products_made,
            products_mitigated=ending.products_mitigated,
            ended_at=ending.ended_at,
            wall_s=func.coalesce(Run.wall_s, 0.0) + wall_s,
            **_OF_ATTEMPTS,
        ),
    )
    if moved:
        tallies.add_run(session, run_id)
    return moved


_LAST = (Attempt.run_id == Run.id, Attempt.attempt_no == Run.attempt_no)
_OF_ATTEMPTS: dict[str, ScalarSelect[Any]] = {
    "cpu_s": select(func.sum(Attempt.cpu_s)).where(Attempt.run_id == Run.id).scalar_subquery(),
    "host": select(Attempt.host).where(*_LAST).scalar_subquery(),
}
"""What a run has of its attempts: the seconds of all, the host of the last."""


def ask_cancel(session: Session, run_id: int, at: datetime) -> bool:
    """Note that the end of a run was asked for."""
    return _changed(
        session,
        update(Run).where(Run.id == run_id, Run.state != State.DONE).values(cancel_at=at),
    )


def follow(session: Session, run_id: int, stage: Stage | None, build: str | None) -> None:
    """Note the stage that a run is in, and the build that was chosen; None leaves what stands."""
    said = {"stage": stage, "build": build}
    values = {name: value for name, value in said.items() if value is not None}
    if values:
        there = (Run.id == run_id, Run.state != State.DONE)
        session.execute(update(Run).where(*there).values(values))


def set_log_offset(session: Session, run_id: int, before: int, after: int) -> bool:
    """Advance the offset of the controller's own journal; False when somebody else did."""
    return _changed(
        session,
        update(Run).where(Run.id == run_id, Run.log_offset == before).values(log_offset=after),
    )


def set_journal_offset(
    session: Session, run_id: int, attempt: int, before: int, after: int
) -> bool:
    """Advance the offset of an attempt's journal; False when somebody else did."""
    return _changed(
        session,
        update(Attempt)
        .where(
            Attempt.run_id == run_id,
            Attempt.attempt_no == attempt,
            Attempt.journal_offset == before,
        )
        .values(journal_offset=after),
    )


def end_attempt(session: Session, run_id: int, attempt: int, exit_: Exit | None) -> None:
    """Record how an attempt ended; None means that nothing says."""
    key = (Attempt.run_id == run_id, Attempt.attempt_no == attempt)
    if exit_ is None:
        session.execute(update(Attempt).where(*key).values(why="lost"))
        return
    session.execute(
        update(Attempt)
        .where(*key)
        .values(
            host=exit_.host,
            started_at=exit_.started_at,
            ended_at=exit_.ended_at,
            exit_code=exit_.exit_code,
            exit_signal=exit_.signal,
            why=exit_.why,
            wall_s=exit_.wall_s,
            cpu_s=exit_.cpu_s,
            casa_wall_s=exit_.casa_wall_s,
            peak_tree_mb=exit_.peak_tree_mb,
            peak_process_mb=exit_.peak_process_mb,
            oom_kills=exit_.oom_kills,
        )
    )


def _changed(session: Session, statement: Update) -> bool:
    """Execute a guarded statement; say whether it found its row."""
    return session.connection().execute(statement).rowcount == 1
