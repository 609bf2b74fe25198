"""The sums of stages and of products, of runs that are done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from reimage.store.run_tables import Product, StageRecord, StageState
from reimage.store.tally_sums import NOTHING, Ended, day_of
from reimage.store.tally_tables import ALL_TIME, ProductTally, StageTally

Numbers = list[float]
"""How many; and their seconds, or bytes."""
Parts = dict[tuple[Any, ...], Numbers]
"""By the values of the key's columns."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A table of sums of the parts of runs."""

    table: Table
    keys: tuple[str, ...]
    numbers: tuple[str, str]

    @cached_property
    def standing(self) -> Any:  # noqa: ANN401 -- a select
        """Select the keys that have rows, of lists of each of their values."""
        columns = [self.table.c[name] for name in self.keys]
        named = (one.in_(bindparam(f"k_{one.name}", expanding=True)) for one in columns)
        return select(*columns).where(*named)

    @cached_property
    def change(self) -> Any:  # noqa: ANN401 -- an update
        """Add numbers to the row of a key."""
        has = self.table.c
        added = {name: has[name] + bindparam(f"k_{name}") for name in self.numbers}
        named = (has[name] == bindparam(f"k_{name}") for name in self.keys)
        return update(self.table).where(*named).values(added)

    def row(self, key: tuple[Any, ...], numbers: Numbers) -> dict[str, Any]:
        """Return a sum as a row."""
        return dict(zip((*self.keys, *self.numbers), (*key, *numbers), strict=True))


STAGES = Kind(
    table=cast("Table", StageTally.__table__),
    keys=("day_no", "stage", "build", "state"),
    numbers=("n_stages", "wall_s"),
)
PRODUCTS = Kind(
    table=cast("Table", ProductTally.__table__),
    keys=("day_no", "recipe", "kind", "state"),
    numbers=("n_products", "n_bytes"),
)
COUNTED = (StageState.PROVEN, StageState.FAILED)


def add(sums: Parts, kind: Kind, key: tuple[Any, ...], numbers: tuple[int, Any]) -> None:
    """Add a number of parts to a sum; ``key``: day, what the run says, the part, its state."""
    day_no, said, part, state = key
    if kind is STAGES:
        key = (day_no, part, said or NOTHING, str(state))
    total = sums.setdefault(key, [0, 0])
    total[0] += numbers[0]
    total[1] += int(numbers[1] or 0) if kind is PRODUCTS else numbers[1] or 0.0


def add_run(session: Session, ended: Ended) -> None:
    """Count the stages and products of a run that has just become done."""
    for kind, axis in ((STAGES, "casa"), (PRODUCTS, "recipe")):
        sums: Parts = {}
        found = session.connection().execute(_OF_RUN[kind.table.name], {"k_run": ended.run_id})
        for part, state, n, amount in found:
            for day_no in (ALL_TIME, day_of(ended.ended_at)):
                add(sums, kind, (day_no, ended.said[axis], part, state), (n, amount))
        if sums:
            apply(session, kind, sums)


def apply(session: Session, kind: Kind, sums: Parts) -> None:
    """Change the sums that stand, insert the others; the turn was taken by the caller."""
    parts = zip(kind.keys, zip(*sums, strict=True), strict=True)
    values = {f"k_{name}": sorted(set(part)) for name, part in parts}
    connection = session.connection()
    standing = {tuple(row) for row in connection.execute(kind.standing, values)}
    new = [kind.row(key, numbers) for key, numbers in sums.items() if key not in standing]
    old = [
        {f"k_{name}": value for name, value in kind.row(key, numbers).items()}
        for key, numbers in sums.items()
        if key in standing
    ]
    if new:
        connection.execute(insert(kind.table), new)
    if old:
        connection.execute(kind.change, old)


_OF_STAGES = (StageRecord.stage, StageRecord.state)
_OF_PRODUCTS = (Product.kind, Product.state)
_OF_RUN = {
    STAGES.table.name: select(*_OF_STAGES, func.count(), func.sum(StageRecord.wall_s))
    .where(StageRecord.run_id == bindparam("k_run"), StageRecord.state.in_(COUNTED))
    .group_by(*_OF_STAGES),
    PRODUCTS.table.name: select(*_OF_PRODUCTS, func.count(), func.sum(Product.n_bytes))
    .where(Product.run_id == bindparam("k_run"))
    .group_by(*_OF_PRODUCTS),
}
"""By the table of the sums: parts of one run, how many, and their seconds or bytes."""
