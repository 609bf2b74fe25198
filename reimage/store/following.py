"""Runs that follow others, datasets that wait for one, and remedies that were decided on and not begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from reimage.model import Result, State
from reimage.store import runs
from reimage.store.decisions import REFUSED
from reimage.store.desk_tables import Decision, Failure
from reimage.store.holdings_tables import Dataset
from reimage.store.rows import RunRow
from reimage.store.run_tables import Run

RERUN = "rerun"
"""A decision: a new run is to follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A dataset whose newest run ended in a failure."""

    failure: int
    run: str
    attempt: int
    dataset: str
    directory: str
    """Of the run, relative to the data directory."""
    result: Result
    error_class: str
    signature: str | None
    category: str | None
    n_bytes: int | None
    """Of the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryShare:
    """How many datasets of a category ran out of memory, of those that were run."""

    category: str
    datasets: int
    of: int


def followers(session: Session, run: str) -> tuple[RunRow, ...]:
    """Return the runs that follow a run, oldest first."""
    names = session.scalars(select(Run.run).where(Run.retry_of == run).order_by(Run.id)).all()
    return tuple(runs.find(session, name) for name in names)


def unanswered(session: Session) -> tuple[RunRow, ...]:
    """Return the runs after which a new one was decided on that is not there, and was not refused.

    Where any later run of the dataset is there, it speaks for itself: nothing follows the earlier one.
    """
    later, other = aliased(Run), aliased(Decision)
    same = (later.dataset_id == Run.dataset_id, later.id > Run.id)
    followed = select(later.id).where(*same).exists()
    refused = select(other.id).where(other.run_id == Run.id, other.kind == REFUSED).exists()
    statement = (
        select(Run.run)
        .join(Decision, Decision.run_id == Run.id)
        .where(Decision.kind == RERUN, Run.state == State.DONE, ~followed, ~refused)
        .order_by(Run.id)
    )
    return tuple(runs.find(session, name) for name in session.scalars(statement).all())


def blocked(
    session: Session, holding: str, name: str, run: str | None = None
) -> tuple[Blocked, ...]:
    """Return the datasets that a class or a signature blocks now, or the one that a run left so.

    Datasets of which a run is under way are left out, and what was refused is no failure.
    """
    going = aliased(Run)
    is_going = select(going.id).where(going.dataset_id == Run.dataset_id, going.state != State.DONE)
    wanted = (
        Run.run == run
        if run is not None
        else or_(Failure.error_class == name, Failure.signature == name)
    )
    columns = {
        "failure": Failure.id,
        "run": Run.run,
        "attempt": Failure.attempt_no,
        "dataset": Dataset.dataset_key,
        "directory": Run.directory,
        "result": Failure.result,
        "error_class": Failure.error_class,
        "signature": Failure.signature,
        "category": Run.category,
        "n_bytes": Dataset.n_bytes,
    }
    statement = (
        select(*(column.label(key) for key, column in columns.items()))
        .join(Run, Run.id == Failure.run_id)
        .join(Dataset, Dataset.id == Run.dataset_id)
        .where(
            wanted,
            Failure.n_blocked == 1,
            Failure.result != Result.REFUSED,
            Dataset.holding == holding,
            ~is_going.exists(),
        )
        .order_by(Failure.id)
    )
    return tuple(Blocked(**row) for row in session.execute(statement).mappings())


def memory_shares(
    session: Session, error_class: str, categories: Sequence[str]
) -> tuple[MemoryShare, ...]:
    """Return how many datasets of some categories ever failed with a class, and how many were run."""
    failed = and_(Failure.run_id == Run.id, Failure.error_class == error_class)
    found = []
    for category in categories:
        mine = (Run.category == category, Run.state == State.DONE)
        counted = select(func.count(Run.dataset_id.distinct()))
        hit = session.scalars(counted.join(Failure, failed).where(*mine)).one()
        of = session.scalars(counted.where(*mine)).one()
        found.append(MemoryShare(category=category, datasets=hit, of=of))
    return tuple(found)
