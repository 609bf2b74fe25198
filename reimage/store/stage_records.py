"""Stages of attempts, and fixes applied in them, as the journal tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from reimage.journal import Event
from reimage.model import Stage
from reimage.store.desk_tables import FixApplication
from reimage.store.run_tables import StageRecord, StageState


@dataclass(frozen=True, slots=True)
class Change:
    """What is told of a stage: that it began (`StageState.BEGUN`), or how it ended."""

    stage: Stage
    state: StageState
    at: datetime


@dataclass(slots=True)
class _Standing:
    state: StageState
    started_at: datetime
    ended_at: datetime | None = None
    is_new: bool = False
    is_changed: bool = False


def follow(session: Session, run_id: int, attempt: int, changes: Iterable[Change]) -> None:
    """Record what is told of the stages of an attempt, in order.

    A second beginning changes nothing.  A stage that never began (adopted, kept) begins and ends at once;
    what was adopted is found proven right after, and stays *adopted*.
    """
    connection = session.connection()
    standing = {
        row.stage: _Standing(row.state, row.started_at, row.ended_at)
        for row in connection.execute(_STANDING, {"k_run": run_id, "k_attempt": attempt})
    }
    for change in changes:
        row = standing.setdefault(
            change.stage, _Standing(StageState.BEGUN, change.at, is_new=True, is_changed=True)
        )
        is_done = row.state is not StageState.BEGUN and change.state is StageState.KEPT
        if change.state is not StageState.BEGUN and not is_done:
            row.state, row.ended_at, row.is_changed = change.state, change.at, True
    key = {"run_id": run_id, "attempt_no": attempt}
    new = [{**key, **_values(stage, row)} for stage, row in standing.items() if row.is_new]
    if new:
        connection.execute(insert(_TABLE), new)
    where = {"k_run": run_id, "k_attempt": attempt}
    old = [
        {**where, **{f"k_{name}": value for name, value in _values(stage, row).items()}}
        for stage, row in standing.items()
        if row.is_changed and not row.is_new
    ]
    if old:
        connection.execute(_CHANGE, old)


def _values(stage: Stage, row: _Standing) -> dict[str, Any]:
    wall_s = None if row.ended_at is None else (row.ended_at - row.started_at).total_seconds()
    return {
        "stage": stage,
        "state": row.state,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "wall_s": wall_s,
    }


def fail_open(session: Session, run_id: int, attempt: int, at: datetime) -> None:
    """Record that the stages an attempt was in when it ended have failed."""
    statement = select(StageRecord.stage).where(
        StageRecord.run_id == run_id,
        StageRecord.attempt_no == attempt,
        StageRecord.state == StageState.BEGUN,
    )
    changes = [Change(stage, StageState.FAILED, at) for stage in session.scalars(statement)]
    if changes:
        follow(session, run_id, attempt, changes)


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


_TABLE = cast("Table", StageRecord.__table__)
_KEY = (
    _TABLE.c.run_id == bindparam("k_run"),
    _TABLE.c.attempt_no == bindparam("k_attempt"),
)
_STANDING = select(_TABLE.c.stage, _TABLE.c.state, _TABLE.c.started_at, _TABLE.c.ended_at).where(
    *_KEY
)
_CHANGE = (
    update(_TABLE)
    .where(*_KEY, _TABLE.c.stage == bindparam("k_stage"))
    .values(
        {name: bindparam(f"k_{name}") for name in ("state", "started_at", "ended_at", "wall_s")}
    )
)
