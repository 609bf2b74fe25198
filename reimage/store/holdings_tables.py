"""Tables of what archives have: holdings, datasets, the archives' own columns, categories."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Double, ForeignKey, Identity, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from reimage.store.columns import Base, BigId, Json, Moment, Words, truth


class Holding(Base):
    """An archive's collection."""

    __tablename__ = "holding"

    name: Mapped[str] = mapped_column(Words(32), primary_key=True)
    title: Mapped[str | None] = mapped_column(Words(200))
    archive: Mapped[str | None] = mapped_column(Words(500))
    synced_at: Mapped[datetime | None] = mapped_column(Moment)


class Dataset(Base):
    """One dataset, as its archive lists it."""

    __tablename__ = "dataset"
    __table_args__ = (UniqueConstraint("holding", "dataset_key"),)

    id: Mapped[int] = mapped_column(BigId, Identity(always=False), primary_key=True)
    holding: Mapped[str] = mapped_column(ForeignKey("holding.name"))
    dataset_key: Mapped[str] = mapped_column(Words(200))
    title: Mapped[str | None] = mapped_column(Words(500))
    n_bytes: Mapped[int | None] = mapped_column(BigInteger)
    release_at: Mapped[datetime | None] = mapped_column(Moment)
    modified_at: Mapped[datetime | None] = mapped_column(Moment)
    synced_at: Mapped[datetime] = mapped_column(Moment)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)
    """Since when the archive no longer lists it."""
    facts: Mapped[Any] = mapped_column(Json)
    """The archive's row, by value."""


class HoldingSync(Base):
    """How far the mirror of a holding follows its archive."""

    __tablename__ = "holding_sync"

    holding: Mapped[str] = mapped_column(ForeignKey("holding.name"), primary_key=True)
    archive: Mapped[str | None] = mapped_column(Words(500))
    """The archive that it was last synchronised with."""
    begun_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the synchronisation began that has not ended yet."""
    whole_at: Mapped[datetime | None] = mapped_column(Moment)
    """Up to when everything that the archive changed is here: later changes are asked for from then on."""


class DatasetAlma(Base):
    """ALMA's columns of a dataset: a member OUS."""

    __tablename__ = "dataset_alma"

    dataset_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("dataset.id"), primary_key=True, autoincrement=False
    )
    mous: Mapped[str] = mapped_column(Words(64), index=True)
    project: Mapped[str | None] = mapped_column(Words(32), index=True)
    cycle: Mapped[int | None] = mapped_column(SmallInteger)
    era: Mapped[str | None] = mapped_column(Words(16))
    """By which habits it was probably calibrated (`reimage.archive.project.era`)."""
    bands: Mapped[str | None] = mapped_column(Words(32))
    array_kind: Mapped[str | None] = mapped_column(Words(24))
    """12m, 7m, TP, or several: 12m+7m."""
    n_antennas: Mapped[int | None] = mapped_column(SmallInteger)
    is_mosaic: Mapped[bool | None] = mapped_column(truth("is_mosaic"))
    pol_states: Mapped[str | None] = mapped_column(Words(64))
    is_full_pol: Mapped[bool | None] = mapped_column(truth("is_full_pol"))
    n_ebs: Mapped[int | None] = mapped_column(SmallInteger)
    qa2_passed: Mapped[bool | None] = mapped_column(truth("qa2_passed"))
    data_rights: Mapped[str | None] = mapped_column(Words(16))
    frequency_min_ghz: Mapped[float | None] = mapped_column(Double)
    frequency_max_ghz: Mapped[float | None] = mapped_column(Double)
    bandwidth_hz: Mapped[float | None] = mapped_column(Double)
    """Covered by all windows; overlaps count once."""
    channel_width_hz: Mapped[float | None] = mapped_column(Double)
    """The finest."""
    resolution_arcsec: Mapped[float | None] = mapped_column(Double)
    scale_max_arcsec: Mapped[float | None] = mapped_column(Double)
    ra_deg: Mapped[float | None] = mapped_column(Double)
    dec_deg: Mapped[float | None] = mapped_column(Double)
    observed_at: Mapped[datetime | None] = mapped_column(Moment)
    is_solar: Mapped[bool | None] = mapped_column(truth("is_solar"))
    is_ephemeris: Mapped[bool | None] = mapped_column(truth("is_ephemeris"))
    science: Mapped[str | None] = mapped_column(Words(200))
    """The archive's scientific categories."""
    keywords: Mapped[str | None] = mapped_column(Words(500))
    targets: Mapped[str | None] = mapped_column(Words(2000))


class Category(Base):
    """A category as it was when last used; the file is the source."""

    __tablename__ = "category"

    name: Mapped[str] = mapped_column(Words(64), primary_key=True)
    title: Mapped[str | None] = mapped_column(Words(200))
    kind: Mapped[str] = mapped_column(Words(16))
    digest: Mapped[str] = mapped_column(Words(64))
    definition: Mapped[Any] = mapped_column(Json)
    declared_at: Mapped[datetime] = mapped_column(Moment)


class CategoryMember(Base):
    """A dataset's membership in a category."""

    __tablename__ = "category_member"

    category: Mapped[str] = mapped_column(ForeignKey("category.name"), primary_key=True)
    dataset_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("dataset.id"), primary_key=True, autoincrement=False, index=True
    )
    added_at: Mapped[datetime] = mapped_column(Moment)
