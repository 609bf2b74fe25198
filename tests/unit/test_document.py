from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import make_build, make_run

from reimage import document
from reimage.errors import DocumentUnreadable
from reimage.model import CasaBuild
from reimage.run import Run

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_a_run_reads_back_equal(tmp_path):
    run = make_run(tmp_path, casa="6.7.0")
    document.write(tmp_path / "run.json", run)
    assert document.read(Run, tmp_path / "run.json") == run
    assert list(tmp_path.iterdir()) == [tmp_path / "run.json"]


@given(st.dictionaries(st.text(max_size=4), values, max_size=4))
def test_digest_is_blind_to_order(value):
    turned = dict(reversed(list(value.items())))
    assert document.digest(value) == document.digest(turned)


def test_wrong_shape_says_where(tmp_path):
    data = {**document.dump(make_build()), "version": 7}
    (tmp_path / "b.json").write_text(json.dumps(data))
    with pytest.raises(DocumentUnreadable, match=r"b\.json: version"):
        document.read(CasaBuild, tmp_path / "b.json")


@pytest.mark.parametrize("text", ["", "{", "nonsense"])
def test_not_json_is_coded(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DocumentUnreadable):
        document.read_json(tmp_path / "x.json")
