"""How a run database is: its kind, its size, the room it has, and whether it is sound."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, text

from reimage.store.session import Database

_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
    "oracle": "SELECT COALESCE(SUM(bytes), 0) FROM user_segments",
}
_MOST = 20
"""Findings that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a run database takes up."""

    kind: str
    """sqlite, postgresql or oracle."""
    n_bytes: int
    log_bytes: int
    """Of SQLite's write-ahead log, which shrinks when nobody reads or writes; 0 on a server."""
    free_bytes: int | None
    """Where its file is; None on a server, whose disk is not seen from here."""

    def told(self) -> str:
        """Return it in words."""
        log = f" and {self.log_bytes / 1e6:.1f} MB of log" if self.log_bytes else ""
        free = f", {self.free_bytes / 1e9:.1f} GB free" if self.free_bytes is not None else ""
        return f"{self.kind}, {self.n_bytes / 1e6:.1f} MB{log}{free}"


def held(database: Database) -> Held:
    """Return what a run database takes up, without reading its rows."""
    with database.read() as session:
        n_bytes = int(session.execute(text(_SIZE[database.dialect])).scalar_one())
    path = _file(database)
    if path is None:
        return Held(kind=database.dialect, n_bytes=n_bytes, log_bytes=0, free_bytes=None)
    log = path.with_name(f"{path.name}-wal")
    return Held(
        kind=database.dialect,
        n_bytes=n_bytes,
        log_bytes=log.stat().st_size if log.exists() else 0,
        free_bytes=shutil.disk_usage(path.parent).free,
    )


def unsound(database: Database) -> tuple[str, tuple[str, ...]]:
    """Return what is said when all is well, and what SQLite finds wrong in its file, a sentence each.

    Reads every page: a minute or so for a million runs.
    """
    if database.dialect != "sqlite":
        return "its pages are for the server's own tools to look at", ()
    with database.read() as session:
        found = [str(told) for (told,) in session.execute(text(f"PRAGMA quick_check({_MOST})"))]
        strays = session.execute(text("PRAGMA foreign_key_check")).fetchmany(_MOST)
    wrong = [told for told in found if told != "ok"]
    wrong += [f"{row[0]}: row {row[1]} refers to no {row[2]}" for row in strays]
    return "every page and reference is sound", tuple(wrong)


def _file(database: Database) -> Path | None:
    path = make_url(database.url).database if database.dialect == "sqlite" else None
    return None if path in (None, "", ":memory:") else Path(str(path))
