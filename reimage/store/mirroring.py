"""Making the mirror of a holding what its archive lists: batch by batch, few statements for each.

A synchronisation is begun, fed with batches in transactions of their own, and ended.  Every dataset
that the archive was seen to list carries the moment of that beginning; what does not, at the end, is
gone.  What is gone stays, marked: runs refer to it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from reimage.store import dataset_values, tallies
from reimage.store.holdings_tables import Dataset, DatasetAlma, Holding, HoldingSync
from reimage.store.rows import SyncCounts, SyncState

BATCH = 500
"""Datasets in one statement: Oracle takes 1000 values in a list."""
NULLS = {"render_nulls": True}
"""One statement for all rows, whichever of their values are unknown."""
Rows = Iterable[tuple[str, Mapping[str, Any]]]


def begin(
    session: Session, holding: str, *, archive: str, at: datetime, title: str = ""
) -> SyncState:
    """Take notice that a synchronisation begins; return how things stood before it."""
    state = find_state(session, holding)
    row = session.get(Holding, holding)
    if row is None:
        session.add(Holding(name=holding, title=title or holding, archive=archive, synced_at=at))
        session.flush()
    else:
        row.title, row.archive, row.synced_at = title or row.title, archive, at
    # Another archive may list other things: then nothing is known to be whole.
    is_same = state.archive == archive
    session.merge(
        HoldingSync(
            holding=holding,
            archive=archive,
            begun_at=at,
            whole_at=state.whole_at if is_same else None,
        )
    )
    session.flush()
    return state


def find_state(session: Session, holding: str) -> SyncState:
    """Return how far the mirror of a holding follows its archive."""
    row = session.get(HoldingSync, holding)
    if row is None:
        return SyncState(archive="", begun_at=None, whole_at=None)
    return SyncState(archive=row.archive or "", begun_at=row.begun_at, whole_at=row.whole_at)


def newest(session: Session, holding: str) -> datetime | None:
    """Return when the archive last changed any dataset that is here, by its own dates."""
    found: datetime | None = session.scalar(
        select(func.max(Dataset.modified_at)).where(
            Dataset.holding == holding, Dataset.gone_at.is_(None)
        )
    )
    return found


def end(session: Session, holding: str, *, whole_at: datetime | None) -> None:
    """Take notice that a synchronisation ended; ``whole_at``: up to when nothing is missing."""
    values: dict[str, Any] = {"begun_at": None}
    if whole_at is not None:
        values["whole_at"] = whole_at
    session.execute(update(HoldingSync).where(HoldingSync.holding == holding).values(**values))


def put(session: Session, holding: str, rows: Rows, *, at: datetime) -> SyncCounts:
    """Bring datasets, (key, facts) each, into the mirror of a holding."""
    total = SyncCounts(added=0, changed=0, unchanged=0, gone=0)
    remaining = iter(rows)
    while batch := dict(islice(remaining, BATCH)):
        total += _put(session, holding, batch, at)
    return total


def sweep_up(
    session: Session, holding: str, *, since: datetime, prefixes: Collection[str] | None = None
) -> int:
    """Mark as gone what was not seen since the beginning of a synchronisation; return how many.

    ``prefixes`` of project codes bound what is looked at; None: the whole holding.
    """
    there = [Dataset.holding == holding, Dataset.gone_at.is_(None), Dataset.synced_at < since]
    if prefixes is not None:
        if not prefixes:
            return 0
        within = [DatasetAlma.project.startswith(one, autoescape=True) for one in prefixes]
        there.append(Dataset.id.in_(select(DatasetAlma.dataset_id).where(or_(*within))))
    count = session.scalar(select(func.count()).select_from(Dataset).where(*there)) or 0
    if count:
        session.execute(
            update(Dataset)
            .where(*there)
            .values(gone_at=since)
            .execution_options(synchronize_session=False)
        )
    return count


def sync(
    session: Session,
    holding: str,
    rows: Rows,
    *,
    at: datetime,
    title: str = "",
    archive: str = "",
) -> SyncCounts:
    """Make the mirror of a holding what its archive lists, all of it, in one transaction.

    An archive that lists nothing at all has told nothing: nothing is marked as gone.
    """
    begin(session, holding, archive=archive, at=at, title=title)
    counts = put(session, holding, rows, at=at)
    if counts.seen:
        counts += SyncCounts(
            added=0, changed=0, unchanged=0, gone=sweep_up(session, holding, since=at)
        )
    end(session, holding, whole_at=at)
    return counts


def _put(
    session: Session, holding: str, batch: Mapping[str, Mapping[str, Any]], at: datetime
) -> SyncCounts:
    known = _known(session, holding, batch)
    added = [key for key in batch if key not in known]
    unchanged: list[str] = []
    changed: list[str] = []
    for key, (_, is_gone, facts) in known.items():
        is_same = not is_gone and facts == _written(batch[key])
        (unchanged if is_same else changed).append(key)
    if unchanged:
        seen = update(Dataset).where(
            Dataset.id.in_([known[key][0] for key in unchanged]), Dataset.synced_at < at
        )
        session.execute(seen.values(synced_at=at).execution_options(synchronize_session=False))
    summed = tallies.of_datasets(session, [known[key][0] for key in changed]) if changed else []
    if changed:
        _change(session, {known[key][0]: batch[key] for key in changed}, at)
    if added:
        new = list(_new(holding, batch, added, at))
        session.execute(insert(Dataset), new, execution_options=NULLS)
    ids = {key: known[key][0] for key in changed} | _ids(session, holding, added)
    own = {key: dataset_values.alma(batch[key]) for key in ids}
    typed = [{"dataset_id": ids[key], **row} for key, row in own.items() if row is not None]
    if typed:
        session.execute(insert(DatasetAlma), typed, execution_options=NULLS)
    tallies.move_datasets(session, summed)
    return SyncCounts(added=len(added), changed=len(changed), unchanged=len(unchanged), gone=0)


def _change(session: Session, facts: Mapping[int, Mapping[str, Any]], at: datetime) -> None:
    """Replace what is known of datasets, by id; ALMA's own columns are left empty."""
    table = Dataset.__table__
    synced, moment = table.c.synced_at, literal(at, table.c.synced_at.type)
    # Another synchronisation, begun later, may have seen it before us: it stays seen.
    statement = (
        update(table)  # type: ignore[arg-type] # declared classes always have a Table
        .where(table.c.id == bindparam("row_id"))
        .values(synced_at=case((synced > moment, synced), else_=moment))
    )
    values = [
        {"row_id": row_id, **dataset_values.general(row, at)} for row_id, row in facts.items()
    ]
    for row in values:
        del row["synced_at"]
    session.execute(statement, values)
    old = delete(DatasetAlma).where(DatasetAlma.dataset_id.in_(list(facts)))
    session.execute(old.execution_options(synchronize_session=False))


def _known(
    session: Session, holding: str, keys: Collection[str]
) -> dict[str, tuple[int, bool, str]]:
    """Return id, whether it is gone, and the facts as they are written, of datasets that are there."""
    statement = select(
        Dataset.dataset_key, Dataset.id, Dataset.gone_at, type_coerce(Dataset.facts, Text)
    ).where(Dataset.holding == holding, Dataset.dataset_key.in_(list(keys)))
    return {
        key: (dataset_id, gone_at is not None, facts)
        for key, dataset_id, gone_at, facts in session.execute(statement)
    }


def _ids(session: Session, holding: str, keys: Sequence[str]) -> dict[str, int]:
    if not keys:
        return {}
    statement = select(Dataset.dataset_key, Dataset.id).where(
        Dataset.holding == holding, Dataset.dataset_key.in_(keys)
    )
    return {key: dataset_id for key, dataset_id in session.execute(statement)}  # noqa: C416 -- rows are no tuples to mypy


def _new(
    holding: str, batch: Mapping[str, Mapping[str, Any]], keys: Iterable[str], at: datetime
) -> Iterator[dict[str, Any]]:
    for key in keys:
        yield {"holding": holding, "dataset_key": key, **dataset_values.general(batch[key], at)}


def _written(facts: Mapping[str, Any]) -> str:
    """Return facts as the database keeps them (`reimage.store.columns.Json`)."""
    return json.dumps(dict(facts), sort_keys=True, default=str).replace("\\u0000", "")
