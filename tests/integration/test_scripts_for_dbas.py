"""`reimage db sql`, carried out by the tools that a database administrator would use."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing

import pytest
from conftest import needs
from sqlalchemy import make_url, text

from reimage.store import checkup, migrate
from reimage.store.session import Database


@pytest.fixture
def carry_out(database_url, tmp_path):
    """Give what feeds a script to the database's own program, and returns its exit code and words."""
    parsed = make_url(database_url)
    if parsed.get_backend_name() == "postgresql":
        psql = needs("postgresql").with_name("psql")
        command = [psql, "-X", "-h", parsed.host, "-p", parsed.port, "-U", parsed.username]
        command += ["-d", parsed.database]
    else:
        command = [needs("sqlite"), parsed.database]

    def run(script):
        said = subprocess.run(
            [*map(str, command)], input=script, capture_output=True, text=True, check=False
        )
        return said.returncode, said.stderr

    return run


def test_the_whole_schema(database_url, carry_out):
    code, said = carry_out(migrate.offline_sql(make_url(database_url).get_backend_name()))
    assert (code, said) == (0, "")
    assert migrate.current(database_url) == migrate.head()
    assert migrate.upgrade(database_url) == ()
    migrate.open_database(database_url).close()


def test_an_upgrade_step_by_step(database_url, carry_out):
    dialect = make_url(database_url).get_backend_name()
    code, said = carry_out(as_of("r0001", dialect))
    assert (code, said) == (0, "")
    code, said = carry_out(migrate.offline_sql(dialect, "r0001"))
    assert (code, said) == (0, "")
    assert migrate.upgrade(database_url) == ()


def test_a_schema_of_another_revision_is_left_alone(postgresql, tmp_path):
    url = make_url(postgresql())
    psql = [needs("postgresql").with_name("psql"), "-X", "-h", url.host, "-p", url.port]
    psql += ["-U", url.username, "-d", url.database]
    ends = []
    for script in (as_of("r0001", "postgresql"), migrate.offline_sql("postgresql", "r0002")):
        path = tmp_path / "script.sql"
        path.write_text(script)
        said = subprocess.run(
            [*map(str, psql), "-f", str(path)], capture_output=True, text=True, check=False
        )
        ends.append((said.returncode, "division by zero" in said.stderr))
    assert ends == [(0, False), (3, True)]
    assert migrate.current(url.render_as_string()) == "r0001"


def as_of(revision, dialect):
    """Return the script of an earlier program: the newest one's, up to the next revision."""
    whole = migrate.offline_sql(dialect)
    upto = whole.split(f"-- Running upgrade {revision} -> ")[0]
    return upto + ("\nCOMMIT;\n" if "BEGIN;" in upto else "")


def test_what_a_database_takes_up(database):
    held = checkup.held(database)
    assert held.kind == database.dialect
    assert held.n_bytes > 100_000
    assert (held.free_bytes is None) == (database.dialect != "sqlite")
    _, wrong = checkup.unsound(database)
    assert wrong == ()
    assert held.told().startswith(f"{database.dialect}, ")


def test_a_stray_reference_is_found(tmp_path):
    path = tmp_path / "runs.db"
    migrate.upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as own:  # foreign keys are off, as in any tool
        own.execute("INSERT INTO holding_sync (holding) VALUES ('nowhere')")
        own.commit()
    with closing(Database(f"sqlite:///{path}")) as database:
        _, wrong = checkup.unsound(database)
        with database.read() as session:
            assert session.execute(text("SELECT COUNT(*) FROM holding")).scalar_one() == 0
    assert wrong == ("holding_sync: row 1 refers to no holding",)
