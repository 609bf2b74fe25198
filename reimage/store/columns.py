"""Column types that mean the same on SQLite, PostgreSQL and Oracle, and the metadata's conventions.

The traps that these types avoid: a plain ``DateTime(timezone=True)`` is a DATE on Oracle and loses
its zone on SQLite; the empty string is NULL on Oracle; JSON is BLOB on Oracle 19c; a big integer
key numbers itself on SQLite only when it is called INTEGER.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Enum, Integer, MetaData, String, Text
from sqlalchemy.dialects import oracle
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

MOST_BYTES = 4000
"""What Oracle keeps in any VARCHAR2, however many characters it was declared for."""
_WIDEST = 4
"""Bytes of a character in UTF-8."""

BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The mappings of the run database."""

    metadata = MetaData(naming_convention=NAMES)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; aware in Python, whatever the database keeps.

    SQLite and Oracle (whose driver binds without zone; the session's zone is set to UTC) get naive
    UTC, PostgreSQL gets aware values.
    """

    impl = DateTime(timezone=True).with_variant(oracle.TIMESTAMP(timezone=True), "oracle")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no zone; give the driver UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value}")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment aware."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """A string of limited length; empty is NULL everywhere, since it is so on Oracle.

    Longer values are cut, to the length and to `MOST_BYTES`: what must not be cut stands in a file, or in a
    `Json` column.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make '' NULL, and cut to the column's length."""
        del dialect
        if not value:
            return None
        length: int | None = self.impl_instance.length  # type: ignore[attr-defined]  # a String's
        # Oracle refuses NUL nowhere, PostgreSQL everywhere.
        kept = value.replace("\0", "")[:length]
        if not kept.isascii():  # half a character (of a file name that is no UTF-8) nobody takes
            kept = kept.encode("utf-8", "replace").decode()
        if len(kept) > MOST_BYTES // _WIDEST:
            kept = kept.encode("utf-8", "ignore")[:MOST_BYTES].decode("utf-8", "ignore")
        return kept or None


class Json(TypeDecorator[Any]):
    """JSON as text: one representation on all three databases, never compared or sorted."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        """Write canonical JSON; PostgreSQL refuses NUL characters, so they go."""
        del dialect
        if value is None:
            return None
        return json.dumps(value, sort_keys=True, default=str).replace("\\u0000", "")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401 -- JSON
        """Read it."""
        del dialect
        return None if value is None else json.loads(value)


def choice(kind: type[StrEnum], name: str) -> Enum:
    """Return a column type that stores an enum's values, held by a CHECK called ``name``."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


def truth(name: str) -> Boolean:
    """Return a boolean column type; ``name`` is that of its CHECK where there is no native one."""
    return Boolean(create_constraint=True, name=name)
