"""Which failures are asked for: by what they are grouped, and the filters that narrow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.schema import Column
from sqlalchemy.sql import visitors

from reimage.errors import UsageError
from reimage.model import Result
from reimage.store import datasets, filters
from reimage.store.desk_tables import Failure
from reimage.store.filters import Filterable
from reimage.store.holdings_tables import Dataset, DatasetAlma
from reimage.store.run_tables import Run

By: TypeAlias = Literal[
    "class",
    "family",
    "signature",
    "category",
    "casa",
    "recipe",
    "stage",
    "host",
    "day",
    "band",
    "cycle",
]
NOTHING = "none"
"""What a group is called of which the axis says nothing."""
SUCCESS = Result.IMAGED
UNCLASSIFIED = "unclassified"
WORD = String(128)

_COLUMNS: dict[str, ColumnElement[Any]] = {
    "class": Failure.error_class.expression,
    "family": Failure.error_class.expression,
    "signature": Failure.signature.expression,
    "category": Failure.category.expression,
    "casa": Failure.build.expression,
    "recipe": Failure.recipe.expression,
    "stage": type_coerce(Failure.stage, WORD),
    "host": Failure.host.expression,
    "band": DatasetAlma.bands.expression,
    "cycle": cast(DatasetAlma.cycle, WORD),
}
FILTERS: Mapping[str, Filterable] = {
    "class": Filterable(column=Failure.error_class, kind="text"),
    "signature": Filterable(column=Failure.signature, kind="text"),
    "category": Filterable(column=Failure.category, kind="text"),
    "casa": Filterable(column=Failure.build, kind="text", also=("build",)),
    "recipe": Filterable(column=Failure.recipe, kind="text"),
    "stage": Filterable(column=type_coerce(Failure.stage, WORD), kind="text"),
    "result": Filterable(column=type_coerce(Failure.result, WORD), kind="text"),
    "host": Filterable(column=Failure.host, kind="text"),
    "code": Filterable(column=Failure.code, kind="text"),
    "message": Filterable(column=Failure.message, kind="text"),
    "decisive": Filterable(column=Failure.decisive, kind="text"),
    "failed_at": Filterable(column=Failure.failed_at, kind="moment", also=("failed",)),
    "cpu_s": Filterable(column=Failure.cpu_s, kind="number"),
    "run": Filterable(column=Run.run, kind="text"),
    "sweep": Filterable(column=Run.sweep, kind="text"),
    **{name: one for name, one in datasets.GENERAL.items() if name != "title"},
    **datasets.ALMA,
}
"""What a filter of failures may name: the failure's own, its run's, its dataset's."""


class GroupingUnknown(UsageError):
    """Failures are not grouped by this."""

    code = "grouping-unknown"
    hint = "One of class, family, signature, category, casa, recipe, stage, host, day, band, cycle."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the failures that ended runs."""

    by: By = "class"
    since: datetime | None = None
    """Only what failed from then on."""
    sweep: str | None = None
    where: str = ""
    """A filter over `FILTERS` (`reimage.store.filters`)."""
    grep: str = ""
    """Text that the message or the decisive line holds, whatever the case."""
    unclassified: bool = False
    """Only what no class matches."""

    @property
    def is_narrow(self) -> bool:
        """Whether the sums do not answer it, so that failures are counted."""
        return bool(
            self.since or self.sweep or self.where.strip() or self.grep or self.unclassified
        )

    def column(self) -> ColumnElement[str]:
        """Return what failures are grouped by, as text; never NULL.

        Raises
        ------
        GroupingUnknown
        """
        if self.by not in _COLUMNS:
            raise GroupingUnknown(f"failures are not grouped by {self.by!r}")
        # A literal: bound values differ between SELECT and GROUP BY.  And no index gives this
        # expression's order, which would read the whole table in an order that is not the disk's.
        return func.coalesce(_COLUMNS[self.by], literal_column(f"'{NOTHING}'", WORD))

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on final failures; the columns may be of other tables (`joined`).

        Raises
        ------
        FilterMalformed
        """
        return [Failure.is_final == true(), *self.narrowing()]

    def narrowing(self) -> list[ColumnElement[bool]]:
        """Return the conditions that are asked for beside that of being final.

        Raises
        ------
        FilterMalformed
        """
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(Failure.failed_at >= self.since)
        if self.sweep is not None:
            found.append(Run.sweep == self.sweep)
        if self.unclassified:
            found.append(Failure.error_class == UNCLASSIFIED)
        if self.grep:
            found.append(holds(self.grep))
        return [*found, *filters.parse(self.where, FILTERS)]


def holds(text: str) -> ColumnElement[bool]:
    """Return the condition that a failure's message or decisive line holds a text, whatever the case."""
    return or_(
        Failure.message.icontains(text, autoescape=True),
        Failure.decisive.icontains(text, autoescape=True),
    )


def joined(columns: list[Any], conditions: list[ColumnElement[bool]]) -> Select[Any]:
    """Select columns of failures that meet conditions, with the tables that these need."""
    named = {
        element.table
        for expression in (*columns, *conditions)
        for element in visitors.iterate(getattr(expression, "expression", expression))
        if isinstance(element, Column) and isinstance(element.table, Table)
    }
    statement: Select[Any] = select(*columns).select_from(Failure)
    if Run.__table__ in named:
        statement = statement.join(Run, Run.id == Failure.run_id)
    if Dataset.__table__ in named:
        statement = statement.join(Dataset, Dataset.id == Failure.dataset_id)
    if DatasetAlma.__table__ in named:
        statement = statement.outerjoin(DatasetAlma, DatasetAlma.dataset_id == Failure.dataset_id)
    return statement.where(*conditions)
