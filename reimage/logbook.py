"""What the controller does to a run, written down: on disk first, then in the database, then told.

A run's ``controller.jsonl`` and its runner's journal are what happened; the rows are projected from them
(`reimage.ingest`).  Whoever was killed between the two is caught up with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reimage import ingest, queueing
from reimage.ingest import LOG, Place
from reimage.journal import Clock, Event, Journal
from reimage.model import State
from reimage.settings import Settings
from reimage.store import runs
from reimage.store.rows import AttemptRow, RunRow
from reimage.store.session import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened to a run, for who watches."""

    run: str
    holding: str
    dataset: str
    event: Event
    """``attempt`` 0: the controller's own doing."""


Watcher = Callable[[Notice], None]


class Logbook:
    """The logs of all runs of one database.

    Parameters
    ----------
    clock
        The present, in UTC.
    """

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self.watcher: Watcher | None = None
        """Told of every event as it becomes known."""

    def place(self, row: RunRow) -> Place:
        """Return where a run is, in the database and on disk."""
        with self._database.read() as session:
            run_id = runs.row_id(session, row.run)
        return Place(
            run=row.run,
            run_id=run_id,
            directory=queueing.run_directory(self._settings, row),
        )

    def record(self, place: Place, row: RunRow, event: str, **facts: Any) -> None:  # noqa: ANN401 -- an event's own keys
        """Write one event into the run's log, then project the log into the database."""
        writer = Journal(place.directory / LOG, 0, clock=self._clock)
        try:
            writer.emit(event, **facts)
        finally:
            writer.close()
        self._ingest_log(place, row)

    def hear(self, place: Place, row: RunRow, attempt: AttemptRow) -> None:
        """Take in what the runner of an attempt has said since the last time."""
        said = ingest.journal_path(place.directory, attempt.attempt)
        if ingest.has_grown(said, attempt.journal_offset):
            with self._database.write() as session:
                found = ingest.ingest_journal(session, place, attempt.attempt)
            self._tell(row, found)

    def abandon(self, place: Place) -> None:
        """End a run that has no directory any more: nothing is left to write into, or to judge."""
        with self._database.write() as session:
            ingest.abandon(session, place, "its run directory is gone", self._clock())

    def catch_up(self) -> None:
        """Read the logs that a controller before this one wrote and did not live to project."""
        with self._database.read() as session:
            unfinished = [
                row
                for state in State
                if state is not State.DONE
                for row in runs.list_runs(session, state=state)
            ]
            behind = [
                row
                for row in unfinished
                if ingest.has_grown(
                    queueing.run_directory(self._settings, row) / LOG,
                    runs.log_offset(session, row.run),
                )
            ]
        for row in behind:
            self._ingest_log(self.place(row), row)

    def _ingest_log(self, place: Place, row: RunRow) -> None:
        with self._database.write() as session:
            found = ingest.ingest_log(session, place)
        self._tell(row, found)

    def _tell(self, row: RunRow, events: tuple[Event, ...]) -> None:
        if self.watcher is not None:
            for event in events:
                self.watcher(
                    Notice(run=row.run, holding=row.holding, dataset=row.dataset, event=event)
                )
