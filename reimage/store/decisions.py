"""What was decided about runs, and why."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from reimage.journal import Event
from reimage.store.desk_tables import Decision
from reimage.store.rows import DecisionRow
from reimage.store.run_tables import Run

CONTROLLER = "controller"
"""Who decided what no person did."""
REFUSED = "remedy-refused"
"""The new run that was decided on could not be queued."""
MOST_REASON = 500


def add(session: Session, run_id: int, row: DecisionRow) -> None:
    """Record a decision; one of a kind per attempt, the first stands."""
    key = (
        Decision.run_id == run_id,
        Decision.attempt_no == row.attempt,
        Decision.kind == row.kind,
    )
    if session.scalar(select(Decision.id).where(*key)) is None:
        session.execute(
            insert(Decision).values(
                run_id=run_id,
                attempt_no=row.attempt,
                kind=row.kind,
                reason=row.reason,
                author=row.author,
                decided_at=row.decided_at,
            )
        )


def record(
    session: Session, run_id: int, event: Event, kind: str, data: Mapping[str, object]
) -> None:
    """Record the decision that an event of a run's log tells of, in all of its facts or a part."""
    reason = data.get("reason")
    row = DecisionRow(
        attempt=int(event.data.get("number", 0)),
        kind=kind,
        reason=None if reason is None else str(reason)[:MOST_REASON],
        author=str(data.get("author", CONTROLLER)),
        decided_at=event.at,
    )
    add(session, run_id, row)


def of_run(session: Session, run: str) -> tuple[DecisionRow, ...]:
    """Return a run's decisions, oldest first."""
    statement = select(Decision).join(Run, Run.id == Decision.run_id).where(Run.run == run)
    return tuple(
        DecisionRow(
            attempt=row.attempt_no,
            kind=row.kind,
            reason=row.reason,
            author=row.author,
            decided_at=row.decided_at,
        )
        for row in session.scalars(statement.order_by(Decision.id))
    )
