"""What programs of earlier schemas left behind is upgraded, read, rebuilt and gone on with: N reads N-1."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from playing import controller
from sqlalchemy import create_engine, text
from suites import load

from reimage import cli, document
from reimage.journal import now
from reimage.model import Result, State
from reimage.rebuild import rebuild
from reimage.run import Outcome, Run
from reimage.settings import Settings
from reimage.store import datasets, migrate, runs, tallies
from reimage.store.session import Database

COMPARED, natural = load("test_rebuild").COMPARED, load("test_rebuild").natural
CORPUS = Path(__file__).parents[1] / "corpus" / "schemas"
RECORDED = sorted(path.stem for path in CORPUS.glob("*.sql"))
HOST = "recorded.invalid"
RUNS = {
    # what each run had come to when its program was left
    "r1": (State.DONE, Result.IMAGED, None),
    "r2": (State.DONE, Result.FAILED, "archive-file-damaged"),
    "r3": (State.DONE, Result.REFUSED, "nothing-to-restore"),
    "r4": (State.DONE, Result.IMAGED, None),
    "r5": (State.DONE, Result.CANCELLED, "cancelled"),
    "r6": (State.RUNNING, None, None),
    "r7": (State.QUEUED, None, None),
}


@pytest.fixture(params=RECORDED)
def revision(request):
    return request.param


@pytest.fixture
def site(revision, tmp_path):
    """Give the settings of a site as the earlier program left it, on a machine of this name."""
    with tarfile.open(CORPUS / f"{revision}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file() and not path.is_symlink():
            told = path.read_bytes().replace(HOST.encode(), socket.gethostname().encode())
            path.write_bytes(told)
    script = (CORPUS / f"{revision}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(tmp_path / "data" / "reimage.db")) as database:
        database.executescript(script.replace(HOST, socket.gethostname()))
    return Settings(data=tmp_path / "data", cache=tmp_path / "cache", poll_s=0.05, slots=2)


def rows_of(url):
    """Return every row of a database, table by table, as text."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        everything = "SELECT * FROM "
        mine = [name for (name,) in names if not name.startswith(("sqlite_", "alembic_"))]
        found = {
            name: [dict(row) for row in connection.execute(text(everything + name)).mappings()]
            for name in mine
        }
    engine.dispose()
    return found


def open_site(site):
    migrate.upgrade(site.database_url)
    return closing(migrate.open_database(site.database_url))


def test_every_earlier_schema_is_kept():
    """A new revision is begun with what the last one's program leaves behind."""
    walked = ScriptDirectory.from_config(migrate._config()).walk_revisions()
    earlier = {revision.revision for revision in walked} - {migrate.head()}
    assert set(RECORDED) == earlier
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < 200_000


def test_it_is_not_touched_before_it_is_upgraded(site, revision, capsys, monkeypatch):
    before = rows_of(site.database_url)
    with pytest.raises(migrate.DatabaseOutdated, match=revision):
        migrate.open_database(site.database_url)
    assert cli.main(["--data", str(site.data), "status"]) == 1
    assert "error[database-outdated]" in capsys.readouterr().err
    assert rows_of(site.database_url) == before


def test_an_upgrade_keeps_every_row(site, revision):
    before = rows_of(site.database_url)
    assert migrate.current(site.database_url) == revision
    migrate.upgrade(site.database_url)
    assert migrate.current(site.database_url) == migrate.head()
    after = rows_of(site.database_url)
    assert all(before[name] for name in ("run", "attempt", "event", "failure", "dataset_alma"))
    for name, rows in before.items():
        assert len(after[name]) == len(rows), name
        kept = [
            {column: value for column, value in new.items() if column in old}
            for old, new in zip(rows, after[name], strict=True)
        ]
        renamed = {"frequency_min_hz", "frequency_max_hz"} & set(rows[0] if rows else ())
        assert kept == [{c: v for c, v in old.items() if c not in renamed} for old in rows], name
    (alma,) = after["dataset_alma"]
    assert (alma["frequency_min_ghz"], alma["bands"]) == (84.5, "3 6")


def test_it_is_read_as_it_was(site):
    with open_site(site) as database, database.read() as session:
        found = {row.run: row for row in runs.list_runs(session)}
        assert {
            name: (row.state, row.result, row.error_class) for name, row in found.items()
        } == RUNS
        assert tallies.differences(session) == []
        failures = session.execute(
            text(
                "SELECT r.run, f.recipe, f.dataset_id, f.n_blocked, f.host FROM failure f"
                " JOIN run r ON r.id = f.run_id ORDER BY r.run, f.attempt_no"
            )
        ).all()
        # r5 was cancelled before it had an attempt; r4's first attempt was not its last
        assert {(run, n) for run, _, _, n, _ in failures} == {("r2", 1), ("r3", 1), ("r4", 0)}
        assert all(recipe == "test" and dataset for _, recipe, dataset, _, _ in failures)
    for path in site.runs_dir.glob("*/*/run.json"):
        assert document.read(Run, path).run == path.parent.name
    outcomes = list(site.runs_dir.glob("*/*/outcome.json"))
    assert len(outcomes) >= 4
    assert all(document.read(Outcome, path).run for path in outcomes)


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("show", "r2"),
        ("show", "r4"),
        ("show", "r6"),
        ("failures",),
        ("failures", "--by", "signature"),
        ("products", "r1"),
        ("log", "r4"),
        ("classes", "show", "archive-file-damaged"),
        ("db", "current"),
    ],
    ids=" ".join,
)
def test_the_command_line_shows_it(site, capsys, words):
    migrate.upgrade(site.database_url)
    assert cli.main(["--data", str(site.data), *words]) == 0
    said = capsys.readouterr()
    assert said.out.strip()
    assert "Traceback" not in said.err


def test_what_was_under_way_goes_on(site):
    """The run whose machine was switched off, and the queued one, are carried out by this program."""
    with open_site(site) as database:
        controller(site, database).run(until_idle=True)
        with database.read() as session:
            for name in ("r6", "r7"):
                row = runs.find(session, name)
                assert (row.state, row.result) == (State.DONE, Result.IMAGED), name
            assert tallies.differences(session) == []
    (journal,) = site.runs_dir.glob("*/r6/attempts/2/journal.jsonl")
    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    assert events.count("stage.kept") == 3  # what the earlier program had proven


@pytest.mark.parametrize("first", ["rebuild", "sync"])
def test_a_rebuilt_database_has_the_rows_of_an_upgraded_one(site, tmp_path, first):
    """Whether the holdings, whose the bands and cycles are, are synchronised before or afterwards."""
    url = f"sqlite:///{tmp_path / 'again.db'}"
    migrate.upgrade(url)
    with open_site(site) as upgraded, closing(Database(url)) as again:
        with upgraded.read() as session:
            held = [(row.dataset, row.facts) for row in datasets.list_datasets(session, "alma")]

        def sync():
            with again.write() as session:
                datasets.sync(session, "alma", held, at=now())

        if first == "sync":
            sync()
        counts = rebuild(site, again)
        if first == "rebuild":
            sync()
        assert (counts.runs, counts.sweeps, counts.unreadable) == (7, 1, ())
        before, after = natural(upgraded), natural(again)
    assert {name for name in COMPARED if before[name] != after[name]} == set()
    assert all(before[name] for name in ("failure", "decision", "tally", "stage_tally"))


def test_the_corpus_names_no_machine():
    told = "".join((CORPUS / f"{name}.sql").read_text() for name in RECORDED)
    assert HOST in told
    assert not re.search(r"/home/|/root/", told)
