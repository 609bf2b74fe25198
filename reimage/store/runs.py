"""Runs: finding and listing them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from reimage.errors import RunUnknown
from reimage.model import Result, Stage, State
from reimage.store.holdings_tables import Dataset
from reimage.store.rows import AttemptRow, RunRow, StageRow, StateCount
from reimage.store.run_tables import Attempt, Run, StageRecord


def row_id(session: Session, run: str) -> int:
    """Return the id of a run's row."""
    found = session.scalar(select(Run.id).where(Run.run == run))
    if found is None:
        raise RunUnknown(f"no run {run!r}", evidence={"run": run})
    return found


def find(session: Session, run: str) -> RunRow:
    """Return a run by its id, or by the beginning of it when only one begins so.

    Raises
    ------
    RunUnknown
    """
    exact = _rows(session, _selection().where(Run.run == run))
    found = exact or _rows(session, _selection().where(Run.run.startswith(run, autoescape=True)))
    if run and len(found) == 1:
        return found[0]
    if len(found) > 1:
        shown = ", ".join(row.run for row in found[:5])
        raise RunUnknown(f"{run!r} begins the names of several runs: {shown}")
    raise RunUnknown(f"no run {run!r}", evidence={"run": run})


def latest(
    session: Session, holding: str, dataset: str, recipe: str | None = None
) -> RunRow | None:
    """Return a dataset's newest run, if it has one."""
    statement = _selection().where(Dataset.holding == holding, Dataset.dataset_key == dataset)
    if recipe is not None:
        statement = statement.where(Run.recipe == recipe)
    found = _rows(session, statement.order_by(Run.id.desc()).limit(1))
    return found[0] if found else None


def live_run(session: Session, holding: str, dataset: str, recipe: str) -> RunRow | None:
    """Return the run of a dataset and recipe that is not done."""
    statement = _selection().where(
        Dataset.holding == holding,
        Dataset.dataset_key == dataset,
        Run.recipe == recipe,
        Run.state != State.DONE,
    )
    found = _rows(session, statement)
    return found[0] if found else None


def list_runs(
    session: Session,
    *,
    state: State | None = None,
    result: Result | None = None,
    dataset: str | None = None,
    category: str | None = None,
    sweep: str | None = None,
    recipe: str | None = None,
    error_class: str | None = None,
    limit: int | None = None,
) -> tuple[RunRow, ...]:
    """Return runs, newest first."""
    wanted = (
        (Run.state, state),
        (Run.result, result),
        (Dataset.dataset_key, dataset),
        (Run.category, category),
        (Run.sweep, sweep),
        (Run.recipe, recipe),
        (Run.error_class, error_class),
    )
    statement = _selection().order_by(Run.id.desc())
    for column, value in wanted:
        if value is not None:
            statement = statement.where(column == value)
    return _rows(session, statement if limit is None else statement.limit(limit))


def live(session: Session) -> tuple[RunRow, ...]:
    """Return the runs that an executor has, oldest first."""
    states = (State.SUBMITTED, State.RUNNING)
    return _rows(session, _selection().where(Run.state.in_(states)).order_by(Run.id))


def queued(session: Session, limit: int) -> tuple[RunRow, ...]:
    """Return the runs that are next."""
    statement = _selection().where(Run.state == State.QUEUED)
    return _rows(session, statement.order_by(Run.priority, Run.id).limit(limit))


def counts(session: Session, sweep: str | None = None) -> tuple[StateCount, ...]:
    """Return how many runs are in each state, with each result."""
    statement = select(Run.state, Run.result, func.count(Run.id)).group_by(Run.state, Run.result)
    if sweep is not None:
        statement = statement.where(Run.sweep == sweep)
    found = [StateCount(state=s, result=r, n=n) for s, r, n in session.execute(statement)]
    order = list(State)
    return tuple(sorted(found, key=lambda c: (order.index(c.state), c.result or "")))


def count(session: Session, state: State) -> int:
    """Return how many runs are in a state; quick while few of many are."""
    return session.scalars(select(func.count(Run.id)).where(Run.state == state)).one()


def attempts(session: Session, run: str) -> tuple[AttemptRow, ...]:
    """Return a run's attempts in order."""
    statement = (
        select(Attempt).join(Run, Run.id == Attempt.run_id).where(Run.run == run)
    ).order_by(Attempt.attempt_no)
    return tuple(
        AttemptRow(
            attempt=row.attempt_no,
            signal=row.exit_signal,
            **{name: getattr(row, name) for name in _SAME_IN_ATTEMPT},
        )
        for row in session.scalars(statement)
    )


_SAME_IN_ATTEMPT = (
    *("executor", "job", "submitted_at", "host", "started_at", "ended_at", "exit_code", "why"),
    *("wall_s", "cpu_s", "casa_wall_s", "peak_tree_mb", "peak_process_mb", "oom_kills"),
    "journal_offset",
)


def stages(session: Session, run: str) -> tuple[StageRow, ...]:
    """Return the stages of a run's attempts in order."""
    statement = (
        select(StageRecord).join(Run, Run.id == StageRecord.run_id).where(Run.run == run)
    ).order_by(StageRecord.attempt_no, StageRecord.started_at)
    order = list(Stage)
    found = [
        StageRow(
            attempt=row.attempt_no,
            stage=row.stage,
            state=row.state,
            started_at=row.started_at,
            ended_at=row.ended_at,
            wall_s=row.wall_s,
        )
        for row in session.scalars(statement)
    ]
    return tuple(sorted(found, key=lambda s: (s.attempt, order.index(s.stage))))


def journal_offset(session: Session, run_id: int, attempt: int) -> int:
    """Return how many bytes of an attempt's journal its rows cover."""
    key = (Attempt.run_id == run_id, Attempt.attempt_no == attempt)
    return session.scalars(select(Attempt.journal_offset).where(*key)).one()


def log_offset(session: Session, run: str) -> int:
    """Return how many bytes of a run's ``controller.jsonl`` its rows cover."""
    return session.scalars(select(Run.log_offset).where(Run.run == run)).one()


def _selection() -> Select[Any]:
    return select(
        *(getattr(Run, name) for name in _SAME_IN_RUN),
        Run.attempt_no.label("attempts"),
        Dataset.holding,
        Dataset.dataset_key.label("dataset"),
    ).join(Dataset, Dataset.id == Run.dataset_id)


_SAME_IN_RUN = (
    *("run", "state", "stage", "result", "error_class", "signature", "category", "recipe", "build"),
    *("products_made", "products_planned", "created_at", "submitted_at", "started_at", "ended_at"),
    *("wall_s", "caveats", "sweep", "retry_of", "decisive", "directory", "cancel_at"),
    *("memory_mb", "limit_s"),
)


def _rows(session: Session, statement: Select[Any]) -> tuple[RunRow, ...]:
    found = session.execute(statement).mappings().all()
    return tuple(RunRow(**{**row, "caveats": tuple(row["caveats"])}) for row in found)
