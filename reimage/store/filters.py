"""Filters over named columns: ``cycle >= 2 and (bands = 6 or bands = 7) and not targets ~ 'NGC'``.

Parsed, never pasted: a filter becomes conditions on declared columns with bound values.  Operators
are ``= != < <= > >=`` and ``~`` (contains, whatever the case); conditions are joined by ``and`` and
``or`` (``and`` binds closer), turned round by ``not``, and grouped by parentheses.  A column that
holds several words, such as ``bands``, equals a value when one of its words does.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    and_,
    bindparam,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)

from reimage.errors import UsageError

_CONDITION = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*)\s*(?P<op><=|>=|!=|=|<|>|~)\s*"
    r"(?P<value>'(?:[^']|'')*'|\"[^\"]*\"|[^\s'\"()]+)"
)
_BLANK = re.compile(r"\s*")
_DEEPEST = 50
_MOST = 200
"""Conditions in one filter: databases take no expression of any depth (SQLite: 1000)."""
_LARGEST = 2**63 - 1
"""Of whole numbers, in any database."""
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
    hint = "Write conditions as in: cycle >= 2 and (band = 6 or band = 7) and targets ~ 'NGC'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Filterable:
    """A column that filters may name."""

    column: Any
    kind: Literal["text", "number", "truth", "moment", "words"]
    also: tuple[str, ...] = ()
    """Other names, understood and not listed."""


def parse(text: str, columns: Mapping[str, Filterable]) -> list[ColumnElement[bool]]:
    """Return a filter's conditions, all of which must hold; an empty text has none.

    Raises
    ------
    FilterMalformed
        The evidence says where.
    """
    reader = _Reader(text, columns)
    if "\0" in text:
        raise reader.malformed("a character that no database keeps")
    if reader.is_at_end():
        return []
    conditions = reader.any_of()
    if not reader.is_at_end():
        raise reader.malformed("expected 'and' or 'or'")
    return conditions


def ordering(name: str, columns: Mapping[str, Filterable]) -> ColumnElement[Any]:
    """Return by which column is sorted, ``-`` before it: falling; what is unknown comes last.

    Raises
    ------
    FilterMalformed
    """
    plain = name.strip().removeprefix("-")
    found = _named(plain.lower(), columns)
    if found is None:
        raise FilterMalformed(
            f"cannot sort by {plain!r}: no such column; known: {', '.join(columns)}",
            hint="Write a column, `-` before it for the other direction: -n_bytes.",
            evidence={"order": name},
        )
    column = found.column
    ordered: ColumnElement[Any] = column.desc() if name.strip().startswith("-") else column.asc()
    return ordered.nulls_last()


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str, columns: Mapping[str, Filterable]) -> None:
        self._text, self._columns = text, columns
        self._at, self._depth, self._n = 0, 0, 0

    def is_at_end(self) -> bool:
        self._skip()
        return self._at >= len(self._text)

    def malformed(self, why: str) -> FilterMalformed:
        return FilterMalformed(
            f"filter {self._text!r}, at character {self._at + 1}: {why}",
            evidence={"filter": self._text, "position": self._at},
        )

    def any_of(self) -> list[ColumnElement[bool]]:
        """Read what ``or`` joins; without one, return the conditions that ``and`` joins."""
        alternatives = [self._all_of()]
        while self._took("or"):
            alternatives.append(self._all_of())
        if len(alternatives) == 1:
            return alternatives[0]
        return [or_(*(and_(*conditions) for conditions in alternatives))]

    def _all_of(self) -> list[ColumnElement[bool]]:
        conditions = self._one()
        while self._took("and"):
            conditions += self._one()
        return conditions

    def _one(self) -> list[ColumnElement[bool]]:
        if self._took("not"):
            self._deeper()
            denied = not_(and_(*self._one()))
            self._depth -= 1
            return [denied]
        if not self._took("("):
            return [self._condition()]
        self._deeper()
        conditions = self.any_of()
        if not self._took(")"):
            raise self.malformed("expected ')'")
        self._depth -= 1
        return conditions

    def _condition(self) -> ColumnElement[bool]:
        self._skip()
        self._n += 1
        if self._n > _MOST:
            raise self.malformed(f"more than {_MOST} conditions")
        match = _CONDITION.match(self._text, self._at)
        if match is None:
            raise self.malformed("expected a column, an operator and a value")
        name = match["name"].lower()
        found = _named(name, self._columns)
        if found is None:
            raise self.malformed(f"no column {name!r}; known: {', '.join(self._columns)}")
        try:
            condition = _condition(found, match["op"], _unquoted(match["value"]))
        except (ValueError, OverflowError) as error:
            self._at = match.start("value")
            raise self.malformed(f"{name}: {error}") from error
        self._at = match.end()
        return condition

    def _took(self, word: str) -> bool:
        """Step over a word or a parenthesis, if it comes next."""
        self._skip()
        end = self._at + len(word)
        is_there = self._text[self._at : end].lower() == word
        follows = self._text[end : end + 1]
        if not is_there or (word.isalpha() and not (not follows or follows in "( \t\r\n'\"")):
            return False
        self._at = end
        return True

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.malformed("too many parentheses within each other")

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at


def _named(name: str, columns: Mapping[str, Filterable]) -> Filterable | None:
    return columns.get(name) or next((one for one in columns.values() if name in one.also), None)


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
    typed = _number(column, value) if what.kind == "number" else _typed(what.kind, value)
    compared: ColumnElement[bool] = _OPERATORS[op](column, typed)
    return compared


def _number(column: Any, value: str) -> ColumnElement[Any]:  # noqa: ANN401 -- any column
    """Return a number, bound as a wide one: a column may hold smaller numbers than are asked for."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no number")
    if isinstance(column.type, Integer) and abs(number) > _LARGEST:
        raise ValueError(f"{value} is too large")
    if number.is_integer() and abs(number) <= _LARGEST:
        return bindparam(column.key, int(number), BigInteger(), unique=True)
    return bindparam(column.key, number, Double(), unique=True)


def _typed(kind: str, value: str) -> Any:  # noqa: ANN401 -- as the column's kind says
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
