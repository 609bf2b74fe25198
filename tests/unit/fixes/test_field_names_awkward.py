from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from making_fixes import caveats, load, make_facts, nothing

FIX = load("field_names_awkward")


def facts(name):
    field = {"id": 0, "name": name, "ra_rad": 0.1, "dec_rad": 0.1, "pointing": None}
    calibrator = {**field, "id": 1, "name": "a calibrator"}
    return make_facts(fields=[field, calibrator], target_fields=[0])


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_the_written_name_can_be_turned_back(name):
    for caveat in caveats(FIX, nothing(), facts(name)):
        written = caveat.removeprefix("field-name-awkward:")
        assert unquote(written) == name
        assert not set(written) & set(" ()/,*'\"")


def test_what_the_observing_tool_allows_is_left_alone():
    assert caveats(FIX, nothing(), facts("NGC_253-a+b.c;1")) == []
    assert caveats(FIX, nothing(), facts("NGC 1 (2)")) == ["field-name-awkward:NGC%201%20%282%29"]
