"""Filters over named columns: ``cycle >= 2 and bands = 6 and targets ~ 'NGC'``.

Parsed, never pasted: a filter becomes conditions on declared columns with bound values.  Operators
are ``= != < <= > >=`` and ``~`` (contains, whatever the case); conditions are joined by ``and``.
A column that holds several words, such as ``bands``, equals a value when one of its words does.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, false, func, literal, not_, true

from reimage.errors import UsageError

_CONDITION = re.compile(
    r"\s*(?P<name>[A-Za-z][A-Za-z0-9_]*)\s*(?P<op><=|>=|!=|=|<|>|~)\s*"
    r"(?P<value>'(?:[^']|'')*'|\"[^\"]*\"|[^\s'\"]+)\s*"
)
_AND = re.compile(r"and\b\s*", re.IGNORECASE)
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TRUTHS = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}


class FilterMalformed(UsageError):
    """A filter cannot be understood."""

    code = "filter-malformed"
    hint = "Write conditions as in: cycle >= 2 and bands = 6 and targets ~ 'NGC'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Filterable:
    """A column that filters may name."""

    column: Any
    kind: Literal["text", "number", "truth", "moment", "words"]


def parse(text: str, columns: Mapping[str, Filterable]) -> list[ColumnElement[bool]]:
    """Return a filter's conditions; an empty text has none.

    Raises
    ------
    FilterMalformed
        The evidence says where.
    """
    conditions: list[ColumnElement[bool]] = []
    position = 0
    while position < len(text.rstrip()):
        if conditions:
            joined = _AND.match(text, position)
            if joined is None:
                raise _malformed(text, position, "expected 'and'")
            position = joined.end()
        match = _CONDITION.match(text, position)
        if match is None:
            raise _malformed(text, position, "expected a column, an operator and a value")
        name = match["name"].lower()
        if name not in columns:
            raise _malformed(text, position, f"no column {name!r}; known: {', '.join(columns)}")
        value = _unquoted(match["value"])
        try:
            conditions.append(_condition(columns[name], match["op"], value))
        except ValueError as error:
            raise _malformed(text, position, f"{name}: {error}") from error
        position = match.end()
    return conditions


def _condition(what: Filterable, op: str, value: str) -> ColumnElement[bool]:
    column = what.column
    if op == "~":
        if what.kind not in {"text", "words"}:
            raise ValueError("only text can contain something")
        found: ColumnElement[bool] = func.lower(column).contains(value.lower(), autoescape=True)
        return found
    if what.kind == "words":
        # Concatenated with blanks, so that 1 is not found in 10.
        word: ColumnElement[bool] = (literal(" ") + func.lower(column) + literal(" ")).contains(
            f" {value.lower()} ", autoescape=True
        )
        if op not in {"=", "!="}:
            raise ValueError("a list of words is only equal or not")
        return word if op == "=" else not_(word)
    if what.kind == "truth" and op not in {"=", "!="}:
        raise ValueError("true and false are only equal or not")
    compared: ColumnElement[bool] = _OPERATORS[op](column, _typed(what.kind, value))
    return compared


def _typed(kind: str, value: str) -> Any:  # noqa: ANN401 -- as the column's kind says
    if kind == "number":
        number = float(value)
        return int(number) if number.is_integer() else number
    if kind == "truth":
        if value.lower() not in _TRUTHS:
            raise ValueError(f"{value!r} is neither true nor false")
        # Expressions, not Python's True: Oracle 19c has no boolean to bind.
        return true() if _TRUTHS[value.lower()] else false()
    if kind == "moment":
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return value


def _unquoted(value: str) -> str:
    if value[0] == "'":
        return value[1:-1].replace("''", "'")
    return value.strip('"')


def _malformed(text: str, position: int, why: str) -> FilterMalformed:
    return FilterMalformed(
        f"filter {text!r}, at character {position + 1}: {why}",
        evidence={"filter": text, "position": position},
    )
