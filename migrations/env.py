"""What alembic runs: with the connection (or, offline, the URL) that `reimage.store.migrate` gives."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, make_url
from sqlalchemy.engine import Dialect

from reimage.store.tables import metadata


def _as_19c(dialect: Dialect) -> None:
    """Make scripts that an Oracle 19c takes: offline, SQLAlchemy writes for the newest one.

    ``insert_returning`` off: SQL*Plus does not know the variable of ``RETURNING .. INTO :ret_0``.
    """
    for name, value in {
        "insert_returning": False,
        "server_version_info": (19, 3),
        "supports_native_boolean": False,
        "_supports_oracle_json": False,
    }.items():
        setattr(dialect, name, value)


def offline(url: str) -> None:
    """Write SQL."""
    backend = make_url(url).get_backend_name()
    context.configure(
        url=url,
        target_metadata=metadata(),
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        render_as_batch=backend == "sqlite",
    )
    if backend == "oracle":
        migration = context.get_context()
        _as_19c(migration.dialect)
        _as_19c(migration.impl.dialect)
    with context.begin_transaction():
        context.run_migrations()


def online(connection: Connection) -> None:
    """Change a database, inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline(context.config.attributes["url"])
else:
    online(context.config.attributes["connection"])
