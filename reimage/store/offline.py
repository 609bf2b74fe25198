"""What stands around the statements of a script that a database administrator runs: checks, advice, COMMIT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import reimage

AFTERWARDS: Mapping[str, str] = {"r0003": "reimage db recount"}
"""What is left to the program once a revision was applied by hand: the sums over old rows, by revision."""

_TOOLS = {"sqlite": "sqlite3", "postgresql": "psql", "oracle": "SQL*Plus (Oracle 12.2 or newer)"}
_FIRST = {
    # Stop at the first error; an & in a literal is no variable of SQL*Plus.
    "oracle": "WHENEVER SQLERROR EXIT FAILURE ROLLBACK\nSET DEFINE OFF\n",
    "postgresql": "\\set ON_ERROR_STOP on\n",
    "sqlite": ".bail on\n",
}
_GUARD = """
-- Nothing is changed in a schema that is not at {since}: dividing by zero ends the script.
SELECT 1 / COUNT(*) AS is_at_{since} FROM alembic_version WHERE version_num = '{since}'{end}
"""


def framed(statements: str, dialect: str, since: str | None, revisions: Sequence[str]) -> str:
    """Return a script that says what it is for, stops at the first error and ends with COMMIT.

    Parameters
    ----------
    statements
        As alembic writes them: separated by ``;``, for Oracle by a line with ``/``.
    dialect
        sqlite, postgresql or oracle.
    since
        The revision that the schema is at; None where there is none yet.
    revisions
        Those that the script applies.
    """
    if not revisions:
        return f"-- reimage {reimage.__version__}: the schema is at {since}, the newest; nothing to do.\n"
    return "".join(
        (
            _FIRST[dialect],
            _told(dialect, since, revisions),
            _guard(dialect, since),
            "\n",
            statements,
            "\nCOMMIT;\n" if dialect == "oracle" else "",  # the others' scripts have their own
        )
    )


def _told(dialect: str, since: str | None, revisions: Sequence[str]) -> str:
    begins = "an empty schema of its own" if since is None else f"the schema at {since}"
    lines = [
        f"reimage {reimage.__version__}: from {begins} to {revisions[-1]}.",
        f"Run it with {_TOOLS[dialect]}, as the owner of the schema, while no controller runs.",
    ]
    if dialect == "oracle":
        lines.append(
            "Oracle commits before and after every CREATE and ALTER: after an error, repair"
        )
        lines.append("what it names and go on from there; alembic_version tells how far it came.")
    # An empty schema has no rows to be summed.
    left = [AFTERWARDS[one] for one in revisions if one in AFTERWARDS and since is not None]
    lines += [f"Afterwards: {command}" for command in left]
    return "".join(f"-- {line}\n" for line in lines)


def _guard(dialect: str, since: str | None) -> str:
    """Return what ends the script at once in a schema of another revision; SQLite divides by zero in peace."""
    if since is None or dialect == "sqlite":
        return ""
    return _GUARD.format(since=since, end="\n/" if dialect == "oracle" else ";")
