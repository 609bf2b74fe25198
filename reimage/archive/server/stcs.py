"""Regions as the archive writes them, read into shapes on the sphere.

ALMA's ``s_region`` is not standard STC-S: a union states its frame outside or not at all, and
``Not (...)`` follows the polygon that it cuts.  Angles are degrees, ICRS.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Ring: TypeAlias = tuple[tuple[float, float], ...]
"""Longitudes and latitudes in degrees, not closed."""


class RegionMalformed(ValueError):
    """A text is no region."""


@dataclass(frozen=True, slots=True)
class Position:
    """A point."""

    ra: float
    dec: float


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within a radius in degrees."""

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True, slots=True)
class Polygon:
    """A ring of great circles and the holes in it."""

    outer: Ring
    holes: tuple[Polygon | Circle, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """All points between two meridians and two parallels; from the first eastward to the second."""

    ra_min: float
    ra_max: float
    dec_min: float
    dec_max: float


Part: TypeAlias = Position | Circle | Polygon | Band
Region: TypeAlias = tuple[Part, ...]
"""The union of its parts."""

_TOKEN: Final = re.compile(r"[()]|[^\s(),]+")
_FRAMES: Final = {
    "ICRS", "FK5", "J2000", "UNKNOWNFRAME", "UNKNOWNREFPOS", "BARYCENTER", "GEOCENTER",
    "TOPOCENTER", "SPHERICAL2", "SPHER2",
}  # fmt: skip
_SIZES: Final = {"POSITION": 2, "CIRCLE": 3, "RANGE": 4}
_FULL_TURN, _POLE = 360.0, 90.0


def parse(text: str) -> Region:
    """Read a region.

    Raises
    ------
    RegionMalformed
    """
    cleaned = text.strip()
    if cleaned.startswith("b'") and cleaned.endswith("'"):  # as older clients hand it out
        cleaned = cleaned[2:-1]
    words = cleaned.split()
    try:  # nearly all of the archive's are one shape, and this is the quick way
        plain = [float(word) for word in words[2:]] if words[1:2] == ["ICRS"] else []
    except ValueError:
        plain = []
    if plain:
        return (_shape(words[0].upper(), plain, text),)
    parts = _Reader(_TOKEN.findall(cleaned), text).region()
    if not parts:
        raise RegionMalformed(f"{text[:80]!r} is not a region")
    return parts


class _Reader:
    """Walks over the tokens of one region."""

    def __init__(self, tokens: list[str], text: str) -> None:
        self.tokens, self.text, self.at = tokens, text, 0

    def region(self) -> Region:
        parts: list[Part] = []
        while self.at < len(self.tokens):
            word = self._next().upper()
            if word in {"UNION", "(", ")"} or self._is_frame(word):
                continue
            if word == "NOT":
                self._cut(parts)
            else:
                parts.append(self._read_shape(word))
        return tuple(parts)

    def _cut(self, parts: list[Part]) -> None:
        """Read what follows ``Not`` and take it from the last polygon."""
        while self.tokens[self.at : self.at + 1] == ["("]:
            self.at += 1
        if self.at >= len(self.tokens):
            raise _wrong(self.text, "ends in Not")
        hole = self._read_shape(self._next().upper())
        if not parts or not isinstance(parts[-1], Polygon) or isinstance(hole, Position | Band):
            raise _wrong(self.text, "has a Not that cuts nothing")
        parts[-1] = Polygon(parts[-1].outer, (*parts[-1].holes, hole))

    def _read_shape(self, word: str) -> Part:
        return _shape(word, self._numbers(), self.text)

    def _numbers(self) -> list[float]:
        found: list[float] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if self._is_frame(token.upper()) and not found:
                self.at += 1
                continue
            try:
                number = float(token)
            except ValueError:
                break
            found.append(number)
            self.at += 1
        return found

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    @staticmethod
    def _is_frame(word: str) -> bool:
        return word in _FRAMES


def _shape(word: str, numbers: list[float], text: str) -> Part:
    """Return one shape of its name and its numbers."""
    if not all(map(math.isfinite, numbers)):
        raise _wrong(text, "has a number that is none")
    if word == "POLYGON":
        if len(numbers) < 6 or len(numbers) % 2:  # noqa: PLR2004 -- three corners
            raise _wrong(text, "has a polygon without three corners")
        ras, decs = (_turned(ra) for ra in numbers[::2]), numbers[1::2]
        _check_latitudes(decs, text)
        return Polygon(_ring(list(zip(ras, decs, strict=True))))
    if word not in _SIZES:
        raise _wrong(text, f"has an unknown shape {word}")
    if len(numbers) != _SIZES[word]:
        raise _wrong(text, f"{word} takes {_SIZES[word]} numbers, not {len(numbers)}")
    if word == "RANGE":
        return Band(*numbers)
    _check_latitudes(numbers[1:2], text)
    if word == "POSITION":
        return Position(_turned(numbers[0]), numbers[1])
    if not 0 <= numbers[2] <= 2 * _POLE:
        raise _wrong(text, "has a circle with an impossible radius")
    return Circle(_turned(numbers[0]), *numbers[1:])


def _check_latitudes(decs: list[float], text: str) -> None:
    if max(map(abs, decs)) > _POLE:
        raise _wrong(text, "has a latitude beyond the pole")


def _wrong(text: str, why: str) -> RegionMalformed:
    return RegionMalformed(f"{text[:80]!r} {why}")


def _turned(ra: float) -> float:
    return ra % _FULL_TURN


def _ring(corners: list[tuple[float, float]]) -> Ring:
    """Drop the repeated first corner of a ring that was closed."""
    closed = len(corners) > 3 and corners[0] == corners[-1]  # noqa: PLR2004 -- a triangle stays one
    return tuple(corners[:-1] if closed else corners)


def write(part: Part) -> str:
    """Return a part as STC-S, so that it can be a value of a column."""
    match part:
        case Position(ra, dec):
            return f"Position ICRS {ra!r} {dec!r}"
        case Circle(ra, dec, radius):
            return f"Circle ICRS {ra!r} {dec!r} {radius!r}"
        case Band(ra_min, ra_max, dec_min, dec_max):
            return f"Range ICRS {ra_min!r} {ra_max!r} {dec_min!r} {dec_max!r}"
        case Polygon(outer):
            return "Polygon ICRS " + " ".join(f"{ra!r} {dec!r}" for ra, dec in outer)
