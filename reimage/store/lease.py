"""Who leads: one row, changed only by who knows its last token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reimage.store.desk_tables import Lease
from reimage.store.rows import LeaseRow

OFFICE = "controller"


def find(session: Session) -> LeaseRow | None:
    """Return who leads, or last led without resigning."""
    row = session.get(Lease, OFFICE)
    if row is None:
        return None
    return LeaseRow(
        owner=row.owner, token=row.token, acquired_at=row.acquired_at, expires_at=row.expires_at
    )


def take(
    session: Session, before: LeaseRow | None, owner: str, at: datetime, until: datetime
) -> LeaseRow | None:
    """Become leader after ``before`` (as `find` gave it); None when somebody else was quicker."""
    token = 1 if before is None else before.token + 1
    row = {"owner": owner, "token": token, "acquired_at": at, "expires_at": until}
    if before is None:
        try:
            with session.begin_nested():
                session.execute(insert(Lease).values(name=OFFICE, **row))
        except IntegrityError:
            return None
        return LeaseRow(owner=owner, token=token, acquired_at=at, expires_at=until)
    statement = update(Lease).where(Lease.name == OFFICE, Lease.token == before.token).values(**row)
    result = session.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101 -- what an UPDATE gives
    if result.rowcount != 1:
        return None
    return LeaseRow(owner=owner, token=token, acquired_at=at, expires_at=until)


def renew(session: Session, held: LeaseRow, until: datetime) -> LeaseRow | None:
    """Go on leading; None when somebody else leads by now."""
    result = session.execute(
        update(Lease)
        .where(Lease.name == OFFICE, Lease.token == held.token, Lease.owner == held.owner)
        .values(token=held.token + 1, expires_at=until)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 -- what an UPDATE gives
    if result.rowcount != 1:
        return None
    return LeaseRow(
        owner=held.owner, token=held.token + 1, acquired_at=held.acquired_at, expires_at=until
    )


def resign(session: Session, held: LeaseRow) -> None:
    """Stop leading; nothing happens when somebody else leads by now."""
    session.execute(
        delete(Lease).where(
            Lease.name == OFFICE, Lease.token == held.token, Lease.owner == held.owner
        )
    )
