"""What came after failures of a kind, as the database has it: the next run that tried anything."""

from __future__ import annotations

import pytest
from living import KEYS, add, end, fail, walk
from making import WHEN
from sqlalchemy import insert, update

from reimage.desk import alike
from reimage.model import Result
from reimage.store import groups, moves, sequels
from reimage.store.desk_tables import FixApplication
from reimage.store.run_tables import Run

MEMORY = ("memory", "sv1:aa")
OF = (("class", "memory"), ("signature", "sv1:aa"))


def give(session, run_id, **values):
    session.execute(update(Run).where(Run.id == run_id).values(**values))


@pytest.fixture
def history(database):
    """Give a database where more memory helped one dataset, a fix another one, and nothing the third."""
    with database.write() as session:
        for name, key, memory in (
            ("a1", KEYS[0], 8000),
            ("b1", KEYS[1], 8000),
            ("c1", KEYS[2], 8000),
        ):
            give(session, walk(session, name, key, Result.FAILED, MEMORY), memory_mb=memory)
        cancelled = walk(session, "a2", KEYS[0], Result.CANCELLED, ("cancelled", None))
        give(session, cancelled, memory_mb=16000)
        give(session, walk(session, "a3", KEYS[0], Result.IMAGED), memory_mb=16000)
        fixed = walk(session, "b2", KEYS[1], Result.IMAGED)
        give(session, fixed, memory_mb=8000)
        row = {
            "run_id": fixed,
            "attempt_no": 1,
            "seq": 1,
            "fix": "f",
            "applied_at": WHEN,
            "data": {},
        }
        session.execute(insert(FixApplication), [row])
        give(session, walk(session, "c2", KEYS[2], Result.FAILED, MEMORY), memory_mb=8000)
        add(session, "c3", KEYS[2])  # it has not begun
    return database


@pytest.mark.parametrize(("of", "name"), OF)
def test_each_failure_is_followed_by_the_next_run_that_tried(history, of, name):
    with history.read() as session:
        found = sequels.sequels(session, of, name, 100)
        helped = {one.change: one for one in alike.read(session, of, name, message=None).helped}
    assert {(one.failed.run, one.then.run) for one in found} == {
        ("a1", "a3"),
        ("b1", "b2"),
        ("c1", "c2"),
    }
    assert {change: (one.tried, one.imaged, one.same) for change, one in helped.items()} == {
        "more memory": (1, 1, 0),
        "fix f": (1, 1, 0),
        "the same again": (1, 0, 1),
    }


def test_no_more_failures_are_looked_at_than_asked_for(history):
    with history.read() as session:
        assert sequels.sequels(session, "class", "memory", 1) == ()  # c2 has no sequel
        assert len(sequels.sequels(session, "class", "memory", 2)) <= 1


def test_an_attempt_that_failed_and_the_one_after_it(database):
    with database.write() as session:
        for name, key, result in (("a1", KEYS[0], Result.IMAGED), ("b1", KEYS[1], Result.FAILED)):
            run_id = add(session, name, key)
            moves.submit(session, run_id, 1, "local", WHEN)
            fail(session, run_id, 1, WHEN, result=Result.FAILED, judged=MEMORY, final=False)
            moves.requeue(session, run_id, 1, 1.0)
            moves.submit(session, run_id, 2, "local", WHEN)
            end(session, run_id, 2, WHEN, result=result, judged=("disk-full", None))
    with database.read() as session:
        found = sequels.again(session, "class", "memory", 10)
        counted = groups.counts(session, "class", "memory")
    assert {(one.run, one.attempt, one.error_class) for one in found} == {
        ("a1", 2, None),
        ("b1", 2, "disk-full"),
    }
    assert (counted.attempts, counted.runs, counted.datasets) == (2, 0, 0)


def test_groups_are_counted_listed_and_found(history):
    with history.read() as session:
        counted = groups.counts(session, "signature", "sv1:aa")
        assert (counted.attempts, counted.runs, counted.datasets) == (4, 4, 1)
        newest = groups.newest(session, "class", "memory", 2)
        assert [one.run for one in newest] == ["c2", "c1"]
        assert [one.blocking for one in newest] == [True, False]
        others = groups.newest(session, "class", "memory", 9, but=newest[0].failure)
        assert [one.run for one in others] == ["c1", "b1", "a1"]
        assert groups.signatures_like(session, "sv1:", 5) == ("sv1:aa",)
        assert groups.signatures_like(session, "%", 5) == ()
        assert groups.said(session, 10) == {"sv1:aa": ("memory", "a line")}
        (share,) = groups.blocked_by(session, "class", "memory", "build")
        assert (share.value, share.datasets) == ("casa-6.7", 1)
