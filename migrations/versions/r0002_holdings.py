"""Holdings: more of ALMA's columns, frequencies in GHz, and how far the mirror follows its archive.

The table of ALMA's columns is made anew, since SQLite can not drop columns that others follow.  What
is new in it stays empty until the next synchronisation.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import oracle

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(oracle.TIMESTAMP(timezone=True), "oracle")
KEPT = (
    *("dataset_id", "mous", "project", "cycle", "bands", "array_kind", "is_mosaic", "pol_states"),
    *("n_ebs", "qa2_passed", "data_rights", "resolution_arcsec", "targets"),
)
"""Columns that both revisions have."""


def upgrade() -> None:
    """Make the new table of ALMA's columns, with what the old one held."""
    op.create_table(
        "holding_sync",
        sa.Column(
            "holding",
            sa.String(32),
            sa.ForeignKey("holding.name"),
            primary_key=True,
            nullable=False,
        ),
        words("archive", 500),
        moment("begun_at"),
        moment("whole_at"),
    )
    in_ghz = {f"frequency_{end}_ghz": f"frequency_{end}_hz / 1e9" for end in ("min", "max")}
    with_rows_of(new_columns(), in_ghz)


def downgrade() -> None:
    """Make the old table again; what is only in the new one is lost."""
    in_hz = {f"frequency_{end}_hz": f"frequency_{end}_ghz * 1e9" for end in ("min", "max")}
    # Wider words than the old columns hold are cut.
    with_rows_of(old_columns(), {**in_hz, "array_kind": "SUBSTR(array_kind, 1, 8)"})
    op.drop_table("holding_sync")


def with_rows_of(columns: list[sa.Column[Any]], reckoned: dict[str, str]) -> None:
    """Replace the table by one of other columns; ``reckoned`` tells those that are not just kept."""
    op.execute("CREATE TABLE dataset_alma_old AS SELECT * FROM dataset_alma")
    op.drop_table("dataset_alma")  # its indexes go with it
    op.create_table("dataset_alma", *columns)
    op.create_index("ix_dataset_alma_mous", "dataset_alma", ["mous"])
    op.create_index("ix_dataset_alma_project", "dataset_alma", ["project"])
    taken = {**dict(zip(KEPT, KEPT, strict=True)), **reckoned}
    names, values = ", ".join(taken), ", ".join(taken.values())
    op.execute(f"INSERT INTO dataset_alma ({names}) SELECT {values} FROM dataset_alma_old")  # noqa: S608 -- our own names
    op.drop_table("dataset_alma_old")


def new_columns() -> list[sa.Column[Any]]:
    return [
        key(),
        words("mous", 64, null=False),
        words("project", 32),
        number("cycle", sa.SmallInteger),
        words("era", 16),
        words("bands", 32),
        words("array_kind", 24),
        number("n_antennas", sa.SmallInteger),
        truth("is_mosaic"),
        words("pol_states", 64),
        truth("is_full_pol"),
        number("n_ebs", sa.SmallInteger),
        truth("qa2_passed"),
        words("data_rights", 16),
        number("frequency_min_ghz", sa.Double),
        number("frequency_max_ghz", sa.Double),
        number("bandwidth_hz", sa.Double),
        number("channel_width_hz", sa.Double),
        number("resolution_arcsec", sa.Double),
        number("scale_max_arcsec", sa.Double),
        number("ra_deg", sa.Double),
        number("dec_deg", sa.Double),
        moment("observed_at"),
        truth("is_solar"),
        truth("is_ephemeris"),
        words("science", 200),
        words("keywords", 500),
        words("targets", 2000),
    ]


def old_columns() -> list[sa.Column[Any]]:
    return [
        key(),
        words("mous", 64, null=False),
        words("project", 32),
        number("cycle", sa.SmallInteger),
        words("bands", 32),
        words("array_kind", 8),
        truth("is_mosaic"),
        words("pol_states", 64),
        number("n_ebs", sa.SmallInteger),
        truth("qa2_passed"),
        words("data_rights", 16),
        number("frequency_min_hz", sa.Double),
        number("frequency_max_hz", sa.Double),
        number("resolution_arcsec", sa.Double),
        words("targets", 2000),
    ]


def key() -> sa.Column[int]:
    return sa.Column(
        "dataset_id",
        BIG,
        sa.ForeignKey("dataset.id"),
        primary_key=True,
        nullable=False,
        autoincrement=False,
    )


def words(name: str, length: int, *, null: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null)


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=True)


def truth(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(create_constraint=True, name=name), nullable=True)


def number(name: str, kind: type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    return sa.Column(name, kind(), nullable=True)
