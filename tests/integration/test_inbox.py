"""The inbox from the sums and from the failures: both tell the same; and what filters leave."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import update

from reimage.desk import inbox
from reimage.desk.standing import Phase
from reimage.errors import ReimageError
from reimage.model import Result
from reimage.store import inbox as store
from reimage.store import migrate, tallies
from reimage.store.desk_tables import Act, Failure, GroupState
from reimage.store.inbox_asked import Asked, By

BENCH = Path(__file__).parents[2] / "ops" / "bench"
EVERYTHING = "cpu_s >= -1"
"""A filter that leaves all: what it leaves is counted from the failures."""
BYS = get_args(By)


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(BENCH))
        import desk  # noqa: PLC0415 -- a program beside the service

        yield desk


@pytest.fixture(scope="module")
def made(bench, tmp_path_factory):
    return bench.prepare(tmp_path_factory.mktemp("history"), 0.002)


@pytest.fixture
def database(made):
    with closing(migrate.open_database(made.url)) as database:
        yield database


@pytest.fixture
def now(bench):
    return bench.END


@pytest.mark.parametrize("by", BYS)
def test_sums_and_failures_tell_the_same(database, now, by):
    summed = told(database, Asked(by=by), now)
    counted = told(database, Asked(by=by, where=EVERYTHING), now)
    if by == "day":
        counted = {key: counted[key] for key in summed}
        assert len(summed) > 5
    assert len(summed) > 2
    assert summed == counted


def told(database, asked, now):
    found = inbox.read(database, asked, now)
    return {
        (line.group.key, line.group.refused): (
            line.group.results,
            line.group.runs,
            line.group.datasets,
            round(line.group.cpu_s),
            line.group.first_at,
            line.group.last_at,
            line.recovers.datasets,
            None
            if line.recovers.cpu_h is None or asked.by == "day"
            else round(line.recovers.cpu_h, 6),
            () if asked.by == "day" or line.group.refused else line.standing.weeks,
        )
        for line in (*found.lines, *found.refused)
    }


def test_a_limit_keeps_what_blocks_most(database, now):
    for by in ("class", "signature", "category"):
        whole = inbox.read(database, Asked(by=by), now)
        some = inbox.read(database, Asked(by=by), now, limit=4)
        assert some.lines == whole.lines[:4]
        assert some.more
        assert not whole.more
        assert some.total == whole.total
        ranks = [line.group.rank for line in whole.lines]
        assert ranks == sorted(ranks)


def test_what_is_blocked_is_blocked_once(database, now):
    """Whatever the grouping, all groups together block each dataset once (a band: once for each)."""
    totals = {
        by: sum(line.group.datasets for line in inbox.read(database, Asked(by=by), now).lines)
        for by in set(BYS) - {"day", "band"}
    }
    assert len(set(totals.values())) == 1
    assert totals["class"] == inbox.read(database, Asked(), now).total.datasets > 0


def test_what_no_class_matches_is_ranked(database, now):
    found = inbox.read(database, Asked(by="signature", unclassified=True), now)
    counted = inbox.read(database, Asked(by="signature", where="class = 'unclassified'"), now)
    assert {line.group.key for line in found.lines} == {line.group.key for line in counted.lines}
    assert len(found.lines) > 3


def test_filters_leave_what_they_say(database, now, made):
    with closing(sqlite3.connect(made.path)) as plain:
        (expected,) = plain.execute(
            "SELECT COUNT(*) FROM failure f JOIN dataset_alma d ON d.dataset_id = f.dataset_id"
            " JOIN run r ON r.id = f.run_id WHERE f.is_final AND f.result <> 'refused'"
            " AND d.cycle = 2 AND ' ' || d.bands || ' ' LIKE '% 6 %' AND r.sweep < 'sweep-2'"
            " AND f.message LIKE '%image on %'"
        ).fetchone()
    asked = Asked(where="cycle = 2 and band = 6 and sweep < 'sweep-2'", grep="IMAGE ON ")
    assert inbox.read(database, asked, now).total.runs == expected > 0


def test_since(database, now):
    week = inbox.read(database, Asked(since=now - timedelta(days=7)), now)
    days = inbox.read(database, Asked(by="day", since=now - timedelta(days=7)), now)
    whole = inbox.read(database, Asked(), now)
    assert 0 < week.total.runs < whole.total.runs
    assert {line.group.key for line in days.lines} <= {
        f"{now - timedelta(days=n):%Y-%m-%d}" for n in range(8)
    }
    assert sum(line.group.runs for line in days.lines) == week.total.runs


def test_the_histogram_counts_every_failure_of_its_days(database, now):
    shown = inbox.read(database, Asked(), now, histogram_days=100).histogram
    counted = inbox.read(database, Asked(where=EVERYTHING), now, histogram_days=100).histogram
    assert shown == counted
    since = now - timedelta(days=99)
    since = since.replace(hour=0, minute=0, second=0)
    assert sum(shown.values()) == inbox.read(database, Asked(since=since), now).total.runs


def test_what_people_said_hides_and_wakes(database, now):
    before = inbox.read(database, Asked(), now)
    first, second, third = (line.group.key for line in before.lines[:3])
    with database.write() as session:
        common = {"author": "somebody", "changed_at": now}
        session.add(GroupState(name=first, snoozed_until=now + timedelta(days=1), **common))
        session.add(
            GroupState(
                name=second, resolved_in="6.8", resolved_at=now - timedelta(days=300), **common
            )
        )
        session.add(GroupState(name=third, snoozed_runs=10_000, url="https://t/1", **common))
        session.add(
            Act(
                seq=1,
                kind="group.snoozed",
                subject=third,
                author="somebody",
                acted_at=now - timedelta(days=400),
                data={},
            )
        )
    found = inbox.read(database, Asked(), now)
    everything = inbox.read(database, Asked(), now, all_of_them=True)
    with database.write() as session:
        for row in (GroupState, Act):
            for one in session.query(row):
                session.delete(one)
    lines = {line.group.key: line for line in everything.lines}
    assert found.hidden == 2
    assert not {first, third} & {line.group.key for line in found.lines}
    assert lines[second].standing.phase is Phase.REGRESSED
    assert lines[second].standing.detail == "6.8"
    assert lines[third].url == "https://t/1"
    told_runs = int(lines[third].standing.detail.split()[0])
    assert 0 < told_runs <= lines[third].group.runs


def test_refused_is_no_failure(database, now):
    found = inbox.read(database, Asked(by="category"), now)
    assert all(line.group.result is Result.REFUSED for line in found.refused)
    assert not any(Result.REFUSED in line.group.results for line in found.lines)
    assert sum(line.share for line in found.lines) == pytest.approx(1)
    assert all(0 < line.rate < 1 for line in found.lines)


def test_an_example_is_a_run_of_the_group(database, now):
    for line in inbox.read(database, Asked(), now).lines:
        with database.read() as session:
            run = session.scalars(
                store.joined([Failure.error_class], [store.inbox_rows.Run.run == line.example.run])
            ).all()
        assert line.group.key in run


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(by="weather"), "grouping-unknown"),
        (Asked(where="mood = 3"), "filter-malformed"),
        (Asked(where="class ="), "filter-malformed"),
    ],
)
def test_what_cannot_be_asked_is_refused(database, now, asked, code):
    with pytest.raises(ReimageError) as refused:
        inbox.read(database, asked, now)
    assert refused.value.code == code


def test_sums_of_the_history_are_right_and_the_bench_runs(bench, database, monkeypatch):
    monkeypatch.setattr(bench, "JUDGED", 60)
    measured = list(bench.measure(database, times=2))
    assert len(measured) > 40
    assert all(one.value > 0 and bench.told(one) for one in measured)
    assert bench.count(database) == []
    with database.write() as session:
        session.execute(
            update(Failure).where(Failure.id == 1).values(n_blocked=1 - Failure.n_blocked)
        )
    with database.read() as session:
        assert tallies.differences(session)
