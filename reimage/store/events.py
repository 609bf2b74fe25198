"""Events: what journals say, line by line."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from reimage import journal
from reimage.store.rows import EventRow
from reimage.store.run_tables import Event, Run


def append(session: Session, run_id: int, events: Iterable[journal.Event]) -> None:
    """Insert events; (run, attempt, seq) is unique, so that nothing is ever read twice."""
    rows = [
        {
            "run_id": run_id,
            "attempt_no": event.attempt,
            "seq": event.seq,
            "happened_at": event.at,
            "event": event.event,
            "data": dict(event.data),
        }
        for event in events
    ]
    if rows:
        session.connection().execute(_INSERT, rows)


def last_seq(session: Session, run_id: int, attempt: int) -> int:
    """Return the number of the newest event of an attempt; 0 before the first."""
    there = (Event.run_id == run_id, Event.attempt_no == attempt)
    return session.scalar(select(func.max(Event.seq)).where(*there)) or 0


def of_run(session: Session, run: str, after_id: int = 0) -> tuple[EventRow, ...]:
    """Return a run's events in the order they were read, from after one on."""
    statement = (
        select(Event)
        .join(Run, Run.id == Event.run_id)
        .where(Run.run == run, Event.id > after_id)
        .order_by(Event.id)
    )
    return tuple(
        EventRow(
            id=row.id,
            attempt=row.attempt_no,
            seq=row.seq,
            at=row.happened_at,
            event=row.event,
            data=row.data,
        )
        for row in session.scalars(statement)
    )


_INSERT = insert(Event)
