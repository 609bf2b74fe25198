"""The shapes of ``--json`` for holdings; the rule is that of `reimage.cli.run_shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reimage import SCHEMA_VERSION
from reimage.store.acts import NoteRow
from reimage.store.holdings_stats import Count
from reimage.store.rows import DatasetRow, RunRow, SyncCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasets:
    """``reimage holdings list``: datasets by key, or in the order that was asked for."""

    schema: int = SCHEMA_VERSION
    datasets: tuple[DatasetRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDetail:
    """``reimage holdings show``: one dataset and its runs, newest first."""

    schema: int = SCHEMA_VERSION
    dataset: DatasetRow
    runs: tuple[RunRow, ...]
    annotations: tuple[NoteRow, ...] = ()
    """What people noted of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """``reimage holdings sync``: what changed."""

    schema: int = SCHEMA_VERSION
    holding: str
    archive: str
    counts: SyncCounts
    since: datetime | None = None
    """Only what the archive changed since then was read; null: everything that was asked for."""
    rows: int | None = None
    """Rows that the archive's service gave; null: the archive is a folder."""
    resumed: bool = False
    """It went on where an earlier one was ended."""
    incomplete: tuple[str, ...] = ()
    """Parts of the listing of which rows may be missing; nothing in them was marked as gone."""
    nameless: int = 0
    """Rows that name no dataset: left out."""
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingStats:
    """``reimage holdings stats``: counts of what the archive lists."""

    schema: int = SCHEMA_VERSION
    holding: str
    where: str
    """The filter; empty: everything."""
    total: Count
    by: Mapping[str, tuple[Count, ...]]
    """By cycle, band (a dataset of several counts in each), array, rights and era."""
