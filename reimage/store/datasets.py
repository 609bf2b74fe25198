"""Datasets: the mirror of what archives list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session

from reimage.errors import DatasetUnknown, UidMalformed
from reimage.store import filters
from reimage.store.filters import Filterable
from reimage.store.holdings_tables import Dataset, DatasetAlma, Holding
from reimage.store.rows import DatasetRow, SyncCounts
from reimage.uid import Uid

GENERAL: Mapping[str, Filterable] = {
    "dataset": Filterable(column=Dataset.dataset_key, kind="text"),
    "title": Filterable(column=Dataset.title, kind="text"),
    "n_bytes": Filterable(column=Dataset.n_bytes, kind="number"),
    "release_at": Filterable(column=Dataset.release_at, kind="moment"),
    "modified_at": Filterable(column=Dataset.modified_at, kind="moment"),
}
ALMA: Mapping[str, Filterable] = {
    "mous": Filterable(column=DatasetAlma.mous, kind="text"),
    "project": Filterable(column=DatasetAlma.project, kind="text"),
    "cycle": Filterable(column=DatasetAlma.cycle, kind="number"),
    "bands": Filterable(column=DatasetAlma.bands, kind="words"),
    "array": Filterable(column=DatasetAlma.array_kind, kind="text"),
    "is_mosaic": Filterable(column=DatasetAlma.is_mosaic, kind="truth"),
    "pol_states": Filterable(column=DatasetAlma.pol_states, kind="text"),
    "n_ebs": Filterable(column=DatasetAlma.n_ebs, kind="number"),
    "qa2_passed": Filterable(column=DatasetAlma.qa2_passed, kind="truth"),
    "data_rights": Filterable(column=DatasetAlma.data_rights, kind="text"),
    "frequency_min_hz": Filterable(column=DatasetAlma.frequency_min_hz, kind="number"),
    "frequency_max_hz": Filterable(column=DatasetAlma.frequency_max_hz, kind="number"),
    "resolution_arcsec": Filterable(column=DatasetAlma.resolution_arcsec, kind="number"),
    "targets": Filterable(column=DatasetAlma.targets, kind="text"),
}


def sync(
    session: Session,
    holding: str,
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    at: datetime,
    title: str = "",
    archive: str = "",
) -> SyncCounts:
    """Make the mirror of a holding what its archive lists: (key, facts) of every dataset.

    What the archive no longer lists stays, marked as gone: runs refer to it.
    """
    session.merge(Holding(name=holding, title=title or holding, archive=archive, synced_at=at))
    session.flush()
    known = {
        row.dataset_key: row
        for row in session.scalars(select(Dataset).where(Dataset.holding == holding))
    }
    seen: set[str] = set()
    added = changed = unchanged = 0
    for key, facts in rows:
        seen.add(key)
        row = known.get(key)
        if row is not None and row.gone_at is None and row.facts == dict(facts):
            unchanged += 1
            continue
        if row is None:
            added += 1
            row = Dataset(holding=holding, dataset_key=key, synced_at=at, facts={})
            session.add(row)
        else:
            changed += 1
        _fill(session, row, facts, at)
    gone = [row for key, row in known.items() if key not in seen and row.gone_at is None]
    for row in gone:
        row.gone_at = at
    return SyncCounts(added=added, changed=changed, unchanged=unchanged, gone=len(gone))


def ensure(session: Session, holding: str, key: str, facts: Mapping[str, Any], at: datetime) -> int:
    """Return the id of a dataset's row, made from a run's own facts when the mirror lacks it."""
    found: int | None = session.scalar(_by_key(select(Dataset.id), holding, key))
    if found is not None:
        return found
    ensure_holding(session, holding)
    row = Dataset(holding=holding, dataset_key=key, synced_at=at, facts={})
    session.add(row)
    _fill(session, row, facts, at)
    return row.id


def ensure_holding(session: Session, holding: str) -> None:
    """Make sure that a holding has a row."""
    if session.get(Holding, holding) is None:
        session.add(Holding(name=holding, title=holding))
        session.flush()


def row_id(session: Session, holding: str, key: str) -> int:
    """Return the id of a dataset's row.

    Raises
    ------
    DatasetUnknown
    """
    found: int | None = session.scalar(_by_key(select(Dataset.id), holding, canonical(key)))
    if found is None:
        raise DatasetUnknown(f"no dataset {key!r} in {holding}", evidence={"dataset": key})
    return found


def find(session: Session, holding: str, key: str) -> DatasetRow:
    """Return a dataset by its key; ALMA's in either spelling of the uid.

    Raises
    ------
    DatasetUnknown
    """
    found = _rows(session, _by_key(_selection(), holding, canonical(key)))
    if not found:
        is_malformed = holding == "alma" and Uid.find(key) is None
        raise DatasetUnknown(
            f"no dataset {key!r} in {holding}",
            hint=f"It is no uid. {UidMalformed.hint}" if is_malformed else "",
            evidence={"dataset": key},
        )
    return found[0]


def list_datasets(
    session: Session, holding: str, where: str = "", limit: int | None = None
) -> tuple[DatasetRow, ...]:
    """Return a holding's datasets that its archive still lists, by key, those of a filter.

    Raises
    ------
    FilterMalformed
    """
    conditions = filters.parse(where, columns(holding))
    statement = _selection().where(
        Dataset.holding == holding, Dataset.gone_at.is_(None), *conditions
    )
    return _rows(session, statement.order_by(Dataset.dataset_key).limit(limit))


def columns(holding: str) -> Mapping[str, Filterable]:
    """Return the columns that filters over a holding may name."""
    return {**GENERAL, **ALMA} if holding == "alma" else GENERAL


def canonical(key: str) -> str:
    """Return a key as the mirror spells it: an ALMA uid with ``uid://``, another one as it is."""
    try:
        return str(Uid.parse(key))
    except UidMalformed:
        return key


def _fill(session: Session, row: Dataset, facts: Mapping[str, Any], at: datetime) -> None:
    row.facts = dict(facts)
    row.title = facts.get("title") or facts.get("project")
    row.n_bytes = facts.get("size_bytes")
    row.release_at = _moment(facts.get("release_at"))
    row.modified_at = _moment(facts.get("last_modified"))
    row.synced_at = at
    row.gone_at = None
    session.flush()
    if "mous" in facts:
        session.merge(_alma(row.id, facts))
        session.flush()


def _alma(dataset_id: int, facts: Mapping[str, Any]) -> DatasetAlma:
    same = (
        *("mous", "project", "cycle", "is_mosaic", "pol_states", "n_ebs", "qa2_passed"),
        *("data_rights", "frequency_min_hz", "frequency_max_hz", "resolution_arcsec"),
    )
    return DatasetAlma(
        dataset_id=dataset_id,
        bands=_joined(facts.get("bands"), " "),
        array_kind=facts.get("array"),
        targets=_joined(facts.get("targets"), "; "),
        **{name: facts.get(name) for name in same},
    )


def _joined(value: object, separator: str) -> str | None:
    if isinstance(value, (list, tuple)):
        return separator.join(str(part) for part in value) or None
    return None if value is None else str(value)


def _moment(value: object) -> datetime | None:
    """Read what an archive calls a date; one without zone is UTC, what is none is unknown."""
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _by_key(statement: Any, holding: str, key: str) -> Any:  # noqa: ANN401 -- a Select of any kind
    return statement.where(Dataset.holding == holding, Dataset.dataset_key == key)


def _selection() -> Any:  # noqa: ANN401 -- a Select of two mappings, the second perhaps absent
    return select(Dataset, DatasetAlma).outerjoin(DatasetAlma, DatasetAlma.dataset_id == Dataset.id)


def _rows(session: Session, statement: Select[Any]) -> tuple[DatasetRow, ...]:
    return tuple(
        DatasetRow(
            holding=row.holding,
            dataset=row.dataset_key,
            title=row.title,
            n_bytes=row.n_bytes,
            release_at=row.release_at,
            modified_at=row.modified_at,
            synced_at=row.synced_at,
            gone_at=row.gone_at,
            facts=row.facts,
            columns={} if typed is None else _columns(typed),
        )
        for row, typed in session.execute(statement)
    )


def _columns(typed: DatasetAlma) -> dict[str, Any]:
    names = [column.key for column in inspect(DatasetAlma).columns if column.key != "dataset_id"]
    return {name: getattr(typed, name) for name in names}
