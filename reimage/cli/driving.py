"""Runs in the foreground: lead the controller if nobody does, else follow what the leader tells."""

from __future__ import annotations

import time

from reimage.cli import render
from reimage.cli.codes import INTERRUPTED
from reimage.cli.progress import Board
from reimage.controller import Controller
from reimage.executors.local import LocalExecutor
from reimage.journal import Event
from reimage.leadership import ControllerRunning
from reimage.logbook import Notice
from reimage.model import State
from reimage.settings import Settings
from reimage.store import decisions, events, following, runs
from reimage.store.rows import RunRow
from reimage.store.session import Database

SIGINT_NAME = "SIGINT"
FOLLOWS_WITHIN_S = 5.0
"""After a run's end, whoever leads has queued the one that follows it."""


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


def until_settled(settings: Settings, database: Database, run: str) -> tuple[RunRow, ...]:
    """Drive a run to its end, and those that follow it of themselves; return them, oldest first.

    Raises
    ------
    KeyboardInterrupt
        The runs go on.
    """
    ended = [until_done(settings, database, run)]
    while (later := _follower(settings, database, ended[-1].run)) is not None:
        told = _why(database, later)
        render.say(f"run {later} follows" + (f": {told}" if told else ""))
        ended.append(until_done(settings, database, later))
    return tuple(ended)


def _follower(settings: Settings, database: Database, run: str) -> str | None:
    """Return the run that was decided on to follow one that is done; another controller may yet queue it."""
    looks = max(1, int(FOLLOWS_WITHIN_S / settings.poll_s))
    while True:
        looks -= 1
        with database.read() as session:
            kinds = {one.kind for one in decisions.of_run(session, run)}
            later = following.followers(session, run)
        if following.RERUN not in kinds:
            return None
        if later or decisions.REFUSED in kinds or looks <= 0:
            return later[0].run if later else None
        time.sleep(settings.poll_s)


def _why(database: Database, run: str) -> str | None:
    """Return why a run follows another one."""
    with database.read() as session:
        found = decisions.of_run(session, run)
    return next((one.reason for one in found if one.kind == "remedy"), None)


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
