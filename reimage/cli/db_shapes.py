"""The shapes of ``--json`` for the run database itself: its schema, its sums, its copies.

The rule is that of `reimage.cli.run_shapes`: within a schema version fields are only added.
"""

from __future__ import annotations

from dataclasses import dataclass

from reimage import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """``reimage db current``: the schema of the run database."""

    schema: int = SCHEMA_VERSION
    database: str
    """Its URL, without password."""
    revision: str | None
    """None while it has no tables."""
    head: str
    """What this program needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """``reimage db recount``: whether the sums that the desk reads are what the rows say."""

    schema: int = SCHEMA_VERSION
    database: str
    """Its URL, without password."""
    differences: tuple[str, ...]
    """A sentence each: before they were mended, or as they stand (``--check``)."""
    mended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCopy:
    """``reimage db backup``: a copy of the run database that was made and checked."""

    schema: int = SCHEMA_VERSION
    database: str
    """The URL of what was copied, without password."""
    path: str
    n_bytes: int
    revision: str | None
    """Of the copy's schema."""
