"""The functions of ADQL, as SQLite calls them: names, arguments, results.

Geometries travel as STC-S text.  A function of NULL is NULL; so is a predicate on a region of the
holdings that cannot be read.  What the query itself got wrong is a `FunctionFault`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from reimage.archive.server import geometry, stcs
from reimage.archive.server.columns import DOUBLE, INT, Column
from reimage.archive.server.stcs import Band, Circle, Polygon, Position, Region, RegionMalformed

Value: TypeAlias = Any
"""A value of SQLite: None, int, float or str."""


class FunctionFault(ValueError):
    """A function was given what it cannot take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function: how many arguments it takes and what it gives."""

    call: Callable[..., Value]
    counts: frozenset[int] | None
    """None: any number from one."""
    result: Column
    is_geometry: bool = False


@lru_cache(maxsize=2048)  # rows of one field follow each other
def _region(text: str) -> Region | None:
    try:
        return stcs.parse(text)
    except RegionMalformed:
        return None


def _plain(args: tuple[Value, ...]) -> list[float]:
    """Return the numbers of a constructor, without the frame and with points opened."""
    numbers: list[float] = []
    for position, value in enumerate(args):
        if not isinstance(value, str):
            numbers.append(float(value))
            continue
        found = _region(value)
        if found and isinstance(found[0], Position):
            numbers += [found[0].ra, found[0].dec]
        elif position or not value.strip() or value.upper().split()[0] not in _FRAMES:
            raise FunctionFault(f"{value!r} is neither a frame nor a number; the frame is 'ICRS'")
    return numbers


_FRAMES: Final = {"ICRS", "FK5", "J2000", "UNKNOWNFRAME"}


def _made(word: str, args: tuple[Value, ...]) -> str:
    """Return a geometry as text; the parser of regions checks its numbers."""
    text = f"{word} ICRS " + " ".join(map(repr, _plain(args)))
    try:
        stcs.parse(text)
    except RegionMalformed as error:
        raise FunctionFault(str(error)) from error
    return text


def _point(*args: Value) -> str:
    return _made("Position", args)


def _circle(*args: Value) -> str:
    return _made("Circle", args)


def _polygon(*args: Value) -> str:
    return _made("Polygon", args)


def _box(*args: Value) -> str:
    numbers = _plain(args)
    if len(numbers) != 4 or min(numbers[2:]) <= 0:  # noqa: PLR2004 -- centre and sizes
        raise FunctionFault("BOX takes a centre and two sizes above zero")
    return stcs.write(geometry.box(*numbers))


def _range(ra_min: float, ra_max: float, dec_min: float, dec_max: float) -> str:
    return stcs.write(Band(float(ra_min), float(ra_max), float(dec_min), float(dec_max)))


def _region_of(text: str) -> str:
    try:
        stcs.parse(text)
    except RegionMalformed as error:
        raise FunctionFault(str(error)) from error
    return text


def _pair(test: Callable[[Region, Region], bool], first: Value, second: Value) -> int | None:
    one, two = _region(str(first)), _region(str(second))
    return None if one is None or two is None else int(test(one, two))


def _contains(inner: Value, outer: Value) -> int | None:
    return _pair(geometry.contains, inner, outer)


def _intersects(first: Value, second: Value) -> int | None:
    return _pair(geometry.intersects, first, second)


def _area(region: Value) -> float | None:
    found = _region(str(region))
    return None if found is None else geometry.area(found)


def _centroid(region: Value) -> str | None:
    found = _region(str(region))
    return None if found is None else stcs.write(geometry.centroid(found))


def _position(point: Value) -> Position:
    found = _region(str(point))
    match found:
        case (Position() as position,):
            return position
        case (Circle() | Polygon() as other,):
            raise FunctionFault(f"a {type(other).__name__.lower()} has no coordinates; a point has")
        case _:
            raise FunctionFault(f"{point!r} is not a point")


def _coord1(point: Value) -> float:
    return _position(point).ra


def _coord2(point: Value) -> float:
    return _position(point).dec


def _coordsys(region: Value) -> str | None:
    return None if _region(str(region)) is None else "ICRS"


def _distance(*args: Value) -> float:
    if len(args) == 2:  # noqa: PLR2004 -- two points
        one, two = map(_position, args)
        return geometry.separation((one.ra, one.dec), (two.ra, two.dec))
    ra_1, dec_1, ra_2, dec_2 = map(float, args)
    return geometry.separation((ra_1, dec_1), (ra_2, dec_2))


def _round(value: float, digits: int = 0) -> float:
    return round(float(value), int(digits))


def _truncate(value: float, digits: int = 0) -> float:
    scale = 10.0 ** int(digits)
    return math.trunc(value * scale) / scale


def _mod(value: float, by: float) -> float:
    both_whole = isinstance(value, int) and isinstance(by, int)
    found = math.fmod(value, by)
    return int(found) if both_whole else found


def _cot(value: float) -> float:
    return 1 / math.tan(value)


def _rand(*_seed: Value) -> float:
    return random.random()  # noqa: S311 -- nothing secret


def _coalesce(*args: Value) -> Value:
    return next((value for value in args if value is not None), None)


def _number(call: Callable[..., Value], *counts: int) -> Function:
    return Function(call=call, counts=frozenset(counts or {1}), result=_DOUBLE)


_DOUBLE: Final = Column(name="", datatype=DOUBLE)
_INT: Final = Column(name="", datatype=INT)
_TEXT: Final = Column(name="")
_DEGREES: Final = Column(name="", datatype=DOUBLE, unit="deg")
_POINT: Final = Column(name="", xtype="adql:POINT")
_SHAPE: Final = Column(name="", xtype="adql:REGION")


def _shape(call: Callable[..., Value], result: Column, *counts: int) -> Function:
    chosen = frozenset(counts) if counts else None
    return Function(call=call, counts=chosen, result=result, is_geometry=True)


_OF_ONE_NUMBER: Final[dict[str, Callable[..., Value]]] = {
    "ABS": abs, "CEILING": math.ceil, "DEGREES": math.degrees, "EXP": math.exp,
    "FLOOR": math.floor, "LOG": math.log, "LOG10": math.log10, "RADIANS": math.radians,
    "SQRT": math.sqrt, "ACOS": math.acos, "ASIN": math.asin, "ATAN": math.atan, "COS": math.cos,
    "SIN": math.sin, "TAN": math.tan, "COT": _cot,
}  # fmt: skip
FUNCTIONS: Final[dict[str, Function]] = {
    "POINT": _shape(_point, _POINT, 2, 3),
    "CIRCLE": _shape(_circle, _SHAPE, 2, 3, 4),
    "BOX": _shape(_box, _SHAPE, 3, 4, 5),
    "POLYGON": _shape(_polygon, _SHAPE),
    "REGION": _shape(_region_of, _SHAPE, 1),
    "CONTAINS": _shape(_contains, _INT, 2),
    "INTERSECTS": _shape(_intersects, _INT, 2),
    "AREA": _shape(_area, Column(name="", datatype=DOUBLE, unit="deg**2"), 1),
    "CENTROID": _shape(_centroid, _POINT, 1),
    "COORD1": _shape(_coord1, _DEGREES, 1),
    "COORD2": _shape(_coord2, _DEGREES, 1),
    "COORDSYS": _shape(_coordsys, _TEXT, 1),
    "DISTANCE": _shape(_distance, _DEGREES, 2, 4),
    "RANGE_S2D": Function(call=_range, counts=frozenset({4}), result=_SHAPE),
    **{name: _number(call) for name, call in _OF_ONE_NUMBER.items()},
    "ATAN2": _number(math.atan2, 2),
    "MOD": _number(_mod, 2),
    "POWER": _number(math.pow, 2),
    "PI": Function(call=lambda: math.pi, counts=frozenset({0}), result=_DOUBLE),
    "RAND": Function(call=_rand, counts=frozenset({0, 1}), result=_DOUBLE),
    "ROUND": _number(_round, 1, 2),
    "TRUNCATE": _number(_truncate, 1, 2),
    "UPPER": Function(call=lambda text: str(text).upper(), counts=frozenset({1}), result=_TEXT),
    "LOWER": Function(call=lambda text: str(text).lower(), counts=frozenset({1}), result=_TEXT),
    "COALESCE": Function(call=_coalesce, counts=None, result=_TEXT),
}  # fmt: skip
"""By their names in ADQL."""

TAKES_NULL: Final = {"COALESCE"}
AS_THEIR_ARGUMENT: Final = {"ABS", "MOD", "COALESCE", "CEILING", "FLOOR"}
"""Their result has the type of the first argument."""


def sql_name(name: str) -> str:
    """Return what a function is called in SQLite, where some names have another meaning."""
    return f"adql_{name.lower()}"


def guarded(name: str, told: Callable[[str], None]) -> Callable[..., Value]:
    """Return a function for SQLite: NULL in, NULL out; ``told`` gets what the query did wrong."""
    function = FUNCTIONS[name]

    def call(*args: Value) -> Value:
        if name not in TAKES_NULL and any(value is None for value in args):
            return None
        try:
            return function.call(*args)
        except FunctionFault as error:
            told(f"{name}: {error}")
            raise
        except (ArithmeticError, ValueError):
            return None  # as a database does with the logarithm of a negative number
        except TypeError as error:
            told(f"{name}: takes numbers")
            raise FunctionFault(name) from error

    return call
