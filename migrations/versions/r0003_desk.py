"""The failure desk: what people did, what is summed, and what failures are grouped by.

New columns are added in place: ``failure`` is referred to, so that SQLite can not make it anew.  The sums
over old rows are left to the program (`reimage.store.tallies`): bands are words of a column, which every
database splits in its own way.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import oracle

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(oracle.TIMESTAMP(timezone=True), "oracle")
STAGES = ("fetch", "choose", "restore", "image", "derive", "assess")
RESULTS = ("imaged", "partial", "refused", "failed", "lost", "cancelled")
PRODUCT_STATES = ("planned", "made", "mitigated", "absent")
OF_RUN = ("dataset_id", "category", "recipe", "build")
OF_ATTEMPT = ("host", "cpu_s")
INDEXES = {
    "ix_failure_failed": ("failed_at", "error_class"),
    "ix_failure_dataset": ("dataset_id", "signature", "is_final"),
    "ix_failure_category": ("category", "failed_at"),
    "ix_failure_build": ("build", "category"),
    "ix_failure_blocked": ("n_blocked", "error_class", "category", "result"),
    "ix_failure_kind": ("error_class", "signature", "is_final", "n_blocked"),
    "ix_failure_where": ("error_class", "category", "is_final", "n_blocked"),
    "ix_failure_waiting": ("n_blocked", "failed_at"),
}

SUMS_OF_RUNS = """
    UPDATE run SET
    cpu_s = (SELECT SUM(a.cpu_s) FROM attempt a WHERE a.run_id = run.id),
    host = (SELECT a.host FROM attempt a
            WHERE a.run_id = run.id AND a.attempt_no = run.attempt_no),
    products_mitigated = (SELECT COUNT(*) FROM product p
                          WHERE p.run_id = run.id AND p.state = 'mitigated')
"""
BLOCKING = """
    UPDATE failure SET n_blocked = 1 WHERE is_final = {true} AND run_id IN
    (SELECT MAX(r.id) FROM run r WHERE r.state = 'done' GROUP BY r.dataset_id)
"""


def upgrade() -> None:
    """Add the columns and tables; what runs and failures need in them is filled from the old rows."""
    widen_runs()
    widen_failures()
    people()
    sums()


def downgrade() -> None:
    """Drop them; what people did is still in the ledger, the sums can be made again."""
    for table in (
        *("product_tally", "stage_tally", "tally", "ledger_mark", "audited", "annotation", "act"),
        "group_state",
    ):
        op.drop_table(table)
    for index in INDEXES:
        op.drop_index(index, "failure")
    op.drop_index("ix_decision_decided", "decision")
    op.drop_index("ix_run_retry", "run")
    for column in (*OF_RUN, *OF_ATTEMPT, "n_blocked"):
        op.drop_column("failure", column)
    for column in ("cpu_s", "host", "products_mitigated"):
        op.drop_column("run", column)


def widen_runs() -> None:
    op.add_column("run", number("cpu_s", sa.Double, null=True))
    op.add_column("run", words("host", 128))
    op.add_column("run", counter("products_mitigated", sa.Integer))
    op.execute(SUMS_OF_RUNS)
    said = sa.text("retry_of IS NOT NULL")
    op.create_index("ix_run_retry", "run", ["retry_of"], sqlite_where=said, postgresql_where=said)
    op.create_index("ix_decision_decided", "decision", ["decided_at"])


def widen_failures() -> None:
    op.add_column("failure", sa.Column("dataset_id", BIG, nullable=True))
    for name in ("category", "recipe", "build"):
        op.add_column("failure", words(name, 64))
    op.add_column("failure", words("host", 128))
    op.add_column("failure", number("cpu_s", sa.Double, null=True))
    op.add_column("failure", counter("n_blocked", sa.SmallInteger))
    for name, columns in INDEXES.items():
        op.create_index(name, "failure", list(columns))
    run = "(SELECT r.{0} FROM run r WHERE r.id = failure.run_id)"
    attempt = (
        "(SELECT a.{0} FROM attempt a"
        " WHERE a.run_id = failure.run_id AND a.attempt_no = failure.attempt_no)"
    )
    filled = [f"{name} = {run.format(name)}" for name in OF_RUN]
    filled += [f"{name} = {attempt.format(name)}" for name in OF_ATTEMPT]
    op.execute(f"UPDATE failure SET {', '.join(filled)}")  # noqa: S608 -- our own names
    op.execute(BLOCKING.format(true=literal_true()))


def literal_true() -> str:
    """Return how the database at hand writes a true boolean (Oracle 19c has none)."""
    return "true" if op.get_context().dialect.name == "postgresql" else "1"


def people() -> None:
    op.create_table(
        "group_state",
        sa.Column("name", sa.String(64), primary_key=True),
        words("url", 500),
        words("resolved_in", 64),
        moment("resolved_at"),
        moment("snoozed_until"),
        number("snoozed_runs", sa.Integer, null=True),
        words("author", 64, null=False),
        moment("changed_at", null=False),
    )
    op.create_table(
        "act",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        words("kind", 32, null=False),
        words("subject", 64),
        words("author", 64, null=False),
        words("reason", 500),
        moment("acted_at", null=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("ix_act_subject", "act", ["subject", "acted_at"])
    op.create_table(
        "annotation",
        serial(),
        reference("act_seq", "act.seq"),
        reference("dataset_id", "dataset.id"),
        words("note", 2000, null=False),
        words("author", 64, null=False),
        moment("noted_at", null=False),
        sa.UniqueConstraint("act_seq", "dataset_id"),
    )
    op.create_index("ix_annotation_dataset", "annotation", ["dataset_id"])
    op.create_table(
        "audited",
        serial(),
        reference("act_seq", "act.seq"),
        reference("failure_id", "failure.id"),
        words("error_class", 64, null=False),
        words("rule", 128, null=False),
        number("n_confirmed", sa.SmallInteger),
        words("author", 64, null=False),
        moment("audited_at", null=False),
        sa.UniqueConstraint("act_seq", "failure_id"),
    )
    op.create_index("ix_audited_rule", "audited", ["rule"])
    op.create_table(
        "ledger_mark",
        sa.Column("name", sa.String(64), primary_key=True),
        number("n_bytes", sa.BigInteger),
    )


def sums() -> None:
    op.create_table(
        "tally",
        words("axis", 16, null=False, key=True),
        words("entry", 128, null=False, key=True),
        choice("result", RESULTS),
        day(),
        number("n_runs", sa.Integer),
        number("n_blocked", sa.Integer),
        number("cpu_s", sa.Double),
        number("wall_s", sa.Double),
        moment("first_at", null=False),
        moment("last_at", null=False),
    )
    ranked = ["axis", "day_no", "entry", "result", "n_blocked", "n_runs"]
    op.create_index("ix_tally_day", "tally", ranked)
    op.create_table(
        "stage_tally",
        day(),
        choice("stage", STAGES),
        words("build", 64, null=False, key=True),
        words("state", 16, null=False, key=True),
        number("n_stages", sa.Integer),
        number("wall_s", sa.Double),
    )
    op.create_table(
        "product_tally",
        day(),
        words("recipe", 64, null=False, key=True),
        words("kind", 32, null=False, key=True),
        choice("state", PRODUCT_STATES),
        number("n_products", sa.Integer),
        number("n_bytes", sa.BigInteger),
    )


def words(name: str, length: int, *, null: bool = True, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null, primary_key=key)


def moment(name: str, *, null: bool = True) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=null)


def number(
    name: str, kind: type[sa.types.TypeEngine[Any]], *, null: bool = False
) -> sa.Column[Any]:
    return sa.Column(name, kind(), nullable=null)


def counter(name: str, kind: type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    return sa.Column(name, kind(), nullable=False, server_default="0")


def choice(name: str, values: tuple[str, ...]) -> sa.Column[str]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
    return sa.Column(name, kind, primary_key=True, nullable=False)


def day() -> sa.Column[int]:
    return sa.Column("day_no", sa.Integer, primary_key=True, nullable=False, autoincrement=False)


def serial() -> sa.Column[int]:
    return sa.Column("id", BIG, sa.Identity(always=False), primary_key=True)


def reference(name: str, target: str) -> sa.Column[int]:
    return sa.Column(name, BIG, sa.ForeignKey(target), nullable=False, autoincrement=False)
