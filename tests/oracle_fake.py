"""python-oracledb's dialect driven end to end by a connection that records: what a 19c server would be sent.

It judges no SQL (that is what H2 and the traps are for); it shows bound values after SQLAlchemy's processing.
"""

from __future__ import annotations

import oracledb
from sqlalchemy import create_engine, text

_OWN = ("dbms_transaction", "from dual", "v$parameter", "sys_context", "alter session")
"""What the dialect and `reimage.store.session` say for themselves when they connect."""


class FakeOracle:
    """An engine of ``oracle+oracledb`` and what went through it."""

    class Variable:
        """Where ``RETURNING .. INTO`` would put a key."""

        def __init__(self):
            self.values = [[1]]

        def getvalue(self, index=0):
            del index
            return [1]

    def __init__(self):
        self.sent = []
        self.engine = create_engine(
            "oracle+oracledb://u:p@h/?service_name=x", creator=lambda: _Connection(self.sent)
        )

    def execute(self, clause, rows):
        """Execute a clause as a Session would, with its rows or without."""
        with self.engine.begin() as connection:
            connection.execute(clause, rows) if rows else connection.execute(clause)

    def execute_text(self, statement):
        with self.engine.begin() as connection:
            connection.execute(text(statement))


class _Cursor:
    description, rowcount, arraysize, outputtypehandler = None, 1, 100, None

    def __init__(self, sent):
        self._sent = sent
        self._rows = []

    def execute(self, statement, parameters=None):
        said = statement.lower()
        self.description, self._rows = None, []
        if any(word in said for word in _OWN):
            self.description = [("X", oracledb.DB_TYPE_VARCHAR, None, None, None, None, None)]
            self._rows = [("SCHEMA",)]
            return
        self._sent.append((statement, dict(parameters or {})))
        if said.lstrip().startswith(("select", "with")):
            self.description = [("X", oracledb.DB_TYPE_NUMBER, None, None, None, None, None)]

    def executemany(self, statement, parameters):
        self._sent.extend((statement, dict(row)) for row in parameters)

    def fetchone(self):
        return self._rows.pop(0) if self._rows else None

    def fetchall(self):
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size=None):
        del size
        return self.fetchall()

    def var(self, *kinds, **options):
        del kinds, options
        return FakeOracle.Variable()

    def setinputsizes(self, *sizes, **named):
        pass

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class _Connection:
    version, username, max_identifier_length, thin = "19.3.0.0.0", "u", 128, True
    autocommit, stmtcachesize, tag = False, 20, None
    outputtypehandler = inputtypehandler = None

    def __init__(self, sent):
        self._sent = sent

    def cursor(self):
        return _Cursor(self._sent)

    def commit(self):
        pass

    def rollback(self):
        pass

    def close(self):
        pass
