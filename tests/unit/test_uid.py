from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.errors import UidMalformed
from reimage.uid import Uid, path_name

hexadecimal = st.integers(min_value=0, max_value=1 << 40).map(lambda n: f"X{n:x}")
uids = st.builds(Uid, st.sampled_from(["A001", "A002", "A003"]), hexadecimal, hexadecimal)


@given(uids)
def test_both_spellings_read_back(uid):
    assert Uid.parse(str(uid)) == Uid.parse(uid.name) == uid
    assert Uid.find(f"member.{uid.name}.hifa_calimage.weblog.tgz") == uid


@given(uids)
def test_case_does_not_make_another_uid(uid):
    assert Uid.parse(str(uid).upper().replace("UID", "uid")) == uid


@pytest.mark.parametrize(
    "text", ["", "uid://A001/X1", "uid://A001/X1/X2/X3", "A001/X1/X2", "uid://A001/X1/Xg"]
)
def test_malformed_is_refused(text):
    with pytest.raises(UidMalformed) as caught:
        Uid.parse(text)
    assert caught.value.hint


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_path_names_are_plain_and_distinct(one, other):
    for key in (one, other):
        assert "/" not in path_name(key)
        assert path_name(key) not in {"", ".", ".."}
    if one != other and Uid.find(one) is None:
        assert path_name(one) != path_name(other)
