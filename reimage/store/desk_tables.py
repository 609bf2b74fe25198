"""Tables of the failure desk and of the controller: failures, judgements, builds, requests, the lease."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from reimage.model import Result, Stage
from reimage.store.columns import Base, BigId, Json, Moment, Words, choice, truth


class Build(Base):
    """A CASA build; ``<data>/builds/<id>.json`` is the source."""

    __tablename__ = "build"

    name: Mapped[str] = mapped_column(Words(64), primary_key=True)
    version: Mapped[str] = mapped_column(Words(64))
    kind: Mapped[str] = mapped_column(Words(16))
    pipeline: Mapped[str | None] = mapped_column(Words(64))
    definition: Mapped[Any] = mapped_column(Json)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)


class ErrorClass(Base):
    """A declared error class; its TOML file is the source."""

    __tablename__ = "error_class"

    name: Mapped[str] = mapped_column(Words(64), primary_key=True)
    family: Mapped[str] = mapped_column(Words(32))
    title: Mapped[str] = mapped_column(Words(200))
    fault: Mapped[str | None] = mapped_column(Words(32))
    remedy: Mapped[str | None] = mapped_column(Words(64))
    seen_at: Mapped[datetime] = mapped_column(Moment)


class Issue(Base):
    """A known issue, and the fix that remedies it."""

    __tablename__ = "issue"

    name: Mapped[str] = mapped_column(Words(64), primary_key=True)
    title: Mapped[str | None] = mapped_column(Words(200))
    url: Mapped[str | None] = mapped_column(Words(500))


class Evidence(Base):
    """A kept file that tells about an attempt's end; the excerpt is for lists and searches."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("run_id", "attempt_no", "path"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("run.id"))
    attempt_no: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Words(32))
    path: Mapped[str] = mapped_column(Words(500))
    """Relative to the run directory."""
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Words(64))
    excerpt: Mapped[str | None] = mapped_column(Words(500))


class Failure(Base):
    """An attempt that did not end imaged.  Class and signature are those of the latest judgement."""

    __tablename__ = "failure"
    __table_args__ = (
        UniqueConstraint("run_id", "attempt_no"),
        Index("ix_failure_class", "error_class", "failed_at"),
        Index("ix_failure_signature", "signature", "failed_at"),
        Index("ix_failure_failed", "failed_at", "error_class"),
        Index("ix_failure_dataset", "dataset_id", "signature", "is_final"),
        Index("ix_failure_category", "category", "failed_at"),
        Index("ix_failure_build", "build", "category"),
        Index("ix_failure_blocked", "n_blocked", "error_class", "category", "result"),
        Index("ix_failure_kind", "error_class", "signature", "is_final", "n_blocked"),
        Index("ix_failure_where", "error_class", "category", "is_final", "n_blocked"),
        Index("ix_failure_waiting", "n_blocked", "failed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("run.id"))
    attempt_no: Mapped[int] = mapped_column(SmallInteger)
    stage: Mapped[Stage | None] = mapped_column(choice(Stage, "stage"))
    result: Mapped[Result] = mapped_column(choice(Result, "result"))
    error_class: Mapped[str] = mapped_column(Words(64))
    signature: Mapped[str | None] = mapped_column(Words(40))
    code: Mapped[str | None] = mapped_column(Words(64))
    """The fault's code, when the runner saw one."""
    message: Mapped[str | None] = mapped_column(Words(2000))
    decisive: Mapped[str | None] = mapped_column(Words(500))
    failed_at: Mapped[datetime] = mapped_column(Moment)
    is_final: Mapped[bool] = mapped_column(truth("is_final"))
    """Whether the run ended with it; others were followed by another attempt."""
    dataset_id: Mapped[int | None] = mapped_column(BigId)
    """Its run's, as are the next three: what is grouped by is read from one table."""
    category: Mapped[str | None] = mapped_column(Words(64))
    recipe: Mapped[str | None] = mapped_column(Words(64))
    build: Mapped[str | None] = mapped_column(Words(64))
    host: Mapped[str | None] = mapped_column(Words(128))
    cpu_s: Mapped[float | None] = mapped_column(Double)
    """Burnt by the attempt."""
    n_blocked: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """1 where the dataset's newest run that is done ended with this failure, else 0."""


class Classification(Base):
    """One judgement of a failure, by a rule or a person; appended, never edited."""

    __tablename__ = "classification"
    __table_args__ = (Index("ix_classification_failure", "failure_id"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    failure_id: Mapped[int] = mapped_column(BigId, ForeignKey("failure.id"))
    error_class: Mapped[str] = mapped_column(Words(64))
    signature: Mapped[str | None] = mapped_column(Words(40))
    author: Mapped[str] = mapped_column(Words(128))
    """``<class>@<digest>``, ``structure@1`` or a person."""
    reason: Mapped[str | None] = mapped_column(Words(500))
    symptoms: Mapped[Any] = mapped_column(Json)
    judged_at: Mapped[datetime] = mapped_column(Moment)


class GroupState(Base):
    """What people said of an error class or a signature; the acts that said so are kept (`Act`)."""

    __tablename__ = "group_state"

    name: Mapped[str] = mapped_column(Words(64), primary_key=True)
    """An error class, or a signature."""
    url: Mapped[str | None] = mapped_column(Words(500))
    """Of the ticket."""
    resolved_in: Mapped[str | None] = mapped_column(Words(64))
    """Version of reimage, of a fix or of CASA."""
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    snoozed_until: Mapped[datetime | None] = mapped_column(Moment)
    snoozed_runs: Mapped[int | None] = mapped_column(Integer)
    """It wakes when so many runs more have failed with it."""
    author: Mapped[str] = mapped_column(Words(64))
    changed_at: Mapped[datetime] = mapped_column(Moment)


class Act(Base):
    """One thing that a person did at the desk, as ``ledger/desk.jsonl`` has it; appended, never edited."""

    __tablename__ = "act"
    __table_args__ = (Index("ix_act_subject", "subject", "acted_at"),)

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """Of the ledger's line."""
    kind: Mapped[str] = mapped_column(Words(32))
    subject: Mapped[str | None] = mapped_column(Words(64))
    """A run, an error class or a signature."""
    author: Mapped[str] = mapped_column(Words(64))
    reason: Mapped[str | None] = mapped_column(Words(500))
    acted_at: Mapped[datetime] = mapped_column(Moment)
    data: Mapped[Any] = mapped_column(Json)


class Annotation(Base):
    """What an operator noted about a dataset, alone or among many."""

    __tablename__ = "annotation"
    __table_args__ = (
        UniqueConstraint("act_seq", "dataset_id"),
        Index("ix_annotation_dataset", "dataset_id"),
    )

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    act_seq: Mapped[int] = mapped_column(BigId, ForeignKey("act.seq"))
    dataset_id: Mapped[int] = mapped_column(BigId, ForeignKey("dataset.id"))
    note: Mapped[str] = mapped_column(Words(2000))
    author: Mapped[str] = mapped_column(Words(64))
    noted_at: Mapped[datetime] = mapped_column(Moment)


class Audited(Base):
    """Whether a person found a judgement right."""

    __tablename__ = "audited"
    __table_args__ = (UniqueConstraint("act_seq", "failure_id"), Index("ix_audited_rule", "rule"))

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    act_seq: Mapped[int] = mapped_column(BigId, ForeignKey("act.seq"))
    failure_id: Mapped[int] = mapped_column(BigId, ForeignKey("failure.id"))
    error_class: Mapped[str] = mapped_column(Words(64))
    rule: Mapped[str] = mapped_column(Words(128))
    """The author of the judgement that was looked at: ``<class>@<digest>``."""
    n_confirmed: Mapped[int] = mapped_column(SmallInteger)
    """1 confirmed, 0 refuted."""
    author: Mapped[str] = mapped_column(Words(64))
    audited_at: Mapped[datetime] = mapped_column(Moment)


class LedgerMark(Base):
    """Up to which byte the rows cover a ledger."""

    __tablename__ = "ledger_mark"

    name: Mapped[str] = mapped_column(Words(64), primary_key=True)
    n_bytes: Mapped[int] = mapped_column(BigInteger)


class FixApplication(Base):
    """A fix that was applied in an attempt."""

    __tablename__ = "fix_application"
    __table_args__ = (UniqueConstraint("run_id", "attempt_no", "seq"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("run.id"))
    attempt_no: Mapped[int] = mapped_column(SmallInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    """Of the event that says so."""
    fix: Mapped[str] = mapped_column(Words(64), index=True)
    applied_at: Mapped[datetime] = mapped_column(Moment)
    data: Mapped[Any] = mapped_column(Json)


class Decision(Base):
    """What was decided after an attempt, or by an operator, and why."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("run_id", "attempt_no", "kind"),
        Index("ix_decision_decided", "decided_at"),
    )

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("run.id"))
    attempt_no: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Words(32))
    reason: Mapped[str | None] = mapped_column(Words(500))
    author: Mapped[str] = mapped_column(Words(64))
    decided_at: Mapped[datetime] = mapped_column(Moment)


class Request(Base):
    """A wish of an operator, for the controller to grant."""

    __tablename__ = "request"
    __table_args__ = (Index("ix_request_open", "taken_at", "id"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    kind: Mapped[str] = mapped_column(Words(32))
    run_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("run.id"))
    author: Mapped[str] = mapped_column(Words(64))
    reason: Mapped[str | None] = mapped_column(Words(500))
    created_at: Mapped[datetime] = mapped_column(Moment)
    taken_at: Mapped[datetime | None] = mapped_column(Moment)
    answer: Mapped[str | None] = mapped_column(Words(200))


class Lease(Base):
    """Who leads; one row per office, of which there is one: ``controller``."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(Words(32), primary_key=True)
    owner: Mapped[str] = mapped_column(Words(200))
    """Identity of the leading process: host, boot, pid, start time."""
    token: Mapped[int] = mapped_column(BigInteger)
    """Counts changes of hands and renewals; every renewal must know the last."""
    acquired_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
