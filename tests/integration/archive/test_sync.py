"""The mirror of an archive behind TAP: whole, incremental, resumed, and never wrong about what is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import serving
from astropy.table import Table
from fastapi import FastAPI, Response
from making import WHEN, make_archive, make_row

from reimage import syncing
from reimage.archive import faults, shards
from reimage.archive.holdings import Part, Planned, TapHoldings
from reimage.archive.scope import Scope
from reimage.archive.server.listening import running
from reimage.archive.server.tap import Limits
from reimage.archive.tap import Tap
from reimage.store import datasets, migrate, mirroring
from reimage.store.session import Database
from reimage.syncing import Record

README = {"a.README.txt": ("#documentation", b"hello")}
N_ROWS = 3
"""Of each dataset."""


class Board:
    """Remembers what it was told."""

    def __init__(self):
        self.total = self.done = self.n_rows = 0
        self.waited = []

    def count(self, done, total, n_rows):
        assert done <= total
        assert n_rows >= 0

    def begin(self, total, done):
        self.total, self.done = total, done

    def take(self, n_rows, counts):
        assert counts.seen >= 0
        self.n_rows += n_rows

    def wait(self, why):
        self.waited.append(why)


def rows_of(number, **other):
    """Return a dataset's rows: one for each of three windows."""
    support = f"[{84 + number}.00..{86 + number}.00GHz,31250.00kHz,4mJy/beam@native, XX YY]"
    return [
        make_row(
            **{
                "member_ous_uid": f"uid://A001/X{number:x}/X1",
                "obs_id": f"uid://A001/X{number:x}/X1.source.T.spw.{window}",
                "proposal_id": f"20{12 + number % 4}.1.{number:05d}.S",
                "frequency_support": support,
                "frequency": 85.0 + number + window / 10,
                "t_min": 56000.5 + number,
                "science_keyword": "Spiral galaxies, Giant Molecular Clouds (GMC) properties",
                **other,
            }
        )
        for window in range(N_ROWS)
    ]


def listing(numbers, **other):
    return [row for number in numbers for row in rows_of(number, **other)]


def rewrite(root, rows):
    Table(rows=rows).write(root / "holdings.ecsv", format="ascii.ecsv", overwrite=True)
    later = time.time_ns() + 10_000_000
    os.utime(root / "holdings.ecsv", ns=(later, later))


@contextmanager
def served(root, *rules, **limits):
    """Serve an archive that misbehaves as it is told, within limits."""
    with serving.served(root, *rules, limits=Limits(**limits)) as address:
        yield str(address), address.mischief


@pytest.fixture
def site(settings):
    """Give settings that do not wait long."""
    return settings.model_copy(update={"archive_patience_s": 3.0})


@pytest.fixture
def lite(tmp_path):
    """Give a database where it does not matter of which kind."""
    url = f"sqlite:///{tmp_path / 'lite.db'}"
    migrate.upgrade(url)
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def root(tmp_path):
    return make_archive(tmp_path / "archive", README, listing(range(20)))


def sync(site, database, address, **asked):
    board = Board()
    record = syncing.from_service(site, database, Scope(archive=address, **asked), board)
    return record, board


def mirrored(database):
    with database.read() as session:
        return {row.dataset: row for row in datasets.list_datasets(session, "alma")}


# --- what is read -----------------------------------------------------------------------------------


def test_what_is_read_from_the_service_is_read_from_the_folder(site, database, root):
    with served(root) as (address, _):
        record, board = sync(site, database, address)
    assert (record.counts.added, record.counts.gone) == (20, 0)
    assert (board.total, board.n_rows) == (20 * N_ROWS, 20 * N_ROWS)
    assert not (site.data / "holdings/alma.json").exists()
    by_service = mirrored(database)
    again = syncing.from_folder(database, "alma", Scope(archive=str(root)), datetime.now(UTC))
    assert again.counts.unchanged == 20  # the facts are the same to the letter
    assert {key: row.facts for key, row in mirrored(database).items()} == {
        key: row.facts for key, row in by_service.items()
    }
    row = by_service["uid://A001/X3/X1"]
    assert row.columns["frequency_min_ghz"] == pytest.approx(84.0625 + 3)
    assert row.facts["n_rows"] == N_ROWS


@pytest.mark.parametrize("limits", [{"rows": 7}, {"rows": N_ROWS}])
def test_an_answer_that_overflows_is_divided(site, lite, root, limits):
    rewrite(root, listing(range(8)))
    with served(root, **limits) as (address, _):
        record, board = sync(site, lite, address)
    assert record.counts.added == 8
    assert board.n_rows == 8 * N_ROWS
    assert {row.facts["n_rows"] for row in mirrored(lite).values()} == {N_ROWS}


def test_one_project_with_more_rows_than_an_answer_takes_is_divided_by_names(root):
    rows = listing(range(300), proposal_id="2019.1.00001.S")
    rewrite(root, rows)
    with served(root) as (address, _):
        found = TapHoldings(Tap(address), rows_at_once=200)
        (planned,) = found.plan((shards.of_project("2019.1.00001.S"),))
        parts = list(found.read(planned))
    assert planned.n_rows == len(rows)
    assert all(part.n_rows < 200 for part in parts)
    keys = [key for part in parts for key, _ in part.datasets]
    assert len(keys) == len(set(keys)) == 300
    assert {facts["n_rows"] for part in parts for _, facts in part.datasets} == {N_ROWS}


def test_what_cannot_be_divided_is_not_taken_for_whole(site, lite, root):
    """One dataset has more rows than any answer takes: told, and nothing is marked as gone."""
    rewrite(root, listing(range(2)))
    with served(root) as (address, _):
        sync(site, lite, address)
    with served(root, rows=N_ROWS - 1) as (address, _):
        record, _ = sync(site, lite, address, proposal="2012.1.00000.S")
    assert syncing.not_whole(record)
    assert record.counts.gone == 0
    assert len(mirrored(lite)) == 2
    with lite.read() as session:
        state = mirroring.find_state(session, "alma")
    assert (state.begun_at, state.whole_at) == (None, None)  # of this address nothing is whole


def test_a_slow_query_is_divided(site, root):
    """Synchronous answers for whole years come too late; those for single projects in time."""
    slow = ("latency=1.5@tap/sync* +6 x2",)
    with served(root, *slow) as (address, mischief):
        found = TapHoldings(Tap(address, timeout_s=0.5))
        planned = found.plan([shards.of_project(f"201{year}.") for year in range(2, 6)])
        parts = [part for one in planned for part in found.read(one)]
        assert mischief.n_requests("tap/sync*") > 8
    assert sum(part.n_rows for part in parts) == 20 * N_ROWS
    keys = [key for part in parts for key, _ in part.datasets]
    assert len(keys) == len(set(keys)) == 20


def test_a_census_that_takes_too_long_is_made_asynchronously(root):
    with served(root, "latency=1.5@tap/sync* +1 x1") as (address, mischief):
        found = TapHoldings(Tap(address, timeout_s=0.5))
        planned = found.plan([shards.of_project("2012.")])
        assert mischief.n_requests("tap/async*") > 0
    assert [one.n_rows for one in planned] == [5 * N_ROWS]


def test_a_service_that_never_answers_is_given_up(root):
    with served(root, "latency=0.4@tap/sync* +2") as (address, _):
        found = TapHoldings(Tap(address, timeout_s=0.1, patience_s=1))
        planned = found.plan([shards.of_project("2012.")])
        with pytest.raises(faults.ArchiveUnavailable, match="takes too long"):
            [part for one in planned for part in found.read(one)]


def test_a_part_of_the_archive(site, lite, root):
    with served(root) as (address, _):
        record, _ = sync(site, lite, address, cycle=1)
        assert {row.columns["project"][:4] for row in mirrored(lite).values()} == {"2012"}
        assert record.counts.added == 5
        record, _ = sync(site, lite, address, proposal="2013.1.00005.S")
        assert (record.counts.added, record.counts.gone) == (1, 0)
        assert len(mirrored(lite)) == 6
        record, _ = sync(site, lite, address)  # nothing was whole before: all of it
        assert (record.since, record.counts.added, record.counts.unchanged) == (None, 14, 6)


def test_rows_without_a_dataset_are_told_and_hold_nothing_up(lite):
    shard = shards.of_project("2012.")
    planned = Planned(shard=shard, root=shard, n_rows=4)
    part = Part(planned=planned, datasets=(), n_rows=4, n_nameless=4, is_whole=True)
    record = Record(asked=Scope(archive="a"), begun_at=WHEN, since=None)
    taken = syncing._take(lite, "alma", record, planned=planned, parts=iter([part]), board=Board())
    (done,) = taken.done.values()
    assert (done.n_rows, done.n_nameless, done.is_whole) == (4, 4, True)


# --- again ------------------------------------------------------------------------------------------


def test_only_what_changed_is_read_and_all_rows_of_it(site, database, root):
    recent = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H:%M:%S.000}"
    rewrite(root, [*listing(range(20)), *rows_of(32, lastModified=recent)])
    with served(root) as (address, _):
        sync(site, database, address)
        rows = [*listing(range(20)), *rows_of(32, lastModified=recent)]
        soon = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000}"
        rows[7 * N_ROWS + 1] |= {"lastModified": soon, "qa2_passed": "F"}
        rewrite(root, [*rows, *rows_of(33, lastModified=soon)])
        second, board = sync(site, database, address)
    # From what the archive changed last, not from our clock: a mirror may be days behind it.
    newest = datetime.fromisoformat(recent).replace(tzinfo=UTC)
    assert second.since == newest - syncing.OVERLAP
    assert board.n_rows == 3 * N_ROWS  # every row of both, and of what is not long ago
    assert (second.counts.added, second.counts.changed, second.counts.unchanged) == (1, 1, 1)
    changed = mirrored(database)["uid://A001/X7/X1"]
    assert (changed.columns["qa2_passed"], changed.facts["n_rows"]) == (False, N_ROWS)
    assert len(mirrored(database)) == 22


def test_a_change_that_reaches_a_mirror_late_is_read(site, lite, root):
    """It carries the archive's date, which is before our last time."""
    days = [f"{datetime.now(UTC) - timedelta(days=n):%Y-%m-%dT%H:%M:%S.000}" for n in (3, 9)]
    rewrite(root, listing(range(3), lastModified=days[0]))
    with served(root) as (address, _):
        sync(site, lite, address)
        rewrite(root, [*listing(range(3), lastModified=days[0]), *rows_of(9, lastModified=days[1])])
        second, _ = sync(site, lite, address)
    assert second.since is not None
    assert second.counts.added == 1


def test_who_was_overtaken_marks_nothing_as_gone(site, database, root):
    """Another one began, from elsewhere: it has seen what this one has not."""
    with served(root) as (address, _):
        sync(site, database, address)
        rewrite(root, listing(range(1, 20)))

        class Overtaken(Board):
            def begin(self, total, done):
                super().begin(total, done)
                with database.write() as session:
                    mirroring.begin(session, "alma", archive=address, at=datetime.now(UTC))

        asked = Scope(archive=address, full=True)
        with pytest.raises(syncing.SyncBusy):
            syncing.from_service(site, database, asked, Overtaken())
    assert len(mirrored(database)) == 20
    with database.read() as session:
        assert mirroring.find_state(session, "alma").begun_at is not None  # the other goes on


def test_only_one_at_a_time(site):
    second = syncing.alone(site)
    with syncing.alone(site), pytest.raises(syncing.SyncBusy):
        second.__enter__()
    with syncing.alone(site):
        assert (site.data / "holdings").is_dir()


def test_since_a_date(site, lite, root):
    rewrite(root, [*listing(range(3)), *listing([3], lastModified="2026-02-02T00:00:00.000")])
    with served(root) as (address, _):
        record, _ = sync(site, lite, address, since=datetime(2026, 2, 1, tzinfo=UTC))
    assert list(mirrored(lite)) == ["uid://A001/X3/X1"]
    assert record.counts.added == 1


def test_another_archive_is_read_whole(site, lite, root, tmp_path):
    with served(root) as (address, _):
        sync(site, lite, address)
    other = make_archive(tmp_path / "other", README, listing(range(20)))
    with served(other) as (address, _):
        record, _ = sync(site, lite, address)
    assert (record.since, record.counts.unchanged) == (None, 20)


def test_what_is_gone_is_marked_when_everything_was_read(site, database, root):
    with served(root) as (address, _):
        sync(site, database, address)
        rewrite(root, listing(range(1, 20)))
        assert sync(site, database, address)[0].counts.gone == 0  # incremental: nobody looked
        assert sync(site, database, address, full=True)[0].counts.gone == 1
        assert "uid://A001/X0/X1" not in mirrored(database)
        rewrite(root, listing(range(20)))
        back = sync(site, database, address, full=True)[0].counts
    assert (back.changed, back.gone) == (1, 0)
    assert len(mirrored(database)) == 20


@pytest.mark.parametrize("rows", [[], listing([1])], ids=["nothing", "one year"])
def test_an_empty_answer_marks_nothing_as_gone(site, database, root, rows):
    with served(root) as (address, _):
        sync(site, database, address)
        table = Table(rows=listing([1]))[: len(rows)]
        table.write(root / "holdings.ecsv", format="ascii.ecsv", overwrite=True)
        later = time.time_ns() + 10_000_000
        os.utime(root / "holdings.ecsv", ns=(later, later))
        record, _ = sync(site, database, address, full=True)
    # Of the one year that has an answer, the others are gone; years without one stay.
    assert record.counts.gone == (4 if rows else 0)
    assert len(mirrored(database)) == (16 if rows else 20)


# --- while it goes wrong ----------------------------------------------------------------------------


def test_a_sync_that_was_ended_goes_on_where_it_was(site, database, root):
    with served(root, "status=500@tap/sync* +21") as (address, mischief):
        hasty = site.model_copy(update={"archive_patience_s": 0.3})
        with pytest.raises(faults.ArchiveUnavailable):
            sync(hasty, database, address)
        there = len(mirrored(database))
        assert 0 < there < 20
        mischief.clear()
        record, board = sync(site, database, address)
        assert record.resumed
        assert board.done == there * N_ROWS
        assert board.n_rows == (20 - there) * N_ROWS  # the rest alone
        assert (record.counts.added, len(mirrored(database))) == (20, 20)
        third, _ = sync(site, database, address)
    assert third.since is not None  # it counts as whole
    assert not third.resumed


def test_what_was_done_for_another_database_is_not_taken_for_done(site, lite, root, tmp_path):
    with served(root, "status=500@tap/sync* +21") as (address, mischief):
        hasty = site.model_copy(update={"archive_patience_s": 0.3})
        with pytest.raises(faults.ArchiveUnavailable):
            sync(hasty, lite, address)
        mischief.clear()
        url = f"sqlite:///{tmp_path / 'other.db'}"
        migrate.upgrade(url)
        fresh = Database(url)
        record, _ = sync(site, fresh, address)
        assert (record.resumed, len(mirrored(fresh))) == (False, 20)
        fresh.close()


@pytest.mark.slow
def test_killed_and_begun_again(site, root, tmp_path):
    """A real process, killed by SIGKILL in the middle."""
    with served(root, "latency=0.1@tap/sync*") as (address, mischief):
        config = tmp_path / "reimage.toml"
        config.write_text(f'data = "{site.data}"\narchive = "{address}"\n')
        command = [sys.executable, "-m", "reimage", "--config", str(config)]
        subprocess.run([*command, "db", "upgrade"], check=True, capture_output=True)
        going = subprocess.Popen([*command, "holdings", "sync"], stderr=subprocess.PIPE)
        state = site.data / "holdings/alma.json"
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if state.exists() and len(json.loads(state.read_text())["done"]) >= 2:
                break
            time.sleep(0.02)
        going.send_signal(signal.SIGKILL)
        going.communicate()
        done = json.loads(state.read_text())["done"]
        assert 2 <= len(done) < 4
        mischief.clear()
        said = subprocess.run(
            [*command, "holdings", "sync", "--json"], check=True, capture_output=True, text=True
        )
        shown = json.loads(said.stdout)
    assert shown["resumed"]
    assert shown["rows"] == 20 * N_ROWS
    database = Database(f"sqlite:///{site.data / 'reimage.db'}")
    assert len(mirrored(database)) == 20
    database.close()


@pytest.mark.parametrize(
    "rule", ["status=500@tap/sync* x2", "drop@tap/sync* x2", "html@tap/sync* x2", "down=1@tap/sync* x1"]
)  # fmt: skip
def test_what_passes_is_waited_for(site, lite, root, rule):
    with served(root, rule) as (address, _):
        record, board = sync(site, lite, address)
    assert record.counts.added == 20
    assert board.waited


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("status=503@tap/sync*", faults.ArchiveUnavailable),
        ("drop@tap/sync*", faults.ArchiveUnavailable),
        ("html@tap/sync*", faults.ArchiveAnswerMalformed),
        ("status=404@tap/sync*", faults.ArchiveAnswerMalformed),
        ("truncate=300@tap/sync*", faults.ArchiveUnavailable),
    ],
)
def test_what_does_not_pass_is_told(lite, site, root, rule, error):
    hasty = site.model_copy(update={"archive_patience_s": 0.5})
    with served(root, rule) as (address, _), pytest.raises(error) as caught:
        sync(hasty, lite, address)
    assert caught.value.hint
    assert address in caught.value.message


def test_nobody_listens(lite, site):
    hasty = site.model_copy(update={"archive_patience_s": 0.5})
    with pytest.raises(faults.ArchiveUnavailable):
        sync(hasty, lite, "http://127.0.0.1:9")


def test_a_query_that_is_refused_is_told_in_the_services_words(root):
    with served(root) as (address, _), pytest.raises(faults.ArchiveQueryRefused) as caught:
        Tap(address).ask("SELECT nonesuch FROM ivoa.obscore")
    assert "nonesuch" in caught.value.message


def test_another_service_is_told(site, lite):
    def other(_base):
        app = FastAPI()

        @app.post("/tap/sync")
        def page() -> Response:
            return Response("<html>Welcome</html>", media_type="text/html")

        return app

    with running(other) as (address, _), pytest.raises(faults.ArchiveAnswerMalformed):
        sync(site, lite, address)
