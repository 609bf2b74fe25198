"""Failures: what ended attempts, and how it was judged (how often: `reimage.store.inbox`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, insert, select
from sqlalchemy.orm import Session, aliased

from reimage.model import Stage, State
from reimage.run import Judgement
from reimage.store.desk_tables import Classification, Evidence, Failure
from reimage.store.rows import ClassificationRow, EvidenceRow, FailureRow
from reimage.store.run_tables import Attempt, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFailure:
    """A failure to be recorded: the attempt's end and its first judgement."""

    run_id: int
    attempt: int
    stage: Stage | None
    judgement: Judgement
    code: str | None
    message: str | None
    failed_at: datetime
    final: bool
    build: str | None = None
    """What the run ended with, where that is told; else the build chosen by now."""


def add(session: Session, new: NewFailure) -> int:
    """Record a failure with its first classification; return its id."""
    judged = new.judgement
    if judged.error_class is None:
        raise ValueError("an imaged run has no failure")
    session.execute(
        insert(Failure).values(
            **_circumstances(session, new),
            run_id=new.run_id,
            attempt_no=new.attempt,
            stage=new.stage,
            result=judged.result,
            error_class=judged.error_class,
            signature=judged.signature,
            code=new.code,
            message=new.message,
            decisive=judged.decisive,
            failed_at=new.failed_at,
            is_final=new.final,
        )
    )
    key = (Failure.run_id == new.run_id, Failure.attempt_no == new.attempt)
    failure_id = session.scalars(select(Failure.id).where(*key)).one()
    session.execute(
        insert(Classification).values(
            failure_id=failure_id,
            error_class=judged.error_class,
            signature=judged.signature,
            author=judged.rule or "none",
            symptoms=list(judged.symptoms),
            judged_at=new.failed_at,
        )
    )
    return failure_id


def _circumstances(session: Session, new: NewFailure) -> dict[str, Any]:
    """Return what the run and the attempt say of a failure."""
    where = {"k_run": new.run_id, "k_attempt": new.attempt}
    row = session.connection().execute(_CIRCUMSTANCES, where).one()
    return {
        "dataset_id": row.dataset_id,
        "category": row.category,
        "recipe": row.recipe,
        "build": new.build or row.build,
        "host": row.host,
        "cpu_s": row.cpu_s,
        "n_blocked": row.n_blocked if new.final else 0,
    }


def add_evidence(session: Session, run_id: int, kept: Iterable[EvidenceRow]) -> None:
    """Record kept files."""
    rows = [
        {
            "run_id": run_id,
            "attempt_no": row.attempt,
            "kind": row.kind,
            "path": row.path,
            "n_bytes": row.n_bytes,
            "sha256": row.sha256,
            "excerpt": row.excerpt,
        }
        for row in kept
    ]
    if rows:
        session.execute(insert(Evidence), rows)


def of_run(session: Session, run: str) -> tuple[FailureRow, ...]:
    """Return a run's failures, one per attempt that failed."""
    statement = select(Failure).join(Run, Run.id == Failure.run_id).where(Run.run == run)
    return tuple(
        FailureRow(
            id=row.id,
            run=run,
            attempt=row.attempt_no,
            stage=row.stage,
            result=row.result,
            error_class=row.error_class,
            signature=row.signature,
            code=row.code,
            message=row.message,
            decisive=row.decisive,
            failed_at=row.failed_at,
            final=row.is_final,
        )
        for row in session.scalars(statement.order_by(Failure.attempt_no))
    )


def classifications(session: Session, run: str) -> tuple[ClassificationRow, ...]:
    """Return every judgement of a run's failures, oldest first."""
    statement = (
        select(Classification, Failure.attempt_no)
        .join(Failure, Failure.id == Classification.failure_id)
        .join(Run, Run.id == Failure.run_id)
        .where(Run.run == run)
        .order_by(Classification.id)
    )
    return tuple(
        ClassificationRow(
            attempt=attempt,
            error_class=row.error_class,
            signature=row.signature,
            author=row.author,
            reason=row.reason,
            symptoms=tuple(row.symptoms),
            judged_at=row.judged_at,
        )
        for row, attempt in session.execute(statement)
    )


def evidence(session: Session, run: str) -> tuple[EvidenceRow, ...]:
    """Return what is kept of a run's ends."""
    statement = select(Evidence).join(Run, Run.id == Evidence.run_id).where(Run.run == run)
    return tuple(
        EvidenceRow(
            attempt=row.attempt_no,
            kind=row.kind,
            path=row.path,
            n_bytes=row.n_bytes,
            sha256=row.sha256,
            excerpt=row.excerpt,
        )
        for row in session.scalars(statement.order_by(Evidence.attempt_no, Evidence.path))
    )


def _told() -> Select[Any]:
    """Select what a run and an attempt say, and whether the run blocks its dataset already."""
    newer = aliased(Run)
    is_newer = (newer.dataset_id == Run.dataset_id, newer.id > Run.id, newer.state == State.DONE)
    is_newest = and_(Run.state == State.DONE, ~select(newer.id).where(*is_newer).exists())
    of_attempt = and_(Attempt.run_id == Run.id, Attempt.attempt_no == bindparam("k_attempt"))
    return (
        select(
            *(Run.dataset_id, Run.category, Run.recipe, Run.build, Attempt.host, Attempt.cpu_s),
            case((is_newest, 1), else_=0).label("n_blocked"),
        )
        .join(Attempt, of_attempt, isouter=True)
        .where(Run.id == bindparam("k_run"))
    )


_CIRCUMSTANCES = _told()
