"""Oracle's silent traps: what SQLAlchemy compiles for Oracle, and Oracle refuses or understands otherwise.

Numbers are those of the list that the project keeps of them.  A trap of the schema is asked with a table, one
of the statements with a clause; each says in words what it caught, or nothing.  `tests/contract/test_traps.py`
shows each of them caught once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    Identity,
    Integer,
    Interval,
    LargeBinary,
    Select,
    String,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, CompileError
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression

NAME_LIMIT = 30
IN_LIMIT = 1000
"""Values in one IN: ORA-01795 below 23ai."""
_WORDS = """
    access add all alter and any as asc audit between by char check cluster column comment
    compress connect create current date decimal default delete desc distinct drop else exclusive
    exists file float for from grant group having identified immediate in increment index initial
    insert integer intersect into is level like lock long maxextents minus mlslabel mode modify
    noaudit nocompress not nowait null number of offline on online option or order pctfree prior
    privileges public raw rename resource revoke row rowid rownum rows select session set share
    size smallint start successful synonym sysdate table then to trigger uid union unique update
    user validate values varchar varchar2 view whenever where with end text type analyse analyze
    array both case cast collate constraint do except false foreign leading limit offset only
    primary references some symmetric trailing true using when
"""
RESERVED = frozenset(_WORDS.split())
"""Words of Oracle, and of PostgreSQL."""


@dataclass(frozen=True)
class Trap:
    """One trap: its number in the list, what it is, and what finds it."""

    number: int
    name: str
    find: Callable[[Any, Any], Iterator[str]]


# --- of the schema ----------------------------------------------------------------------------------


def dates(table, dialect):
    for column in table.columns:
        if _type(column, dialect) == "DATE":
            yield f"{column}: a DATE has neither fraction nor zone"


def floats(table, dialect):
    for column in table.columns:
        try:
            column.type.compile(dialect=dialect)
        except ArgumentError as error:
            yield f"{column}: {error}"


def large(table, dialect):
    for column in table.columns:
        if isinstance(column.type, JSON | LargeBinary) or _type(column, dialect) in {
            "JSON",
            "BLOB",
        }:
            yield f"{column}: a BLOB on 19c, JSON on 23ai"
    for index in table.indexes:
        for column in index.columns:
            if is_clob(column, dialect):
                yield f"{index.name}: a CLOB can not be indexed"
    keys = [c for constraint in table.constraints for c in getattr(constraint, "columns", ())]
    yield from (f"{column}: a CLOB in a key" for column in keys if is_clob(column, dialect))


def quoted(table, dialect):
    prepared = dialect.identifier_preparer
    for name in _names(table, dialect):
        if '"' in prepared.quote(name) or name.lower() in RESERVED or name != name.lower():
            yield f"{name}: quoted, and case-sensitive for ever"


def long_names(table, dialect):
    for name in _names(table, dialect):
        if len(name) > NAME_LIMIT:
            yield f"{name}: {len(name)} characters"


def empty_strings(table, dialect):
    del dialect
    for column in table.columns:
        kind = column.type
        keeps = isinstance(kind, String) and not isinstance(kind, Enum | Text)
        if keeps and not column.foreign_keys:
            yield f"{column}: a plain String keeps ''; columns.Words makes it NULL"
        default = column.server_default
        if default is None or isinstance(default, Identity):
            continue
        if str(getattr(default, "arg", "")).strip("'") == "":
            yield f"{column}: '' as default"


def partial_indexes(table, dialect):
    """Find what is a full index on Oracle; it leaves out rows of which all that is indexed is NULL."""
    del dialect
    for index in table.indexes:
        wheres = [index.dialect_options[name].get("where") for name in ("sqlite", "postgresql")]
        same = " AND ".join(f"{column.name} IS NOT NULL" for column in index.columns)
        is_same = not index.unique and len(index.columns) == 1
        if any(where is not None and not (is_same and str(where) == same) for where in wheres):
            yield f"{index.name}: a full index on Oracle"


def foreign_types(table, dialect):
    del dialect
    for column in table.columns:
        kind = column.type
        if isinstance(kind, Time | Interval | Uuid):
            yield f"{column}: {kind!r}"
        if isinstance(kind, Enum) and (kind.native_enum or not kind.create_constraint):
            yield f"{column}: an enum without a CHECK"


def own_numbers(table, dialect):
    del dialect
    keys = list(table.primary_key.columns)
    if len(keys) != 1 or not isinstance(keys[0].type, Integer):
        return
    key = keys[0]
    if key.autoincrement is False or key.foreign_keys:
        return
    if not isinstance(key.type.dialect_impl(sqlite.dialect()), Integer) or isinstance(
        key.type.dialect_impl(sqlite.dialect()), BigInteger
    ):
        yield f"{key}: SQLite numbers only what is called INTEGER"
    if key.identity is None:
        yield f"{key}: without Identity Oracle has no default for it"


SCHEMA = (
    Trap(1, "a moment as DATE", dates),
    Trap(2, "a float with a precision", floats),
    Trap(3, "JSON as BLOB, a CLOB in an index", large),
    Trap(5, "quoted names", quoted),
    Trap(6, "long names", long_names),
    Trap(9, "empty strings", empty_strings),
    Trap(10, "partial indexes", partial_indexes),
    Trap(11, "types that Oracle lacks", foreign_types),
    Trap(12, "keys that nobody numbers", own_numbers),
)


# --- of the statements ------------------------------------------------------------------------------

_CLOB_OPERATORS = {
    operators.eq,
    operators.ne,
    operators.in_op,
    operators.not_in_op,
    operators.lt,
    operators.le,
    operators.gt,
    operators.ge,
}
_BARE = re.compile(
    r"\b(?:WHERE|AND|OR|NOT|ON|WHEN)\s+\(?(?:\w+\.)?(?:is|has)_\w+\s*"
    r"(?:AND\b|OR\b|\)|$|ORDER\b|GROUP\b|THEN\b|FETCH\b)",
    re.IGNORECASE,
)


def _pattern(pattern):
    found = re.compile(pattern, re.IGNORECASE | re.DOTALL)

    def find(clause, dialect):
        text = compiled(clause, dialect)
        yield from ([f"{found.search(text).group()!r} in {text}"] if found.search(text) else [])

    return find


def clobs(clause, dialect):
    for element in visitors.iterate(clause):
        compares = isinstance(element, BinaryExpression) and element.operator in _CLOB_OPERATORS
        if compares and is_clob(element.left, dialect):
            yield f"a CLOB is compared: {element}"
        if isinstance(element, Select):
            sorted_by = [*element._group_by_clauses, *element._order_by_clauses]
            if element._distinct:
                sorted_by += element.selected_columns
            for part in sorted_by:
                inner = list(visitors.iterate(part))
                if any(is_clob(one, dialect) for one in inner):
                    yield f"a CLOB is grouped, sorted or made distinct: {part}"


def bare_booleans(clause, dialect):
    if dialect.supports_native_boolean:
        return
    text = compiled(clause, dialect)
    if found := _BARE.search(text):
        yield f"{found.group()!r} in {text}"


def quoted_words(clause, dialect):
    text = compiled(clause, dialect)
    if '"' in text:
        yield f"a quoted name in {text}"


def long_labels(clause, dialect):
    text = re.sub(r"'[^']*'|:\w+|__\[\w+\]", "", compiled(clause, dialect))
    for name in re.findall(rf"\b\w{{{NAME_LIMIT + 1},}}\b", text):
        yield f"{name}: {len(name)} characters"


def many_values(clause, dialect):
    del dialect
    if getattr(clause, "_multi_values", None):
        yield "several rows in one INSERT: executemany"


def distinct_on(clause, dialect):
    del dialect
    for element in visitors.iterate(clause):
        if isinstance(element, Select) and element._distinct_on:
            yield "DISTINCT ON is left out without a word"


def upserts(clause, dialect):
    del dialect
    foreign = sqlite.Insert | postgresql.Insert
    if isinstance(clause, foreign):
        yield f"{type(clause)}: neither Oracle nor the other has it"


def uncompiled(clause, dialect):
    try:
        compiled(clause, dialect)
    except CompileError as error:
        yield str(error)


STATEMENTS = (
    Trap(3, "CLOBs compared, grouped or sorted", clobs),
    Trap(4, "IS 1", _pattern(r"\bIS (?:NOT )?[01]\b")),
    Trap(4, "a bare boolean", bare_booleans),
    Trap(5, "a quoted name", quoted_words),
    Trap(6, "a long label", long_labels),
    Trap(7, "ORA-02014", _pattern(r"FETCH FIRST.*FOR UPDATE")),
    Trap(8, "many values", many_values),
    Trap(8, "SELECT EXISTS", _pattern(r"SELECT (?:NOT )?\(?EXISTS")),
    Trap(8, "DISTINCT ON", distinct_on),
    Trap(8, "upserts", upserts),
    Trap(8, "what does not compile", uncompiled),
    Trap(8, "LIMIT", _pattern(r"\bLIMIT\b")),
    Trap(9, "compared with ''", _pattern(r"(?:=|<>|!=)\s*''")),
)


# --- of scripts written by hand ---------------------------------------------------------------------

SCRIPTS = {
    "LIMIT": r"\bLIMIT\b",
    "a boolean word": r"\b(?:TRUE|FALSE)\b",
    "IS 1": r"\bIS (?:NOT )?[01]\b",
    "a cast of PostgreSQL": r"::\w",
    "an upsert": r"\bON CONFLICT\b|\bINSERT OR\b",
    "RETURNING": r"\bRETURNING\b|:ret_0",
    "a quoted name": r'"',
    "an empty string": r"''",
    "AS before a table's alias": r"\b(?:FROM|JOIN)\s+\w+\s+AS\s",
    "a type of others": r"\b(?:TEXT|BOOLEAN|SERIAL|BIGINT|DATETIME|DATE|BLOB|JSON)\b",
    "a function of others": r"\b(?:NOW|STRFTIME|DATE_TRUNC|GROUP_CONCAT|STRING_AGG|IFNULL)\s*\(",
    "several columns set at once": r"\bUPDATE \w+ SET .* FROM\b(?![^(]*\))",
}
"""Of SQL written by hand, in migrations above all: what Oracle 19c refuses."""


def in_script(script):
    """Return which traps of `SCRIPTS` a script holds; comments do not count."""
    code = re.sub(r"--[^\n]*", "", script)
    return [name for name, pattern in SCRIPTS.items() if re.search(pattern, code, re.IGNORECASE)]


# --- what they share --------------------------------------------------------------------------------


def compiled(clause, dialect):
    return str(clause.compile(dialect=dialect))


def is_clob(element, dialect):
    kind = getattr(element, "type", None)
    if kind is None:
        return False
    try:
        return kind.compile(dialect=dialect) in {"CLOB", "BLOB", "JSON"}
    except (ArgumentError, CompileError):
        return False


def _type(column, dialect):
    try:
        return column.type.compile(dialect=dialect)
    except (ArgumentError, CompileError):
        return ""


def _names(table, dialect):
    prepared = dialect.identifier_preparer.format_constraint
    yield str(table.name)
    yield from (str(column.name) for column in table.columns)
    yield from (str(index.name) for index in table.indexes)
    for constraint in table.constraints:
        if constraint.name is not None:
            yield str(prepared(constraint)).strip('"')
