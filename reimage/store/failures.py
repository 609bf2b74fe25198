"""Failures: what ended attempts, how it was judged, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Select, func, insert, select, true
from sqlalchemy.orm import Session, aliased

from reimage.errors import UsageError
from reimage.model import Result, Stage, State
from reimage.run import Judgement
from reimage.store.desk_tables import Classification, ErrorClass, Evidence, Failure
from reimage.store.holdings_tables import Dataset
from reimage.store.rows import ClassificationRow, EvidenceRow, FailureGroup, FailureRow
from reimage.store.run_tables import Run

By: TypeAlias = Literal["class", "signature", "category", "casa", "stage"]

_KEYS: dict[str, Any] = {
    "class": Failure.error_class,
    "signature": Failure.signature,
    "category": Run.category,
    "casa": Run.build,
    "stage": Failure.stage,
}


class GroupingUnknown(UsageError):
    """Failures are not grouped by this."""

    code = "grouping-unknown"
    hint = "One of class, signature, category, casa, stage."


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


def add(session: Session, new: NewFailure) -> int:
    """Record a failure with its first classification; return its id."""
    judged = new.judgement
    if judged.error_class is None:
        raise ValueError("an imaged run has no failure")
    session.execute(
        insert(Failure).values(
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


def groups(
    session: Session,
    by: By = "class",
    *,
    sweep: str | None = None,
    since: datetime | None = None,
    refused: bool = False,
) -> tuple[FailureGroup, ...]:
    """Return how runs failed, the group that blocks most datasets first.

    Counts final failures: an attempt that was followed by another is not the dataset's problem.
    ``refused`` adds what is not applicable by rule, which is no failure.
    """
    if by not in _KEYS:
        raise GroupingUnknown(f"failures are not grouped by {by!r}")
    key = _KEYS[by]
    chosen = _Choice(sweep=sweep, since=since, refused=refused)
    counted = session.execute(
        chosen.of(
            key,
            Failure.result,
            func.count(Run.id.distinct()),
            func.min(Failure.failed_at),
            func.max(Failure.failed_at),
            func.max(Run.id),
        )
    ).all()
    blocking = chosen.of(key, Failure.result, func.count(Run.dataset_id.distinct()))
    datasets = {(k, result): n for k, result, n in session.execute(blocking.where(_is_latest()))}
    examples = _names(session, [newest for *_, newest in counted])
    found = [
        FailureGroup(
            by=by,
            key="none" if k is None else str(k),
            result=result,
            datasets=datasets.get((k, result), 0),
            runs=n,
            first_at=first,
            last_at=last,
            example=examples.get(newest),
        )
        for k, result, n, first, last, newest in counted
    ]
    found.sort(key=lambda group: (-group.datasets, -group.runs, group.key))
    return _described(session, found) if by == "class" else tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """Which final failures are counted."""

    sweep: str | None
    since: datetime | None
    refused: bool

    def of(self, *columns: Any) -> Select[Any]:  # noqa: ANN401 -- columns of any type
        """Select columns of the chosen failures, grouped by the first two."""
        statement: Select[Any] = (
            select(*columns)
            .join(Run, Run.id == Failure.run_id)
            .where(Failure.is_final == true(), Run.state == State.DONE)
            .group_by(*columns[:2])
        )
        if self.sweep is not None:
            statement = statement.where(Run.sweep == self.sweep)
        if self.since is not None:
            statement = statement.where(Failure.failed_at >= self.since)
        if not self.refused:
            statement = statement.where(Failure.result != Result.REFUSED)
        return statement


def _is_latest() -> ColumnElement[bool]:
    """Say that a run is the newest of its dataset: what it ended in still blocks it."""
    newer = aliased(Run)
    later = select(newer.id).where(newer.dataset_id == Run.dataset_id, newer.id > Run.id)
    return ~later.exists()


def _names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return the names of some runs."""
    statement = select(Run.id, Run.run).where(Run.id.in_(ids))
    return {row.id: row.run for row in session.execute(statement)}


def _described(session: Session, found: Sequence[FailureGroup]) -> tuple[FailureGroup, ...]:
    """Add what the error classes' declarations say."""
    classes = {row.name: row for row in session.scalars(select(ErrorClass))}
    return tuple(
        replace(
            group,
            title=classes[group.key].title,
            family=classes[group.key].family,
            remedy=classes[group.key].remedy,
        )
        if group.key in classes
        else group
        for group in found
    )


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


def blocked_datasets(session: Session, error_class: str) -> tuple[tuple[str, str], ...]:
    """Return (holding, dataset) of the final failures of a class."""
    statement = (
        select(Dataset.holding, Dataset.dataset_key)
        .join(Run, Run.dataset_id == Dataset.id)
        .join(Failure, Failure.run_id == Run.id)
        .where(Failure.error_class == error_class, Failure.is_final == true())
        .order_by(Dataset.dataset_key)
        .distinct()
    )
    return tuple((holding, key) for holding, key in session.execute(statement))
