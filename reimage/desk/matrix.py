"""The version matrix: how the same datasets end with several builds or recipes, and what flips.

Outcomes that speak of an archive, a machine or a person (`CENSORED`) are shown and not compared; so is
what was refused.  A dataset passes where it ends *imaged*, and fails where it ends *partial* or *failed*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, TypeAlias

from reimage.desk import key_numbers, significance
from reimage.desk.key_numbers import Numbers
from reimage.errors import UsageError
from reimage.model import Result
from reimage.store import matrix as store
from reimage.store.matrix import Image, Outcome
from reimage.store.session import Database
from reimage.triage.catalogue import ErrorClass, Family

By: TypeAlias = Literal["build", "recipe", "both"]

CENSORED = frozenset({Family.FETCH, Family.INFRASTRUCTURE, Family.OPERATIONS})
NOTHING = "none"


class ColumnUnknown(UsageError):
    """The matrix has no such column."""

    code = "column-unknown"
    hint = "`reimage matrix` without --against names the columns."


class Flip(StrEnum):
    """What changed from the column that is compared with."""

    FAILS = "newly failing"
    PASSES = "newly passing"
    OTHERWISE = "fails otherwise"
    """It failed, too, and of another class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How a dataset ended in one column."""

    column: str
    run: str
    result: Result
    error_class: str | None
    passes: bool | None
    """None where the outcome says nothing about build and recipe."""
    made: int
    planned: int
    mitigated: int
    flip: Flip | None = None
    numbers: Numbers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A dataset in all columns."""

    dataset: str
    category: str | None
    cells: tuple[Cell | None, ...]
    """In the order of the columns; None where it was never run so."""

    @property
    def flips(self) -> tuple[Flip, ...]:
        """What changed."""
        return tuple(cell.flip for cell in self.cells if cell is not None and cell.flip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A column beside the one that it is compared with."""

    before: str
    after: str
    both: int
    """Datasets of which both columns say something."""
    newly_failing: int
    newly_passing: int
    before_failed: int
    """Of `both`; where that is none, of all that this column says something of."""
    before_n: int
    after_failed: int
    after_n: int
    test: Literal["mcnemar", "fisher"]
    """``fisher`` where the columns have no dataset in common: it needs far more of them."""
    p_worse: float
    """How likely chance alone makes it so much worse: one-sided."""
    p_two_sided: float | None
    p_worse_adjusted: float
    """The first, as one of all comparisons here (Holm)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Datasets by columns, and the columns compared."""

    by: By
    columns: tuple[str, ...]
    """The one that the others are compared with comes first, then by their oldest run."""
    rows: tuple[Row, ...]
    """What flips first."""
    datasets: int
    """All there are; rows may be fewer."""
    comparisons: tuple[Comparison, ...]


def read(
    database: Database,
    holding: str,
    classes: Iterable[ErrorClass],
    *,
    by: By = "build",
    keys: Collection[str] | None = None,
    where: str = "",
    against: str | None = None,
    flips_only: bool = False,
    limit: int | None = None,
) -> Matrix:
    """Return the matrix of some datasets, or of all that have runs.

    Raises
    ------
    ColumnUnknown, FilterMalformed
    """
    censored = {one.id for one in classes if one.family in CENSORED}
    with database.read() as session:
        found = store.outcomes(session, holding, keys=keys, where=where, censored=censored)
        made = make(found, by=by, against=against)
        rows = [row for row in made.rows if row.flips or not flips_only][:limit]
        runs = {cell.run for row in rows for cell in row.cells if cell is not None}
        ids = {one.run_id: one.run for one in found if one.run in runs}
        measured = store.images(session, sorted(ids))
    images = {ids[run_id]: tuple(of_run) for run_id, of_run in measured.items()}
    return replace(made, rows=tuple(_measured(row, images) for row in rows))


def make(found: Iterable[Outcome], *, by: By, against: str | None = None) -> Matrix:
    """Arrange outcomes, mark what flips, and compare the columns; pure.

    Raises
    ------
    ColumnUnknown
    """
    newest: dict[tuple[str, str], Outcome] = {}
    oldest: dict[str, int] = {}
    for outcome in found:
        name = column_of(outcome, by)
        # a run that ended before it had a build says nothing about any
        one = replace(outcome, says=outcome.says and (by == "recipe" or outcome.build is not None))
        before = newest.get((one.dataset, name))
        if before is None or (one.says, one.run_id) > (before.says, before.run_id):
            newest[one.dataset, name] = one
        oldest[name] = min(one.run_id, oldest.get(name, one.run_id))
    columns = _columns(oldest, against)
    keys = sorted({dataset for dataset, _ in newest})
    rows = [_row(key, columns, newest) for key in keys]
    rows.sort(key=lambda row: (_interest(row), row.dataset))
    return Matrix(
        by=by,
        columns=columns,
        rows=tuple(rows),
        datasets=len(rows),
        comparisons=_comparisons(columns, rows),
    )


def column_of(outcome: Outcome, by: By) -> str:
    """Return the column that an outcome stands in."""
    build = outcome.build or NOTHING
    return {"build": build, "recipe": outcome.recipe, "both": f"{build} {outcome.recipe}"}[by]


def passes(outcome: Outcome) -> bool | None:
    """Return whether a dataset passed; None where the outcome says nothing about it."""
    return outcome.result is Result.IMAGED if outcome.says else None


def _columns(oldest: Mapping[str, int], against: str | None) -> tuple[str, ...]:
    if against is not None and against not in oldest:
        raise ColumnUnknown(
            f"no column {against!r}; there are: {', '.join(sorted(oldest)) or 'none'}",
            evidence={"column": against},
        )

    def order(name: str) -> tuple[bool, bool, int]:
        return name != against, name.partition(" ")[0] == NOTHING, oldest[name]

    return tuple(sorted(oldest, key=order))


def _row(key: str, columns: Sequence[str], newest: Mapping[tuple[str, str], Outcome]) -> Row:
    found = [newest.get((key, column)) for column in columns]
    cells = tuple(
        None if one is None else _cell(column, one, found[0])
        for column, one in zip(columns, found, strict=True)
    )
    return Row(
        dataset=key,
        category=next((one.category for one in reversed(found) if one and one.category), None),
        cells=cells,
    )


def _cell(column: str, one: Outcome, base: Outcome | None) -> Cell:
    return Cell(
        column=column,
        run=one.run,
        result=one.result,
        error_class=one.error_class,
        passes=passes(one),
        made=one.made,
        planned=one.planned,
        mitigated=one.mitigated,
        flip=None if base is None else _flip(base, one),
    )


def _flip(before: Outcome, after: Outcome) -> Flip | None:
    passed, now = passes(before), passes(after)
    if passed is None or now is None:
        return None
    if passed != now:
        return Flip.PASSES if now else Flip.FAILS
    return Flip.OTHERWISE if before.error_class != after.error_class else None


def _interest(row: Row) -> int:
    """Return 0 for what newly fails, 1 for what newly passes, then the rest."""
    order = list(Flip)
    return min((order.index(flip) for flip in row.flips), default=len(order))


def _measured(row: Row, images: Mapping[str, Sequence[Image]]) -> Row:
    base = row.cells[0]
    beside = images.get(base.run, ()) if base is not None else ()
    cells = tuple(
        cell
        and replace(
            cell, numbers=key_numbers.of(images.get(cell.run, ()), () if cell is base else beside)
        )
        for cell in row.cells
    )
    return replace(row, cells=cells)


def _comparisons(columns: Sequence[str], rows: Sequence[Row]) -> tuple[Comparison, ...]:
    compared = [_comparison(columns, i, rows) for i in range(1, len(columns))]
    made = [one for one in compared if one.before_n and one.after_n]
    adjusted = significance.holm([one.p_worse for one in made])
    return tuple(replace(one, p_worse_adjusted=p) for one, p in zip(made, adjusted, strict=True))


def _comparison(columns: Sequence[str], i: int, rows: Sequence[Row]) -> Comparison:
    pairs = [(_said(row.cells[0]), _said(row.cells[i])) for row in rows]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    before = [a for a, _ in both] or [a for a, _ in pairs if a is not None]
    after = [b for _, b in both] or [b for _, b in pairs if b is not None]
    failing = sum(a and not b for a, b in both)
    passing = sum(b and not a for a, b in both)
    if both:
        worse = significance.mcnemar(failing, passing)
    else:
        sides = ((side.count(False), len(side)) for side in (before, after))
        worse = significance.fisher(*sides)
    return Comparison(
        before=columns[0],
        after=columns[i],
        both=len(both),
        newly_failing=failing,
        newly_passing=passing,
        before_failed=before.count(False),
        before_n=len(before),
        after_failed=after.count(False),
        after_n=len(after),
        test="mcnemar" if both else "fisher",
        p_worse=worse,
        p_two_sided=significance.mcnemar_two_sided(failing, passing) if both else None,
        p_worse_adjusted=worse,
    )


def _said(cell: Cell | None) -> bool | None:
    return None if cell is None else cell.passes
