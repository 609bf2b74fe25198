"""SQL of one's own: it reads, it ends in time, and it changes nothing, on both databases."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing

import pytest
from making import WHEN

from reimage.errors import ReimageError
from reimage.store import free_sql, migrate
from reimage.store.holdings_tables import Holding


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":  # noqa: SIM108 -- the other starts a server
        url = f"sqlite:///{tmp_path / 'runs.db'}"
    else:
        url = request.getfixturevalue("postgresql")()
    migrate.upgrade(url)
    with closing(migrate.open_database(url)) as database:
        with database.write() as session:
            session.add_all(Holding(name=f"h{n}", title=f"t{n}", synced_at=WHEN) for n in range(5))
        yield database


def ask(database, statement, *, limit_s=5.0, most=100):
    return free_sql.ask(database, statement, limit_s=limit_s, most=most)


def names(database):
    return [row[0] for row in ask(database, "SELECT name FROM holding ORDER BY name").rows]


def test_a_query_is_answered(database):
    found = ask(database, "-- all\nselect name, title from holding order by name;")
    assert found.columns == ("name", "title")
    assert found.rows[0] == ("h0", "t0")
    assert len(found.rows) == 5
    assert not found.cut


def test_rows_are_cut(database):
    found = ask(database, "SELECT name FROM holding ORDER BY name", most=2)
    assert [row[0] for row in found.rows] == ["h0", "h1"]
    assert found.cut
    assert ask(database, "WITH a AS (SELECT 1 AS one) SELECT * FROM a").rows == ((1,),)
    assert ask(database, "SELECT name FROM holding WHERE 1 = 0").rows == ()


WRITES = [
    "DELETE FROM holding",
    "INSERT INTO holding (name) VALUES ('x')",
    "UPDATE holding SET title = 'x'",
    "DROP TABLE holding",
    "CREATE TABLE x (y INTEGER)",
    "PRAGMA query_only = OFF",
    "ATTACH 'x.db' AS x",
    "VACUUM INTO 'copy.db'",
    "COPY holding TO '/tmp/x'",
    "SET default_transaction_read_only = off",
    "BEGIN",
    "COMMIT",
    "",
    "/* SELECT */ DELETE FROM holding",
]


@pytest.mark.parametrize("statement", WRITES)
def test_what_is_no_query_is_refused(database, statement):
    with pytest.raises(ReimageError) as refused:
        ask(database, statement)
    assert refused.value.code == "sql-not-readonly"
    assert len(names(database)) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "WITH a AS (SELECT 1) DELETE FROM holding",
        "WITH a AS (DELETE FROM holding RETURNING 1) SELECT * FROM a",
        "SELECT 1; DELETE FROM holding",
        "SELECT 1; COMMIT; DELETE FROM holding",
        "SELECT 1; SET TRANSACTION READ WRITE; DELETE FROM holding",
        "SELECT name INTO copied FROM holding",
        "EXPLAIN ANALYZE DELETE FROM holding",
        "SELECT nextval('run_id_seq')",
        "SELECT load_extension('x')",
    ],
)
def test_what_writes_under_cover_changes_nothing(database, statement):
    with pytest.raises(ReimageError) as refused:
        ask(database, statement)
    assert refused.value.code in {"sql-not-readonly", "sql-failed"}
    assert len(names(database)) == 5
    with database.write() as session:  # the connection that was used is as it was
        session.add(Holding(name="h9"))
    assert len(names(database)) == 6


@pytest.mark.parametrize(
    "statement", ["SELECT nothing FROM holding", "SELECT FROM WHERE", "SELECT '"]
)
def test_what_is_no_sql_is_told(database, statement):
    with pytest.raises(ReimageError) as refused:
        ask(database, statement)
    assert refused.value.code == "sql-failed"
    assert refused.value.evidence["sql"] == statement


ENDLESS = {
    "sqlite": "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT MAX(n) FROM a",
    "postgresql": "SELECT pg_sleep(60)",
}


def test_what_does_not_end_is_ended(database):
    begun = time.monotonic()
    with pytest.raises(ReimageError) as late:
        ask(database, ENDLESS[database.dialect], limit_s=0.3)
    assert late.value.code == "sql-too-slow"
    assert time.monotonic() - begun < 5
    assert len(names(database)) == 5


def test_a_lock_that_a_query_takes_holds_nobody_up(postgresql):
    url = postgresql()
    migrate.upgrade(url)
    with closing(migrate.open_database(url)) as mine, closing(migrate.open_database(url)) as other:
        ask(mine, "SELECT pg_advisory_lock(7242610)")
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert ask(other, held).rows == ((0,),)
        with mine.write() as session:
            session.add(Holding(name="h", title="t", synced_at=WHEN))


def test_control_c_ends_it_as_such(tmp_path):
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    migrate.upgrade(url)
    endless = (
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    )
    with closing(migrate.open_database(url)) as database:
        key = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        key.start()
        with pytest.raises(KeyboardInterrupt):
            ask(database, endless, limit_s=20.0)
        key.join()
