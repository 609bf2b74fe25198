"""Regions on the sphere: the archive's own texts, predicates by rule, measures against known values."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import pytest
from astropy.io.votable import parse_single_table
from hypothesis import assume, given
from hypothesis import strategies as st

from reimage.archive.server import geometry, stcs
from reimage.archive.server.stcs import Band, Circle, Polygon, Position, RegionMalformed

CORPUS = Path(__file__).parents[3] / "corpus" / "archive"
ALL_SKY = 4 * math.pi * math.degrees(1) ** 2
ras, decs = st.floats(0, 359.999), st.floats(-89, 89)
circles = st.builds(Circle, ras, decs, st.floats(0.001, 5))


def region(text):
    return stcs.parse(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Circle ICRS 10 -20 0.5", (Circle(10, -20, 0.5),)),
        ("CIRCLE 370 -20 0.5", (Circle(10, -20, 0.5),)),
        ("b'Circle ICRS 10 -20 0.5'", (Circle(10, -20, 0.5),)),
        ("Position ICRS 1 2", (Position(1, 2),)),
        ("Polygon ICRS 0 0 1 0 1 1 0 0", (Polygon(((0, 0), (1, 0), (1, 1))),)),
        (
            "Polygon ICRS 0 0 9 0 9 9 0 9 Not (Polygon 1 1 2 1 2 2)",
            (Polygon(((0, 0), (9, 0), (9, 9), (0, 9)), (Polygon(((1, 1), (2, 1), (2, 2))),)),),
        ),
        (
            "Union ICRS ( Circle 1 2 0.1 Polygon 0 0 1 0 1 1 Not (Circle 0.5 0.5 0.1) Circle 5 5 1 )",
            (
                Circle(1, 2, 0.1),
                Polygon(((0, 0), (1, 0), (1, 1)), (Circle(0.5, 0.5, 0.1),)),
                Circle(5, 5, 1),
            ),
        ),
    ],
)
def test_the_archives_own_forms(text, parts):
    assert region(text) == parts


@pytest.mark.parametrize(
    "text",
    ["", "Circle", "Circle ICRS 1 2", "Circle ICRS 1 95 1", "Circle ICRS 1 2 nan", "Polygon ICRS 1 2 3 4",
     "Blob ICRS 1 2", "Not (Circle 1 2 3)", "Circle ICRS 1 2 3 Not (Circle 1 2 1)", "Polygon ICRS 0 0 1 0 1 1 Not",
     "Union ICRS ( )", "Circle ICRS 1 2 -1", "17 4", "Circle ICRS inf 1 1"],
)  # fmt: skip
def test_what_is_no_region(text):
    with pytest.raises(RegionMalformed):
        region(text)


def test_every_region_of_a_real_answer_is_read_and_of_a_sane_size():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the sample's xtypes
        shapes = parse_single_table(CORPUS / "shapes.xml").array["s_region"]
    assert len(shapes) == 5
    for text in map(str, shapes):
        found = region(text)
        square_deg = geometry.area(found)
        assert 0 < square_deg < 1, text[:60]
        middle = geometry.centroid(found)
        assert geometry.intersects(found, (Circle(middle.ra, middle.dec, 30),))
        assert not geometry.intersects(found, (Circle((middle.ra + 180) % 360, -middle.dec, 30),))
        assert geometry.contains(found, (Circle(middle.ra, middle.dec, 60),))
        assert geometry.contains(found, found)


def test_a_hole_is_not_inside():
    ring = region("Polygon ICRS 0 0 9 0 9 9 0 9 Not (Polygon 3 3 6 3 6 6 3 6)")
    assert geometry.contains((Position(1, 1),), ring)
    assert not geometry.contains((Position(4.5, 4.5),), ring)
    assert not geometry.intersects((Circle(4.5, 4.5, 0.5),), ring)
    assert geometry.intersects((Circle(4.5, 4.5, 2),), ring)
    assert not geometry.contains((Circle(4.5, 4.5, 2),), ring)


@pytest.mark.parametrize(
    ("one", "two", "meet", "within"),
    [
        ("Circle ICRS 359.9 0 0.2", "Circle ICRS 0.2 0 0.2", True, False),
        ("Circle ICRS 10 80 0.2", "Circle ICRS 11 80 0.2", True, False),  # 1 deg of RA is 0.17 deg
        ("Circle ICRS 10 0 0.2", "Circle ICRS 11 0 0.2", False, False),
        ("Circle ICRS 10 0 0.2", "Circle ICRS 10 0 0.3", True, True),
        ("Position ICRS 10 0", "Circle ICRS 10 0 0", True, True),
        ("Position ICRS 5 89.5", "Circle ICRS 185 89.7 1", True, True),  # over the pole
        ("Circle ICRS 0 0 1", "Polygon ICRS 359 -1 1 -1 1 1 359 1", True, False),
        ("Circle ICRS 0 0 0.9", "Polygon ICRS 359 -1 1 -1 1 1 359 1", True, True),
        ("Polygon ICRS 359 -1 1 -1 1 1 359 1", "Circle ICRS 0 0 1.5", True, True),
        ("Polygon ICRS 359 -1 1 -1 1 1 359 1", "Circle ICRS 0 0 1.3", True, False),
        ("Circle ICRS 3 0 0.1", "Polygon ICRS 359 -1 1 -1 1 1 359 1", False, False),
    ],
)
def test_pairs_by_hand(one, two, meet, within):
    assert geometry.intersects(region(one), region(two)) is meet
    assert geometry.intersects(region(two), region(one)) is meet
    assert geometry.contains(region(one), region(two)) is within


@pytest.mark.parametrize(
    ("band", "inside", "outside"),
    [
        (Band(10, 20, -5, 5), (15, 0), (25, 0)),
        (Band(350, 10, -5, 5), (0, 0), (180, 0)),  # over zero
        (Band(0, 360, 60, 90), (123, 80), (123, 50)),
        (Band(-10, 10, -5, 5), (355, 0), (20, 0)),
    ],
)
def test_bands(band, inside, outside):
    for one in (Position(*inside), Circle(*inside, 0.5)):
        assert geometry.intersects((band,), (one,))
        assert geometry.intersects((one,), (band,))
        assert geometry.contains((one,), (band,))
    for one in (Position(*outside), Circle(*outside, 0.5)):
        assert not geometry.intersects((band,), (one,))


def test_measures_that_are_known():
    assert geometry.area((Circle(0, 0, 90),)) == pytest.approx(ALL_SKY / 2)
    assert geometry.area((Polygon(((0, 0), (90, 0), (0, 90))),)) == pytest.approx(ALL_SKY / 8)
    assert geometry.area((Band(0, 360, -90, 90),)) == pytest.approx(ALL_SKY)
    assert geometry.area((geometry.box(20, 60, 1, 2),)) == pytest.approx(2, rel=1e-3)
    middle = geometry.centroid((geometry.box(20, 60, 1, 2),))
    assert (middle.ra, middle.dec) == pytest.approx((20, 60), abs=1e-3)
    assert geometry.separation((0, 90), (123, -90)) == pytest.approx(180)


@given(circles, circles)
def test_circles_meet_by_their_distance_however_they_are_drawn(one, two):
    apart = geometry.separation((one.ra, one.dec), (two.ra, two.dec))
    assume(abs(apart - one.radius - two.radius) > 0.01)
    drawn = Polygon(geometry._round(two))
    assert geometry.intersects((one,), (two,)) is (apart < one.radius + two.radius)
    assert geometry.intersects((one,), (drawn,)) is (apart < one.radius + two.radius)
    assert geometry.intersects((drawn,), (one,)) is (apart < one.radius + two.radius)


@given(ras, decs, st.floats(0.01, 20), st.floats(0, 360), st.floats(0, 1.9))
def test_a_point_is_in_a_drawn_circle_when_it_is_near_enough(ra, dec, radius, bearing, share):
    assume(abs(share - 1) > 0.01)
    outline = geometry._round(Circle(ra, dec, radius * share))
    point = outline[int(bearing) % len(outline)]
    drawn = Polygon(geometry._round(Circle(ra, dec, radius)))
    assert geometry.contains((Position(*point),), (drawn,)) is (share < 1)


@given(ras, decs, st.floats(0.001, 3), st.floats(0.001, 3))
def test_a_text_is_read_back_as_it_was(ra, dec, width, height):
    for part in (Position(ra, dec), Circle(ra, dec, width), geometry.box(ra, dec, width, height)):
        assert region(stcs.write(part)) == (part,)
