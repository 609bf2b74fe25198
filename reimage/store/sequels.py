"""What came after failures of one kind: the next run of the same dataset, the next attempt of the same run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import false, select, true
from sqlalchemy.orm import Session

from reimage.model import Result, State
from reimage.store.desk_tables import Failure, FixApplication
from reimage.store.groups import Of
from reimage.store.run_tables import Run

_COLUMNS: Mapping[str, Any] = {"class": Failure.error_class, "signature": Failure.signature}
_SILENT = (Result.LOST, Result.CANCELLED, Result.REFUSED)
"""Results of runs that tried nothing."""
_IN_A_LIST = 400
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A run, by what it was made with and how it ended."""

    run: str
    dataset_id: int
    build: str | None
    recipe: str
    recipe_digest: str
    memory_mb: int
    limit_s: float
    fixes: frozenset[str]
    result: Result
    error_class: str | None
    signature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequel:
    """A run that failed, and the next one of its dataset that tried anything."""

    failed: Try
    then: Try


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """An attempt that failed and was followed by another of the same run."""

    run: str
    attempt: int
    error_class: str | None
    """Of the attempt that followed; None where it ended imaged."""
    signature: str | None


def sequels(session: Session, of: Of, name: str, most: int) -> tuple[Sequel, ...]:
    """Return what came after the newest final failures of a class or a signature; at most so many are looked at."""
    chosen = (
        select(Failure.run_id, Failure.dataset_id)
        .where(_COLUMNS[of] == name, Failure.is_final == true())
        .order_by(Failure.failed_at.desc(), Failure.id.desc())
        .limit(most)
    )
    failed = {row.run_id: row.dataset_id for row in session.execute(chosen)}
    ends = _ends(session, sorted(set(failed.values())))
    pairs = []
    for of_dataset in ends.values():
        ids = sorted(of_dataset)
        tried = [one for one in ids if of_dataset[one] not in _SILENT]
        for before in (one for one in ids if one in failed):
            at = bisect_right(tried, before)
            if at < len(tried):
                pairs.append((before, tried[at]))
    told = _tries(session, sorted({one for pair in pairs for one in pair}))
    return tuple(Sequel(failed=told[before], then=told[after]) for before, after in sorted(pairs))


def again(session: Session, of: Of, name: str, most: int) -> tuple[Again, ...]:
    """Return how the attempts ended that followed the newest failures of a class or a signature."""
    chosen = (
        select(Failure.run_id, Failure.attempt_no, Run.run, Run.result)
        .join(Run, Run.id == Failure.run_id)
        .where(_COLUMNS[of] == name, Failure.is_final == false(), Run.state == State.DONE)
        .order_by(Failure.failed_at.desc(), Failure.id.desc())
        .limit(most)
    )
    failed = session.execute(chosen).all()
    later: dict[tuple[int, int], tuple[str, str | None]] = {}
    for part in _parts(sorted({row.run_id for row in failed})):
        statement = select(
            Failure.run_id, Failure.attempt_no, Failure.error_class, Failure.signature
        ).where(Failure.run_id.in_(part))
        for run_id, attempt, error_class, signature in session.execute(statement):
            later[run_id, attempt] = (error_class, signature)
    found = []
    for row in failed:
        then = later.get((row.run_id, row.attempt_no + 1))
        if then is not None or row.result is Result.IMAGED:
            found.append(
                Again(
                    run=row.run,
                    attempt=row.attempt_no + 1,
                    error_class=then[0] if then else None,
                    signature=then[1] if then else None,
                )
            )
    return tuple(found)


def _ends(session: Session, datasets: Sequence[int]) -> dict[int, dict[int, Result | None]]:
    """Return how the runs of datasets ended, by dataset and id."""
    found: dict[int, dict[int, Result | None]] = {}
    for part in _parts(datasets):
        statement = select(Run.dataset_id, Run.id, Run.result).where(
            Run.dataset_id.in_(part), Run.state == State.DONE
        )
        for dataset_id, run_id, result in session.execute(statement):
            found.setdefault(dataset_id, {})[run_id] = result
    return found


def _tries(session: Session, runs: Sequence[int]) -> dict[int, Try]:
    fixes = _fixes(session, runs)
    columns = [getattr(Run, name) for name in Try.__dataclass_fields__ if name != "fixes"]
    return {
        row["id"]: Try(
            **{key: value for key, value in row.items() if key != "id"},
            fixes=frozenset(fixes.get(row["id"], ())),
        )
        for part in _parts(runs)
        for row in session.execute(select(Run.id, *columns).where(Run.id.in_(part))).mappings()
    }


def _fixes(session: Session, runs: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for part in _parts(runs):
        statement = select(FixApplication.run_id, FixApplication.fix).where(
            FixApplication.run_id.in_(part)
        )
        for run_id, fix in session.execute(statement):
            found.setdefault(run_id, set()).add(fix)
    return found


def _parts(values: Iterable[_T]) -> Iterator[Sequence[_T]]:
    """Yield values in lists that a database takes."""
    rest = iter(values)
    while part := list(islice(rest, _IN_A_LIST)):
        yield part
