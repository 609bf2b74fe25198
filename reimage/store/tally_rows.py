"""How sums of runs become rows.

A sum is changed in place where it stands and inserted where it does not; writers take turns by one row
of ``ledger_mark``, so that no one overtakes another, on any database.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reimage.model import State
from reimage.store.columns import Moment
from reimage.store.desk_tables import LedgerMark
from reimage.store.holdings_tables import DatasetAlma
from reimage.store.run_tables import Run
from reimage.store.tally_sums import COLUMNS, EPOCH, JUDGED, NOTHING, Key, Sum, Sums
from reimage.store.tally_tables import ALL_TIME, Tally

TURN = "tallies"
"""The row of ``ledger_mark`` by which writers of sums take turns."""
BATCH = 400
"""Sums in one statement: Oracle takes 1000 values in a list."""


def apply(session: Session, sums: Sums) -> None:
    """Write changes of sums, in one's turn; what their runs say stands in the rows already."""
    keys = sorted(sums)
    for start in range(0, len(keys), BATCH):
        _apply(session, {key: sums[key] for key in keys[start : start + BATCH]})


def take_turns(session: Session) -> None:
    """Wait until nobody else is writing sums; others wait until this transaction ends."""
    if session.connection().execute(_TURN).rowcount == 0:
        try:  # in a schema that a script made
            with session.begin_nested():
                session.execute(insert(LedgerMark).values(name=TURN, n_bytes=0))
        except IntegrityError:  # somebody else was quicker
            session.connection().execute(_TURN)


def row_of(key: Key, total: Sum) -> dict[str, Any]:
    """Return a sum as a new row."""
    return {
        **key._asdict(),
        "n_runs": total.n_runs,
        "n_blocked": total.n_blocked,
        "cpu_s": total.cpu_s,
        "wall_s": total.wall_s,
        "first_at": total.first_at,
        "last_at": total.last_at,
    }


def _apply(session: Session, sums: dict[Key, Sum]) -> None:
    standing = _standing(session, sums)
    new = [row_of(key, one) for key, one in sums.items() if key not in standing and one.n_runs > 0]
    connection = session.connection()
    if new:
        connection.execute(insert(_TABLE), new)
    old = {key: one for key, one in sums.items() if key in standing}
    empty = {key for key, one in old.items() if standing[key].n_runs + one.n_runs <= 0}
    changed = [_change(key, one) for key, one in old.items() if key not in empty]
    if changed:
        connection.execute(_ADD, changed)
    if empty:
        connection.execute(_DROP, [_named(key) for key in empty])
    for key, one in old.items():
        if one.gone is not None and key not in empty:
            was = standing[key]
            if one.gone[0] <= was.first_at or one.gone[1] >= was.last_at:
                _look_up_moments(session, key)


def _standing(session: Session, keys: Collection[Key]) -> dict[Key, Any]:
    """Return those of the sums that have rows."""
    parts = zip(Key._fields, zip(*keys, strict=True), strict=True)
    values = {f"k_{name}": sorted(set(part)) for name, part in parts}
    found = session.connection().execute(_STANDING, values)
    return {Key(row.axis, row.entry, row.result, row.day_no): row for row in found}


def _named(key: Key) -> dict[str, Any]:
    return {f"k_{name}": value for name, value in key._asdict().items()}


def _change(key: Key, one: Sum) -> dict[str, Any]:
    return {
        **_named(key),
        "d_runs": one.n_runs,
        "d_blocked": one.n_blocked,
        "d_cpu": one.cpu_s,
        "d_wall": one.wall_s,
        "d_first": one.first_at,
        "d_last": one.last_at,
    }


def _look_up_moments(session: Session, key: Key) -> None:
    """Find the first and last run of a sum whose outermost one was taken."""
    there = select(Run.ended_at).where(
        Run.state == State.DONE, Run.result == key.result, _is_said(key)
    )
    if key.axis in {"band", "cycle"}:
        there = there.join(DatasetAlma, DatasetAlma.dataset_id == Run.dataset_id, isouter=True)
    if key.day_no != ALL_TIME:
        begin = EPOCH + timedelta(days=key.day_no)
        there = there.where(Run.ended_at >= begin, Run.ended_at < begin + timedelta(days=1))
    first = session.scalar(there.order_by(Run.ended_at).limit(1))
    last = session.scalar(there.order_by(Run.ended_at.desc()).limit(1))
    if first is not None:  # else the sum is wrong: it says runs of which there are none
        session.connection().execute(_SPAN, {**_named(key), "d_first": first, "d_last": last})


def _is_said(key: Key) -> ColumnElement[bool]:
    column = COLUMNS[key.axis]
    if key.entry == NOTHING:
        judged = [Run.error_class.is_not(None)] if key.axis in JUDGED else []
        return and_(column.is_(None), *judged)
    if key.axis == "band":
        word: ColumnElement[bool] = (literal(" ") + column + literal(" ")).contains(
            f" {key.entry} ", autoescape=True
        )
        return word
    same: ColumnElement[bool] = column == (int(key.entry) if key.axis == "cycle" else key.entry)
    return same


_TABLE = cast("Table", Tally.__table__)
_HAS = _TABLE.c
_KEYED = [_HAS[name] == bindparam(f"k_{name}") for name in Key._fields]
_FIRST, _LAST = (bindparam(name, type_=Moment()) for name in ("d_first", "d_last"))
_DROP = delete(_TABLE).where(*_KEYED)
_STANDING = select(
    *(_HAS[name] for name in Key._fields), _HAS.n_runs, _HAS.first_at, _HAS.last_at
).where(*(_HAS[name].in_(bindparam(f"k_{name}", expanding=True)) for name in Key._fields))
_TURN = update(cast("Table", LedgerMark.__table__)).where(LedgerMark.name == TURN).values(n_bytes=0)
_SPAN = update(_TABLE).where(*_KEYED).values(first_at=_FIRST, last_at=_LAST)
_ADD = (
    update(_TABLE)
    .where(*_KEYED)
    .values(
        n_runs=_HAS.n_runs + bindparam("d_runs"),
        n_blocked=_HAS.n_blocked + bindparam("d_blocked"),
        cpu_s=_HAS.cpu_s + bindparam("d_cpu"),
        wall_s=_HAS.wall_s + bindparam("d_wall"),
        first_at=case((_HAS.first_at > _FIRST, _FIRST), else_=_HAS.first_at),
        last_at=case((_HAS.last_at < _LAST, _LAST), else_=_HAS.last_at),
    )
)
