"""What people say of groups of failures: a ticket, resolved, not now; and of datasets, many at once.

A group is an error class or a signature.  Everything said is an act (`reimage.desk.acts`); what a group's
state follows from it is told by the inbox (`reimage.desk.standing`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from reimage.desk import acts
from reimage.errors import UsageError
from reimage.settings import Settings
from reimage.store import acts as rows
from reimage.store import groups as store
from reimage.store.acts import GroupStateRow
from reimage.store.groups import Of
from reimage.store.session import Database
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass
from reimage.triage.lookup import ErrorClassUnknown, find_class

MOST_NOTED = 5000
"""Datasets in one act; more are several acts."""
MOST_URL = 500
MOST_VERSION = 64
MOST_NOTE = 2000
_SIGNATURE = re.compile(r"sv\d+:[0-9a-f]*")
_SHOWN = 5


class GroupUnknown(UsageError):
    """No failure has this signature, or failures of several signatures begin so."""

    code = "group-unknown"
    hint = "`reimage failures --by signature` shows them; classes: `reimage classes list`."


class LinkMalformed(UsageError):
    """A ticket's address is none."""

    code = "link-malformed"
    hint = "Write a whole address: https://open-jira.nrao.edu/browse/CAS-12345."


class NoteUnfit(UsageError):
    """A note, a version or a number of runs is empty, or longer than is kept."""

    code = "note-unfit"
    hint = "Say it shorter, or put the rest into a ticket (`reimage failures link`)."


class SnoozeUnending(UsageError):
    """A group would never wake, or is to wake in the past."""

    code = "snooze-unending"
    hint = "Say --until a day to come, --runs a number of runs, or both: what comes first wakes it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An error class or a signature."""

    of: Of
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who acts, when, and where that is written."""

    settings: Settings
    database: Database
    author: str
    at: datetime

    def record(
        self, kind: str, why: str | None, subject: str | None = None, **facts: object
    ) -> int:
        """Do it; return its number."""
        return acts.record(
            self.settings,
            self.database,
            kind,
            author=self.author,
            reason=why,
            at=self.at,
            subject=subject,
            **facts,
        )


def is_signature(name: str) -> bool:
    """Whether a word is a signature, or the beginning of one."""
    return _SIGNATURE.fullmatch(name) is not None


def find(session: Session, classes: Sequence[ErrorClass], name: str) -> Group:
    """Return a group by its name; a signature's beginning will do where only one begins so.

    A class whose file is gone is found as long as failures have it.

    Raises
    ------
    GroupUnknown, ErrorClassUnknown
    """
    if is_signature(name):
        return Group(of="signature", name=_signature(session, name))
    try:
        known = UNCLASSIFIED if name == UNCLASSIFIED else find_class(classes, name).id
    except ErrorClassUnknown:
        if not store.counts(session, "class", name).attempts:
            raise
        known = name
    return Group(of="class", name=known)


def link(desk: Desk, group: Group, url: str | None, why: str | None = None) -> int:
    """Say where a group's ticket is; None: it has none.

    Raises
    ------
    LinkMalformed
    """
    if url is not None:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise LinkMalformed(f"no address: {url!r}", evidence={"url": url}) from error
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname)
        if is_whole and "@" in parts.netloc:  # the ledger is kept for ever, and many may read it
            raise LinkMalformed("the address holds a name or a password: leave that out")
        if not is_whole or len(url) > MOST_URL or re.search(r"\s", url):
            raise LinkMalformed(f"no address: {url[:MOST_URL]!r}", evidence={"url": url})
    return desk.record("group.linked", why, group.name, url=url)


def resolve(desk: Desk, group: Group, version: str, why: str) -> int:
    """Say in which version a group is resolved; runs that fail so after now make it come back.

    Raises
    ------
    NoteUnfit
    """
    said = _fitting(version, MOST_VERSION, "version")
    return desk.record("group.resolved", why, group.name, version=said)


def snooze(desk: Desk, group: Group, until: datetime | None, runs: int | None, why: str) -> int:
    """Say that nobody need look at a group until a moment, or until so many runs more failed.

    Raises
    ------
    SnoozeUnending
    """
    if until is None and runs is None:
        raise SnoozeUnending(f"{group.name}: until when?")
    if until is not None and until <= desk.at:
        raise SnoozeUnending(f"{group.name}: {until:%Y-%m-%d %H:%M} UTC is past")
    moment = None if until is None else until.isoformat()
    return desk.record("group.snoozed", why, group.name, until=moment, runs=runs)


def reopen(desk: Desk, group: Group, why: str | None = None) -> int:
    """Take back that a group is resolved or snoozed."""
    return desk.record("group.reopened", why, group.name)


def annotate(desk: Desk, holding: str, keys: Sequence[str], note: str) -> tuple[int, ...]:
    """Note something of datasets; return the numbers of the acts.

    Raises
    ------
    NoteUnfit
    """
    said = _fitting(note, MOST_NOTE, "note")
    return tuple(
        desk.record(
            "datasets.annotated",
            None,
            holding=holding,
            datasets=list(keys[start : start + MOST_NOTED]),
            note=said,
        )
        for start in range(0, len(keys), MOST_NOTED)
    )


def state(database: Database, group: Group) -> GroupStateRow | None:
    """Return what is said of a group."""
    with database.read() as session:
        return rows.group_states(session).get(group.name)


def _signature(session: Session, name: str) -> str:
    found = store.signatures_like(session, name, _SHOWN)
    if name in found:
        return name
    if len(found) == 1:
        return found[0]
    told = f"{name!r} begins several: {', '.join(found)}" if found else f"no failure has {name!r}"
    raise GroupUnknown(told, evidence={"signature": name})


def _fitting(text: str, most: int, what: str) -> str:
    said = text.strip().replace("\0", "")
    if not said or len(said) > most:
        raise NoteUnfit(
            f"a {what} has 1 to {most} characters, this one {len(said)}",
            evidence={what: said[:most]},
        )
    return said
