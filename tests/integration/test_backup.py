"""`reimage db backup`: a copy of one moment, made while others write, that can be put back."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from operating import make_folder, run_demo, settings_of
from playing import make

from reimage import cli
from reimage.cli import codes
from reimage.store import backup as copying
from reimage.store import migrate, runs
from reimage.store.backup import BackupElsewhere, BackupExists, BackupFailed

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NAMED = "reimage-20261120T080000Z.db"


@pytest.fixture
def folder(tmp_path):
    make_folder(tmp_path)
    return tmp_path


def url_of(folder):
    return settings_of(folder).database_url


def test_the_copy_is_of_one_moment_while_others_write(folder, monkeypatch):
    """A writer keeps two rows equal, one transaction at a time; no copy ever sees them differ."""
    monkeypatch.setattr(copying, "PAGES_A_STEP", 1)
    path = folder / "data" / "reimage.db"
    with closing(sqlite3.connect(path)) as own:
        own.execute("INSERT INTO holding (name, title) VALUES ('left', '0'), ('right', '0')")
        own.execute("CREATE TABLE ballast AS SELECT randomblob(200000) AS b")
        own.commit()
    stop, written = threading.Event(), []

    def write():
        with closing(sqlite3.connect(path, timeout=60)) as own:
            while not stop.is_set():
                n = len(written) + 1
                for side in ("left", "right"):
                    own.execute("UPDATE holding SET title = ? WHERE name = ?", (str(n), side))
                own.execute("INSERT INTO ballast VALUES (randomblob(5000))")
                own.commit()
                written.append(n)

    seen = []
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(3):
            before = len(written)

            def wait(_done, _all, before=before):
                """Let the writer come to its turn, however busy the machine is."""
                until = time.monotonic() + 30
                while len(written) == before and time.monotonic() < until:
                    time.sleep(0.001)

            to = folder / f"copy{turn}.db"
            copy = copying.backup(url_of(folder), to, at=AT, on_progress=wait)
            assert len(written) > before, "nobody wrote meanwhile"
            with closing(sqlite3.connect(copy.path)) as own:
                rows = "SELECT title FROM holding WHERE name IN ('left', 'right')"
                left, right = (int(title) for (title,) in own.execute(rows))
                (ballast,) = own.execute("SELECT COUNT(*) - 1 FROM ballast").fetchone()
            assert left == right == ballast
            assert before <= left
            seen.append(left)
    finally:
        stop.set()
        writer.join()
    assert seen == sorted(seen)


def test_a_copy_can_be_put_back(folder):
    """It opens as a run database, with the same runs, and work goes on in it."""
    run_demo(folder)
    told = []
    copy = copying.backup(
        url_of(folder), folder / "kept", at=AT, on_progress=lambda *so_far: told.append(so_far)
    )
    assert copy.path == folder / "kept"
    assert copy.revision == migrate.head()
    assert told[-1][0] == told[-1][1] == copy.n_bytes

    def held(url):
        with closing(migrate.open_database(url)) as database, database.read() as session:
            return runs.list_runs(session)

    url = f"sqlite:///{copy.path}"
    assert held(url) == held(url_of(folder)) != ()
    settings = settings_of(folder)
    with closing(migrate.open_database(url)) as database:
        make(settings, database, "r77")
    assert len(held(url)) == len(held(url_of(folder))) + 1


def test_a_folder_is_filled_with_copies_named_by_their_moment(folder):
    (folder / "kept").mkdir()
    assert copying.backup(url_of(folder), folder / "kept", at=AT).path == folder / "kept" / NAMED
    assert copying.backup(url_of(folder), None, at=AT).path == folder / "data" / NAMED
    with pytest.raises(BackupExists):
        copying.backup(url_of(folder), folder / "kept", at=AT)


def test_nothing_is_written_over(folder):
    there = folder / "there.db"
    there.write_bytes(b"mine")
    with pytest.raises(BackupExists):
        copying.backup(url_of(folder), there, at=AT)
    assert there.read_bytes() == b"mine"
    dangling = folder / "link.db"
    dangling.symlink_to(folder / "elsewhere.db")
    with pytest.raises(BackupExists):
        copying.backup(url_of(folder), dangling, at=AT)
    assert not (folder / "elsewhere.db").exists()
    (folder / "new.db.part").touch()
    with pytest.raises(BackupExists, match="under way"):
        copying.backup(url_of(folder), folder / "new.db", at=AT)
    assert sorted(path.name for path in folder.glob("*.db*")) == [
        *("link.db", "new.db.part", "there.db")
    ]


def test_a_copy_that_is_not_sound_is_not_kept(folder):
    path = folder / "data" / "reimage.db"
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as stream:
        for page in range(3, 12):
            stream.seek(page * 4096)
            stream.write(os.urandom(2000))
    with pytest.raises(BackupFailed):
        copying.backup(url_of(folder), folder / "copy.db", at=AT)
    assert not list(folder.glob("copy.db*"))


def test_a_copy_has_the_permissions_of_the_database(folder):
    (folder / "data" / "reimage.db").chmod(0o640)
    copy = copying.backup(url_of(folder), None, at=AT)
    assert copy.path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("url", "tool"),
    [
        ("postgresql+psycopg://somebody@nowhere/x", "pg_dump"),
        ("oracle+oracledb://somebody@nowhere", "expdp"),
    ],
)
def test_a_server_has_its_own_tool(url, tool, tmp_path):
    with pytest.raises(BackupElsewhere, match=tool) as told:
        copying.backup(url, tmp_path / "x", at=AT)
    assert "db rebuild" in told.value.hint


def test_the_verb(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert cli.main(["db", "backup", "copy.db", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["path"], shown["revision"]) == (str(folder / "copy.db"), migrate.head())
    assert shown["n_bytes"] == (folder / "copy.db").stat().st_size
    assert cli.main(["db", "backup", "copy.db"]) == codes.USAGE
    assert "error[backup-exists]" in capsys.readouterr().err
    assert cli.main(["--data", "none", "db", "backup"]) == codes.FAILED
    assert "error[database-outdated]" in capsys.readouterr().err
    assert not (folder / "none").exists()


def test_a_name_that_no_address_could_hold(folder):
    copy = copying.backup(url_of(folder), folder / "a?b#%41.db", at=AT)
    assert copy.revision == migrate.head()
    assert not (folder / "a").exists()
