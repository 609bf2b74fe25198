"""Tables of runs: sweeps, runs, attempts, stages, events, products.

The four axes of a run are columns with checks: no statement, however wrong, can leave a run that is
done without a result, or two live runs of one dataset and recipe.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from reimage.model import ProductState, Result, Stage, State
from reimage.store.columns import Base, BigId, Json, Moment, Words, choice, truth


class StageState(StrEnum):
    """How far a stage of an attempt is."""

    BEGUN = "begun"
    PROVEN = "proven"
    ADOPTED = "adopted"
    """Taken over from an earlier run."""
    KEPT = "kept"
    """Proven by an earlier attempt of the same run."""
    FAILED = "failed"


class Sweep(Base):
    """The running of a category with one recipe."""

    __tablename__ = "sweep"

    name: Mapped[str] = mapped_column(Words(80), primary_key=True)
    category: Mapped[str] = mapped_column(ForeignKey("category.name"))
    holding: Mapped[str] = mapped_column(ForeignKey("holding.name"))
    recipe: Mapped[str] = mapped_column(Words(64))
    is_pilot: Mapped[bool] = mapped_column(truth("is_pilot"))
    n_datasets: Mapped[int] = mapped_column(Integer)
    author: Mapped[str | None] = mapped_column(Words(64))
    created_at: Mapped[datetime] = mapped_column(Moment)


class Run(Base):
    """One try at one dataset, with frozen inputs (``run.json``)."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint(
            "(state = 'done' AND result IS NOT NULL) OR (state <> 'done' AND result IS NULL)",
            name="result_iff_done",
        ),
        CheckConstraint(
            "(result IS NOT NULL AND result <> 'imaged' AND error_class IS NOT NULL)"
            " OR ((result IS NULL OR result = 'imaged') AND error_class IS NULL)",
            name="class_iff_not_imaged",
        ),
        Index(
            "ux_run_live",
            text("(CASE WHEN state <> 'done' THEN dataset_id END)"),
            text("(CASE WHEN state <> 'done' THEN recipe END)"),
            unique=True,
        ),
        Index("ix_run_state", "state", "priority", "id"),
        Index("ix_run_dataset", "dataset_id", "id"),
        Index("ix_run_class", "error_class", "ended_at"),
        Index("ix_run_signature", "signature", "ended_at"),
        Index("ix_run_category", "category", "ended_at"),
        Index("ix_run_build", "build", "category"),
        Index(
            "ix_run_retry",
            "retry_of",
            # Most runs are no retry: SQLite would think that all of them are of one run, and read them all.
            sqlite_where=text("retry_of IS NOT NULL"),
            postgresql_where=text("retry_of IS NOT NULL"),
        ),
        Index("ix_run_sweep", "sweep"),
    )

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run: Mapped[str] = mapped_column(Words(40), unique=True)
    dataset_id: Mapped[int] = mapped_column(BigId, ForeignKey("dataset.id"))
    recipe: Mapped[str] = mapped_column(Words(64))
    recipe_digest: Mapped[str] = mapped_column(Words(64))
    state: Mapped[State] = mapped_column(choice(State, "state"))
    stage: Mapped[Stage | None] = mapped_column(choice(Stage, "stage"))
    result: Mapped[Result | None] = mapped_column(choice(Result, "result"))
    error_class: Mapped[str | None] = mapped_column(Words(64))
    signature: Mapped[str | None] = mapped_column(Words(40))
    decisive: Mapped[str | None] = mapped_column(Words(500))
    build: Mapped[str | None] = mapped_column(Words(64))
    casa_asked: Mapped[str | None] = mapped_column(Words(64))
    category: Mapped[str | None] = mapped_column(Words(64))
    sweep: Mapped[str | None] = mapped_column(ForeignKey("sweep.name"))
    retry_of: Mapped[str | None] = mapped_column(Words(40))
    directory: Mapped[str] = mapped_column(Words(500))
    """Relative to the data directory."""
    attempt_no: Mapped[int] = mapped_column(SmallInteger)
    """The current attempt; 0 before the first."""
    priority: Mapped[int] = mapped_column(SmallInteger)
    """Smaller goes first."""
    memory_mb: Mapped[int] = mapped_column(Integer)
    limit_s: Mapped[float] = mapped_column(Double)
    created_at: Mapped[datetime] = mapped_column(Moment)
    submitted_at: Mapped[datetime | None] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    cancel_at: Mapped[datetime | None] = mapped_column(Moment)
    """When somebody asked for its end."""
    wall_s: Mapped[float | None] = mapped_column(Double)
    """Of all attempts together."""
    cpu_s: Mapped[float | None] = mapped_column(Double)
    """Of all attempts together."""
    host: Mapped[str | None] = mapped_column(Words(128))
    """Of the last attempt."""
    products_planned: Mapped[int] = mapped_column(Integer)
    products_made: Mapped[int] = mapped_column(Integer)
    products_mitigated: Mapped[int] = mapped_column(Integer, server_default="0")
    """Of those made."""
    caveats: Mapped[Any] = mapped_column(Json)
    log_offset: Mapped[int] = mapped_column(BigInteger)
    """Bytes of ``controller.jsonl`` that the rows cover."""


class Attempt(Base):
    """One start of the runner."""

    __tablename__ = "attempt"

    run_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("run.id"), primary_key=True, autoincrement=False
    )
    attempt_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    executor: Mapped[str] = mapped_column(Words(16))
    job: Mapped[str | None] = mapped_column(Words(200))
    """The executor's name for it."""
    submitted_at: Mapped[datetime] = mapped_column(Moment)
    host: Mapped[str | None] = mapped_column(Words(128))
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    exit_code: Mapped[int | None] = mapped_column(Integer)
    exit_signal: Mapped[str | None] = mapped_column(Words(16))
    why: Mapped[str | None] = mapped_column(Words(16))
    """exit, signal, memory, wall; ``lost`` when nothing says how it ended."""
    wall_s: Mapped[float | None] = mapped_column(Double)
    cpu_s: Mapped[float | None] = mapped_column(Double)
    casa_wall_s: Mapped[float | None] = mapped_column(Double)
    peak_tree_mb: Mapped[int | None] = mapped_column(Integer)
    peak_process_mb: Mapped[int | None] = mapped_column(Integer)
    oom_kills: Mapped[int | None] = mapped_column(Integer)
    journal_offset: Mapped[int] = mapped_column(BigInteger)
    """Bytes of the attempt's journal that the rows cover."""


class StageRecord(Base):
    """A stage of an attempt."""

    __tablename__ = "stage_record"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "attempt_no"], ["attempt.run_id", "attempt.attempt_no"]),
    )

    run_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    attempt_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    stage: Mapped[Stage] = mapped_column(choice(Stage, "stage"), primary_key=True)
    state: Mapped[StageState] = mapped_column(choice(StageState, "state"))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    wall_s: Mapped[float | None] = mapped_column(Double)


class Event(Base):
    """One line of a journal; attempt 0 is the controller's own journal of the run."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("run_id", "attempt_no", "seq"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("run.id"))
    attempt_no: Mapped[int] = mapped_column(SmallInteger)
    seq: Mapped[int] = mapped_column(Integer)
    happened_at: Mapped[datetime] = mapped_column(Moment)
    event: Mapped[str] = mapped_column(Words(64))
    data: Mapped[Any] = mapped_column(Json)


class Product(Base):
    """One planned or made thing; absence is a fact, not a missing row."""

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("run_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("run.id"))
    name: Mapped[str] = mapped_column(Words(250))
    kind: Mapped[str] = mapped_column(Words(32))
    image: Mapped[str | None] = mapped_column(Words(200))
    target: Mapped[str | None] = mapped_column(Words(200))
    spws: Mapped[str | None] = mapped_column(Words(200))
    specmode: Mapped[str | None] = mapped_column(Words(16))
    state: Mapped[ProductState] = mapped_column(choice(ProductState, "state"))
    is_planned: Mapped[bool] = mapped_column(truth("is_planned"))
    reason: Mapped[str | None] = mapped_column(Words(500))
    path: Mapped[str | None] = mapped_column(Words(500))
    n_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Words(64))
    preview: Mapped[str | None] = mapped_column(Words(500))
    footprint: Mapped[str | None] = mapped_column(Words(500))
    admit: Mapped[str | None] = mapped_column(Words(500))
    numbers: Mapped[Any] = mapped_column(Json)
