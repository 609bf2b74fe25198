"""Outcomes of the same datasets with several builds and recipes: one run each, the newest that says something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from reimage.model import Result, State
from reimage.store import datasets, filters
from reimage.store.holdings_tables import Dataset, DatasetAlma
from reimage.store.run_tables import Product, Run

SAYING = frozenset({Result.IMAGED, Result.PARTIAL, Result.FAILED})
"""Results that speak of what the run was made with: not *refused* (by rule), *lost*, *cancelled*."""
_IN_A_LIST = 400
_AT_ONCE = 10_000
"""Rows that are fetched together: a history of any length fits into memory."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a dataset ended with a build and a recipe."""

    dataset: str
    build: str | None
    recipe: str
    run_id: int
    run: str
    result: Result
    error_class: str | None
    category: str | None
    made: int
    planned: int
    mitigated: int
    says: bool
    """Whether the outcome speaks of build and recipe, and not of an archive, a machine or a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Numbers of one image of a run."""

    name: str
    specmode: str | None
    numbers: Mapping[str, Any]


def outcomes(
    session: Session,
    holding: str,
    *,
    keys: Collection[str] | None = None,
    where: str = "",
    censored: Collection[str] = (),
) -> tuple[Outcome, ...]:
    """Return for each dataset, build and recipe the newest run that says something, else the newest.

    Parameters
    ----------
    keys
        Only these datasets.
    where
        A filter over the holding's columns (`reimage.store.datasets.columns`).
    censored
        Error classes that say nothing about build and recipe.

    Raises
    ------
    FilterMalformed
    """
    conditions = [
        Dataset.holding == holding,
        Run.state == State.DONE,
        *filters.parse(where, datasets.columns(holding)),
    ]
    names = frozenset(censored)
    newest: dict[tuple[Any, ...], tuple[bool, RowMapping]] = {}
    for part in [None] if keys is None else _parts(sorted(keys)):
        statement = (
            _selection()
            .where(*conditions, *([] if part is None else [Dataset.dataset_key.in_(part)]))
            .execution_options(yield_per=_AT_ONCE)
        )
        for row in session.execute(statement).mappings():
            key = (row["dataset"], row["build"], row["recipe"])
            says = row["result"] in SAYING and row["error_class"] not in names
            before = newest.get(key)
            if before is None or (before[0], before[1]["run_id"]) < (says, row["run_id"]):
                newest[key] = (says, row)
    return tuple(Outcome(**row, says=says) for says, row in newest.values())


def images(session: Session, run_ids: Iterable[int]) -> dict[int, list[Image]]:
    """Return the images of some runs that were measured, by run."""
    found: dict[int, list[Image]] = {}
    for part in _parts(run_ids):
        statement = (
            select(Product.run_id, Product.name, Product.specmode, Product.numbers)
            .where(Product.run_id.in_(part))
            .order_by(Product.run_id, Product.name)
        )
        for run_id, name, specmode, numbers in session.execute(statement):
            if numbers:
                image = Image(name=name, specmode=specmode, numbers=numbers)
                found.setdefault(run_id, []).append(image)
    return found


def _selection() -> Any:  # noqa: ANN401 -- a Select of many columns
    return (
        select(
            Dataset.dataset_key.label("dataset"),
            Run.build,
            Run.recipe,
            Run.id.label("run_id"),
            Run.run,
            Run.result,
            Run.error_class,
            Run.category,
            Run.products_made.label("made"),
            Run.products_planned.label("planned"),
            Run.products_mitigated.label("mitigated"),
        )
        .join(Dataset, Dataset.id == Run.dataset_id)
        .outerjoin(DatasetAlma, DatasetAlma.dataset_id == Run.dataset_id)
    )


def _parts(values: Iterable[_T]) -> Iterator[Sequence[_T]]:
    """Yield values in lists that a database takes."""
    rest = iter(values)
    while part := list(islice(rest, _IN_A_LIST)):
        yield part
