"""Filters: parsed, typed, never pasted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import and_

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
        "cycle >= 2 or",
        "or cycle >= 2",
        "not",
        "notcycle = 2",
        "(cycle = 2",
        "cycle = 2)",
        "()",
        "(" * 60 + "cycle = 2" + ")" * 60,
        "not " * 60 + "cycle = 2",
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


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("cycle = 1 or cycle = 2 and cycle = 3", "c = 1 OR c = 2 AND c = 3"),
        ("(cycle = 1 or cycle = 2) and cycle = 3", "(c = 1 OR c = 2) AND c = 3"),
        ("not cycle = 1", "c != 1"),
        ("not (cycle = 1 and cycle = 2) or cycle = 3", "NOT (c = 1 AND c = 2) OR c = 3"),
        ("NOT(cycle=1)AND(cycle=2)", "c != 1 AND c = 2"),
        ("((cycle = 1))", "c = 1"),
    ],
)
def test_and_binds_closer_than_or(text, clause):
    made = and_(*filters.parse(text, KNOWN)).compile(compile_kwargs={"literal_binds": True})
    assert str(made).replace("dataset_alma.cycle", "c") == clause


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("cycle >= 2 and nothing = 1", 15),
        ("cycle >= two", 9),
        ("cycle = 2 xor cycle = 3", 10),
        ("(cycle = 2", 10),
        ("cycle = 2 and (band = )", 15),
    ],
)
def test_the_place_of_an_error_is_told(text, position):
    with pytest.raises(filters.FilterMalformed) as caught:
        filters.parse(text, KNOWN)
    assert caught.value.evidence["position"] == position
    assert f"character {position + 1}:" in caught.value.message


def test_other_names_of_columns():
    assert compiled("band = 6") == compiled("bands = 6")
    assert compiled("mosaic = true") == compiled("is_mosaic = true")


def test_no_two_columns_share_a_name():
    names = [*KNOWN, *(name for one in KNOWN.values() for name in one.also)]
    assert len(names) == len(set(names))


def test_order():
    made = [str(filters.ordering(name, KNOWN)) for name in ("cycle", "-size")]
    assert made == ["dataset_alma.cycle ASC NULLS LAST", "dataset.n_bytes DESC NULLS LAST"]
    with pytest.raises(filters.FilterMalformed, match="no such column"):
        filters.ordering("1; DROP TABLE run", KNOWN)


@pytest.mark.parametrize("value", ["1e30", "-1e30", "9223372036854775808", "nan", "inf"])
def test_numbers_are_what_a_database_takes(value):
    with pytest.raises(filters.FilterMalformed, match="cycle"):
        compiled(f"cycle = {value}")
    if value not in {"nan", "inf"}:
        assert compiled(f"bandwidth_hz < {value}")


@pytest.mark.parametrize("word", [" and ", " or "])
@pytest.mark.parametrize("one", ["cycle = 1", "not cycle = 1", "(cycle = 1)"])
def test_conditions_are_not_without_number(word, one):
    assert compiled(word.join([one] * 100))
    with pytest.raises(filters.FilterMalformed, match="conditions"):
        compiled(word.join([one] * 3000))


def test_what_no_database_keeps_is_told():
    with pytest.raises(filters.FilterMalformed):
        compiled("targets = 'a\0b'")
