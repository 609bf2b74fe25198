"""Copies of the run database while programs go on writing into it.

Only for SQLite, whose own means this uses; a server has its own (`BackupElsewhere` says which).  Whatever the
database, `reimage db rebuild` makes its rows again from the run directories and the ledger.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from reimage.errors import DiskFull, StoreError, UsageError
from reimage.store import migrate
from reimage.store.session import BUSY_MS, is_absent

PAGES_A_STEP = 4096
"""Copied at a time; between two steps others write.  With pages of 4 kB it is 16 MB."""
PAUSE_S = 0.01
MEANS = {
    "postgresql": "pg_dump --format=custom --file=reimage.dump",
    "oracle": "expdp (Data Pump) or RMAN",
}
Progress = Callable[[int, int], None]
"""Told the bytes copied so far, and all of them."""


class BackupElsewhere(UsageError):
    """The run database is on a server, which has its own means."""

    code = "backup-elsewhere"
    hint = (
        "Use the server's own tool; `reimage db rebuild --into FILE` makes a SQLite database with the same runs"
        " from the run directories and the ledger."
    )


class BackupExists(UsageError):
    """There is something where the copy would go."""

    code = "backup-exists"
    hint = "Name another file, or a folder: a copy in a folder is named by date and time."


class BackupFailed(StoreError):
    """The copy could not be made, or is not sound."""

    code = "backup-failed"
    hint = "Nothing was left behind. `reimage doctor --thorough` looks at the run database itself."


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy that was made and looked at."""

    path: Path
    n_bytes: int
    revision: str | None


def backup(
    url: str, to: Path | None, *, at: datetime, on_progress: Progress = lambda _done, _all: None
) -> Copy:
    """Copy a run database into a new file, as it is at one moment, and check the copy.

    Parameters
    ----------
    url
        Of the run database.
    to
        The new file, or a folder; None is the run database's own folder.
    at
        Names the file where ``to`` does not: ``reimage-20261120T080000Z.db``, in UTC.

    Raises
    ------
    BackupElsewhere, BackupExists, BackupFailed, DiskFull, DatabaseOutdated
    """
    source = _file_of(url)
    target = _target(source, to, at)
    part = target.with_name(f"{target.name}.part")
    try:
        _reserve(part)
        try:
            _copy(source, part, on_progress)
            revision = _prove(part)
            _publish(part, target, source)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise _meaning(error, target) from error
    return Copy(path=target, n_bytes=target.stat().st_size, revision=revision)


def _file_of(url: str) -> Path:
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    if kind != "sqlite":
        told = MEANS.get(kind, "its own tool")
        raise BackupElsewhere(
            f"the run database is in {kind}, which is copied with {told}", evidence={"kind": kind}
        )
    if is_absent(url) or not parsed.database:
        raise migrate.DatabaseOutdated("there is no run database yet", evidence={"database": url})
    return Path(parsed.database)


def _target(source: Path, to: Path | None, at: datetime) -> Path:
    """Return the file that will be made; its folder need not exist."""
    wanted = source.parent if to is None else to
    if wanted.is_dir():
        wanted = wanted / f"{source.stem}-{at:%Y%m%dT%H%M%SZ}.db"
    if wanted.exists() or wanted.is_symlink():
        raise BackupExists(f"{wanted} exists", evidence={"path": str(wanted)})
    return wanted


def _reserve(part: Path) -> None:
    """Make the file that is written to; refuse one that somebody else writes to."""
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise BackupExists(
            f"{part} exists: another copy is under way, or was cut off",
            hint="Wait for it, or remove the file.",
            evidence={"path": str(part)},
        ) from None


def _copy(source: Path, part: Path, on_progress: Progress) -> None:
    """Let SQLite copy page by page.

    One read transaction is kept all the while: the copy is of one moment, and writers, who in WAL mode wait
    for no reader, do not make it begin again.
    """
    uri = f"{source.resolve().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000)) as live,
        closing(sqlite3.connect(part)) as copy,
    ):
        live.execute("BEGIN")
        live.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        (page,) = live.execute("PRAGMA page_size").fetchone()

        def told(_status: int, remaining: int, total: int) -> None:
            on_progress((total - remaining) * page, total * page)

        live.backup(copy, pages=PAGES_A_STEP, progress=told, sleep=PAUSE_S)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole without its neighbours


def _prove(part: Path) -> str | None:
    """Have SQLite look at every page and every row of the copy; return its schema's revision."""
    with closing(sqlite3.connect(f"{part.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        found = [row[0] for row in copy.execute("PRAGMA integrity_check(20)")]
        strays = copy.execute("PRAGMA foreign_key_check").fetchmany(20)
        tables = copy.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        at = copy.execute("SELECT version_num FROM alembic_version") if tables.fetchone() else None
        row = None if at is None else at.fetchone()
    if found != ["ok"] or strays:
        raise BackupFailed(
            f"the copy is not sound: {'; '.join(found[:3])}",
            evidence={"integrity": found, "strays": len(strays)},
        )
    return None if row is None else str(row[0])


def _publish(part: Path, target: Path, source: Path) -> None:
    """Give the copy the database's permissions, and its name, never that of something else."""
    part.chmod(stat.S_IMODE(source.stat().st_mode))
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    try:
        os.link(part, target)  # unlike a rename, it fails where there is a file
    except FileExistsError:
        raise BackupExists(f"{target} exists", evidence={"path": str(target)}) from None


def _meaning(error: OSError | sqlite3.Error, target: Path) -> StoreError | DiskFull:
    text = str(error)
    evidence = {"path": str(target), "message": text[:500]}
    if "disk is full" in text or "No space left" in text:
        return DiskFull(f"no room for the copy {target}: {text}", evidence=evidence)
    return BackupFailed(f"{target}: {text[:200]}", evidence=evidence)
