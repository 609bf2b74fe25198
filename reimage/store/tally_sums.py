"""What a run that is done adds to the sums by axis (`Tally`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, literal_column, select
from sqlalchemy.orm import aliased

from reimage.model import Result, State
from reimage.store.holdings_tables import DatasetAlma
from reimage.store.run_tables import Run
from reimage.store.tally_tables import ALL_TIME

NOTHING = "none"
"""Entry of runs of which an axis says nothing."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERYWHERE = (
    *("category", "casa", "recipe", "stage", "host", "band", "cycle", "sweep"),
    "casa-category",
)
JUDGED = ("class", "signature")
"""Axes of runs that have an error class."""
UNDATED = frozenset({"casa-category"})
"""Axes of too many entries for a row on each day: they have rows of all time only."""
_NONE: ColumnElement[str] = literal_column(f"'{NOTHING}'")
COLUMNS: Mapping[str, Any] = {
    "category": Run.category,
    "casa": Run.build,
    "recipe": Run.recipe,
    "stage": Run.stage,
    "host": Run.host,
    "band": DatasetAlma.bands,
    "cycle": DatasetAlma.cycle,
    "sweep": Run.sweep,
    "class": Run.error_class,
    "signature": Run.signature,
    # Two words: ids have no blanks.  Cut to the entry's length.
    "casa-category": func.substr(
        func.coalesce(Run.build, _NONE) + " " + func.coalesce(Run.category, _NONE), 1, 128
    ),
}


def day_of(at: datetime) -> int:
    """Return the day of a moment: days since 1970-01-01, in UTC."""
    return (at - EPOCH).days


class Key(NamedTuple):
    """What a sum is of."""

    axis: str
    entry: str
    result: Result
    day_no: int


def entries(axis: str, value: object) -> Iterable[str]:
    """Return the entries of what an axis says of a run: words of a band, one of anything else."""
    if value is None:
        return (NOTHING,)
    return dict.fromkeys(str(value).split()) if axis == "band" else (str(value),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is summed of a run that is done."""

    run_id: int
    dataset_id: int
    result: Result
    ended_at: datetime
    cpu_s: float
    wall_s: float
    is_newest: bool
    """Of the done runs of its dataset."""
    said: dict[str, Any]
    """By axis; `band` as its column has it: words."""

    def sums(self, axes: Collection[str] = (*EVERYWHERE, *JUDGED)) -> Iterator[Key]:
        """Yield the sums over all time that it belongs to."""
        for axis in axes:
            if axis in JUDGED and self.said["class"] is None:
                continue
            for entry in entries(axis, self.said[axis]):
                yield Key(axis, entry, self.result, ALL_TIME)


@dataclass(slots=True)
class Sum:
    """What is to be added to a row; negative numbers are taken from it."""

    n_runs: int = 0
    n_blocked: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    first_at: datetime | None = None
    """Of what is added."""
    last_at: datetime | None = None
    gone: tuple[datetime, datetime] | None = None
    """First and last of what is taken."""

    def count(self, ended: Ended, sign: int) -> None:
        """Add a run, or take it with a negative sign."""
        at = ended.ended_at
        self.n_runs += sign
        self.cpu_s += sign * ended.cpu_s
        self.wall_s += sign * ended.wall_s
        if sign > 0:
            self.first_at = at if self.first_at is None else min(self.first_at, at)
            self.last_at = at if self.last_at is None else max(self.last_at, at)
        else:
            first, last = self.gone or (at, at)
            self.gone = (min(first, at), max(last, at))

    def merge(self, other: Sum) -> None:
        """Add what is already a sum of runs."""
        self.n_runs += other.n_runs
        self.cpu_s += other.cpu_s
        self.wall_s += other.wall_s
        firsts = [at for at in (self.first_at, other.first_at) if at is not None]
        lasts = [at for at in (self.last_at, other.last_at) if at is not None]
        self.first_at, self.last_at = min(firsts, default=None), max(lasts, default=None)


class Sums(dict[Key, Sum]):
    """Changes of sums, collected."""

    def add(
        self,
        ended: Ended,
        axes: Collection[str] = (*EVERYWHERE, *JUDGED),
        *,
        sign: int = 1,
    ) -> None:
        """Add a run, or take it with a negative sign, over all time and on its day."""
        day_no = day_of(ended.ended_at)
        for key in ended.sums(axes):
            whole = self.find(key)
            whole.count(ended, sign)
            whole.n_blocked += sign * ended.is_newest
            if key.axis not in UNDATED:
                self.find(Key(key.axis, key.entry, key.result, day_no)).count(ended, sign)

    def release(self, ended: Ended) -> None:
        """Take note that a run is no longer the newest of its dataset."""
        for key in ended.sums():
            self.find(key).n_blocked -= 1

    def find(self, key: Key) -> Sum:
        """Return the change of a sum, new where there is none yet."""
        found = self.get(key)
        if found is None:
            found = self[key] = Sum()
        return found


def ended_runs() -> Select[Any]:
    """Select what is summed of the runs that are done (`read`); `is_newest`: 1 or 0, of its dataset."""
    newer = aliased(Run)
    later = exists().where(
        newer.dataset_id == Run.dataset_id, newer.id > Run.id, newer.state == State.DONE
    )
    return (
        select(
            Run.id,
            Run.dataset_id,
            Run.result,
            Run.ended_at,
            Run.cpu_s,
            Run.wall_s,
            case((later, 0), else_=1).label("is_newest"),
            *(column.label(_label(axis)) for axis, column in COLUMNS.items()),
        )
        .join(DatasetAlma, DatasetAlma.dataset_id == Run.dataset_id, isouter=True)
        .where(Run.state == State.DONE)
    )


def _label(axis: str) -> str:
    return f"of_{axis.replace('-', '_')}"  # a quoted name would be case-sensitive for ever


def read(row: Row[Any]) -> Ended:
    """Return what is summed of a selected run."""
    said = {axis: row._mapping[_label(axis)] for axis in COLUMNS}  # noqa: SLF001 -- its name
    return Ended(
        run_id=row.id,
        dataset_id=row.dataset_id,
        result=row.result,
        ended_at=row.ended_at,
        cpu_s=row.cpu_s or 0.0,
        wall_s=row.wall_s or 0.0,
        is_newest=bool(row.is_newest),
        said=said,
    )
