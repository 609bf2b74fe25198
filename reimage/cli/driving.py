"""Runs in the foreground: lead the controller if nobody does, else follow what the leader tells."""

from __future__ import annotations

import time

from reimage.cli.codes import INTERRUPTED
from reimage.cli.progress import Board
from reimage.controller import Controller
from reimage.executors.local import LocalExecutor
from reimage.journal import Event
from reimage.leadership import ControllerRunning
from reimage.logbook import Notice
from reimage.model import State
from reimage.settings import Settings
from reimage.store import events, runs
from reimage.store.rows import RunRow
from reimage.store.session import Database

SIGINT_NAME = "SIGINT"


def until_done(settings: Settings, database: Database, run: str) -> RunRow:
    """Drive a run to its end, or follow whoever drives it; return it as it is then.

    Raises
    ------
    KeyboardInterrupt
        The run itself goes on.
    """
    with Board(settings) as board:
        try:
            lead(settings, database, board, until_run=run)
        except ControllerRunning as error:
            board.note(f"{error.message}: following it")
            _follow(settings, database, run, board)
    with database.read() as session:
        return runs.find(session, run)


def lead(
    settings: Settings,
    database: Database,
    board: Board,
    *,
    until_run: str | None = None,
    until_idle: bool = False,
    once: bool = False,
) -> None:
    """Lead the controller, showing what happens.

    Raises
    ------
    ControllerRunning
    KeyboardInterrupt
        It was interrupted; runs on their way go on.
    """

    def watch(notice: Notice) -> None:
        board.take(notice.run, notice.dataset, notice.event)

    controller = Controller(settings, LocalExecutor(), database)
    controller.run(until_run=until_run, until_idle=until_idle, once=once, on_progress=watch)
    if controller.stopped_by == SIGINT_NAME:
        raise KeyboardInterrupt(INTERRUPTED)


def _follow(settings: Settings, database: Database, run: str, board: Board) -> None:
    """Show what the leader takes in, until the run is done."""
    seen = 0
    while True:
        with database.read() as session:
            row = runs.find(session, run)
            found = events.of_run(session, run, after_id=seen)
        for event in found:
            seen = event.id
            told = Event(
                attempt=event.attempt,
                seq=event.seq,
                at=event.at,
                event=event.event,
                data=event.data,
            )
            board.take(run, row.dataset, told)
        if row.state is State.DONE:
            return
        time.sleep(settings.poll_s)
