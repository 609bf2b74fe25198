"""Judging failures again: the judgement is appended, and what lists and sums show follows it.

What came of the run (its result) stays: only what its failure is taken for changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from reimage.model import State
from reimage.store import tallies
from reimage.store.desk_tables import Classification, Failure
from reimage.store.run_tables import Run
from reimage.store.tallies import Judged

BATCH = 400
"""Values in one list: Oracle takes 1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJudgement:
    """What a failure is taken for now, and by whom."""

    run: str
    attempt: int
    error_class: str
    signature: str | None
    decisive: str | None
    """The line that decided; None leaves the one that stands."""
    symptoms: tuple[str, ...]
    author: str
    """``<class>@<digest>`` or a person."""
    reason: str | None
    judged_at: datetime


def add(session: Session, new: Sequence[NewJudgement]) -> int:
    """Record judgements, the later of one failure standing; return how many failures there were.

    One of a failure that is gone (its run directory was lost) is passed over.
    """
    tallies.take_turns(session)  # first, as everybody: two who wait for each other wait for ever
    failures = _find(session, {one.run for one in new})
    judged = {(one.run, one.attempt): one for one in new if (one.run, one.attempt) in failures}
    if not judged:
        return 0
    rows = [
        {
            "failure_id": failures[one.run, one.attempt].id,
            "error_class": one.error_class,
            "signature": one.signature,
            "author": one.author,
            "reason": one.reason,
            "symptoms": list(one.symptoms),
            "judged_at": one.judged_at,
        }
        for one in new
        if (one.run, one.attempt) in failures
    ]
    session.execute(insert(Classification), rows)
    values = [_said(failures[key], one) for key, one in judged.items()]
    connection = session.connection()
    connection.execute(_FAILURE, values)
    final = [row for row in values if row["is_final"]]
    if final:
        connection.execute(_RUN, final)
    now = _find(session, {run for run, _ in judged})  # as the columns keep it: cut to their lengths
    tallies.rejudge_all(
        session, [(failures[key].id, _judged(failures[key]), _judged(now[key])) for key in judged]
    )
    return len(judged)


def _find(session: Session, runs: set[str]) -> dict[tuple[str, int], Row[Any]]:
    names = sorted(runs)
    found: dict[tuple[str, int], Row[Any]] = {}
    for start in range(0, len(names), BATCH):
        statement = (
            select(
                *(Run.run, Failure.id, Failure.run_id, Failure.attempt_no),
                *(Failure.error_class, Failure.signature, Failure.is_final),
            )
            .join(Run, Run.id == Failure.run_id)
            .where(Run.run.in_(names[start : start + BATCH]))
        )
        found |= {(row.run, row.attempt_no): row for row in session.execute(statement)}
    return found


def _judged(failure: Row[Any]) -> Judged:
    return Judged(failure.error_class, failure.signature)


def _said(failure: Row[Any], one: NewJudgement) -> dict[str, Any]:
    return {
        "k_failure": failure.id,
        "k_run": failure.run_id,
        "is_final": failure.is_final,
        "n_class": one.error_class,
        "n_signature": one.signature,
        "n_decisive": one.decisive,
    }


def _following(table: Table) -> Any:  # noqa: ANN401 -- a statement
    """Return the statement that makes a row say what was judged."""
    has = table.c
    return update(table).values(
        error_class=bindparam("n_class"),
        signature=bindparam("n_signature"),
        decisive=func.coalesce(bindparam("n_decisive", type_=has.decisive.type), has.decisive),
    )


_FAILURES, _RUNS = cast("Table", Failure.__table__), cast("Table", Run.__table__)
_FAILURE = _following(_FAILURES).where(_FAILURES.c.id == bindparam("k_failure"))
_RUN = _following(_RUNS).where(_RUNS.c.id == bindparam("k_run"), _RUNS.c.state == State.DONE)
