"""Connections and transactions: one `Database` per process and URL.

SQLite runs in WAL mode: readers never wait, and a writer takes the write lock when its transaction
begins (``BEGIN IMMEDIATE``), so that what it read cannot be overtaken; it waits up to a minute for
another writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError
from sqlalchemy.orm import Session

from reimage.errors import DiskFull, SettingsError, StoreError

BUSY_MS = 60_000
CACHE_KB = 65_536
"""Of SQLite's pages in memory, at most: with its own 2 MB an index of a million runs is read from disk each time."""
_WRITING = "reimage_writing"


class DatabaseUnreachable(StoreError):
    """The run database does not answer, or is no database."""

    code = "database-unreachable"
    hint = "Check the setting `database` (`reimage doctor` shows it) and that the server is up."


class DatabaseUrlMalformed(SettingsError):
    """The setting `database` is no URL that SQLAlchemy knows."""

    code = "database-url"
    hint = (
        "Write sqlite:///path, postgresql+psycopg://user@host/name or oracle+oracledb://user@host."
    )


class Database:
    """The run database.

    Parameters
    ----------
    url
        SQLAlchemy URL, without password.
    password
        From a keyring or the like; PostgreSQL's own means (PGPASSWORD, ~/.pgpass) work without it.
    """

    def __init__(self, url: str, password: str | None = None) -> None:
        self.url = url
        self.engine = _engine(url, password)
        self._writer = self.engine.execution_options(**{_WRITING: True})
        # SQLite's readers see one state by themselves, and PostgreSQL's must ask for it.
        one_state = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        self._reader = self.engine.execution_options(**one_state)

    @property
    def dialect(self) -> str:
        """sqlite, postgresql or oracle."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the database (on Oracle: with each statement) and changes nothing."""
        with _translated(self.url), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose whole use is one transaction."""
        with _translated(self.url), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a connection in a transaction that shuts out every other migration."""
        with _translated(self.url), self._writer.begin() as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7242610)")
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()


def is_absent(url: str) -> bool:
    """Whether the database is a SQLite file that is not there."""
    parsed = make_url(url) if url.startswith("sqlite") else None
    return parsed is not None and bool(parsed.database) and not Path(str(parsed.database)).exists()


def _engine(url: str, password: str | None) -> Engine:
    try:
        parsed = make_url(url)
        if password is not None:
            parsed = parsed.set(password=password)
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUrlMalformed(f"not a database URL: {url!r}: {error}") from error
    except OSError as error:
        raise DatabaseUnreachable(f"cannot make the folder of {url}: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "oracle":
        event.listen(engine, "connect", _prepare_oracle)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401 -- a driver's own
    del record
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        f"cache_size = {-CACHE_KB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _prepare_oracle(connection: Any, record: object) -> None:  # noqa: ANN401 -- a driver's own
    del record
    with connection.cursor() as cursor:  # moments are bound without zone and mean UTC
        cursor.execute("ALTER SESSION SET TIME_ZONE = '+00:00'")


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turn what the driver says about disk and server into errors with a code."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        told = _meaning(url, error)
        if told is None:
            raise
        raise told from error


def _meaning(url: str, error: DatabaseError | InterfaceError) -> StoreError | DiskFull | None:
    """Return what a driver's error means to an operator; None when it is our bug."""
    text = str(error.orig)
    shown = make_url(url).render_as_string(hide_password=True)
    evidence = {"database": shown, "message": text[:500]}
    if "disk is full" in text or "No space left" in text or "disk I/O error" in text:
        return DiskFull(f"the run database cannot grow: {text}", evidence=evidence)
    unreachable = (
        "unable to open database",
        "not a database",
        "readonly database",
        "database is locked",
        "connection failed",
        "connection refused",
        "server closed the connection",
        "DPY-6005",
    )
    if any(part.lower() in text.lower() for part in unreachable):
        return DatabaseUnreachable(f"the run database {shown}: {text[:200]}", evidence=evidence)
    return None
