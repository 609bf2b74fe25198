"""Remedies of failures that are there: what a new run of each blocked dataset would have, and queueing them.

The same rules decide as after an attempt (`reimage.remedies`), but a person asks: how often runs may follow
one another of themselves does not count, and classes that are passive are carried out, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from reimage import closing, following, histories
from reimage.cases import Bounds, Change
from reimage.desk import acts, showing
from reimage.desk.groups import Group
from reimage.errors import DiskFull, DocumentUnreadable, ReimageError, UsageError
from reimage.model import Result
from reimage.remedies import propose
from reimage.run import Remedied
from reimage.settings import Settings
from reimage.store import following as followed
from reimage.store import runs
from reimage.store.following import Blocked, MemoryShare
from reimage.store.rows import RunRow
from reimage.store.session import Database
from reimage.triage import rejudging
from reimage.triage.catalogue import ErrorClass, Remedy

Progress: TypeAlias = Callable[[int, int], object]
KIND = "remedies.asked"
"""The act: ``runs`` are those that were to be followed, with the reason each."""
TOO_MANY = 0.3
"""Of a category's datasets: where more run out of memory, its runs should have more (operations.md 7)."""


class RunNotBlocking(UsageError):
    """A run's failure is not what its dataset waits for."""

    code = "run-not-blocking"
    hint = "It succeeded, or a later run of its dataset is done or under way: `reimage show RUN` tells."


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to be done for one blocked dataset."""

    dataset: str
    run: str
    """Its newest run: the new one follows it."""
    error_class: str
    remedy: str
    """Of the error class."""
    category: str | None
    reason: str
    """What the new run has, or why there is none."""
    change: Change | None
    """None: nothing is queued."""
    n_bytes: int | None = None
    """Of the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done for a class, a signature or a run."""

    name: str
    planned: tuple[Planned, ...]
    """A new run each."""
    left: tuple[Planned, ...]
    """For these there is none, and why."""
    beyond: int
    """Datasets that were not looked at: the limit was reached."""
    short_of_memory: tuple[MemoryShare, ...]
    """Categories of which so many datasets ran out of memory that all should have more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a plan for one dataset."""

    dataset: str
    follows: str
    run: str | None
    """The new run; None where it could not be queued."""
    reason: str


def plan(
    settings: Settings,
    database: Database,
    name: str,
    classes: Sequence[ErrorClass],
    *,
    limit: int | None = None,
    progress: Progress = lambda _, __: None,
) -> Plan:
    """Return what would be done for every dataset that a class, a signature or a run blocks.

    A dataset stands for its newest run.

    Parameters
    ----------
    limit
        New runs at most.
    progress
        Told how many datasets of how many were looked at.

    Raises
    ------
    ErrorClassUnknown, GroupUnknown, FailureUnknown, RunUnknown, RunNotBlocking
    """
    found = _blocked(settings, database, name, classes)
    known = {one.id: one for one in classes}
    bounds = closing.bounds(settings)
    to_do: list[Planned] = []
    left: list[Planned] = []
    for number, one in enumerate(found, 1):
        told = _planned(settings, one, known.get(one.error_class), bounds)
        (left if told.change is None else to_do).append(told)
        progress(number, len(found))
        if limit is not None and len(to_do) >= limit:
            break
    return Plan(
        name=name,
        planned=tuple(to_do),
        left=tuple(left),
        beyond=len(found) - len(to_do) - len(left),
        short_of_memory=_short_of_memory(database, to_do),
    )


def canaries(planned: Sequence[Planned], number: int) -> tuple[Planned, ...]:
    """Return some datasets that are tried first: spread from the smallest to the largest."""
    by_size = sorted(planned, key=lambda one: (one.n_bytes or 0, one.dataset))
    if number >= len(by_size):
        return tuple(by_size)
    step = (len(by_size) - 1) / max(1, number - 1)
    return tuple(by_size[round(place * step)] for place in range(number))


def ask(
    settings: Settings,
    database: Database,
    name: str,
    planned: Sequence[Planned],
    *,
    author: str,
    reason: str | None,
    at: datetime,
) -> None:
    """Write down that somebody wants these remedies; `carry_out` queues them."""
    for begin in range(0, len(planned), acts.MOST):
        told = [
            {"run": one.run, "dataset": one.dataset, "reason": one.reason}
            for one in planned[begin : begin + acts.MOST]
        ]
        acts.record(
            settings, database, KIND, author=author, reason=reason, at=at, subject=name, runs=told
        )


def carry_out(
    settings: Settings, database: Database, planned: Sequence[Planned], *, author: str
) -> Iterator[Done]:
    """Queue the new runs one by one; one that cannot be is told of, and the others go on.

    Raises
    ------
    DiskFull
    """
    for one in planned:
        said = Remedied(reason=one.reason, author=author, automatic=False)
        try:
            with database.read() as session:
                row = runs.find(session, one.run)
            new = following.follow(settings, database, row, one.change or Change(), said)
        except DiskFull:
            raise
        except ReimageError as error:
            told = f"{error.code}: {error.message}"
            yield Done(dataset=one.dataset, follows=one.run, run=None, reason=told)
            continue
        yield Done(dataset=one.dataset, follows=one.run, run=new.run, reason=one.reason)


def succeeded(tried: Sequence[RunRow]) -> bool:
    """Whether runs that were tried first allow the others: every one is imaged."""
    return all(row.result is Result.IMAGED for row in tried)


def _blocked(
    settings: Settings, database: Database, name: str, classes: Sequence[ErrorClass]
) -> tuple[Blocked, ...]:
    meant = showing.find(settings, database, classes, name)
    run = None if isinstance(meant, Group) else meant.run
    group = meant.name if isinstance(meant, Group) else name
    with database.read() as session:
        found = followed.blocked(session, settings.holding, group, run)
    if run is not None and not found:
        raise RunNotBlocking(f"run {run} blocks nothing now", evidence={"run": run})
    return found


def _planned(
    settings: Settings, one: Blocked, error_class: ErrorClass | None, bounds: Bounds
) -> Planned:
    remedy = error_class.remedy if error_class is not None else Remedy.NONE
    directory = settings.data / one.directory
    change = None
    try:
        evidence = rejudging.read(directory / "evidence" / f"attempt-{one.attempt}.json")
    except DocumentUnreadable as error:
        reason = f"{one.error_class}: no evidence to decide on: {error.message}"
    else:
        case = histories.read_case(
            directory,
            evidence,
            attempt=one.attempt,
            result=one.result,
            error_class=one.error_class,
            family=error_class.family.value if error_class is not None else None,
            remedy=remedy,
            fix=error_class.fix if error_class is not None else None,
        )
        decision = propose(case, bounds)
        change, reason = decision.change, decision.reason
    return Planned(
        dataset=one.dataset,
        run=one.run,
        error_class=one.error_class,
        remedy=remedy.value,
        category=one.category,
        reason=reason,
        change=change,
        n_bytes=one.n_bytes,
    )


def _short_of_memory(database: Database, planned: Sequence[Planned]) -> tuple[MemoryShare, ...]:
    """Return the categories of which too many datasets ran out of memory."""
    wanting = [
        one for one in planned if one.change is not None and one.change.memory_mb is not None
    ]
    found: list[MemoryShare] = []
    with database.read() as session:
        for name in sorted({one.error_class for one in wanting}):
            mine = {one.category for one in wanting if one.error_class == name and one.category}
            found += followed.memory_shares(session, name, sorted(mine))
    return tuple(share for share in found if share.datasets > TOO_MANY * share.of)
