"""What people did at the desk, as rows: acts, notes on datasets, audits, and what is said of groups.

Everything here is projected from ``ledger/desk.jsonl`` (`reimage.desk.acts`), whose lines are the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reimage.store import datasets
from reimage.store.desk_tables import Act, Annotation, Audited, Failure, GroupState, LedgerMark
from reimage.store.holdings_tables import Dataset
from reimage.store.run_tables import Run

BATCH = 400
"""Values in one list: Oracle takes 1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One thing that a person did."""

    seq: int
    kind: str
    subject: str | None
    author: str
    reason: str | None
    acted_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """What was noted of a dataset."""

    holding: str
    dataset: str
    note: str
    author: str
    noted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStateRow:
    """What people said of an error class or a signature."""

    name: str
    url: str | None
    resolved_in: str | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    snoozed_runs: int | None
    author: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """Whether a person found a judgement right."""

    run: str
    attempt: int
    error_class: str
    rule: str
    confirmed: bool
    author: str
    audited_at: datetime


# --- how far the rows go ---------------------------------------------------------------------------


def mark(session: Session, ledger: str) -> int:
    """Return how many bytes of a ledger the rows cover."""
    statement = select(LedgerMark.n_bytes).where(LedgerMark.name == ledger)
    return session.scalar(statement) or 0


def advance(session: Session, ledger: str, before: int, after: int) -> bool:
    """Note that the rows cover a ledger up to a byte; False when somebody else brought them further."""
    statement = update(LedgerMark).where(LedgerMark.name == ledger, LedgerMark.n_bytes == before)
    result = session.execute(statement.values(n_bytes=after))
    assert isinstance(result, CursorResult)  # noqa: S101 -- what an UPDATE gives
    if result.rowcount == 1:
        return True
    known = select(LedgerMark.name).where(LedgerMark.name == ledger)
    if before == 0 and session.scalar(known) is None:
        try:
            with session.begin_nested():
                session.execute(insert(LedgerMark).values(name=ledger, n_bytes=after))
        except IntegrityError:
            return False
        return True
    return False


def forget(session: Session, ledger: str) -> None:
    """Remove what was projected from a ledger, so that all of it is projected again.

    Judgements (`reimage.store.judgements`) are not undone: this is for a database without runs.
    """
    for table in (Annotation, Audited, GroupState, Act):
        session.execute(delete(table).execution_options(synchronize_session=False))
    session.execute(update(LedgerMark).where(LedgerMark.name == ledger).values(n_bytes=0))


# --- projecting ------------------------------------------------------------------------------------


def add(session: Session, act: ActRow) -> None:
    """Record an act."""
    session.execute(
        insert(Act).values(
            seq=act.seq,
            kind=act.kind,
            subject=act.subject,
            author=act.author,
            reason=act.reason,
            acted_at=act.acted_at,
            data=dict(act.data),
        )
    )


def set_group(session: Session, act: ActRow, **values: Any) -> None:  # noqa: ANN401 -- columns of any type
    """Change what is said of a group, the act's subject."""
    changed = {**values, "author": act.author, "changed_at": act.acted_at}
    statement = update(GroupState).where(GroupState.name == act.subject).values(**changed)
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 -- what an UPDATE gives
    if result.rowcount == 0:
        session.execute(insert(GroupState).values(name=act.subject, **changed))


def annotate(session: Session, act: ActRow, holding: str, keys: Sequence[str], note: str) -> None:
    """Note something of datasets; one that the mirror does not know gets a row, so that it stays noted."""
    known: dict[str, int] = {}
    for part in _parts(list(dict.fromkeys(keys))):
        statement = select(Dataset.dataset_key, Dataset.id).where(
            Dataset.holding == holding, Dataset.dataset_key.in_(part)
        )
        known |= {row.dataset_key: row.id for row in session.execute(statement)}
    said = {"act_seq": act.seq, "note": note, "author": act.author, "noted_at": act.acted_at}
    rows = [
        {
            "dataset_id": known.get(key)
            or datasets.ensure(session, holding, key, {}, act.acted_at),
            **said,
        }
        for key in dict.fromkeys(keys)
    ]
    if rows:
        session.execute(insert(Annotation), rows)


def audit(session: Session, act: ActRow, answers: Iterable[Mapping[str, Any]]) -> None:
    """Record what a person found of judgements; one of a failure that is gone is passed over."""
    said = {(str(one["run"]), int(one["attempt"])): one for one in answers}
    ids = failures_of(session, said)
    rows = [
        {
            "act_seq": act.seq,
            "failure_id": ids[key],
            "error_class": one["error_class"],
            "rule": one["rule"],
            "n_confirmed": int(bool(one["confirmed"])),
            "author": act.author,
            "audited_at": act.acted_at,
        }
        for key, one in said.items()
        if key in ids
    ]
    if rows:
        session.execute(insert(Audited), rows)


def failures_of(session: Session, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return the ids of failures by run and attempt; what is not there is left out."""
    wanted = set(keys)
    found: dict[tuple[str, int], int] = {}
    for part in _parts(sorted({run for run, _ in wanted})):
        statement = (
            select(Run.run, Failure.attempt_no, Failure.id)
            .join(Run, Run.id == Failure.run_id)
            .where(Run.run.in_(part))
        )
        found |= {(row.run, row.attempt_no): row.id for row in session.execute(statement)}
    return {key: found[key] for key in wanted & found.keys()}


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))


# --- reading ---------------------------------------------------------------------------------------


def of_subject(session: Session, subject: str) -> tuple[ActRow, ...]:
    """Return what was done about an error class, a signature or a run, oldest first."""
    statement = select(Act).where(Act.subject == subject).order_by(Act.seq)
    return tuple(
        ActRow(**{name: getattr(row, name) for name in ActRow.__dataclass_fields__})
        for row in session.scalars(statement)
    )


def notes(session: Session, holding: str, key: str) -> tuple[NoteRow, ...]:
    """Return what was noted of a dataset, oldest first."""
    statement = (
        select(Annotation)
        .join(Dataset, Dataset.id == Annotation.dataset_id)
        .where(Dataset.holding == holding, Dataset.dataset_key == key)
        .order_by(Annotation.act_seq)
    )
    return tuple(
        NoteRow(
            holding=holding, dataset=key, note=row.note, author=row.author, noted_at=row.noted_at
        )
        for row in session.scalars(statement)
    )


def group_states(session: Session) -> dict[str, GroupStateRow]:
    """Return what is said of groups, by name."""
    fields = GroupStateRow.__dataclass_fields__
    return {
        row.name: GroupStateRow(**{name: getattr(row, name) for name in fields})
        for row in session.scalars(select(GroupState).order_by(GroupState.name))
    }


def answers(session: Session) -> tuple[AnswerRow, ...]:
    """Return every answer of the audits, oldest first."""
    statement = (
        select(Audited, Run.run, Failure.attempt_no)
        .join(Failure, Failure.id == Audited.failure_id)
        .join(Run, Run.id == Failure.run_id)
        .order_by(Audited.id)
    )
    return tuple(
        AnswerRow(
            run=run,
            attempt=attempt,
            error_class=row.error_class,
            rule=row.rule,
            confirmed=row.n_confirmed == 1,
            author=row.author,
            audited_at=row.audited_at,
        )
        for row, run, attempt in session.execute(statement)
    )
