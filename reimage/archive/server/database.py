"""The holdings of a directory archive as SQLite files, and connections that can only read them."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from astropy.table import Table

from reimage.archive.directory import HOLDINGS
from reimage.archive.faults import ArchiveForeign
from reimage.archive.server import tap_schema
from reimage.archive.server.adql import QueryRefused
from reimage.archive.server.columns import CHAR, DOUBLE, LONG, OBSCORE, Column, TableShape
from reimage.archive.server.functions import FUNCTIONS, guarded, sql_name
from reimage.archive.server.uploads import Upload

BATCH: Final = 500
"""Rows that are in memory at a time."""
_STEPS: Final = 20_000
"""Of SQLite's machine between two looks at the clock."""
_UNREADABLE: Final = (OSError, ValueError, TypeError, LookupError)
"""What astropy raises at a file that is no table."""
_READS: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


class Database:
    """The tables of one archive, in files of a temporary directory.

    Raises
    ------
    ArchiveForeign
        The holdings cannot be read.
    """

    def __init__(self, root: Path, base: str) -> None:
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        place = Path(tempfile.mkdtemp(prefix="reimage-tap-"))
        self.close = weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        """Remove the files; also done when nobody holds the database any more."""
        columns, kept, rows = _holdings(root / HOLDINGS, base)
        obscore = TableShape(
            name="ivoa.obscore",
            description="One row per source, spectral window and execution block.",
            columns=columns,
            utype="ivo://ivoa.net/std/ObsCore#core-1.1",
        )
        self.shapes = (obscore, *tap_schema.SHAPES)
        self.tables = {shape.name.lower(): shape for shape in self.shapes}
        self._files = {"ivoa": place / "ivoa.db", "tap_schema": place / "tap_schema.db"}
        try:
            _fill(self._files["ivoa"], obscore, kept, rows)
        except (ValueError, csv.Error) as error:
            raise ArchiveForeign(
                f"cannot read {root / HOLDINGS}: {error}", evidence={"path": str(root / HOLDINGS)}
            ) from error
        for shape, contents in tap_schema.contents(self.shapes):
            names = [column.name for column in shape.columns]
            _fill(self._files["tap_schema"], shape, names, contents)

    def open(self, uploads: Sequence[Upload] = (), seconds: float = 600) -> Session:
        """Return a connection that reads for so long at most."""
        session = Session(self._files, self.tables, uploads, seconds)
        self._sessions.add(session)
        return session

    def stop(self) -> None:
        """End every query that runs."""
        for session in list(self._sessions):
            session.stop()


class Session:
    """One connection: everything attached, all functions known, nothing can be written."""

    def __init__(
        self,
        files: Mapping[str, Path],
        tables: Mapping[str, TableShape],
        uploads: Sequence[Upload],
        seconds: float,
    ) -> None:
        self._until, self._is_stopped, self._fault = time.monotonic() + seconds, False, ""
        self.tables = {**tables, **{upload.shape.name.lower(): upload.shape for upload in uploads}}
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, uri=True)
        for name, file in files.items():
            self._connection.execute(
                f"ATTACH ? AS {name}", (f"{file.as_uri()}?mode=ro&immutable=1",)
            )
        self._connection.execute("ATTACH ':memory:' AS tap_upload")
        self._take(uploads)
        for name in FUNCTIONS:
            self._connection.create_function(sql_name(name), -1, guarded(name, self._note))
        self._connection.execute("PRAGMA case_sensitive_like = ON")
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.set_authorizer(_only_reading)
        self._connection.set_progress_handler(self._has_to_stop, _STEPS)

    def _take(self, uploads: Sequence[Upload]) -> None:
        """Put tables that came along beside the holdings."""
        for upload in uploads:
            names = [column.name for column in upload.shape.columns]
            try:
                _create(self._connection, upload.shape, names, upload.rows)
            except (sqlite3.Error, OverflowError) as error:
                self._connection.close()
                raise QueryRefused(f"UPLOAD: {upload.shape.bare_name}: {error}") from error
        self._connection.commit()

    def rows(self, sql: str) -> Iterator[list[Any]]:
        """Run a statement of `adql.translate`, giving its rows batch by batch.

        Raises
        ------
        QueryRefused
        """
        try:
            cursor = self._connection.execute(sql)
            while batch := cursor.fetchmany(BATCH):
                yield batch
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise QueryRefused(self._why(error)) from error

    def stop(self) -> None:
        """End what runs."""
        self._is_stopped = True

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        self._connection.close()

    def _note(self, fault: str) -> None:
        self._fault = self._fault or fault

    def _has_to_stop(self) -> int:
        return int(self._is_stopped or time.monotonic() > self._until)

    def _why(self, error: Exception) -> str:
        if self._is_stopped:
            return "the query was aborted"
        if time.monotonic() > self._until:
            return "the query took longer than it may"
        return self._fault or f"the database says: {error}"


def _only_reading(action: int, *_about: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _fill(file: Path, shape: TableShape, names: Sequence[str], rows: Iterator[Any]) -> None:
    connection = sqlite3.connect(file)
    try:
        _create(connection, shape, names, rows, schema="main")
        for column in shape.columns:
            if column.is_indexed:
                connection.execute(
                    f"CREATE INDEX {_quoted('by_' + column.name)}"
                    f" ON {_quoted(shape.bare_name)} ({_quoted(column.name)})"
                )
        connection.commit()
    finally:
        connection.close()


def _create(
    connection: sqlite3.Connection,
    shape: TableShape,
    names: Sequence[str],
    rows: Iterator[Any] | Sequence[Any],
    schema: str = "",
) -> None:
    """Make a table and fill the named columns of it."""
    table = f"{_quoted(schema or shape.schema)}.{_quoted(shape.bare_name)}"
    columns = ", ".join(f"{_quoted(column.name)} {column.affinity}" for column in shape.columns)
    connection.execute(f"CREATE TABLE {table} ({columns})")
    into, marks = ", ".join(map(_quoted, names)), ", ".join("?" * len(names))
    connection.executemany(f"INSERT INTO {table} ({into}) VALUES ({marks})", rows)  # noqa: S608 -- names are quoted


# --- reading holdings.ecsv ----------------------------------------------------------------------


def _holdings(
    path: Path, base: str
) -> tuple[tuple[Column, ...], list[str], Iterator[tuple[Any, ...]]]:
    """Return the columns of ``ivoa.obscore``, those that the file has, and its rows one by one.

    The rows are never in memory together; their ``access_url`` is made to point at ourselves.
    """
    try:
        with path.open(newline="") as stream:
            header = _header(stream)
        empty = Table.read(header, format="ascii.ecsv")
    except _UNREADABLE as error:
        raise ArchiveForeign(
            f"cannot read {path}: {error}", evidence={"path": str(path)}
        ) from error
    known = {column.name: column for column in OBSCORE}
    present = [known.get(name) or _foreign(name, empty[name].dtype.kind) for name in empty.colnames]
    more = [column for column in present if column.name not in known]
    names = [column.name for column in present]
    delimiter = _delimiter(header)
    return (*OBSCORE, *more), names, _rows(path, len(header), delimiter, present, base)


def _header(stream: IO[str]) -> list[str]:
    """Return the lines up to that with the names."""
    lines: list[str] = []
    for line in stream:
        lines.append(line.rstrip("\r\n"))
        if not line.startswith("#"):
            break
    return lines


def _delimiter(header: Sequence[str]) -> str:
    found = re.search(r"^# delimiter: '?(.)'?$", "\n".join(header), re.MULTILINE)
    return found.group(1) if found else " "


def _foreign(name: str, kind: str) -> Column:
    """Return a column that we do not know: the archive adds some from time to time."""
    datatype = {"f": DOUBLE, "i": LONG, "u": LONG}.get(kind, CHAR)
    return Column(name=name, datatype=datatype, description="not in our list of columns")


def _rows(
    path: Path, skipped: int, delimiter: str, columns: Sequence[Column], base: str
) -> Iterator[tuple[Any, ...]]:
    kinds = [_KINDS.get(column.affinity, str) for column in columns]
    names = [column.name for column in columns]
    mous, url = (
        names.index(name) if name in names else None for name in ("member_ous_uid", "access_url")
    )
    with path.open(newline="") as stream:
        for cells in csv.reader(islice(stream, skipped, None), delimiter=delimiter, strict=True):
            if not cells:
                continue
            row = [kind(cell) if cell else None for kind, cell in zip(kinds, cells, strict=True)]
            if mous is not None and url is not None:
                row[url] = f"{base}/datalink/sync?ID={row[mous]}"
            yield tuple(row)


_KINDS: Final[dict[str, Callable[[str], Any]]] = {
    "REAL": float,
    "INTEGER": lambda cell: int(float(cell)),
    "TEXT": str,
}
