"""Synchronising holdings: from an archive's listing to its mirror, resumably.

What is done is kept beside the runs, in ``<data>/holdings/<holding>.json``: a synchronisation that
was ended in its middle goes on where it was.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from reimage import document, journal
from reimage.archive.directory import DirectoryArchive
from reimage.archive.holdings import Part, Planned, TapHoldings
from reimage.archive.scope import Scope
from reimage.archive.tap import Tap
from reimage.errors import DocumentUnreadable, UsageError
from reimage.settings import Settings
from reimage.store import mirroring
from reimage.store.rows import SyncCounts
from reimage.store.session import Database
from reimage.uid import path_name

OVERLAP = timedelta(weeks=3)
"""How far before the last change that is known the next synchronisation begins: a change carries the
archive's date, and reaches its mirrors days later."""
NOTHING = SyncCounts(added=0, changed=0, unchanged=0, gone=0)


class SyncBusy(UsageError):
    """Another synchronisation of the same holding is under way."""

    code = "sync-busy"
    hint = "Wait for it to end, then synchronise again: nothing was marked as gone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A part that is in the mirror."""

    root: str
    """How the project codes of the part begin that it is of."""
    n_rows: int
    is_whole: bool
    n_nameless: int = 0
    """Rows that name no dataset: left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How far a synchronisation is."""

    asked: Scope
    begun_at: datetime
    since: datetime | None
    """What `Scope.since` came to; None: everything is read."""
    counts: SyncCounts = NOTHING
    done: Mapping[str, Done] = field(default_factory=dict)
    resumed: bool = False


class Board(Protocol):
    """Where progress is shown."""

    def count(self, done: int, total: int, n_rows: int) -> None:
        """Tell how many roots of so many are counted, and the rows so far."""

    def begin(self, total: int, done: int) -> None:
        """Tell how many rows there will be, and how many there are already."""

    def take(self, n_rows: int, counts: SyncCounts) -> None:
        """Tell of a part that was read."""

    def wait(self, why: str) -> None:
        """Tell that the archive is waited for."""


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep others from synchronising the same holding meanwhile.

    Raises
    ------
    SyncBusy
    """
    path = _path(settings).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SyncBusy(f"{settings.holding} is being synchronised") from error
        yield


def _path(settings: Settings) -> Path:
    return settings.data / "holdings" / f"{path_name(settings.holding)}.json"


def from_folder(database: Database, holding: str, asked: Scope, at: datetime) -> Record:
    """Bring the listing of a folder into the mirror, in one transaction.

    Raises
    ------
    ArchiveForeign
    """
    rows = ((row.key, row.facts) for row in DirectoryArchive(Path(asked.archive)).datasets())
    record = Record(asked=asked, begun_at=at, since=asked.since)
    with database.write() as session:
        if not asked.is_part and asked.since is None:
            counts = mirroring.sync(session, holding, rows, at=at, archive=asked.archive)
        else:
            mirroring.begin(session, holding, archive=asked.archive, at=at)
            chosen = ((key, facts) for key, facts in rows if asked.takes(facts))
            counts = mirroring.put(session, holding, chosen, at=at)
            mirroring.end(session, holding, whole_at=None)
    return replace(record, counts=counts)


def from_service(settings: Settings, database: Database, asked: Scope, board: Board) -> Record:
    """Bring the listing of a TAP service into the mirror, part by part.

    Raises
    ------
    ArchiveUnavailable, ArchiveNotPublic, ArchiveQueryRefused, ArchiveAnswerMalformed
    ProjectMalformed, SyncBusy
    """
    path = _path(settings)
    at = journal.now()
    roots = asked.roots(at.year)
    tap = Tap(asked.archive, patience_s=settings.archive_patience_s, told=board.wait)
    record = _begun(database, settings.holding, path, asked, at)
    listing = TapHoldings(tap, since=record.since)
    planned = listing.plan(roots, lambda n, rows: board.count(n, len(roots), rows))
    total = sum(one.n_rows or 0 for one in planned)
    board.begin(total, sum(done.n_rows for done in record.done.values()))
    for one in planned:
        if one.shard.name not in record.done:
            parts = listing.read(one)
            record = _take(
                database, settings.holding, record, planned=one, parts=parts, board=board
            )
            document.write(path, record)
    record = _ended(database, settings.holding, record, planned)
    path.unlink(missing_ok=True)
    return record


def not_whole(record: Record) -> tuple[str, ...]:
    """Return the parts of which rows may be missing."""
    return tuple(name for name, done in record.done.items() if not done.is_whole)


def _begun(database: Database, holding: str, path: Path, asked: Scope, at: datetime) -> Record:
    """Take up the synchronisation that was ended in its middle, or begin one."""
    with database.write() as session:
        state = mirroring.find_state(session, holding)
        earlier = _earlier(path)
        if earlier is not None and earlier.asked == asked and earlier.begun_at == state.begun_at:
            return replace(earlier, resumed=True)
        is_known = state.archive == asked.archive and state.whole_at is not None
        since = asked.since
        if since is None and is_known and not asked.full and not asked.is_part:
            since = _since(state.whole_at, mirroring.newest(session, holding))
        mirroring.begin(session, holding, archive=asked.archive, at=at)
    record = Record(asked=asked, begun_at=at, since=since)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.write(path, record)
    return record


def _since(whole_at: datetime | None, newest: datetime | None) -> datetime | None:
    """Return from when changes are asked for: by the archive's dates, since a mirror may be behind."""
    return None if whole_at is None else min(whole_at, newest or whole_at) - OVERLAP


def _earlier(path: Path) -> Record | None:
    try:
        return document.read(Record, path)
    except DocumentUnreadable:  # none, or of another version
        return None


def _take(
    database: Database,
    holding: str,
    record: Record,
    *,
    planned: Planned,
    parts: Iterator[Part],
    board: Board,
) -> Record:
    """Bring one planned part into the mirror."""
    counts, n_rows, n_nameless, is_whole = record.counts, 0, 0, True
    for part in parts:
        with database.write() as session:
            counts += mirroring.put(session, holding, part.datasets, at=record.begun_at)
        n_rows += part.n_rows
        n_nameless += part.n_nameless
        is_whole = is_whole and part.is_whole
        board.take(part.n_rows, counts)
    is_whole = is_whole and n_rows >= (planned.n_rows or 0)
    done = Done(root=planned.root.project, n_rows=n_rows, is_whole=is_whole, n_nameless=n_nameless)
    return replace(record, counts=counts, done={**record.done, planned.shard.name: done})


def _ended(database: Database, holding: str, record: Record, planned: Sequence[Planned]) -> Record:
    """End a synchronisation: what it did not see where it saw everything is gone."""
    missing = set(not_whole(record))
    roots = {one.root.project for one in planned}
    roots -= {record.done[name].root for name in missing} | {""}
    seen = {done.root for done in record.done.values() if done.n_rows}
    with database.write() as session:
        if mirroring.find_state(session, holding).begun_at != record.begun_at:
            raise SyncBusy(f"another synchronisation of {holding} began while this one was reading")
        gone = 0
        if record.since is None:
            gone = mirroring.sweep_up(
                session, holding, since=record.begun_at, prefixes=sorted(roots & seen)
            )
        is_whole = not missing and not record.asked.is_part and record.asked.since is None
        is_whole = is_whole and (bool(seen) or record.since is not None)
        mirroring.end(session, holding, whole_at=record.begun_at if is_whole else None)
    return replace(record, counts=record.counts + replace(NOTHING, gone=gone))
