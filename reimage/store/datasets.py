"""Datasets: the mirror of what archives list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session

from reimage.errors import DatasetUnknown, UidMalformed
from reimage.store import dataset_values, filters
from reimage.store.filters import Filterable
from reimage.store.holdings_tables import Dataset, DatasetAlma, Holding
from reimage.store.mirroring import sync
from reimage.store.rows import DatasetRow
from reimage.uid import Uid

__all__ = [
    "canonical",
    "columns",
    "ensure",
    "ensure_holding",
    "find",
    "list_datasets",
    "row_id",
    "sync",
]

GENERAL: Mapping[str, Filterable] = {
    "dataset": Filterable(column=Dataset.dataset_key, kind="text"),
    "title": Filterable(column=Dataset.title, kind="text"),
    "n_bytes": Filterable(column=Dataset.n_bytes, kind="number", also=("size", "size_bytes")),
    "release_at": Filterable(column=Dataset.release_at, kind="moment", also=("released",)),
    "modified_at": Filterable(column=Dataset.modified_at, kind="moment", also=("modified",)),
}
ALMA: Mapping[str, Filterable] = {
    "mous": Filterable(column=DatasetAlma.mous, kind="text"),
    "project": Filterable(column=DatasetAlma.project, kind="text"),
    "cycle": Filterable(column=DatasetAlma.cycle, kind="number"),
    "era": Filterable(column=DatasetAlma.era, kind="text"),
    "bands": Filterable(column=DatasetAlma.bands, kind="words", also=("band",)),
    "array": Filterable(column=DatasetAlma.array_kind, kind="text"),
    "n_antennas": Filterable(column=DatasetAlma.n_antennas, kind="number", also=("antennas",)),
    "is_mosaic": Filterable(column=DatasetAlma.is_mosaic, kind="truth", also=("mosaic",)),
    "pol_states": Filterable(column=DatasetAlma.pol_states, kind="text", also=("pol",)),
    "is_full_pol": Filterable(column=DatasetAlma.is_full_pol, kind="truth", also=("full_pol",)),
    "n_ebs": Filterable(column=DatasetAlma.n_ebs, kind="number", also=("ebs",)),
    "qa2_passed": Filterable(column=DatasetAlma.qa2_passed, kind="truth", also=("qa2",)),
    "data_rights": Filterable(column=DatasetAlma.data_rights, kind="text", also=("rights",)),
    "frequency_min_ghz": Filterable(column=DatasetAlma.frequency_min_ghz, kind="number"),
    "frequency_max_ghz": Filterable(column=DatasetAlma.frequency_max_ghz, kind="number"),
    "bandwidth_hz": Filterable(column=DatasetAlma.bandwidth_hz, kind="number"),
    "channel_width_hz": Filterable(column=DatasetAlma.channel_width_hz, kind="number"),
    "resolution_arcsec": Filterable(column=DatasetAlma.resolution_arcsec, kind="number"),
    "scale_max_arcsec": Filterable(column=DatasetAlma.scale_max_arcsec, kind="number"),
    "ra_deg": Filterable(column=DatasetAlma.ra_deg, kind="number"),
    "dec_deg": Filterable(column=DatasetAlma.dec_deg, kind="number"),
    "observed_at": Filterable(column=DatasetAlma.observed_at, kind="moment", also=("observed",)),
    "is_solar": Filterable(column=DatasetAlma.is_solar, kind="truth", also=("solar",)),
    "is_ephemeris": Filterable(column=DatasetAlma.is_ephemeris, kind="truth", also=("ephemeris",)),
    "science": Filterable(column=DatasetAlma.science, kind="text"),
    "keywords": Filterable(column=DatasetAlma.keywords, kind="text", also=("keyword",)),
    "targets": Filterable(column=DatasetAlma.targets, kind="text", also=("target",)),
}


def ensure(session: Session, holding: str, key: str, facts: Mapping[str, Any], at: datetime) -> int:
    """Return the id of a dataset's row, made from a run's own facts when the mirror lacks it."""
    found: int | None = session.scalar(_by_key(select(Dataset.id), holding, key))
    if found is not None:
        return found
    ensure_holding(session, holding)
    row = Dataset(holding=holding, dataset_key=key, **dataset_values.general(facts, at))
    session.add(row)
    session.flush()
    typed = dataset_values.alma(facts)
    if typed is not None:
        session.add(DatasetAlma(dataset_id=row.id, **typed))
        session.flush()
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
    session: Session,
    holding: str,
    where: str = "",
    limit: int | None = None,
    order: Sequence[str] = (),
) -> tuple[DatasetRow, ...]:
    """Return a holding's datasets that its archive still lists, those of a filter.

    ``order`` names columns, ``-`` before one that falls; then, and without any, by key.

    Raises
    ------
    FilterMalformed
    """
    conditions = filters.parse(where, columns(holding))
    ordering = [filters.ordering(name, columns(holding)) for name in order]
    statement = _selection().where(
        Dataset.holding == holding, Dataset.gone_at.is_(None), *conditions
    )
    return _rows(session, statement.order_by(*ordering, Dataset.dataset_key).limit(limit))


def columns(holding: str) -> Mapping[str, Filterable]:
    """Return the columns that filters over a holding may name."""
    return {**GENERAL, **ALMA} if holding == "alma" else GENERAL


def canonical(key: str) -> str:
    """Return a key as the mirror spells it: an ALMA uid with ``uid://``, another one as it is."""
    try:
        return str(Uid.parse(key))
    except UidMalformed:
        return key


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
