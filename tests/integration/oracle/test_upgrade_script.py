"""`reimage db sql --dialect oracle --from REV`, executed over the rows that an earlier program left behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from alembic import command

from reimage.store import migrate, runs, tallies

pytestmark = pytest.mark.xdist_group("h2")
CORPUS = Path(__file__).parents[2] / "corpus" / "schemas"
EARLIER = sorted(path.stem for path in CORPUS.glob("*.sql"))
FIRST = ("holding", "category", "sweep", "dataset", "run", "attempt", "failure")
"""Tables that others refer to, in this order."""


def schema_as_of(revision):
    """Return the script that a DBA was given when this revision was the newest."""
    buffer = StringIO()
    config = migrate._config(buffer)
    config.attributes["url"] = migrate.OFFLINE["oracle"]
    command.upgrade(config, revision, sql=True)
    return buffer.getvalue()


def fill(h2, connection, earlier):
    """Copy every row of a SQLite database; moments go over as their text."""
    seen = earlier.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [name for (name,) in seen if not name.startswith(("sqlite_", "alembic_"))]
    for name in sorted(names, key=lambda one: FIRST.index(one) if one in FIRST else len(FIRST)):
        rows = earlier.execute("SELECT * FROM " + name)  # noqa: S608 -- our own tables
        columns = [column[0] for column in rows.description]
        into, marks = f"({', '.join(columns)})", ", ".join("?" * len(columns))
        with connection.cursor() as cursor:
            for row in rows:
                cursor.execute(f"INSERT INTO {name} {into} VALUES ({marks})", row)  # noqa: S608 -- the same
    connection.commit()


@pytest.fixture(params=EARLIER)
def earlier(request):
    """Give a SQLite database of an earlier schema, and its revision."""
    with closing(sqlite3.connect(":memory:")) as database:
        script = (CORPUS / f"{request.param}.sql").read_text(encoding="utf-8")
        database.executescript(script)
        yield database, request.param


def test_the_rows_are_those_of_an_upgraded_sqlite(h2, empty_oracle, earlier, tmp_path):
    connection, name = empty_oracle
    database, revision = earlier
    h2.carry_out(connection, schema_as_of(revision))
    fill(h2, connection, database)
    h2.carry_out(connection, migrate.offline_sql("oracle", revision))
    with closing(sqlite3.connect(tmp_path / "beside.db")) as beside:
        database.backup(beside)
    url = f"sqlite:///{tmp_path / 'beside.db'}"
    migrate.upgrade(url)
    assert upgraded(f"oracle+h2:///{name}") == upgraded(url)


def upgraded(url):
    """Return what a program reads after `db recount`, which the script asks for."""
    with closing(migrate.open_database(url)) as database:
        with database.write() as session:
            tallies.recount(session)
        with database.read() as session:
            assert tallies.differences(session) == []
            connection = session.connection()
            failures = connection.exec_driver_sql(
                "SELECT run_id, attempt_no, dataset_id, recipe, build, host, cpu_s, n_blocked"
                " FROM failure ORDER BY run_id, attempt_no"
            )
            sums = connection.exec_driver_sql(
                "SELECT axis, entry, result, day_no, n_runs, n_blocked FROM tally"
                " ORDER BY axis, entry, result, day_no"
            )
            return (
                {row.run: row for row in runs.list_runs(session)},
                [tuple(row) for row in failures],
                [tuple(row) for row in sums],
            )


def test_a_schema_of_another_revision_is_left_alone(h2, empty_oracle):
    connection, _ = empty_oracle
    h2.carry_out(connection, schema_as_of("r0001"))
    with pytest.raises(h2.DatabaseError, match="Division by zero"):
        h2.carry_out(connection, migrate.offline_sql("oracle", "r0002"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT version_num FROM alembic_version")
        assert cursor.fetchall() == [("r0001",)]
