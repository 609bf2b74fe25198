"""SQL that a person writes: it reads, it ends in time, and it cannot change anything, whatever it says.

The database itself refuses, not a look at the text.  SQLite opens the file for reading, allows nothing but reading
to the statement, and is asked every few thousand steps whether it may go on; PostgreSQL gets a read-only transaction
with a time limit, and one statement only, by its extended protocol; Oracle a read-only transaction with a time limit
for the call.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from reimage.errors import StoreError, UsageError
from reimage.store.answer import Answer
from reimage.store.session import Database

STEPS = 5000
"""Of SQLite's machine between two looks at the clock: below a millisecond."""
LARGEST = 50_000_000
"""Bytes of one value: none takes longer to make than a limit is long."""
_READS = re.compile(r"\s*(\(\s*)*(select|with|values|explain)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"\s*(--[^\n]*\n|/\*.*?\*/)", re.DOTALL)
_ALLOWED = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_DENIED_FUNCTIONS = frozenset({"load_extension", "writefile", "readfile", "edit", "fts3_tokenizer"})
_TIMED_OUT = ("statement timeout", "QueryCanceled", "57014", "DPY-4024", "ORA-01013")


class SqlNotReadonly(UsageError):
    """The statement would change something, or is no query."""

    code = "sql-not-readonly"
    hint = (
        "One SELECT (or WITH ... SELECT); ops/guide/reference/schema.md has the tables and columns."
    )


class SqlFailed(UsageError):
    """The database does not understand the statement, or cannot carry it out."""

    code = "sql-failed"
    hint = (
        "ops/guide/reference/schema.md has the tables and columns; the SQL is the database's own."
    )


class SqlTooSlow(StoreError):
    """The statement took longer than it may."""

    code = "sql-too-slow"
    hint = "Narrow it down by a column that has an index, or give it more time with --limit-s."


def ask(database: Database, statement: str, *, limit_s: float, most: int) -> Answer:
    """Carry out a query that a person wrote; at most so many rows.

    Raises
    ------
    SqlNotReadonly, SqlFailed, SqlTooSlow
    """
    text = statement.strip().rstrip(";").strip()
    if not _READS.match(_uncommented(text)):
        raise SqlNotReadonly(
            "not a query: only SELECT is carried out", evidence={"sql": text[:500]}
        )
    if "\0" in text:
        raise SqlFailed("a character that no database takes", evidence={"sql": text[:500]})
    begun = time.monotonic()
    carry_out = {"sqlite": _sqlite, "postgresql": _postgresql}.get(database.dialect, _oracle)
    columns, rows = carry_out(database, text, limit_s, most + 1)
    return Answer(
        columns=columns,
        rows=tuple(rows[:most]),
        cut=len(rows) > most,
        wall_s=time.monotonic() - begun,
    )


_Found = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def _uncommented(text: str) -> str:
    """Return a statement without the comments before it."""
    while match := _COMMENTS.match(text):
        text = text[match.end() :]
    return text


def _sqlite(database: Database, text: str, limit_s: float, most: int) -> _Found:
    path = make_url(database.url).database or ""
    end = time.monotonic() + limit_s
    late: list[bool] = []

    def look() -> int:
        if time.monotonic() > end:
            late.append(True)
        return bool(late)

    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {int(limit_s * 1000)}")
        connection.execute("PRAGMA query_only = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(look, STEPS)
        try:
            cursor = connection.execute(text)
            columns = tuple(one[0] for one in cursor.description or ())
            return columns, cursor.fetchmany(most)
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
            if (
                str(error) == "interrupted" and not late
            ):  # Ctrl-C: SQLite ends, and hides who asked for it
                raise KeyboardInterrupt from error
            raise _told(error, text, limit_s, is_late=bool(late)) from error


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Allow reading, and functions that only reckon."""
    is_reckoning = action != sqlite3.SQLITE_FUNCTION or second not in _DENIED_FUNCTIONS
    del first
    return sqlite3.SQLITE_OK if action in _ALLOWED and is_reckoning else sqlite3.SQLITE_DENY


def _postgresql(database: Database, text: str, limit_s: float, most: int) -> _Found:
    with _translated(text, limit_s), closing(database.engine.raw_connection()) as pooled:
        connection: Any = pooled.driver_connection
        try:
            connection.read_only = True
            with connection.cursor() as cursor:
                milliseconds = max(1, int(limit_s * 1000))
                cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                # Streamed: the extended protocol takes one statement, and rows beyond `most` are not fetched.
                rows = []
                for row in cursor.stream(text):
                    rows.append(tuple(row))
                    if len(rows) == most:
                        break
                columns = tuple(one.name for one in cursor.description or ())
            return columns, rows
        finally:
            pooled.invalidate()  # not kept: a function may have taken locks that outlive the transaction


def _oracle(database: Database, text: str, limit_s: float, most: int) -> _Found:
    with _translated(text, limit_s), closing(database.engine.raw_connection()) as pooled:
        connection: Any = pooled.driver_connection
        before = connection.call_timeout
        connection.call_timeout = max(1, int(limit_s * 1000))
        try:
            with connection.cursor() as cursor:
                connection.rollback()  # a read-only transaction must be a transaction's first statement
                cursor.execute("SET TRANSACTION READ ONLY")
                cursor.execute(text)
                columns = tuple(str(one[0]).lower() for one in cursor.description or ())
                return columns, [tuple(row) for row in cursor.fetchmany(most)]
        finally:
            connection.rollback()
            connection.call_timeout = before


@contextmanager
def _translated(text: str, limit_s: float) -> Iterator[None]:
    """Turn what a driver says about a statement into errors with a code."""
    try:
        yield
    except DBAPIError:
        raise  # of the connection: `Database` knows what it means
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"psycopg", "oracledb"}:
            raise
        raise _told(error, text, limit_s, is_late=_is_timeout(error)) from error


def _is_timeout(error: Exception) -> bool:
    said = f"{type(error).__name__} {getattr(error, 'sqlstate', '')} {error}"
    return any(word in said for word in _TIMED_OUT)


def _told(
    error: Exception, text: str, limit_s: float, *, is_late: bool
) -> SqlNotReadonly | SqlFailed | SqlTooSlow:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    evidence = {"sql": text[:500], "message": said[:500]}
    if is_late:
        return SqlTooSlow(f"ended after {limit_s:g} s", evidence=evidence)
    refused = ("not authorized", "readonly database", "read-only transaction", "ORA-01456")
    if any(word in str(error) for word in refused):
        return SqlNotReadonly(f"the statement does more than read: {said}", evidence=evidence)
    return SqlFailed(said, evidence=evidence)
