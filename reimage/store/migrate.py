"""The schema's versions: upgrading a database, and refusing one that does not fit this program."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from reimage.errors import StoreError, UsageError
from reimage.settings import shipped
from reimage.store import acts, offline, tallies
from reimage.store.session import Database, is_absent

OFFLINE = {
    "sqlite": "sqlite://",
    "postgresql": "postgresql+psycopg://",
    "oracle": "oracle+oracledb://",
}
SUMMED_FROM = "r0003"
"""The revision that brought the sums."""
LEDGERS = ("desk",)
"""Ledgers that are projected by bytes: each has its mark from the beginning."""


class DatabaseNewer(StoreError):
    """The database was upgraded by a newer reimage."""

    code = "database-newer"
    hint = "Use the reimage that upgraded it, or a newer one; nothing was changed."


class DatabaseOutdated(StoreError):
    """The database lacks what this reimage needs."""

    code = "database-outdated"
    hint = "`reimage db upgrade` makes it, or brings it up to date."


class DatabaseForeign(StoreError):
    """The database holds tables that are not ours."""

    code = "database-foreign"
    hint = "Give reimage a database (or schema) of its own with the setting `database`."


class DialectUnknown(UsageError):
    """No script can be written for this database."""

    code = "dialect-unknown"
    hint = "One of sqlite, postgresql, oracle."


class RevisionUnknown(UsageError):
    """There is no such revision of the schema."""

    code = "revision-unknown"
    hint = "`reimage db current` tells the revision of the database, and the newest."


def head() -> str:
    """Return the newest revision this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise StoreError("no migrations found", hint="The installation is damaged: install again.")
    return revision


def current(url: str, password: str | None = None) -> str | None:
    """Return the database's revision; None when it has no schema yet."""
    database = Database(url, password)
    try:
        with database.read() as session:
            return _revision(session.connection())
    finally:
        database.close()


def check(database: Database) -> None:
    """Make sure that the database has the schema of this program.

    Raises
    ------
    DatabaseOutdated, DatabaseNewer, DatabaseUnreachable
    """
    with database.read() as session:
        revision = _revision(session.connection())
    _refuse_newer(revision)
    if revision != head():
        raise DatabaseOutdated(
            "the run database has no tables yet"
            if revision is None
            else f"the run database is at {revision}, this reimage needs {head()}",
            evidence={"revision": revision, "head": head()},
        )


def upgrade(url: str, password: str | None = None) -> tuple[str, ...]:
    """Bring a database to the newest schema; return the revisions applied, oldest first.

    One migration at a time: others wait, and then find nothing to do.

    Raises
    ------
    DatabaseNewer, DatabaseForeign, DatabaseUnreachable
    """
    database = Database(url, password)
    try:
        with database.migrating() as connection:
            before = _revision(connection)
            _refuse_newer(before)
            _refuse_foreign(connection, before)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if before is None or before < SUMMED_FROM:
                _sum_up(connection)
            script = ScriptDirectory.from_config(config)
            return tuple(
                revision.revision
                for revision in reversed(list(script.walk_revisions()))
                if before is None or revision.revision > before
            )
    finally:
        database.close()


def open_database(url: str, password: str | None = None) -> Database:
    """Return a database whose schema is the one this program needs.

    Raises
    ------
    DatabaseOutdated, DatabaseNewer, DatabaseUnreachable
    """
    if is_absent(url):  # SQLite would make an empty file of it
        raise DatabaseOutdated("there is no run database yet", evidence={"head": head()})
    database = Database(url, password)
    try:
        check(database)
    except BaseException:
        database.close()
        raise
    return database


def offline_sql(dialect: str, since: str | None = None) -> str:
    """Return a script for a DBA: the whole schema, or what leads from a revision to the newest.

    Raises
    ------
    DialectUnknown, RevisionUnknown
    """
    if dialect not in OFFLINE:
        raise DialectUnknown(f"no script for {dialect!r}")
    revisions = _revisions_after(since)
    buffer = StringIO()
    config = _config(buffer)
    config.attributes["url"] = OFFLINE[dialect]
    if revisions:
        command.upgrade(config, "head" if since is None else f"{since}:head", sql=True)
    return offline.framed(buffer.getvalue(), dialect, since, revisions)


def _revisions_after(since: str | None) -> tuple[str, ...]:
    """Return the revisions that follow one, oldest first; all of them after None."""
    walked = ScriptDirectory.from_config(_config()).walk_revisions()
    known = [revision.revision for revision in reversed(list(walked))]
    if since is None:
        return tuple(known)
    if since not in known:
        raise RevisionUnknown(
            f"no revision {since!r}",
            hint=f"One of {', '.join(known)}; `reimage db current` tells that of the database.",
            evidence={"revision": since},
        )
    return tuple(known[known.index(since) + 1 :])


def _config(buffer: StringIO | None = None) -> Config:
    config = Config(output_buffer=buffer) if buffer is not None else Config()
    folder: Path = shipped("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _sum_up(connection: Connection) -> None:
    """Count what the old rows sum up to, which no migration can say in the SQL of every database."""
    with Session(connection) as session:
        for ledger in LEDGERS:
            acts.advance(session, ledger, 0, 0)
        tallies.recount(session)
        session.flush()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(revision: str | None) -> None:
    known = {r.revision for r in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseNewer(
            f"the run database is at {revision}, which this reimage does not know",
            evidence={"revision": revision, "known": sorted(known)},
        )


def _refuse_foreign(connection: Connection, revision: str | None) -> None:
    tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if revision is None and tables:
        raise DatabaseForeign(
            f"the database holds tables that reimage did not make: {', '.join(tables[:5])}",
            evidence={"tables": tables[:20]},
        )
