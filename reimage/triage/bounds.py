"""Ranges of versions in error classes: ``>=6.5,<6.7`` or ``==4.7.2``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from reimage.casa.numbers import numbers

_BOUND = re.compile(r"\s*(?P<sign><=|>=|==|!=|<|>)\s*(?P<version>\d+(?:[.-]\d+)*)\s*")
_SIGNS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


def within(version: str, bounds: str) -> bool:
    """Whether a version keeps every bound; as many numbers are compared as the bound states."""
    stated = numbers(version)
    return bool(stated) and all(
        _SIGNS[sign](stated[: len(bound)], bound) for sign, bound in _bounds(bounds)
    )


def check(bounds: str) -> str:
    """Return bounds that can be read.

    Raises
    ------
    ValueError
    """
    _bounds(bounds)
    return bounds


Bounds = Annotated[str, AfterValidator(check)]


def _bounds(text: str) -> list[tuple[str, tuple[int, ...]]]:
    read = [_BOUND.fullmatch(part) for part in text.split(",")]
    if not all(read):
        raise ValueError(f"not a range of versions like '>=6.5,<6.7': {text!r}")
    return [(one["sign"], numbers(one["version"])) for one in read if one]
