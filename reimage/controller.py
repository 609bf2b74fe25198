"""The controller: submits queued runs, follows the live ones, judges what ends, decides what is next.

One leads per database (`reimage.leadership`).  Whatever it does to a run it first writes into the
run's ``controller.jsonl`` and then projects into the database (`reimage.logbook`), so that it can be
killed at any instruction: the next one reads on from where the rows stand.  Local supervisors go on
while no controller runs.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

from reimage import closing, document, identity, journal, kernel, log, mirror
from reimage.desk import acts
from reimage.errors import DiskFull
from reimage.executors.protocol import Executor, JobState, JobStatus, SubmissionFailed
from reimage.following import Follower
from reimage.ingest import Place
from reimage.journal import Clock
from reimage.leadership import Leadership
from reimage.logbook import Logbook, Watcher
from reimage.model import State
from reimage.settings import Settings
from reimage.store import requests, runs
from reimage.store.rows import AttemptRow, RequestRow, RunRow
from reimage.store.session import Database
from reimage.triage.catalogue import load_classes

SUBMIT_GRACE = timedelta(seconds=5)
"""After this long, an attempt that nobody supervises is submitted again."""
FULL_GRACE = timedelta(seconds=30)
"""A disk that is full for longer ends the controller; a run that fills it gives its half copy back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much there is to do."""

    live: int
    queued: int

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return self.live == self.queued == 0


class Controller:
    """Leads one database.

    Parameters
    ----------
    executor
        Where runs execute.
    clock
        The present, in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        executor: Executor,
        database: Database,
        *,
        clock: Clock = journal.now,
    ) -> None:
        self._settings, self._executor, self._database = settings, executor, database
        self._clock = clock
        self._logbook = Logbook(settings, database, clock)
        self._follower = Follower(settings, database, self._logbook)
        self._lead = Leadership(database, identity.of_self(), clock)
        self._policy = closing.Policy(
            classes=load_classes(settings.classes), bounds=closing.bounds(settings)
        )
        self._stop = threading.Event()
        self.stopped_by: str | None = None
        """Name of the signal that ended `run`."""

    def run(
        self,
        *,
        until_idle: bool = False,
        until_run: str | None = None,
        once: bool = False,
        on_progress: Watcher | None = None,
    ) -> None:
        """Lead until told to stop; runs that are on their way go on without a controller.

        Parameters
        ----------
        until_idle
            Stop when nothing is queued or live.
        until_run
            Stop when this run is done.
        once
            Look around once.

        Raises
        ------
        ControllerRunning
            Another one leads.
        ControllerDisplaced
            Another one took over.
        DiskFull
            Nothing is lost: start it again when there is room.
        """
        self._logbook.watcher = on_progress
        self._lead.acquire()
        try:
            with kernel.heard(self._drain), document.full_disk_told(self._settings.data):
                mirror.bring_up_to_date(self._settings, self._database, self._policy, self._clock())
                self._logbook.catch_up()
                acts.catch_up(self._settings, self._database)
                self._follower.catch_up()
                while not self._stop.is_set():
                    tally = self.step() if once else self._step_with_patience()
                    if once or (until_idle and tally.is_idle) or self._is_done(until_run):
                        break
                    self._stop.wait(self._settings.poll_s)
        finally:
            self._lead.resign()

    def stop(self) -> None:
        """Have `run` return after the present step."""
        self._stop.set()

    def step(self) -> Tally:
        """Look around once: requests, live runs, the queue."""
        self._lead.renew()
        self._grant_requests()
        live = self._read_live()
        statuses = self._executor.poll([attempt.job for _, attempt in live if attempt.job])
        for row, attempt in live:
            self._follow(row, attempt, statuses.get(attempt.job or ""))
        self._submit_queued()
        with self._database.read() as session:
            return Tally(live=len(runs.live(session)), queued=runs.count(session, State.QUEUED))

    def _step_with_patience(self) -> Tally:
        """Look around once; where the disk is full, wait for the run that filled it to make room.

        Raises
        ------
        DiskFull
            It stayed full.
        """
        begun = self._clock()
        while True:
            try:
                with document.full_disk_told(self._settings.data):
                    return self.step()
            except DiskFull:
                if self._stop.is_set() or self._clock() - begun > FULL_GRACE:
                    raise
            self._stop.wait(self._settings.poll_s)
            with suppress(DiskFull), document.full_disk_told(self._settings.data):
                self._logbook.catch_up()  # what was on its way to the database, as after a crash

    # --- live runs ---------------------------------------------------------------------------------

    def _read_live(self) -> list[tuple[RunRow, AttemptRow]]:
        with self._database.read() as session:
            return [(row, runs.attempts(session, row.run)[-1]) for row in runs.live(session)]

    def _follow(self, row: RunRow, attempt: AttemptRow, status: JobStatus | None) -> None:
        """Take in what a live run has said, and close its attempt when that has ended."""
        place = self._logbook.place(row)
        number = attempt.attempt
        if not (place.directory / "run.json").is_file():
            self._executor.cancel(attempt.job or "")
            self._logbook.abandon(place)
            return
        if attempt.job is None:
            self._resubmit(place, row, attempt)
            return
        has_exit = closing.read_exit(place.directory, number) is not None
        ended = has_exit or (status is not None and status.state is JobState.ENDED)
        self._logbook.hear(place, row, attempt)
        if not ended:
            if row.cancel_at is not None:  # again and again: a signal may come too early
                self._executor.cancel(attempt.job)
            return
        other = self._executor.recover(place.directory, number)
        if not has_exit and other is not None and other != attempt.job:
            # Submitted twice by a controller that was killed between: the first one goes on.
            self._logbook.record(place, row, "attempt.submitted", number=number, job=other)
            return
        facts = closing.close(place, number, self._policy, cancelled=row.cancel_at is not None)
        self._logbook.record(place, row, "attempt.judged", **facts)
        self._follower.answer(row)

    def _resubmit(self, place: Place, row: RunRow, attempt: AttemptRow) -> None:
        """Find, or start again, an attempt whose submission was interrupted."""
        job = self._executor.recover(place.directory, attempt.attempt)
        if job is None and self._clock() - attempt.submitted_at > SUBMIT_GRACE:
            job = self._start(place, attempt.attempt)
        if job is not None:
            self._logbook.record(place, row, "attempt.submitted", number=attempt.attempt, job=job)

    # --- the queue -----------------------------------------------------------------------------------

    def _submit_queued(self) -> None:
        with self._database.read() as session:
            free = self._settings.slots - sum(map(self._slots, runs.live(session)))
            waiting = runs.queued(session, free) if free > 0 else ()
        for row in waiting:
            free -= self._slots(row)
            if free < 0:  # it waits for room, and those behind it wait, too: else it would for ever
                return
            self._lead.renew()
            self._submit(row)

    def _slots(self, row: RunRow) -> int:
        """Return how many slots a run takes: one that was given the memory of several takes so many."""
        share = -(-(row.memory_mb or 0) // self._settings.memory_mb)
        return min(max(1, share), self._settings.slots)

    def _submit(self, row: RunRow) -> None:
        """Start the next attempt of a queued run; on disk first, then in the database."""
        place, number = self._logbook.place(row), row.attempts + 1
        if not (place.directory / "run.json").is_file():
            self._logbook.abandon(place)
            return
        self._logbook.record(
            place, row, "attempt.submitting", number=number, executor=self._executor.name
        )
        job = self._start(place, number)
        if job is not None:
            self._logbook.record(place, row, "attempt.submitted", number=number, job=job)

    def _start(self, place: Place, number: int) -> str | None:
        """Have the executor start an attempt; None when it could not: it is tried again later."""
        document.write_bytes(place.directory / "ATTEMPT", f"{number}\n".encode())
        try:
            return self._executor.submit(place.directory, number)
        except SubmissionFailed as error:
            log.logger(__name__).warning(
                "attempt.not_submitted", run=place.run, attempt=number, message=error.message
            )
            return None

    # --- requests ------------------------------------------------------------------------------------

    def _grant_requests(self) -> None:
        with self._database.read() as session:
            waiting = requests.waiting(session)
        for request in waiting:
            answer = self._cancel(request) if request.kind == "cancel" else "unknown kind"
            with self._database.write() as session:
                requests.take(session, request.id, answer, self._clock())

    def _cancel(self, request: RequestRow) -> str:
        if request.run is None:
            return "no run named"
        with self._database.read() as session:
            row = runs.find(session, request.run)
        if row.state is State.DONE:
            return "already done"
        place = self._logbook.place(row)
        said = {"author": request.author, "reason": request.reason}
        if row.state is State.QUEUED:
            self._logbook.record(place, row, "run.cancelled", **said)
            return "cancelled before it began"
        if row.cancel_at is None:
            self._logbook.record(place, row, "cancel.asked", number=row.attempts, **said)
        return "its end was asked for"

    # --- small things --------------------------------------------------------------------------------

    def _is_done(self, run: str | None) -> bool:
        if run is None:
            return False
        with self._database.read() as session:
            return runs.find(session, run).state is State.DONE

    def _drain(self, number: int, frame: FrameType | None) -> None:
        """On SIGTERM and SIGINT: finish the step, resign, leave the runs going on."""
        del frame
        self.stopped_by = signal.Signals(number).name
        self._stop.set()
