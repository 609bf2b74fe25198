"""Sweeps: categories run with a recipe."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from reimage.errors import UsageError
from reimage.store.rows import SweepRow
from reimage.store.run_tables import Sweep


class SweepUnknown(UsageError):
    """No sweep has this name."""

    code = "sweep-unknown"
    hint = "`reimage sweep status` lists the sweeps."


def add(session: Session, row: SweepRow) -> None:
    """Record a sweep."""
    session.execute(
        insert(Sweep).values(
            name=row.sweep,
            category=row.category,
            holding=row.holding,
            recipe=row.recipe,
            is_pilot=row.pilot,
            n_datasets=row.datasets,
            author=row.author,
            created_at=row.created_at,
        )
    )


def find(session: Session, sweep: str) -> SweepRow:
    """Return a sweep.

    Raises
    ------
    SweepUnknown
    """
    row = session.get(Sweep, sweep)
    if row is None:
        raise SweepUnknown(f"no sweep {sweep!r}", evidence={"sweep": sweep})
    return _row(row)


def list_sweeps(session: Session) -> tuple[SweepRow, ...]:
    """Return the sweeps, newest first."""
    statement = select(Sweep).order_by(Sweep.created_at.desc(), Sweep.name.desc())
    return tuple(_row(row) for row in session.scalars(statement))


def _row(row: Sweep) -> SweepRow:
    return SweepRow(
        sweep=row.name,
        category=row.category,
        holding=row.holding,
        recipe=row.recipe,
        pilot=row.is_pilot,
        datasets=row.n_datasets,
        author=row.author,
        created_at=row.created_at,
    )
