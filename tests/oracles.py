"""SQLAlchemy's Oracle dialect as it is with a server of some version, without a server."""

from __future__ import annotations

from sqlalchemy.dialects import oracle


def oracle_dialect(version):
    dialect = oracle.oracledb.dialect()
    dialect.server_version_info = version
    dialect._supports_oracle_json = version >= (21,)
    dialect.supports_native_boolean = version >= (23,)
    dialect.insert_returning = False
    return dialect
