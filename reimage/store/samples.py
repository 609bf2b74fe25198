"""What the audit of judgements reads: what there is to sample, and how the rules have done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from reimage.model import Result
from reimage.store.desk_tables import Audited, Classification, Failure
from reimage.store.run_tables import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """How often a class ended runs, and when last."""

    error_class: str
    runs: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSignature:
    """How many runs of a signature have one class."""

    signature: str
    error_class: str
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralJudged:
    """One of several judgements of one failure."""

    run: str
    attempt: int
    error_class: str
    author: str
    judged_at: datetime


def hits(session: Session) -> tuple[Hits, ...]:
    """Return what ended runs, by class; what was refused by rule is no failure."""
    statement = (
        select(Failure.error_class, func.count(Failure.id), func.max(Failure.failed_at))
        .where(Failure.is_final == true(), Failure.result != Result.REFUSED)
        .group_by(Failure.error_class)
        .order_by(Failure.error_class)
    )
    return tuple(
        Hits(error_class=name, runs=n, last_at=last) for name, n, last in session.execute(statement)
    )


def never_audited(session: Session, error_class: str) -> tuple[int, ...]:
    """Return the ids of the failures of a class that ended runs and that nobody has audited as such."""
    audited = select(Audited.id).where(
        Audited.failure_id == Failure.id, Audited.error_class == Failure.error_class
    )
    statement = select(Failure.id).where(
        Failure.error_class == error_class,
        Failure.is_final == true(),
        Failure.result != Result.REFUSED,
        ~audited.exists(),
    )
    return tuple(session.scalars(statement.order_by(Failure.id)))


def shared_signatures(session: Session) -> Iterator[SharedSignature]:
    """Yield how many runs each signature has in each class."""
    statement = (
        select(Failure.signature, Failure.error_class, func.count(Failure.id))
        .where(Failure.is_final == true(), Failure.signature.is_not(None))
        .group_by(Failure.signature, Failure.error_class)
        .order_by(Failure.signature)
    )
    for signature, error_class, n in session.execute(statement):
        yield SharedSignature(signature=str(signature), error_class=error_class, runs=n)


def judged_again(session: Session) -> Iterator[SeveralJudged]:
    """Yield the judgements of failures that have more than one, failure by failure, oldest first."""
    several = (
        select(Classification.failure_id)
        .group_by(Classification.failure_id)
        .having(func.count(Classification.id) > 1)
    )
    statement = (
        select(Classification, Run.run, Failure.attempt_no)
        .join(Failure, Failure.id == Classification.failure_id)
        .join(Run, Run.id == Failure.run_id)
        .where(Classification.failure_id.in_(several))
        .order_by(Classification.failure_id, Classification.id)
    )
    for row, run, attempt in session.execute(statement.execution_options(yield_per=1000)):
        yield SeveralJudged(
            run=run,
            attempt=attempt,
            error_class=row.error_class,
            author=row.author,
            judged_at=row.judged_at,
        )
