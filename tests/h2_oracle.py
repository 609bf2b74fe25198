"""Oracle's place taken by H2 in Oracle mode: SQLAlchemy's Oracle dialect as it is with 19c, over JDBC.

H2 *executes* what the dialect compiles, enforces checks and keys, and reads '' as NULL; it is the best
stand-in that Debian has.  It is no Oracle: what it refuses although Oracle takes it stands in `FALSE_ALARMS`,
and what it takes although Oracle refuses it is left to the lints (`traps.py`).

After ``registry.register`` below, ``Database("oracle+h2:///name")`` is a run database like any other; it lives
in this process until `drop`.
"""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import jpype
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import oracle, registry

with warnings.catch_warnings():  # an escape in its source that Python warns of when it is compiled
    warnings.simplefilter("ignore")
    import jaydebeapi

JAR = "/usr/share/java/h2.jar"
JVM_OPTIONS = ("-Xrs", "-Xmx256m")
"""Signals stay Python's: a test run is interrupted as ever."""

FALSE_ALARMS = {
    # what Oracle takes and H2 does not: (pattern, what the Oracle documentation calls it)
    r"^CREATE UNIQUE INDEX \w+ ON \w+ \(\(CASE ": "function-based index",
    r"FOR UPDATE SKIP LOCKED$": "SKIP LOCKED",
    r"\bDBMS_LOB\.": "DBMS_LOB",
    r"^ALTER SESSION SET TIME_ZONE": "session parameters",
}


class Error(Exception):
    """What the driver says; SQLAlchemy tells its errors apart by these names."""


class DatabaseError(Error):
    """The database refused."""


class IntegrityError(DatabaseError):
    """SQL state 23: a key, a check or NOT NULL does not hold."""


def is_false_alarm(statement: str) -> bool:
    """Whether H2 refuses a statement that Oracle 19c takes."""
    return any(re.search(pattern, statement.strip()) for pattern in FALSE_ALARMS)


def statements_of(script: str) -> list[str]:
    """Take a SQL*Plus script apart as SQL*Plus does: a line with / executes what stands before it."""
    parts = re.split(r"^/\s*$", script, flags=re.MULTILINE)
    commands = re.compile(r"^(--|WHENEVER |SET DEFINE |PROMPT |COMMIT;)")
    kept = (
        "\n".join(line for line in part.splitlines() if line and not commands.match(line))
        for part in parts
    )
    return [statement for statement in kept if statement.strip()]


def connect(name: str) -> Any:
    """Return a connection of jaydebeapi to a database of this process, made when absent."""
    if not jpype.isJVMStarted():
        jpype.startJVM(*JVM_OPTIONS, classpath=[JAR], convertStrings=True, ignoreUnrecognized=True)
    # DAY is reserved by H2, and by Oracle not
    url = f"jdbc:h2:mem:{name};MODE=Oracle;NON_KEYWORDS=DAY;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=5000"
    with warnings.catch_warnings():  # jaydebeapi asks in a way that jpype calls old
        warnings.simplefilter("ignore", DeprecationWarning)
        connection = jaydebeapi.connect("org.h2.Driver", url, ["SA", ""], [JAR])
    connection.jconn.setAutoCommit(False)
    # As `reimage.store.session` does on Oracle: moments are bound without zone and mean UTC.
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    return connection


def carry_out(connection, script):
    """Execute a script as SQL*Plus would: stop at the first error; end with COMMIT.

    In place of the function-based index, which H2 lacks, generated columns keep what it keeps.
    """
    statements = statements_of(script)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        if any("ux_run_live" in statement for statement in statements):
            for column, kind in (("dataset_id", "NUMBER(19)"), ("recipe", "VARCHAR2(64 CHAR)")):
                live = f"(CASE WHEN state <> 'done' THEN {column} END)"
                cursor.execute(
                    f"ALTER TABLE run ADD live_{column} {kind} GENERATED ALWAYS AS {live}"
                )
            cursor.execute("CREATE UNIQUE INDEX ux_run_live ON run (live_dataset_id, live_recipe)")
    connection.commit()


def drop(connection):
    """End a database, and all connections to it."""
    statement = connection._inner.jconn.createStatement()
    statement.execute("SHUTDOWN")


class Cursor:
    """A cursor of jaydebeapi whose values are those that python-oracledb takes and gives."""

    def __init__(self, connection):
        self._inner = connection
        self._cursor = connection.cursor()
        self.lastrowid = None
        self.arraysize = 100

    @property
    def description(self):
        # the label, not the name: SQLAlchemy finds columns by their AS
        meta = self._cursor._meta
        if meta is None:
            return None
        return [
            (str(meta.getColumnLabel(n)), None, None, None, None, None, None)
            for n in range(1, meta.getColumnCount() + 1)
        ]

    @property
    def rowcount(self):
        return self._cursor.rowcount

    def execute(self, statement, parameters=()):
        self.lastrowid = None
        if is_false_alarm(statement):
            return
        values = [_to_java(value) for value in parameters or ()]
        with _translated():
            if statement.startswith("INSERT") and " SELECT " not in statement:
                self._insert(statement, values)
            else:
                self._cursor.execute(statement, values)

    def _insert(self, statement, values):
        """Insert a row and keep the number that it was given; python-oracledb has RETURNING for that."""
        self._cursor._close_last()
        prepared = self._inner.jconn.prepareStatement(statement, 1)  # RETURN_GENERATED_KEYS
        self._cursor._set_stmt_parms(prepared, values)
        try:
            self._cursor.rowcount = prepared.executeUpdate()
            keys = prepared.getGeneratedKeys()
            if keys.next() and str(keys.getMetaData().getColumnLabel(1)) == "ID":
                self.lastrowid = int(keys.getLong(1))
        finally:
            prepared.close()

    def executemany(self, statement, rows):
        with _translated():
            self._cursor.executemany(statement, [[_to_java(v) for v in row] for row in rows])

    def fetchone(self):
        results = self._cursor._rs
        if results is None or not results.next():
            return None
        count = self._cursor._meta.getColumnCount()
        return tuple(_to_python(results.getObject(n)) for n in range(1, count + 1))

    def fetchall(self):
        return list(iter(self.fetchone, None))

    def fetchmany(self, size=None):
        rows = (self.fetchone() for _ in range(size or self.arraysize))
        return [row for row in rows if row is not None]

    def setinputsizes(self, *sizes, **named):
        pass

    def close(self):
        self._cursor.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Connection:
    """What SQLAlchemy asks of a connection."""

    def __init__(self, name):
        self._inner = connect(name)

    def cursor(self):
        return Cursor(self._inner)

    def commit(self):
        self._inner.commit()

    def rollback(self):
        self._inner.rollback()

    def close(self):
        self._inner.close()


class _translated:  # noqa: N801 -- used as a function
    """Turn Java's exceptions into the two that the store tells apart."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            return
        java = error.args[0] if error.args and hasattr(error.args[0], "getSQLState") else error
        state = str(java.getSQLState()) if hasattr(java, "getSQLState") else ""
        meaning = IntegrityError if state.startswith("23") else DatabaseError
        raise meaning(str(java)[:2000]) from error


def _to_java(value):
    if isinstance(value, bool):
        raise DatabaseError("a boolean was bound: Oracle 19c has none")
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise DatabaseError("a moment with its zone was bound: the driver drops it")
        text = value.isoformat(sep="T", timespec="microseconds")
        return jpype.java.time.LocalDateTime.parse(text)
    return value


def _to_python(value):
    name = type(value).__name__
    if name == "java.time.OffsetDateTime" or name.endswith("TimestampWithTimeZone"):
        seconds, nanos = value.toEpochSecond(), value.getNano()
        return datetime.fromtimestamp(0, UTC) + timedelta(
            seconds=int(seconds), microseconds=int(nanos) // 1000
        )
    if name.endswith("Clob") or "JdbcClob" in name:
        return str(value.getSubString(1, int(value.length())))
    if name == "java.math.BigDecimal":
        return int(value.longValue()) if value.scale() <= 0 else float(value.doubleValue())
    if name in {"java.lang.Integer", "java.lang.Long", "java.lang.Short", "java.math.BigInteger"}:
        return int(value.longValue())
    if name in {"java.lang.Double", "java.lang.Float"}:
        return float(value.doubleValue())
    return value


class _Typed(oracle.base.OracleCompiler):
    """Says of bound numbers that they are numbers: python-oracledb does, and JDBC's ``?`` has no type."""

    def visit_bindparam(self, bindparam, *arguments, **options):
        said = super().visit_bindparam(bindparam, *arguments, **options)
        kinds = {sqltypes.Integer: "NUMBER(19)", sqltypes.Numeric: "DOUBLE PRECISION"}
        kind = kinds.get(bindparam.type._type_affinity)
        written_out = "POSTCOMPILE" in said or options.get("literal_binds", False)
        return f"CAST({said} AS {kind})" if kind and not written_out else said


class H2Oracle(oracle.base.OracleDialect):
    """The dialect as with a 19c server, except for the driver."""

    # ruff: noqa: ARG002 -- the shape of a dialect

    driver = "h2"
    statement_compiler = _Typed
    supports_statement_cache = True
    supports_sane_multi_rowcount = False
    postfetch_lastrowid = True

    def __init__(self, **options):
        super().__init__(**options)
        self.insert_returning = self.update_returning = self.delete_returning = False

    @classmethod
    def import_dbapi(cls):
        return SimpleNamespace(
            paramstyle="qmark",
            Error=Error,
            DatabaseError=DatabaseError,
            InterfaceError=DatabaseError,
            IntegrityError=IntegrityError,
            connect=Connection,
        )

    colspecs = {  # noqa: RUF012 -- as SQLAlchemy has it
        # python-oracledb makes booleans of numbers by a handler; here SQLAlchemy does it
        **oracle.base.OracleDialect.colspecs,
        sqltypes.Boolean: sqltypes.Boolean,
    }

    def create_connect_args(self, url):
        return [url.database], {}

    def initialize(self, connection):
        super().initialize(connection)
        self.insert_returning = False

    def _get_server_version_info(self, connection):
        return (19, 3)

    def _get_effective_compat_server_version_info(self, connection):
        return (19, 3)

    def _get_default_schema_name(self, connection):
        return "PUBLIC"

    def get_default_isolation_level(self, dbapi_connection):
        return "READ COMMITTED"

    def get_isolation_level(self, dbapi_connection):
        return "READ COMMITTED"

    def do_ping(self, dbapi_connection):
        return True

    def has_table(self, connection, table_name, schema=None, **options):
        return table_name.lower() in self.get_table_names(connection)

    def get_table_names(self, connection, schema=None, **options):
        # of H2's own catalogue: it has no ALL_TABLES
        seen = connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'PUBLIC'"
        )
        return [name.lower() for (name,) in seen]


registry.register("oracle.h2", __name__, "H2Oracle")
