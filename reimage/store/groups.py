"""Groups of failures by name: an error class, or a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.orm import Session

from reimage.model import Result, Stage
from reimage.store.desk_tables import Failure
from reimage.store.holdings_tables import Dataset
from reimage.store.run_tables import Run

Of: TypeAlias = Literal["class", "signature"]

_COLUMNS: Mapping[str, Any] = {"class": Failure.error_class, "signature": Failure.signature}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """How many failures a group has."""

    runs: int
    """That ended so."""
    attempts: int
    """That ended so, also where another attempt followed."""
    datasets: int
    """Blocked now: their newest run ended so."""
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """One failure of a group."""

    failure: int
    run: str
    attempt: int
    holding: str
    dataset: str
    stage: Stage | None
    result: Result
    error_class: str
    signature: str | None
    build: str | None
    recipe: str | None
    decisive: str | None
    blocking: bool
    failed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedShare:
    """How many of a group's blocked datasets are of one category, build or stage."""

    value: str
    datasets: int


def counts(session: Session, of: Of, name: str) -> GroupCounts:
    """Return how many failures a class or a signature has."""
    column = _COLUMNS[of]
    final = func.coalesce(func.sum(case((Failure.is_final == true(), 1), else_=0)), 0)
    row = session.execute(
        select(
            func.count(Failure.id),
            final,
            func.coalesce(func.sum(Failure.n_blocked), 0),
            func.min(Failure.failed_at),
            func.max(Failure.failed_at),
        ).where(column == name)
    ).one()
    return GroupCounts(
        attempts=row[0], runs=int(row[1]), datasets=int(row[2]), first_at=row[3], last_at=row[4]
    )


def newest(session: Session, of: Of, name: str, most: int, *, but: int = 0) -> tuple[Like, ...]:
    """Return the newest final failures of a class or a signature; ``but``: all but this one."""
    statement = (
        select(Failure, Run.run, Dataset.holding, Dataset.dataset_key)
        .join(Run, Run.id == Failure.run_id)
        .join(Dataset, Dataset.id == Run.dataset_id)
        .where(_COLUMNS[of] == name, Failure.is_final == true(), Failure.id != but)
        .order_by(Failure.failed_at.desc(), Failure.id.desc())
        .limit(most)
    )
    return tuple(
        Like(
            failure=row.id,
            run=run,
            attempt=row.attempt_no,
            holding=holding,
            dataset=key,
            stage=row.stage,
            result=row.result,
            error_class=row.error_class,
            signature=row.signature,
            build=row.build,
            recipe=row.recipe,
            decisive=row.decisive or row.message,
            blocking=row.n_blocked == 1,
            failed_at=row.failed_at,
        )
        for row, run, holding, key in session.execute(statement)
    )


def signatures_like(session: Session, beginning: str, most: int) -> tuple[str, ...]:
    """Return signatures that begin so."""
    statement = (
        select(Failure.signature)
        .where(Failure.signature.startswith(beginning, autoescape=True))
        .distinct()
        .order_by(Failure.signature)
        .limit(most)
    )
    return tuple(name for name in session.scalars(statement) if name is not None)


def said(session: Session, most: int) -> dict[str, tuple[str, str]]:
    """Return what the newest failure of each signature said, and its class: among the newest failures."""
    statement = (
        select(Failure.signature, Failure.error_class, Failure.decisive, Failure.message)
        .where(Failure.signature.is_not(None), Failure.is_final == true())
        .order_by(Failure.id.desc())
        .limit(most)
    )
    found: dict[str, tuple[str, str]] = {}
    for signature, error_class, decisive, message in session.execute(statement):
        text = decisive or message
        if signature is not None and text:
            found.setdefault(signature, (error_class, text))
    return found


def blocked_by(
    session: Session, of: Of, name: str, by: Literal["category", "build", "stage"]
) -> tuple[BlockedShare, ...]:
    """Return how many datasets a group blocks by category, build or stage, most first."""
    key: ColumnElement[Any] = getattr(Failure, by).expression
    statement = (
        select(key, func.sum(Failure.n_blocked))
        .where(_COLUMNS[of] == name, Failure.n_blocked == 1)
        .group_by(key)
    )
    found = [
        BlockedShare(value=str(one or "none"), datasets=int(n))
        for one, n in session.execute(statement)
    ]
    return tuple(sorted(found, key=lambda share: (-share.datasets, share.value)))
