"""The sums counted afresh from the rows: to make them, and to prove that those that stand are right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from sqlalchemy import String, case, delete, func, insert, select, true, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from reimage.model import State
from reimage.store import tally_parts, tally_rows, tally_sums
from reimage.store.desk_tables import Failure
from reimage.store.holdings_tables import DatasetAlma
from reimage.store.run_tables import Product, Run, StageRecord
from reimage.store.tally_parts import PRODUCTS, STAGES, Kind, Parts
from reimage.store.tally_sums import COLUMNS, EPOCH, EVERYWHERE, JUDGED, UNDATED, Key, Sum, Sums
from reimage.store.tally_tables import ALL_TIME, Tally

RUNS = 20_000
"""Runs whose parts are counted in one statement: it sorts them in memory."""
ROWS = 5000
"""Rows in one insert."""
SHOWN = 1000
"""Differences told; more say no more."""
AXES = (*EVERYWHERE, *JUDGED)
Blocked = Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that stands otherwise than it is counted; None where there is none."""

    table: str
    key: tuple[Any, ...]
    stands: Mapping[str, Any] | None
    counted: Mapping[str, Any] | None


class DayText(FunctionElement[str]):
    """The day of a moment in UTC, as YYYY-MM-DD: what the databases agree on least."""

    inherit_cache = True
    type = String()


@compiles(DayText)
def _to_char(element: DayText, compiler: SQLCompiler, **options: object) -> str:
    return f"to_char({compiler.process(element.clauses, **options)}, 'YYYY-MM-DD')"


@compiles(DayText, "postgresql")
def _to_char_in_utc(element: DayText, compiler: SQLCompiler, **options: object) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


@compiles(DayText, "sqlite")
def _substr(element: DayText, compiler: SQLCompiler, **options: object) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, 10)"


def recount(session: Session) -> None:
    """Make all sums what the rows say, and with them what each failure blocks."""
    tally_rows.take_turns(session)
    session.execute(delete(Tally).execution_options(synchronize_session=False))
    blocked = count_blocked(session)
    for axis in AXES:
        sums = _count(session, axis, blocked)
        rows = (tally_rows.row_of(key, one) for key, one in sums.items())
        _insert(session, Tally.__table__, rows)
    for kind in (STAGES, PRODUCTS):
        session.execute(delete(kind.table))
        rows = (kind.row(key, numbers) for key, numbers in _count_parts(session, kind).items())
        _insert(session, kind.table, rows)
    settle(session)


def settle(session: Session, ids: Sequence[int] | None = None) -> None:
    """Make what each failure blocks, of all or of some, what the runs say."""
    wrong = select(Failure.id).where(Failure.n_blocked != blocking())
    if ids is not None:
        wrong = wrong.where(Failure.id.in_(ids))
    statement = update(Failure).where(Failure.id.in_(wrong)).values(n_blocked=1 - Failure.n_blocked)
    session.execute(statement.execution_options(synchronize_session=False))


def differences(session: Session) -> list[str]:
    """Return what stands otherwise than the rows say, a sentence each; empty is as it should be."""
    told: list[str] = []
    blocked = count_blocked(session)
    for axis in AXES:
        told += chain.from_iterable(map(tell, compare(session, axis, blocked)))
    for kind in (STAGES, PRODUCTS):
        told += chain.from_iterable(map(tell, compare_parts(session, kind)))
    wrong = select(Failure.id, Failure.n_blocked).where(Failure.n_blocked != blocking())
    told += [
        f"failure {failure_id}: blocks {n}, should be {1 - n}"
        for failure_id, n in session.execute(wrong.limit(SHOWN))
    ]
    return told[:SHOWN]


def blocking() -> Any:  # noqa: ANN401 -- an expression
    """Return 1 for a failure with which the newest done run of its dataset ended, else 0."""
    own, newer = aliased(Run), aliased(Run)
    newest = select(func.max(newer.id)).where(
        newer.dataset_id == own.dataset_id, newer.state == State.DONE
    )
    ended = select(own.id).where(
        own.id == Failure.run_id, own.state == State.DONE, own.id == newest.scalar_subquery()
    )
    return case(((Failure.is_final == true()) & ended.exists(), 1), else_=0)


def count_blocked(session: Session) -> Blocked:
    """Count the datasets whose newest done run is in a sum."""
    newest = select(func.max(Run.id)).where(Run.state == State.DONE).group_by(Run.dataset_id)
    found: Counter[Key] = Counter()
    statement = tally_sums.ended_runs().where(Run.id.in_(newest))
    for row in session.execute(statement.execution_options(yield_per=ROWS)):
        found.update(tally_sums.read(row).sums())
    return found


def _count(session: Session, axis: str, blocked: Blocked) -> Sums:
    """Count the runs of one axis: what is held in memory is its sums, never the runs."""
    sums = Sums()
    for row in session.execute(_grouped(axis)):
        said, result, *day, n, cpu_s, wall_s, first, last = row
        one = Sum(n, 0, cpu_s or 0.0, wall_s or 0.0, first, last)
        for entry in tally_sums.entries(axis, said):
            key = Key(axis, entry, result, ALL_TIME)
            sums.find(key).merge(one)
            for text in day:
                sums.find(key._replace(day_no=_day_no(text))).merge(one)
    for key, one in sums.items():
        one.n_blocked = blocked.get(key, 0)
    return sums


def _grouped(axis: str) -> Any:  # noqa: ANN401 -- a select
    """Select what an axis says, the result, the day, and the sums."""
    said = COLUMNS[axis]
    day = [] if axis in UNDATED else [DayText(Run.ended_at)]
    inner = select(
        *(said.label("said"), Run.result, *(one.label("day_text") for one in day)),
        *(Run.cpu_s, Run.wall_s, Run.ended_at),
    ).where(Run.state == State.DONE)
    if axis in {"band", "cycle"}:
        inner = inner.join(DatasetAlma, DatasetAlma.dataset_id == Run.dataset_id, isouter=True)
    if axis in JUDGED:
        inner = inner.where(Run.error_class.is_not(None))
    has = inner.subquery().c
    keys = [has.said, has.result, *([has.day_text] if day else [])]
    cpu_s, wall_s = func.sum(has.cpu_s), func.sum(has.wall_s)
    ends = func.min(has.ended_at), func.max(has.ended_at)
    return select(*keys, func.count(), cpu_s, wall_s, *ends).group_by(*keys)


def _day_no(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH.toordinal()


def _count_parts(session: Session, kind: Kind) -> Parts:
    sums: Parts = {}
    bounds = select(func.min(Run.id), func.max(Run.id)).where(Run.state == State.DONE)
    first, last = session.execute(bounds).one()
    statement = _grouped_parts(kind)
    for begin in range(first or 0, (last or -1) + 1, RUNS):
        within = (Run.id >= begin, Run.id < begin + RUNS)
        for text, said, part, state, n, amount in session.execute(statement.where(*within)):
            for day_no in (ALL_TIME, _day_no(text)):
                tally_parts.add(sums, kind, (day_no, said, part, state), (n, amount))
    return sums


def _grouped_parts(kind: Kind) -> Any:  # noqa: ANN401 -- a select
    """Select the day, what the run says, the part, its state, how many, and their seconds or bytes."""
    day = DayText(Run.ended_at)
    if kind is STAGES:
        keys = [day, Run.build, StageRecord.stage, StageRecord.state]
        statement = select(*keys, func.count(), func.sum(StageRecord.wall_s))
        statement = statement.join(Run, Run.id == StageRecord.run_id)
        statement = statement.where(StageRecord.state.in_(tally_parts.COUNTED))
    else:
        keys = [day, Run.recipe, Product.kind, Product.state]
        statement = select(*keys, func.count(), func.sum(Product.n_bytes))
        statement = statement.join(Run, Run.id == Product.run_id)
    return statement.where(Run.state == State.DONE).group_by(*keys)


def _insert(session: Session, table: Any, rows: Iterator[dict[str, Any]]) -> None:  # noqa: ANN401 -- a table
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS:
            session.connection().execute(insert(table), batch)
            batch = []
    if batch:
        session.connection().execute(insert(table), batch)


def compare(session: Session, axis: str, blocked: Blocked) -> Iterator[Difference]:
    """Yield the sums of an axis that stand otherwise than they are counted."""
    sums = _count(session, axis, blocked)
    for row in session.execute(select(Tally.__table__).where(Tally.axis == axis)).mappings():
        key = Key(row["axis"], row["entry"], row["result"], row["day_no"])
        counted = sums.pop(key, None)
        expected = tally_rows.row_of(key, counted) if counted is not None else None
        if expected is None or not _is_row(row, expected):
            yield Difference("tally", key, dict(row), expected)
    for key, one in sums.items():
        yield Difference("tally", key, None, tally_rows.row_of(key, one))


def compare_parts(session: Session, kind: Kind) -> Iterator[Difference]:
    """Yield the sums of stages or products that stand otherwise than they are counted."""
    sums, name = _count_parts(session, kind), kind.table.name
    for row in session.execute(select(kind.table)).mappings():
        key = tuple(row[column] for column in kind.keys)
        counted = sums.pop(key, None)
        expected = kind.row(key, counted) if counted is not None else None
        if expected is None or not _is_row(row, expected):
            yield Difference(name, key, dict(row), expected)
    for key, numbers in sums.items():
        yield Difference(name, key, None, kind.row(key, numbers))


def tell(one: Difference) -> Iterator[str]:
    """Yield what is wrong with a sum, a sentence each."""
    shown = f"{one.table} {tuple(getattr(part, 'value', part) for part in one.key)}"
    if one.stands is None or one.counted is None:
        what = "missing" if one.stands is None else "nothing is there to sum"
        yield f"{shown}: {what}"
        return
    for name, value in one.counted.items():
        if not _is_same(one.stands[name], value):
            yield f"{shown}: {name} is {one.stands[name]}, counted {value}"


def _is_row(stands: Mapping[Any, Any], counted: Mapping[str, Any]) -> bool:
    return all(_is_same(stands[name], value) for name, value in counted.items())


def _is_same(stands: Any, counted: Any) -> bool:  # noqa: ANN401 -- any column's value
    """Compare; seconds were added in another order, so their last digits may differ."""
    if isinstance(counted, float):
        return math.isclose(stands, counted, rel_tol=1e-9, abs_tol=1e-3)
    return bool(stands == counted)
