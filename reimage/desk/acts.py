"""What people do at the desk: written into ``ledger/desk.jsonl`` first, then projected into the rows.

A line's event is the kind of the act; beside its facts it carries ``author``, ``reason`` and
``subject`` (an error class, a signature or a run).  The ledger is the source: whoever was killed
between line and rows is caught up with, and a rebuilt database finds the same rows.

Kinds and their facts:

``failures.judged``
    ``judgements``: run, attempt, error_class, signature, decisive, symptoms, author each.
``group.linked``, ``group.resolved``, ``group.snoozed``, ``group.reopened``
    ``url`` (null: none any more); ``version``; ``until`` and ``runs``; nothing.  The subject is the group.
``datasets.annotated``
    ``holding``, ``datasets`` (their keys), ``note``.
``judgements.audited``
    ``answers``: run, attempt, error_class, rule, confirmed each.

A kind that this program does not know is kept as an act, and changes nothing else; so is one whose
facts cannot be read, which is told in the log.  A line that cannot even be kept (written by hand, or copied:
its number is taken) is told and passed over, so that no line stops whoever comes after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from reimage import ledger, log
from reimage.errors import StoreError
from reimage.journal import Event
from reimage.settings import Settings
from reimage.store import acts, judgements
from reimage.store.acts import ActRow
from reimage.store.judgements import NewJudgement
from reimage.store.session import Database

LEDGER = "desk"
MOST = 500
"""Judgements in one act; more are several acts."""
_OWN = ("author", "reason", "subject")


class LedgerCut(StoreError):
    """The rows cover more of the ledger than there is of it: what is written now would never become rows."""

    code = "ledger-cut"
    hint = (
        "Put ledger/desk.jsonl back; if it is lost, `reimage db rebuild --into FILE` makes a database of what is"
        " left, for the setting `database`."
    )


def record(
    settings: Settings,
    database: Database,
    kind: str,
    *,
    author: str,
    reason: str | None,
    at: datetime,
    subject: str | None = None,
    **facts: Any,  # noqa: ANN401 -- a kind's own keys
) -> int:
    """Write an act into the ledger, bring the rows up to it, and return its number.

    Parameters
    ----------
    kind, facts
        As the module says.
    at
        When it was done, in UTC.

    Raises
    ------
    LedgerUnwritable, LedgerCut, DiskFull
        Nothing was done.
    """
    if len(facts.get("judgements", ())) > MOST:
        raise ValueError(f"more than {MOST} judgements in one act")
    _refuse_cut(settings, database)
    told = {"author": author, "reason": reason, "subject": subject}
    seq = ledger.append(settings.data, LEDGER, kind, at, **told, **facts)
    catch_up(settings, database)
    return seq


def catch_up(settings: Settings, database: Database) -> int:
    """Project what the ledger has and the rows do not; return how many acts.

    Each act is a transaction of its own.  Where two do it at once, each act is projected once.
    """
    done = 0
    with database.read() as session:
        mark = acts.mark(session, LEDGER)
    for event, after in ledger.read_from(settings.data, LEDGER, mark):
        with database.write() as session:
            before = acts.mark(session, LEDGER)
            if before >= after or not acts.advance(session, LEDGER, before, after):
                continue  # somebody else was quicker
            project(session, event)
            done += 1
    return done


def _refuse_cut(settings: Settings, database: Database) -> None:
    with database.read() as session:
        mark = acts.mark(session, LEDGER)
    there = ledger.size(settings.data, LEDGER)
    if there < mark:
        raise LedgerCut(
            f"ledger/{LEDGER}.jsonl has {there} bytes, and the rows cover {mark}",
            evidence={"bytes": there, "covered": mark},
        )


def replay(settings: Settings, database: Database) -> int:
    """Project the whole ledger into a database whose runs were just made anew; return how many acts.

    Somebody may have caught up with the ledger before the runs were there, and found no failure to judge.
    """
    with database.write() as session:
        acts.forget(session, LEDGER)
    return catch_up(settings, database)


def project(session: Session, event: Event) -> None:
    """Make the rows of one act."""
    facts = {key: value for key, value in event.data.items() if key not in _OWN}
    act = ActRow(
        seq=event.seq,
        kind=event.event,
        subject=_text(event.data.get("subject")),
        author=_text(event.data.get("author")) or "unknown",
        reason=_text(event.data.get("reason")),
        acted_at=event.at,
        data=facts,
    )
    projection = _PROJECTIONS.get(act.kind)
    if _try(session, acts.add, act) and projection is not None:
        _try(session, projection, act)


def _try(session: Session, make: Callable[[Session, ActRow], None], act: ActRow) -> bool:
    """Make rows, or tell that the line does not allow it and make none of them."""
    try:
        with session.begin_nested():
            make(session, act)
    except (LookupError, TypeError, ValueError, ArithmeticError, StatementError) as error:
        # The line was written by hand; what the database itself suffers from is another matter.
        if isinstance(error, DBAPIError) and not isinstance(error, (IntegrityError, DataError)):
            raise
        told = f"{type(error).__name__}: {error}"
        log.logger(__name__).warning("act.unreadable", seq=act.seq, kind=act.kind, message=told)
        return False
    return True


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _judged(session: Session, act: ActRow) -> None:
    new = [
        NewJudgement(
            run=str(one["run"]),
            attempt=int(one["attempt"]),
            error_class=str(one["error_class"]),
            signature=_text(one.get("signature")),
            decisive=_text(one.get("decisive")),
            symptoms=tuple(one.get("symptoms") or ()),
            author=str(one.get("author") or act.author),
            reason=act.reason,
            judged_at=act.acted_at,
        )
        for one in act.data["judgements"]
    ]
    judgements.add(session, new)


def _linked(session: Session, act: ActRow) -> None:
    url = act.data["url"]  # None: it has no ticket any more
    acts.set_group(session, act, url=None if url is None else str(url))


def _resolved(session: Session, act: ActRow) -> None:
    said = {"resolved_in": _text(act.data["version"]), "resolved_at": act.acted_at}
    acts.set_group(session, act, **said, snoozed_until=None, snoozed_runs=None)


def _snoozed(session: Session, act: ActRow) -> None:
    until, n_runs = act.data.get("until"), act.data.get("runs")
    acts.set_group(
        session,
        act,
        snoozed_until=None if until is None else _moment(str(until)),
        snoozed_runs=None if n_runs is None else int(n_runs),
    )


def _reopened(session: Session, act: ActRow) -> None:
    nothing = dict.fromkeys(("resolved_in", "resolved_at", "snoozed_until", "snoozed_runs"))
    acts.set_group(session, act, **nothing)


def _annotated(session: Session, act: ActRow) -> None:
    said, keys = act.data, act.data["datasets"]
    if not isinstance(keys, list):
        raise TypeError("`datasets` is no list")
    acts.annotate(session, act, str(said["holding"]), list(map(str, keys)), str(said["note"]))


def _audited(session: Session, act: ActRow) -> None:
    acts.audit(session, act, act.data["answers"])


def _moment(text: str) -> datetime:
    """Read a moment; one without zone, or a mere date, is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


_PROJECTIONS: Mapping[str, Callable[[Session, ActRow], None]] = {
    "failures.judged": _judged,
    "group.linked": _linked,
    "group.resolved": _resolved,
    "group.snoozed": _snoozed,
    "group.reopened": _reopened,
    "datasets.annotated": _annotated,
    "judgements.audited": _audited,
}
