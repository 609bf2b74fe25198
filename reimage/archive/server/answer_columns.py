"""Which column comes of which expression: names, types and units of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from reimage.archive.server.columns import CHAR, DOUBLE, INT, LONG, Column, TableShape
from reimage.archive.server.functions import AS_THEIR_ARGUMENT, FUNCTIONS

_TEXT: Final = Column(name="")
_DOUBLE: Final = Column(name="", datatype=DOUBLE)
_LONG: Final = Column(name="", datatype=LONG)
_INT_LIMIT: Final = 2**31


def fields(tree: exp.Query, tables: Mapping[str, TableShape]) -> tuple[Column, ...]:
    """Return the columns of a qualified query, spelt as the query or the table spells them."""
    scope = build_scope(tree)
    if scope is None:
        return ()
    return _of_scope(scope, tables)


def _of_scope(scope: Scope, tables: Mapping[str, TableShape]) -> tuple[Column, ...]:
    while scope.set_operation_scopes:
        scope = scope.set_operation_scopes[0]  # the first query of a union names the columns
    selected = scope.expression.unnest()
    if not isinstance(selected, exp.Query):
        return ()
    made = []
    for position, projection in enumerate(selected.selects):
        found = _of(projection.unalias(), scope, tables)
        spelt = projection.meta.get("spelt") or found.name or projection.alias_or_name
        made.append(found.renamed(spelt or f"column_{position + 1}"))
    return tuple(made)


def _of(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    """Return what an expression is; without a name where it is no plain column."""
    for kind, rule in _RULES.items():
        if isinstance(node, kind):
            return rule(node, scope, tables)
    return _LONG


def _of_inner(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    return _unnamed(_of(_argument(node), scope, tables))


def _of_mean(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    return replace(_DOUBLE, unit=_of(_argument(node), scope, tables).unit)


def _of_text(_node: exp.Expr, _scope: Scope, _tables: Mapping[str, TableShape]) -> Column:
    return _TEXT


def _of_subquery(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    for inner in scope.subquery_scopes:
        if inner.expression is node.this:
            return _unnamed(_of_scope(inner, tables)[0])
    return _LONG


def _argument(node: exp.Expr) -> exp.Expr:
    inner: exp.Expr = node.this if node.this is not None else node.expressions[0]
    while isinstance(inner, exp.Distinct):
        inner = inner.expressions[0]
    return inner


def _unnamed(column: Column) -> Column:
    """Return a column as the value of an expression: its unit stays, what it is does not."""
    return Column(name="", datatype=column.datatype, unit=column.unit, xtype=column.xtype)


def _of_column(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    place: Scope | None = scope
    while place is not None:
        source = place.sources.get(node.text("table"))
        if isinstance(source, exp.Table):
            shape = tables[".".join(part.name for part in source.parts).lower()]
            columns = shape.columns
        elif source is not None:
            columns = _of_scope(source, tables)
        else:
            place = place.parent
            continue
        for column in columns:
            if column.name.lower() == node.name.lower():
                return column
        break
    return _TEXT


def _of_literal(node: exp.Expr, _scope: Scope, _tables: Mapping[str, TableShape]) -> Column:
    if node.args["is_string"]:
        return _TEXT
    try:
        return Column(name="", datatype=INT if abs(int(node.name)) < _INT_LIMIT else LONG)
    except ValueError:
        return _DOUBLE


def _of_call(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    name = node.name.upper()
    if name in AS_THEIR_ARGUMENT and node.expressions:
        return _unnamed(_of(node.expressions[0], scope, tables))
    return FUNCTIONS[name].result


def _of_arithmetic(node: exp.Expr, scope: Scope, tables: Mapping[str, TableShape]) -> Column:
    kinds = {_of(side, scope, tables).datatype for side in (node.this, node.args["expression"])}
    return _DOUBLE if kinds & {DOUBLE, CHAR} else _LONG


_Rule: TypeAlias = Callable[[exp.Expr, Scope, Mapping[str, TableShape]], Column]
_RULES: Final[dict[type | tuple[type, ...], _Rule]] = {
    exp.Column: _of_column,
    exp.Literal: _of_literal,
    exp.Anonymous: _of_call,
    exp.Avg: _of_mean,
    (exp.Paren, exp.Min, exp.Max, exp.Sum, exp.Neg, exp.Distinct): _of_inner,
    (exp.DPipe, exp.Null): _of_text,
    (exp.Add, exp.Sub, exp.Mul, exp.Div): _of_arithmetic,
    exp.Subquery: _of_subquery,
}
"""What is in none of them counts or compares: a whole number."""
