"""Wishes of operators, for the controller to grant: anybody inserts, only the leader takes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.orm import Session

from reimage.store import runs
from reimage.store.desk_tables import Request
from reimage.store.rows import RequestRow
from reimage.store.run_tables import Run


def add(
    session: Session, kind: str, run: str | None, *, author: str, reason: str | None, at: datetime
) -> None:
    """Queue a wish.

    Raises
    ------
    RunUnknown
    """
    session.execute(
        insert(Request).values(
            kind=kind,
            run_id=None if run is None else runs.row_id(session, run),
            author=author,
            reason=reason,
            created_at=at,
        )
    )


def waiting(session: Session) -> tuple[RequestRow, ...]:
    """Return the wishes not yet taken, oldest first."""
    statement = (
        select(Request, Run.run)
        .outerjoin(Run, Run.id == Request.run_id)
        .where(Request.taken_at.is_(None))
        .order_by(Request.id)
    )
    return tuple(
        RequestRow(
            id=row.id,
            kind=row.kind,
            run=run,
            author=row.author,
            reason=row.reason,
            created_at=row.created_at,
        )
        for row, run in session.execute(statement)
    )


def take(session: Session, request_id: int, answer: str, at: datetime) -> bool:
    """Mark a wish as dealt with; False when it already was."""
    result = session.execute(
        update(Request)
        .where(Request.id == request_id, Request.taken_at.is_(None))
        .values(taken_at=at, answer=answer)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 -- what an UPDATE gives
    return result.rowcount == 1
