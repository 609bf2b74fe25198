"""Stages of attempts, and fixes applied in them, as the journal tells."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from reimage.journal import Event
from reimage.model import Stage
from reimage.store.desk_tables import FixApplication
from reimage.store.run_tables import StageRecord, StageState


def begin(session: Session, run_id: int, stage: Stage, *, attempt: int, at: datetime) -> None:
    """Record that a stage began; a second beginning in one attempt changes nothing."""
    key = {"run_id": run_id, "attempt_no": attempt, "stage": stage}
    if session.get(StageRecord, key) is None:
        session.execute(insert(StageRecord).values(**key, state=StageState.BEGUN, started_at=at))


def end(
    session: Session,
    run_id: int,
    stage: Stage,
    state: StageState,
    *,
    attempt: int,
    at: datetime,
) -> None:
    """Record how a stage ended; a stage that never began (adopted, kept) begins and ends at once.

    What was adopted is found proven right after, and stays *adopted*.
    """
    begin(session, run_id, stage, attempt=attempt, at=at)
    key = (
        StageRecord.run_id == run_id,
        StageRecord.attempt_no == attempt,
        StageRecord.stage == stage,
    )
    started, before = session.execute(
        select(StageRecord.started_at, StageRecord.state).where(*key)
    ).one()
    if before is not StageState.BEGUN and state is StageState.KEPT:
        return
    session.execute(
        update(StageRecord)
        .where(*key)
        .values(state=state, ended_at=at, wall_s=(at - started).total_seconds())
    )


def fail_open(session: Session, run_id: int, attempt: int, at: datetime) -> None:
    """Record that the stages an attempt was in when it ended have failed."""
    statement = select(StageRecord.stage).where(
        StageRecord.run_id == run_id,
        StageRecord.attempt_no == attempt,
        StageRecord.state == StageState.BEGUN,
    )
    for stage in session.scalars(statement).all():
        end(session, run_id, stage, StageState.FAILED, attempt=attempt, at=at)


def add_fix(session: Session, run_id: int, fix: str, event: Event) -> None:
    """Record that a fix was applied."""
    session.execute(
        insert(FixApplication).values(
            run_id=run_id,
            attempt_no=event.attempt,
            seq=event.seq,
            fix=fix,
            applied_at=event.at,
            data=dict(event.data),
        )
    )
