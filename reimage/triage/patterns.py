"""Regular expressions of error classes: refused when a log could make them run for ever.

Python's engine tries every way to match.  Where repetitions are nested, or an alternative is repeated,
the ways double with every character; where several broad repetitions follow each other, they grow with
a power of the length.  Both are seen in the pattern itself, so they are refused when it is read; texts
are short (`reimage.triage.clues.MOST_CHARACTERS`), so what passes ends soon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MOST_CHARACTERS = 2000
MOST_REPETITIONS = 3
"""Without bound, one after another in one alternative."""
MOST_WAYS = 100_000
"""In which what is bounded (options, alternatives, ``{1,3}``) can match, all together."""
MANY = 1000
"""A repetition of more counts as one without bound."""
_SLOW = "a regular expression that may be slow: "


def check(pattern: str) -> str:
    """Return a pattern that is safe to search for.

    Raises
    ------
    ValueError
        It is no regular expression, or a text could make it too slow; says which of both.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise ValueError(f"a regular expression of {len(pattern)} characters")
    try:
        tree = parser.parse(pattern)
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    repetitions, ways = _sequence(tree)
    if repetitions > MOST_REPETITIONS:
        raise ValueError(f"{_SLOW}more than {MOST_REPETITIONS} repetitions without bound in a row")
    if ways > MOST_WAYS:
        raise ValueError(f"{_SLOW}it can match in more than {MOST_WAYS} ways")
    return pattern


Cost = tuple[int, int]
"""How many repetitions without bound follow each other, and in how many ways all else can match."""


def _sequence(items: Iterable[Any]) -> Cost:
    costs = [_item(str(operator), value) for operator, value in items]
    return sum(repetitions for repetitions, _ in costs), _product(ways for _, ways in costs)


def _item(operator: str, value: Any) -> Cost:  # noqa: ANN401 -- what the parser gives
    if operator in {"MAX_REPEAT", "MIN_REPEAT"}:
        return _repetition(*value)
    if operator == "BRANCH":
        costs = [_sequence(alternative) for alternative in value[1]]
        return max(repetitions for repetitions, _ in costs), sum(ways for _, ways in costs)
    if operator in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return _sequence(value[-1])
    if operator in {"GROUPREF", "GROUPREF_EXISTS"}:
        raise ValueError(f"{_SLOW}it refers to a group")
    return 0, 1  # a character, a place; atomic groups and possessive repetitions never go back


def _repetition(least: Any, most: Any, body: Iterable[Any]) -> Cost:  # noqa: ANN401 -- see above
    repetitions, ways = _sequence(body)
    if int(most) > MANY:
        if repetitions or ways > 1:
            raise ValueError(f"{_SLOW}what is repeated can itself match in several ways")
        return 1, 1
    counts = int(most) - int(least) + 1
    return repetitions * int(most), min(counts * ways ** int(most), MOST_WAYS + 1)


def _product(numbers: Iterable[int]) -> int:
    product = 1
    for number in numbers:
        product = min(product * number, MOST_WAYS + 1)
    return product
