"""ADQL read, checked and written as SQLite's SQL.

Nothing of the query's text reaches the database: it is parsed, every part of the tree must be one
that ADQL has, every table and column one that is served, and SQL is written from the tree.  A
backslash escapes in LIKE, as `astroquery.alma` expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlglot
from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.tokenizer_core import TokenType

from reimage.archive.server.answer_columns import fields
from reimage.archive.server.columns import Column, TableShape
from reimage.archive.server.functions import FUNCTIONS, sql_name
from reimage.errors import UsageError


class QueryRefused(UsageError):
    """The local archive does not take a query: its text, its tables, its columns or its functions."""

    code = "adql-refused"
    hint = "The answer says which part; /tap/tables lists what can be asked for."


class Adql(Dialect):
    """ADQL 2.0 as far as sqlglot must know it: TOP for LIMIT, no functions of its own."""

    NORMALIZATION_STRATEGY = NormalizationStrategy.CASE_INSENSITIVE
    TYPED_DIVISION = True
    SAFE_DIVISION = True

    class Tokenizer(tokens.Tokenizer):
        """``TOP`` is a word, ``LIMIT`` is none."""

        KEYWORDS: ClassVar = {
            **{word: kind for word, kind in tokens.Tokenizer.KEYWORDS.items() if word != "LIMIT"},
            "TOP": TokenType.TOP,
        }

    class Parser(parser.Parser):
        """Only aggregates have a form of their own; everything else is a name with arguments."""

        FUNCTIONS: ClassVar = {
            kind.sql_names()[0]: kind.from_arg_list
            for kind in (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)
        }
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}


_PARTS: Final = (
    exp.Select, exp.Subquery, exp.Table, exp.TableAlias, exp.Column, exp.Identifier, exp.Star,
    exp.Alias, exp.Literal, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit,
    exp.Offset, exp.Join, exp.From, exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT,
    exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Like, exp.Is, exp.Null, exp.Exists, exp.Add,
    exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.DPipe, exp.Anonymous, exp.Count, exp.Sum, exp.Avg,
    exp.Min, exp.Max, exp.Distinct, exp.Union, exp.Except, exp.Intersect, exp.Tuple, exp.Escape,
)  # fmt: skip
"""Of the tree that ADQL can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the database runs, and the columns that come of it."""

    sql: str
    columns: tuple[Column, ...]


def translate(query: str, tables: Mapping[str, TableShape]) -> Statement:
    """Return a query as SQLite's.

    Parameters
    ----------
    tables
        What can be asked for, by its name with its schema's, in lower case.

    Raises
    ------
    QueryRefused
    """
    try:
        tree = _checked(query, tables)
        known = qualify(tree, dialect=Adql, schema=_schema(tables), quote_identifiers=True)
        columns = fields(known, tables)
        return Statement(sql=_written(known), columns=columns)
    except RecursionError as error:
        raise QueryRefused("the query is nested too deeply") from error
    except SqlglotError as error:
        raise QueryRefused(_first_line(error)) from error


def _checked(query: str, tables: Mapping[str, TableShape]) -> exp.Query:
    tree = _parsed(query)
    if any(not select.expressions for select in tree.find_all(exp.Select)):
        raise QueryRefused("not ADQL: nothing is selected")
    for node in tree.walk():
        if not isinstance(node, _PARTS):
            raise QueryRefused(f"ADQL has no {type(node).__name__} (near {node.sql()[:60]!r})")
        _keep_name(node)
    _check_tables(tree, tables)
    _check_functions(tree)
    return tree


def _parsed(query: str) -> exp.Query:
    if not query.strip():
        raise QueryRefused("QUERY is empty")
    try:
        trees = sqlglot.parse(query.strip().rstrip(";"), dialect=Adql)
    except SqlglotError as error:
        raise QueryRefused(f"not ADQL: {_first_line(error)}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise QueryRefused("a query is one SELECT")
    return trees[0]


def _first_line(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.replace("\x1b[4m", "").replace("\x1b[0m", "")


def _keep_name(node: exp.Expr) -> None:
    """Remember how the query spells an output column; what follows works in lower case."""
    if isinstance(node, exp.Alias):
        node.meta["spelt"] = node.alias


def _check_tables(tree: exp.Query, tables: Mapping[str, TableShape]) -> None:
    for table in tree.find_all(exp.Table):
        name = ".".join(part.name for part in table.parts).lower()
        if name not in tables:
            listed = ", ".join(sorted(tables))
            raise QueryRefused(f"there is no table {name or table.sql()}; there are {listed}")


def _check_functions(tree: exp.Query) -> None:
    for call in tree.find_all(exp.Anonymous):
        name = call.name.upper()
        function = FUNCTIONS.get(name)
        if function is None:
            raise QueryRefused(f"there is no function {name}")
        given = len(call.expressions)
        if function.counts is not None and given not in function.counts:
            wanted = " or ".join(map(str, sorted(function.counts)))
            raise QueryRefused(f"{name} takes {wanted} arguments, not {given}")
        if function.counts is None and not given:
            raise QueryRefused(f"{name} takes arguments")


def _schema(tables: Mapping[str, TableShape]) -> dict[str, object]:
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for shape in tables.values():
        columns = {column.name.lower(): column.affinity for column in shape.columns}
        nested.setdefault(shape.schema.lower(), {})[shape.bare_name.lower()] = columns
    return dict(nested)


def _written(tree: exp.Query) -> str:
    """Write the tree as SQLite's SQL."""
    for call in list(tree.find_all(exp.Anonymous)):
        call.set("this", sql_name(call.name))
    for like in list(tree.find_all(exp.Like)):
        if not isinstance(like.parent, exp.Escape):
            like.replace(exp.Escape(this=like.copy(), expression=exp.Literal.string("\\")))
    return tree.sql(dialect="sqlite", comments=False)
