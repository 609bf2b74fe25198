"""Tables of sums, kept right by whoever writes what is summed, in the same transaction.

They answer in milliseconds what would take seconds from a million runs; `reimage.store.tallies` counts
them afresh from the rows, to prove that nothing drifted.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Double, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from reimage.model import ProductState, Result, Stage
from reimage.store.columns import Base, Moment, Words, choice

ALL_TIME = 0
"""`day_no` of the sum over all days; else days since 1970-01-01, in UTC."""


class Tally(Base):
    """Runs that are done, by one axis at a time (class, family, signature, category, casa, ...)."""

    __tablename__ = "tally"
    __table_args__ = (
        Index("ix_tally_day", "axis", "day_no", "entry", "result", "n_blocked", "n_runs"),
    )

    axis: Mapped[str] = mapped_column(Words(16), primary_key=True)
    entry: Mapped[str] = mapped_column(Words(128), primary_key=True)
    """What the axis says of the runs; ``none`` where it says nothing."""
    result: Mapped[Result] = mapped_column(choice(Result, "result"), primary_key=True)
    day_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Of the run's end."""
    n_runs: Mapped[int] = mapped_column(Integer)
    n_blocked: Mapped[int] = mapped_column(Integer)
    """Datasets whose newest run that is done is among these."""
    cpu_s: Mapped[float] = mapped_column(Double)
    wall_s: Mapped[float] = mapped_column(Double)
    first_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)


class StageTally(Base):
    """Stages that ended proven or failed, and how long they took."""

    __tablename__ = "stage_tally"

    day_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    stage: Mapped[Stage] = mapped_column(choice(Stage, "stage"), primary_key=True)
    build: Mapped[str] = mapped_column(Words(64), primary_key=True)
    """``none`` before one is chosen."""
    state: Mapped[str] = mapped_column(Words(16), primary_key=True)
    n_stages: Mapped[int] = mapped_column(Integer)
    wall_s: Mapped[float] = mapped_column(Double)


class ProductTally(Base):
    """Products of runs that are done."""

    __tablename__ = "product_tally"

    day_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    recipe: Mapped[str] = mapped_column(Words(64), primary_key=True)
    kind: Mapped[str] = mapped_column(Words(32), primary_key=True)
    state: Mapped[ProductState] = mapped_column(choice(ProductState, "state"), primary_key=True)
    n_products: Mapped[int] = mapped_column(Integer)
    n_bytes: Mapped[int] = mapped_column(BigInteger)
