"""The database from the flight recorder: run directories and ledger replayed into an empty one.

Rows are made by the functions that made them the first time (`reimage.ingest`, `reimage.desk.acts`).
What does not come back: the holdings (`reimage holdings sync`), requests not yet granted, the lease,
and surrogate keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from reimage import document, ingest, journal, mirror, sweeps
from reimage.casa import builds
from reimage.desk import acts
from reimage.errors import DocumentUnreadable, StoreError
from reimage.ingest import LogContradicts, LogUnreadable, Place
from reimage.model import State
from reimage.run import Run
from reimage.settings import Settings
from reimage.store import builds as build_mirror
from reimage.store import datasets, moves, runs
from reimage.store.moves import RunLive
from reimage.store.session import Database
from reimage.triage.catalogue import load_classes


class DatabaseNotEmpty(StoreError):
    """A database that has runs is not rebuilt."""

    code = "database-not-empty"
    hint = "Rebuild into a new, upgraded database, then point the setting `database` to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A run directory that gave no run."""

    directory: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildCounts:
    """What a rebuild found."""

    runs: int
    sweeps: int
    acts: int
    """What people did at the desk."""
    unreadable: tuple[Unreadable, ...]


def rebuild(settings: Settings, database: Database) -> RebuildCounts:
    """Replay every run directory and the ledger, oldest run first.

    Raises
    ------
    DatabaseNotEmpty
    """
    with database.read() as session:
        if runs.list_runs(session, limit=1):
            raise DatabaseNotEmpty(f"{database.url} has runs already")
    mirror.error_classes(database, load_classes(settings.classes), journal.now())
    launched = sweeps.replay(settings, database)
    found = 0
    unreadable: list[Unreadable] = []
    for _, _, directory in sorted(_recorded(settings.runs_dir, unreadable)):
        try:
            run = document.read(Run, directory / "run.json")
            with database.write() as session:
                _replay(session, settings, run, directory)
            found += 1
        except (RunLive, LogContradicts, LogUnreadable, DocumentUnreadable) as error:
            # Queued, and killed before its row stood; or its log was damaged.
            unreadable.append(Unreadable(directory=str(directory), reason=error.message))
    with database.write() as session:
        registered = builds.registered(settings.builds_dir)
        if registered:
            at = max(b.probed_at for b in registered if b.probed_at is not None)
            build_mirror.mirror(session, registered, at)
    done = acts.replay(settings, database)
    return RebuildCounts(runs=found, sweeps=launched, acts=done, unreadable=tuple(unreadable))


def _recorded(runs_dir: Path, unreadable: list[Unreadable]) -> Iterator[tuple[datetime, str, Path]]:
    """Yield when each run was made, its name and its directory: no more is kept of a million runs."""
    for path in runs_dir.glob("*/*/run.json"):
        try:
            run = document.read(Run, path)
            yield run.created_at, run.run, path.parent
        except DocumentUnreadable as error:
            unreadable.append(Unreadable(directory=str(path.parent), reason=error.message))


def _replay(session: Session, settings: Settings, run: Run, directory: Path) -> None:
    """Make the rows of one run."""
    dataset_id = datasets.ensure(session, run.holding, run.dataset, run.facts, run.created_at)
    where = str(directory.relative_to(settings.data))
    run_id = moves.insert_run(session, run, dataset_id=dataset_id, directory=where)
    place = Place(run=run.run, run_id=run_id, directory=directory)
    ingest.ingest_log(session, place)
    row = runs.find(session, run.run)
    if row.state in {State.SUBMITTED, State.RUNNING}:
        ingest.ingest_journal(session, place, row.attempts)
