"""The controller ended at every point between two durable writes, and succeeded by another."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from playing import controller, find, make

from reimage import controller as controlling
from reimage.executors.local import LocalExecutor
from reimage.journal import Journal
from reimage.model import Result
from reimage.rebuild import rebuild
from reimage.store import events, migrate, runs
from reimage.store.session import Database

POINTS = 60
"""More than there are; the test says when they are used up."""


class Crash(BaseException):
    """Stands for SIGKILL: nobody catches it."""


class Bomb:
    """Goes off at the n-th point that is passed."""

    def __init__(self, point):
        self.left = point

    def pass_point(self):
        self.left -= 1
        if self.left == 0:
            raise Crash


@pytest.fixture
def arm(monkeypatch):
    """Put points before and after every durable write of a controller."""
    write, emit, submit = Database.write, Journal.emit, LocalExecutor.submit

    def with_bomb(bomb):
        @contextmanager
        def watched_write(self):
            with write(self) as session:
                yield session
                bomb.pass_point()
            bomb.pass_point()

        def watched_emit(self, event, **data):
            bomb.pass_point()
            emit(self, event, **data)
            bomb.pass_point()

        def watched_submit(self, run_dir, attempt):
            bomb.pass_point()
            job = submit(self, run_dir, attempt)
            bomb.pass_point()
            return job

        monkeypatch.setattr(Database, "write", watched_write)
        monkeypatch.setattr(Journal, "emit", watched_emit)
        monkeypatch.setattr(LocalExecutor, "submit", watched_submit)

    def disarmed():
        monkeypatch.setattr(Database, "write", write)
        monkeypatch.setattr(Journal, "emit", emit)
        monkeypatch.setattr(LocalExecutor, "submit", submit)

    with_bomb.disarmed = disarmed
    return with_bomb


def crashed_at(point, settings, database, arm):
    """Run a controller up to a point; say whether it crashed there."""
    arm(Bomb(point))
    lead = controller(settings, database)
    try:
        lead.run(until_idle=True)
    except Crash:
        return True
    finally:
        arm.disarmed()
    return False


@pytest.mark.slow
def test_every_point(settings, tmp_path, arm, monkeypatch):
    monkeypatch.setattr(controlling, "SUBMIT_GRACE", timedelta(seconds=0.3))
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    migrate.upgrade(url)
    database = migrate.open_database(url)
    point = 1
    while point < POINTS:
        name = f"r{point:x}"
        # Killed in its first stage: the way through a second attempt is crashed, too.
        make(settings, database, name, act="kill", act_at="fetch")
        crashed = crashed_at(point, settings, database, arm)
        crashed_at(point + 1, settings, database, arm)  # and its successor, where it has come to
        controller(settings, database).run(until_idle=True)
        row = find(database, name)
        assert (row.result, row.attempts, row.products_made) == (Result.IMAGED, 2, 2), point
        with database.read() as session:
            said = events.of_run(session, name)
            assert len(runs.attempts(session, name)) == 2
        own = [event.event for event in said if event.attempt == 0]
        starts = [event for event in said if event.event == "attempt.started"]
        assert len(starts) == 2, point
        assert own.count("attempt.judged") == own.count("attempt.submitting") == 2
        if not crashed:
            break
        point += 2
    assert 20 < point < POINTS
    again = f"sqlite:///{tmp_path / 'again.db'}"
    migrate.upgrade(again)
    rebuilt = migrate.open_database(again)
    assert rebuild(settings, rebuilt).runs == (point + 1) // 2
    rebuilt.close()
    database.close()
