"""Predicates and measures of regions on the sphere.

Points and circles are compared exactly; everything else is drawn in a plane.  The plane is
gnomonic, where great circles are straight; regions that span more than its half of the sky, and
bands between parallels, are drawn in longitude and latitude instead.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import shapely
from shapely.geometry.base import BaseGeometry

from reimage.archive.server.stcs import Band, Circle, Part, Polygon, Position, Region, Ring

Point: TypeAlias = tuple[float, float]
_CORNERS: Final = 256
"""Of a circle that is drawn."""
_REACH_DEG: Final = 80.0
"""How far from its middle the gnomonic plane is used."""
_SQUARE_DEG: Final = math.degrees(1) ** 2
_EPSILON_DEG: Final = 1e-10


def separation(first: Point, second: Point) -> float:
    """Return the angle between two directions; all in degrees."""
    ra_1, dec_1, ra_2, dec_2 = map(math.radians, (*first, *second))
    half = (
        math.sin((dec_2 - dec_1) / 2) ** 2
        + math.cos(dec_1) * math.cos(dec_2) * math.sin((ra_2 - ra_1) / 2) ** 2
    )
    return math.degrees(2 * math.asin(math.sqrt(min(1.0, half))))


def intersects(first: Region, second: Region) -> bool:
    """Tell whether two regions have a point in common."""
    exact = _exact(first, second, inside=False)
    if exact is not None:
        return exact
    if _apart(first, second):
        return False
    middle = _plane(first, second)
    return bool(_drawn(first, middle).intersects(_drawn(second, middle)))


def contains(inner: Region, outer: Region) -> bool:
    """Tell whether the first region lies within the second, its border included."""
    exact = _exact(inner, outer, inside=True)
    if exact is not None:
        return exact
    if _apart(inner, outer):
        return False
    middle = _plane(inner, outer)
    return bool(_drawn(outer, middle).covers(_drawn(inner, middle)))


def area(region: Region) -> float:
    """Return the area in square degrees; parts of a union count as they are, overlaps twice."""
    return sum(_area(part) for part in region)


def centroid(region: Region) -> Position:
    """Return the middle of a region."""
    match region:
        case (Circle(ra, dec) | Position(ra, dec),):
            return Position(ra, dec)
        case _:
            middle = _plane(region, region)
    found = _drawn(region, middle).centroid
    if middle is None:
        return Position(found.x % 360, found.y)
    ra, dec = lift(middle, (found.x, found.y))
    return Position(ra, dec)


def box(ra: float, dec: float, width: float, height: float) -> Polygon:
    """Return the box of ADQL: great circles across the ends of a cross of the given arms."""
    x, y = (math.tan(math.radians(min(size / 2, _REACH_DEG))) for size in (width, height))
    return Polygon(tuple(lift((ra, dec), at) for at in ((-x, -y), (x, -y), (x, y), (-x, y))))


def lift(middle: Point, at: Point) -> Point:
    """Return the direction of a point of the gnomonic plane round ``middle``."""
    (x, y), dec_0 = at, math.radians(middle[1])
    rho = math.hypot(x, y)
    if not rho:
        return middle
    angle = math.atan(rho)
    sine, cosine = math.sin(angle), math.cos(angle)
    dec = math.asin(cosine * math.sin(dec_0) + y * sine * math.cos(dec_0) / rho)
    turn = math.atan2(x * sine, rho * math.cos(dec_0) * cosine - y * math.sin(dec_0) * sine)
    return (middle[0] + math.degrees(turn)) % 360, math.degrees(dec)


# --- exact answers, and quick ones -------------------------------------------------------------


def _exact(first: Region, second: Region, *, inside: bool) -> bool | None:
    """Answer for a point or a circle against a circle or a band; None: it must be drawn."""
    if len(first) != 1 or len(second) != 1:
        return None
    match first[0], second[0]:
        case (Position() | Circle()) as one, (Position() | Circle()) as two:
            r_1, r_2 = _radius(one), _radius(two)
            reach = r_2 - r_1 if inside else r_1 + r_2
            return separation((one.ra, one.dec), (two.ra, two.dec)) <= reach + _EPSILON_DEG
        case Position(ra, dec), Band() as band:
            return _within(ra, dec, band)
        case (Band() as band, Position(ra, dec)) if not inside:
            return _within(ra, dec, band)
    return None


def _radius(part: Position | Circle) -> float:
    return part.radius if isinstance(part, Circle) else 0.0


def _within(ra: float, dec: float, band: Band) -> bool:
    span = band.ra_max - band.ra_min
    turned = span >= 360 or (ra - band.ra_min) % 360 <= span % 360  # noqa: PLR2004 -- a full turn
    return turned and band.dec_min <= dec <= band.dec_max


def _apart(first: Region, second: Region) -> bool:
    one, two = _cap(first), _cap(second)
    if one is None or two is None:
        return False
    return separation((one.ra, one.dec), (two.ra, two.dec)) > one.radius + two.radius + 1e-6


@lru_cache(maxsize=2048)
def _cap(region: Region) -> Circle | None:
    """Return a circle round a region; None where it is not worth one."""
    points: list[Point] = []
    for part in region:
        match part:
            case Band():
                return None
            case Position(ra, dec) | Circle(ra, dec):
                points.append((ra, dec))
            case Polygon(outer):
                points.extend(outer)
    ra, dec = _middle(tuple(points))
    widest = max((part.radius for part in region if isinstance(part, Circle)), default=0.0)
    return Circle(ra, dec, max(separation((ra, dec), point) for point in points) + widest)


def _middle(points: Ring) -> Point:
    """Return the direction of the mean of unit vectors."""
    x, y, z = (sum(axis) for axis in zip(*map(_vector, points), strict=True))
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.atan2(z, math.hypot(x, y)))


def _vector(point: Point) -> tuple[float, float, float]:
    ra, dec = map(math.radians, point)
    return math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)


# --- drawing -----------------------------------------------------------------------------------


def _plane(first: Region, second: Region) -> Point | None:
    """Return the middle of the gnomonic plane for two regions; None: longitude and latitude."""
    one, two = _cap(first), _cap(second)
    if one is None or two is None:
        return None
    small = one if one.radius < two.radius else two
    other = two if small is one else one
    reach = separation((small.ra, small.dec), (other.ra, other.dec)) + other.radius
    return (small.ra, small.dec) if max(reach, small.radius) < _REACH_DEG else None


def _drawn(region: Region, middle: Point | None) -> BaseGeometry:
    return shapely.union_all([_drawn_part(part, middle) for part in region])


def _drawn_part(part: Part, middle: Point | None) -> BaseGeometry:
    match part:
        case Position(ra, dec):
            return shapely.Point(*_flat(((ra, dec),), middle)[0])
        case Circle():
            return shapely.make_valid(shapely.Polygon(_flat(_round(part), middle)))
        case Polygon(outer, holes):
            whole = shapely.make_valid(shapely.Polygon(_flat(outer, middle)))
            for hole in holes:
                whole = whole.difference(_drawn_part(hole, middle))
            return whole
        case Band(ra_min, ra_max, dec_min, dec_max):
            end = ra_max if ra_max >= ra_min else ra_max + 360
            turns = (-360, 0, 360)
            boxes = [shapely.box(ra_min + t, dec_min, end + t, dec_max) for t in turns]
            return shapely.union_all(boxes)


def _flat(ring: Ring, middle: Point | None) -> list[Point]:
    if middle is not None:
        return [_projected(point, middle) for point in ring]
    ra_0 = _middle(ring)[0]
    return [(ra_0 + (ra - ra_0 + 180) % 360 - 180, dec) for ra, dec in ring]


def _projected(point: Point, middle: Point) -> Point:
    ra, dec, ra_0, dec_0 = map(math.radians, (*point, *middle))
    cosine = math.sin(dec_0) * math.sin(dec) + math.cos(dec_0) * math.cos(dec) * math.cos(ra - ra_0)
    return (
        math.cos(dec) * math.sin(ra - ra_0) / cosine,
        (math.cos(dec_0) * math.sin(dec) - math.sin(dec_0) * math.cos(dec) * math.cos(ra - ra_0))
        / cosine,
    )


def _round(circle: Circle) -> Ring:
    """Return corners on a circle."""
    dec_0, radius = math.radians(circle.dec), math.radians(circle.radius)
    corners = []
    for number in range(_CORNERS):
        bearing = 2 * math.pi * number / _CORNERS
        dec = math.asin(
            math.sin(dec_0) * math.cos(radius)
            + math.cos(dec_0) * math.sin(radius) * math.cos(bearing)
        )
        turn = math.atan2(
            math.sin(bearing) * math.sin(radius) * math.cos(dec_0),
            math.cos(radius) - math.sin(dec_0) * math.sin(dec),
        )
        corners.append(((circle.ra + math.degrees(turn)) % 360, math.degrees(dec)))
    return tuple(corners)


# --- area --------------------------------------------------------------------------------------


def _area(part: Part) -> float:
    match part:
        case Position():
            return 0.0
        case Circle(_, _, radius):
            return 2 * math.pi * (1 - math.cos(math.radians(radius))) * _SQUARE_DEG
        case Band(ra_min, ra_max, dec_min, dec_max):
            span = ra_max - ra_min if ra_max >= ra_min else ra_max + 360 - ra_min
            low, high = math.sin(math.radians(dec_min)), math.sin(math.radians(dec_max))
            return math.radians(min(span, 360)) * (high - low) * _SQUARE_DEG
        case Polygon(outer, holes):
            return _excess(outer) - sum(_area(hole) for hole in holes)


def _excess(ring: Ring) -> float:
    """Return the area inside great circles, from the solid angles of the triangles of a fan."""
    first, *others = map(_vector, ring)
    total = 0.0
    for second, third in pairwise(others):
        triple = (
            first[0] * (second[1] * third[2] - second[2] * third[1])
            + first[1] * (second[2] * third[0] - second[0] * third[2])
            + first[2] * (second[0] * third[1] - second[1] * third[0])
        )
        total += 2 * math.atan2(
            triple, 1 + _dot(first, second) + _dot(second, third) + _dot(third, first)
        )
    return abs(total) * _SQUARE_DEG


def _dot(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))
