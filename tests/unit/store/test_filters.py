"""Filters: parsed, typed, never pasted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.store import filters
from reimage.store.datasets import ALMA, GENERAL

KNOWN = {**GENERAL, **ALMA}


def compiled(text):
    return [
        (str(clause.compile()), list(clause.compile().params.values()))
        for clause in filters.parse(text, KNOWN)
    ]


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("cycle >= 5", "dataset_alma.cycle >= :cycle_1", [5]),
        ("CYCLE=5", "dataset_alma.cycle = :cycle_1", [5]),
        ("resolution_arcsec<0.5", "resolution_arcsec < :resolution_arcsec_1", [0.5]),
        ("project != '2018.1.00001.S'", "project != :project_1", ["2018.1.00001.S"]),
        ('array = "7m"', "array_kind = :array_kind_1", ["7m"]),
        ("targets ~ 'it''s'", "LIKE", ["it's"]),
        ("is_mosaic = true", "is_mosaic = true", []),
    ],
)
def test_conditions(text, sql, values):
    ((clause, found),) = compiled(text)
    assert sql in clause
    assert [v for v in found if v not in {"/", " "}] == values


def test_conditions_are_joined_by_and():
    assert len(compiled("cycle >= 2 and bands = 6 AND targets ~ NGC")) == 3
    assert compiled("") == compiled("   ") == []


def test_a_band_is_a_word():
    ((_, values),) = compiled("bands = 1")
    assert " 1 " in values


@pytest.mark.parametrize(
    "text",
    [
        "cycle",
        "cycle >",
        "cycle > five",
        "cycle >= 2 or bands = 6",
        "cycle >= 2 bands = 6",
        "cycle >= 2 and",
        "nothing = 1",
        "is_mosaic = maybe",
        "is_mosaic > true",
        "bands > 3",
        "cycle ~ 3",
        "project = 'open",
        "release_at > yesterday",
        "1 = 1; DROP TABLE run",
    ],
)
def test_what_is_no_filter_is_told(text):
    with pytest.raises(filters.FilterMalformed) as caught:
        filters.parse(text, KNOWN)
    assert caught.value.hint


@given(st.text(max_size=60))
def test_no_text_does_anything_else(text):
    with contextlib.suppress(filters.FilterMalformed):
        filters.parse(text, KNOWN)


@given(st.text(alphabet=st.characters(exclude_characters="'\0", codec="utf-8"), max_size=30))
def test_values_are_bound(value):
    ((clause, values),) = compiled(f"project = '{value}'")
    assert clause == "dataset_alma.project = :project_1"
    assert values == [value]
