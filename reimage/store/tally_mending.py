"""Sums that drifted, made right while runs go on ending.

What a sum lacks is counted in one state of the database, which keeps nobody from writing, and is added in
short turns of the writers: they, too, only add and take, so that it does not matter who comes first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reimage.store import tally_counts, tally_parts, tally_rows
from reimage.store.desk_tables import Failure
from reimage.store.session import Database
from reimage.store.tally_counts import SHOWN, Difference
from reimage.store.tally_parts import PRODUCTS, STAGES, Kind
from reimage.store.tally_rows import BATCH
from reimage.store.tally_sums import Key, Sum, Sums

PAUSE_S = 0.02
"""Between two turns: who waits for SQLite's lock asks for it now and then, and would never find it free."""
ROUNDS = 3
"""A sum that was wrong and was emptied meanwhile needs a second one."""
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
T = TypeVar("T")


def mend(database: Database) -> list[str]:
    """Make all sums, and what each failure blocks, what the rows say; return what was wrong, a sentence each."""
    if database.dialect == "oracle":  # reading, it sees one state in each statement only
        with database.write() as session:
            told = tally_counts.differences(session)
            if told:
                tally_counts.recount(session)
        return told
    told = _mend(database)
    for _ in range(ROUNDS - 1):
        if not told or not _mend(database):
            break
    return told


def _mend(database: Database) -> list[str]:
    told: list[str] = []
    with database.read() as session:
        blocked = tally_counts.count_blocked(session)
        for axis in tally_counts.AXES:
            found = tally_counts.compare(session, axis, blocked)
            for part in _parts(found):
                _tell(told, part)
                _add(database, part)
        for kind in (STAGES, PRODUCTS):
            for part in _parts(tally_counts.compare_parts(session, kind)):
                _tell(told, part)
                _add_parts(database, kind, part)
        for ids in _parts(_wrong(session, told)):
            with database.write() as writing:
                tally_rows.take_turns(writing)
                tally_counts.settle(writing, ids)
            time.sleep(PAUSE_S)
    return told


def _parts(found: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(found)
    while part := list(islice(remaining, BATCH)):
        yield part


def _tell(told: list[str], found: Iterable[Difference]) -> None:
    told += islice(chain.from_iterable(map(tally_counts.tell, found)), SHOWN - len(told))


def _wrong(session: Session, told: list[str]) -> Iterator[int]:
    """Yield the failures of which it is said wrongly what they block."""
    wrong = select(Failure.id, Failure.n_blocked).where(
        Failure.n_blocked != tally_counts.blocking()
    )
    for failure_id, n in session.execute(wrong.execution_options(yield_per=BATCH)):
        if len(told) < SHOWN:
            told.append(f"failure {failure_id}: blocks {n}, should be {1 - n}")
        yield failure_id


def _add(database: Database, found: Iterable[Difference]) -> None:
    """Add to sums of runs what they lack."""
    sums = Sums((Key(*one.key), _lacking(one)) for one in found)
    with database.write() as session:
        tally_rows.take_turns(session)
        tally_rows.apply(session, sums)
    time.sleep(PAUSE_S)


def _lacking(one: Difference) -> Sum:
    """Return what is to be added; moments cannot be: they are looked up where they are wrong."""
    nothing: Mapping[str, Any] = {"n_runs": 0, "n_blocked": 0, "cpu_s": 0.0, "wall_s": 0.0}
    stands, counted = one.stands or nothing, one.counted or nothing
    added: dict[str, Any] = {name: counted[name] - stands[name] for name in nothing}
    change = Sum(**added)
    moments = ("first_at", "last_at")
    if one.stands is None:
        change.first_at, change.last_at = (counted[name] for name in moments)
    elif any(stands[name] != counted.get(name) for name in moments):
        change.gone = _EVER
    return change


def _add_parts(database: Database, kind: Kind, found: Iterable[Difference]) -> None:
    """Add to sums of stages or products what they lack; those of which nothing is left go."""
    nothing = dict.fromkeys(kind.numbers, 0)
    sums = {}
    for one in found:
        stands, counted = one.stands or nothing, one.counted or nothing
        sums[one.key] = [counted[name] - stands[name] for name in kind.numbers]
    with database.write() as session:
        tally_rows.take_turns(session)
        tally_parts.apply(session, kind, sums)
        session.execute(delete(kind.table).where(kind.table.c[kind.numbers[0]] == 0))
    time.sleep(PAUSE_S)
