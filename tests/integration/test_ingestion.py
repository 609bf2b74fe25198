"""Journals become rows: at any byte they may be cut, damaged or repeated, and nothing is lost or read twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from making import make_run
from sqlalchemy import func, select

from reimage import document, ingest
from reimage.ingest import LOG, LogUnreadable, Place
from reimage.model import Result, State
from reimage.rebuild import rebuild
from reimage.store import datasets, events, failures, migrate, moves, runs, tallies
from reimage.store.run_tables import Event

sys.path.insert(0, str(Path(__file__).parents[2] / "ops" / "bench"))
import desk_ingestion


@pytest.fixture
def place(settings, database):
    """Give a queued run whose whole life stands on disk: it failed."""
    run = make_run("archive", run="r1", dataset="uid://A001/X1/X1", recipe={"id": "test"})
    directory = settings.runs_dir / "uid___A001_X1_X1" / "r1"
    (directory / "attempts" / "1").mkdir(parents=True)
    document.write(directory / "run.json", run)
    desk_ingestion.write_history(run, directory, fails=True, number=2)
    with database.write() as session:
        row = datasets.ensure(session, "alma", run.dataset, {}, run.created_at)
        where = str(directory.relative_to(settings.data))
        run_id = moves.insert_run(session, run, dataset_id=row, directory=where)
    return Place(run="r1", run_id=run_id, directory=directory)


def take_in(database, place):
    with database.write() as session:
        return ingest.ingest_log(session, place)


def said(database):
    with database.read() as session:
        assert tallies.differences(session) == []
        return [(e.attempt, e.event) for e in events.of_run(session, "r1")]


WHOLE = [
    (0, "attempt.submitting"),
    (0, "attempt.submitted"),
    *((1, f"{name}") for name in ("attempt.started", "stage.started", "stage.failed")),
    (1, "attempt.ended"),
    (0, "attempt.judged"),
]


def test_the_bench_measures_what_is_right(database, tmp_path):
    assert desk_ingestion.measure(database, tmp_path, runs=8) > 0
    with database.read() as session:
        assert tallies.differences(session) == []
        counts = {(c.state, c.result): c.n for c in runs.counts(session)}
        assert session.scalar(select(func.count(Event.id))) == 6 * 28 + 2 * 7
    assert counts == {(State.DONE, Result.IMAGED): 6, (State.DONE, Result.FAILED): 2}


def test_cut_at_any_byte_it_waits_and_goes_on(database, place):
    """As it grows, byte by byte (in steps), both files; then all of it was read once."""
    files = {path: path.read_bytes() for path in place.directory.rglob("*.jsonl")}
    log = place.directory / LOG
    for path in files:
        path.write_bytes(b"")
    journal = ingest.journal_path(place.directory, 1)
    for end in range(0, len(files[log]), 97):
        log.write_bytes(files[log][:end])
        take_in(database, place)
        with database.read() as session:
            is_there = bool(runs.attempts(session, "r1"))
        if is_there and journal.read_bytes() != files[journal]:
            for cut in range(0, len(files[journal]) + 60, 60):
                journal.write_bytes(files[journal][:cut])
                with database.write() as session:
                    ingest.ingest_journal(session, place, 1)
    log.write_bytes(files[log])
    take_in(database, place)
    assert sorted(said(database)) == sorted(WHOLE)
    assert take_in(database, place) == ()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 4096 + b"\n",
        b'{"v": 1, "att\n',
        b"[]\n",
        b"3\n",
        b'{"attempt": "x", "seq": 1, "at": "2026-01-01T00:00:00+00:00", "event": "a"}\n',
        b'{"attempt": 1, "seq": 99, "at": "2026-01-01T00:00:00", "event": "no.zone"}\n',
        b'{"attempt": 7, "seq": 99, "at": "2026-01-01T00:00:00+00:00", "event": "of.another"}\n',
        b'{"attempt": 1, "seq": 1, "at": "2026-01-01T00:00:00+00:00", "event": "copied"}\n',
    ],
    ids=["zeros", "torn", "list", "number", "type", "zone", "attempt", "copy"],
)
def test_garbage_in_the_middle_is_passed_over_and_told(database, place, garbage, capsys):
    path = ingest.journal_path(place.directory, 1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], garbage, *lines[2:]]))
    log = place.directory / LOG
    judged = [json.loads(line) for line in log.read_bytes().splitlines()]
    judged[-1]["journal_offset"] += len(garbage)
    log.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in judged))
    take_in(database, place)
    assert said(database) == WHOLE
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("journal.line_passed_over") == 1


def test_a_line_that_was_read_before_is_not_read_again(database, place):
    """The file was copied over itself between two looks."""
    path = ingest.journal_path(place.directory, 1)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    log = place.directory / LOG
    everything = log.read_bytes()
    log.write_bytes(b"".join(everything.splitlines(keepends=True)[:2]))
    take_in(database, place)
    for text in (whole[:first], whole[:first] + whole):
        path.write_bytes(text)
        with database.write() as session:
            ingest.ingest_journal(session, place, 1)
    assert [event for attempt, event in said(database) if attempt == 1] == [
        *("attempt.started", "stage.started", "stage.failed", "attempt.ended")
    ]


@pytest.mark.parametrize("missing", ["journal_offset", "decision", "judgement", "number"])
def test_a_log_that_lacks_what_it_must_say_is_told(settings, database, place, missing):
    log = place.directory / LOG
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    del lines[-1][missing]
    log.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    with pytest.raises(LogUnreadable) as caught:
        take_in(database, place)
    assert caught.value.evidence["seq"] == 3
    assert said(database) == []  # the transaction left nothing half done
    url = f"sqlite:///{settings.data / 'again.db'}"
    migrate.upgrade(url)
    again = migrate.open_database(url)
    counts = rebuild(settings, again)
    again.close()
    assert counts.runs == 0
    assert [one.directory for one in counts.unreadable] == [str(place.directory)]


def test_what_a_failure_is_grouped_by_stands_in_its_row(database, place):
    take_in(database, place)
    with database.read() as session:
        row = session.scalars(select(failures.Failure)).one()
        run = runs.find(session, "r1")
    assert (row.recipe, row.build, row.host, row.cpu_s) == ("test", "casa-6.7", "node2", 280.0)
    assert (row.n_blocked, row.error_class, row.signature) == (1, "unclassified", "sv1:00000002")
    assert (run.result, run.build) == (Result.FAILED, "casa-6.7")
