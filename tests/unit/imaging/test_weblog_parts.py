"""Pieces of the weblog's pages."""

from __future__ import annotations

import re

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from reimage.imaging import weblog_parts as parts


def spectrum(values, ranges=((1.01e9, 1.02e9),), **other):
    known = {
        "first_hz": 1e9,
        "channel_hz": 1e6,
        "values": values,
        "n_channels": max(len(values), 30),
        "ranges_hz": ranges,
    }
    return parts.Spectrum(**{**known, **other})


def points(svg):
    return [
        tuple(map(float, pair.split(",")))
        for pair in re.search(r'points="([^"]*)"', svg)[1].split()
    ]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9000))
def test_a_spectrum_of_any_length_is_drawn_within_bounds(values):
    svg = parts.draw(spectrum(values))
    ElementTree.fromstring(svg)
    drawn = points(svg)
    assert len(drawn) <= parts.MOST_POINTS + 2
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert all(0 <= x <= 900 and 0 <= y <= 170 for x, y in drawn)


def test_a_thinned_spectrum_keeps_its_peak():
    values = [0.0] * 7680
    values[4321] = 1.0
    _, heights = zip(*points(parts.draw(spectrum(values))), strict=True)
    assert min(heights) < sorted(heights)[1]


def test_a_descending_axis_and_no_spectrum_are_drawn_too():
    svg = parts.draw(spectrum((), channel_hz=-1e6, ranges=((0.98e9, 0.99e9),)))
    ElementTree.fromstring(svg)
    assert "polyline" not in svg
    assert svg.count('class="range"') == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234567891, "0.123457"),
        (True, "True"),
        ([1, "a"], "1, a"),
        ({"a": [1, 2]}, "a: 1, 2"),
        ("x", "x"),
    ],
)
def test_a_parameter_is_short_and_plain(value, text):
    assert parts.value_text(value) == text


def test_tables_without_rows_are_nothing():
    assert parts.table(("a",), ()) == ""
    assert parts.facts({"a": None, "b": ""}) == ""
    assert parts.folded("more", "") == ""
