"""Tables of the failure desk and of the controller: failures, judgements, builds, requests, the lease."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
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
    __table_args__ = (UniqueConstraint("run_id", "attempt_no", "kind"),)

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
