"""The first schema.

Frozen: later changes are revisions of their own.  Types and names are spelled out here, so that a
change of `reimage.store` can not change what this revision does.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import oracle

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(oracle.TIMESTAMP(timezone=True), "oracle")
STATES = ("queued", "submitted", "running", "done")
STAGES = ("fetch", "choose", "restore", "image", "derive", "assess")
RESULTS = ("imaged", "partial", "refused", "failed", "lost", "cancelled")
STAGE_STATES = ("begun", "proven", "adopted", "kept", "failed")
PRODUCT_STATES = ("planned", "made", "mitigated", "absent")
LIVE = "(CASE WHEN state <> 'done' THEN {} END)"


def upgrade() -> None:
    """Make all tables."""
    holdings()
    runs()
    attempts()
    products()
    mirrors()
    desk()
    offices()


def downgrade() -> None:
    """Drop all tables."""
    for table in (
        *("lease", "request", "decision", "fix_application", "classification", "failure"),
        *("evidence", "issue", "error_class", "build", "product", "event", "stage_record"),
        *("attempt", "run", "sweep", "category_member", "category", "dataset_alma", "dataset"),
        "holding",
    ):
        op.drop_table(table)


def words(name: str, length: int, *, null: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null)


def moment(name: str, *, null: bool = True) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=null)


def choice(name: str, values: tuple[str, ...], *, null: bool = True) -> sa.Column[str]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
    return sa.Column(name, kind, nullable=null)


def truth(name: str, *, null: bool = True) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(create_constraint=True, name=name), nullable=null)


def number(name: str, kind: type[sa.types.TypeEngine[Any]], *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, kind(), nullable=null)


def serial() -> sa.Column[int]:
    return sa.Column("id", BIG, sa.Identity(always=False), primary_key=True)


def reference(name: str, target: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(
        name, BIG, sa.ForeignKey(target), primary_key=key, nullable=null, autoincrement=False
    )


def json(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def holdings() -> None:
    """Make the tables of what archives have."""
    op.create_table(
        "holding",
        sa.Column("name", sa.String(32), primary_key=True),
        words("title", 200),
        words("archive", 500),
        moment("synced_at"),
    )
    op.create_table(
        "dataset",
        serial(),
        sa.Column("holding", sa.String(32), sa.ForeignKey("holding.name"), nullable=False),
        words("dataset_key", 200, null=False),
        words("title", 500),
        number("n_bytes", sa.BigInteger),
        moment("release_at"),
        moment("modified_at"),
        moment("synced_at", null=False),
        moment("gone_at"),
        json("facts"),
        sa.UniqueConstraint("holding", "dataset_key"),
    )
    op.create_table(
        "dataset_alma",
        reference("dataset_id", "dataset.id", key=True),
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
    )
    op.create_index("ix_dataset_alma_mous", "dataset_alma", ["mous"])
    op.create_index("ix_dataset_alma_project", "dataset_alma", ["project"])
    op.create_table(
        "category",
        sa.Column("name", sa.String(64), primary_key=True),
        words("title", 200),
        words("kind", 16, null=False),
        words("digest", 64, null=False),
        json("definition"),
        moment("declared_at", null=False),
    )
    op.create_table(
        "category_member",
        sa.Column("category", sa.String(64), sa.ForeignKey("category.name"), primary_key=True),
        reference("dataset_id", "dataset.id", key=True),
        moment("added_at", null=False),
    )
    op.create_index("ix_category_member_dataset_id", "category_member", ["dataset_id"])


def runs() -> None:
    """Make the tables of sweeps and runs, with what holds a run's axes together."""
    op.create_table(
        "sweep",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("category", sa.String(64), sa.ForeignKey("category.name"), nullable=False),
        sa.Column("holding", sa.String(32), sa.ForeignKey("holding.name"), nullable=False),
        words("recipe", 64, null=False),
        truth("is_pilot", null=False),
        number("n_datasets", sa.Integer, null=False),
        words("author", 64),
        moment("created_at", null=False),
    )
    op.create_table(
        "run",
        serial(),
        words("run", 40, null=False),
        reference("dataset_id", "dataset.id"),
        words("recipe", 64, null=False),
        words("recipe_digest", 64, null=False),
        choice("state", STATES, null=False),
        choice("stage", STAGES),
        choice("result", RESULTS),
        words("error_class", 64),
        words("signature", 40),
        words("decisive", 500),
        words("build", 64),
        words("casa_asked", 64),
        words("category", 64),
        sa.Column("sweep", sa.String(80), sa.ForeignKey("sweep.name")),
        words("retry_of", 40),
        words("directory", 500, null=False),
        number("attempt_no", sa.SmallInteger, null=False),
        number("priority", sa.SmallInteger, null=False),
        number("memory_mb", sa.Integer, null=False),
        number("limit_s", sa.Double, null=False),
        moment("created_at", null=False),
        moment("submitted_at"),
        moment("started_at"),
        moment("ended_at"),
        moment("cancel_at"),
        number("wall_s", sa.Double),
        number("products_planned", sa.Integer, null=False),
        number("products_made", sa.Integer, null=False),
        json("caveats"),
        number("log_offset", sa.BigInteger, null=False),
        sa.UniqueConstraint("run"),
        # Long form, not an equality of two conditions: Oracle has no such expression.
        sa.CheckConstraint(
            "(state = 'done' AND result IS NOT NULL) OR (state <> 'done' AND result IS NULL)",
            name="result_iff_done",
        ),
        sa.CheckConstraint(
            "(result IS NOT NULL AND result <> 'imaged' AND error_class IS NOT NULL)"
            " OR ((result IS NULL OR result = 'imaged') AND error_class IS NULL)",
            name="class_iff_not_imaged",
        ),
    )
    # One live run per dataset and recipe.  Both expressions are NULL once done: a partial index
    # would be a full one on Oracle, and Oracle indexes a row as soon as one expression is set.
    live = [sa.text(LIVE.format(column)) for column in ("dataset_id", "recipe")]
    op.create_index("ux_run_live", "run", live, unique=True)
    for name, columns in {
        "state": ["state", "priority", "id"],
        "dataset": ["dataset_id", "id"],
        "class": ["error_class", "ended_at"],
        "signature": ["signature", "ended_at"],
        "category": ["category", "ended_at"],
        "build": ["build", "category"],
        "sweep": ["sweep"],
    }.items():
        op.create_index(f"ix_run_{name}", "run", columns)


def attempts() -> None:
    """Make the tables of attempts, their stages and their events."""
    op.create_table(
        "attempt",
        reference("run_id", "run.id", key=True),
        sa.Column("attempt_no", sa.SmallInteger, primary_key=True, autoincrement=False),
        words("executor", 16, null=False),
        words("job", 200),
        moment("submitted_at", null=False),
        words("host", 128),
        moment("started_at"),
        moment("ended_at"),
        number("exit_code", sa.Integer),
        words("exit_signal", 16),
        words("why", 16),
        number("wall_s", sa.Double),
        number("cpu_s", sa.Double),
        number("casa_wall_s", sa.Double),
        number("peak_tree_mb", sa.Integer),
        number("peak_process_mb", sa.Integer),
        number("oom_kills", sa.Integer),
        number("journal_offset", sa.BigInteger, null=False),
    )
    op.create_table(
        "stage_record",
        sa.Column("run_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("attempt_no", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "stage",
            sa.Enum(*STAGES, name="stage", native_enum=False, create_constraint=True, length=16),
            primary_key=True,
        ),
        choice("state", STAGE_STATES, null=False),
        moment("started_at", null=False),
        moment("ended_at"),
        number("wall_s", sa.Double),
        sa.ForeignKeyConstraint(["run_id", "attempt_no"], ["attempt.run_id", "attempt.attempt_no"]),
    )
    op.create_table(
        "event",
        serial(),
        reference("run_id", "run.id"),
        number("attempt_no", sa.SmallInteger, null=False),
        number("seq", sa.Integer, null=False),
        moment("happened_at", null=False),
        words("event", 64, null=False),
        json("data"),
        sa.UniqueConstraint("run_id", "attempt_no", "seq"),
    )


def products() -> None:
    """Make the table of what runs plan and make."""
    op.create_table(
        "product",
        serial(),
        reference("run_id", "run.id"),
        words("name", 250, null=False),
        words("kind", 32, null=False),
        words("image", 200),
        words("target", 200),
        words("spws", 200),
        words("specmode", 16),
        choice("state", PRODUCT_STATES, null=False),
        truth("is_planned", null=False),
        words("reason", 500),
        words("path", 500),
        number("n_bytes", sa.BigInteger),
        words("sha256", 64),
        words("preview", 500),
        words("footprint", 500),
        words("admit", 500),
        json("numbers"),
        sa.UniqueConstraint("run_id", "name"),
    )


def mirrors() -> None:
    """Make the tables that mirror files: builds, error classes, issues."""
    op.create_table(
        "build",
        sa.Column("name", sa.String(64), primary_key=True),
        words("version", 64, null=False),
        words("kind", 16, null=False),
        words("pipeline", 64),
        json("definition"),
        moment("seen_at", null=False),
        moment("gone_at"),
    )
    op.create_table(
        "error_class",
        sa.Column("name", sa.String(64), primary_key=True),
        words("family", 32, null=False),
        words("title", 200, null=False),
        words("fault", 32),
        words("remedy", 64),
        moment("seen_at", null=False),
    )
    op.create_table(
        "issue",
        sa.Column("name", sa.String(64), primary_key=True),
        words("title", 200),
        words("url", 500),
    )


def desk() -> None:
    """Make the tables of failures, their evidence, their judgements."""
    op.create_table(
        "evidence",
        serial(),
        reference("run_id", "run.id"),
        number("attempt_no", sa.SmallInteger, null=False),
        words("kind", 32, null=False),
        words("path", 500, null=False),
        number("n_bytes", sa.BigInteger, null=False),
        words("sha256", 64, null=False),
        words("excerpt", 500),
        sa.UniqueConstraint("run_id", "attempt_no", "path"),
    )
    op.create_table(
        "failure",
        serial(),
        reference("run_id", "run.id"),
        number("attempt_no", sa.SmallInteger, null=False),
        choice("stage", STAGES),
        choice("result", RESULTS, null=False),
        words("error_class", 64, null=False),
        words("signature", 40),
        words("code", 64),
        words("message", 2000),
        words("decisive", 500),
        moment("failed_at", null=False),
        truth("is_final", null=False),
        sa.UniqueConstraint("run_id", "attempt_no"),
    )
    op.create_index("ix_failure_class", "failure", ["error_class", "failed_at"])
    op.create_index("ix_failure_signature", "failure", ["signature", "failed_at"])
    op.create_table(
        "classification",
        serial(),
        reference("failure_id", "failure.id"),
        words("error_class", 64, null=False),
        words("signature", 40),
        words("author", 128, null=False),
        words("reason", 500),
        json("symptoms"),
        moment("judged_at", null=False),
    )
    op.create_index("ix_classification_failure", "classification", ["failure_id"])
    op.create_table(
        "fix_application",
        serial(),
        reference("run_id", "run.id"),
        number("attempt_no", sa.SmallInteger, null=False),
        number("seq", sa.BigInteger, null=False),
        words("fix", 64, null=False),
        moment("applied_at", null=False),
        json("data"),
        sa.UniqueConstraint("run_id", "attempt_no", "seq"),
    )
    op.create_index("ix_fix_application_fix", "fix_application", ["fix"])
    op.create_table(
        "decision",
        serial(),
        reference("run_id", "run.id"),
        number("attempt_no", sa.SmallInteger, null=False),
        words("kind", 32, null=False),
        words("reason", 500),
        words("author", 64, null=False),
        moment("decided_at", null=False),
        sa.UniqueConstraint("run_id", "attempt_no", "kind"),
    )


def offices() -> None:
    """Make the tables of operators' requests, and of who leads."""
    op.create_table(
        "request",
        serial(),
        words("kind", 32, null=False),
        reference("run_id", "run.id", null=True),
        words("author", 64, null=False),
        words("reason", 500),
        moment("created_at", null=False),
        moment("taken_at"),
        words("answer", 200),
    )
    op.create_index("ix_request_open", "request", ["taken_at", "id"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(32), primary_key=True),
        words("owner", 200, null=False),
        number("token", sa.BigInteger, null=False),
        moment("acquired_at", null=False),
        moment("expires_at", null=False),
    )
