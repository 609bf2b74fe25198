"""Answers as bytes: read back by astropy they are what was written, whatever was in them."""

from __future__ import annotations

import csv
import io
import warnings

import pytest
from astropy.io.votable import parse_single_table, validate
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive.server import votable
from reimage.archive.server.columns import Column

COLUMNS = (
    Column(name="text", unit="", description='a "thing" <&>', ucd="meta.id"),
    Column(name="real", datatype="double", unit="deg"),
    Column(name="whole", datatype="long"),
    Column(name="small", datatype="int"),
)
WAYS = ("votable", "votable/b2")
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20
).map(str.strip)
cells = st.tuples(
    st.none() | texts.filter(bool),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(-(2**31), 2**31 - 1),
)


def written(way, batches, status="OK", message=""):
    writer = votable.FORMATS[way](COLUMNS, "select <&> 'x'")
    return b"".join([writer.begin(), *map(writer.rows, batches), writer.end(status, message)])


def read(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = parse_single_table(io.BytesIO(data)).to_table()
    return [
        tuple(
            None if getattr(v, "mask", False) is True or str(v) == "" or str(v) == "--" else v
            for v in row
        )
        for row in table.iterrows()
    ]


@pytest.mark.parametrize("way", WAYS)
@given(batches=st.lists(st.lists(cells, max_size=4), max_size=4))
def test_what_is_written_is_read(way, batches):
    rows = [tuple(row) for batch in batches for row in batch]
    for found, said in zip(read(written(way, batches)), rows, strict=True):
        for have, want in zip(found, said, strict=True):
            assert have == want or (want == "--" and have is None)


@given(st.text(max_size=30))
def test_any_text_of_an_error_is_a_document(text):
    document = votable.error_document(text).decode()
    assert 'value="ERROR"' in document
    assert document.count("<INFO") == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["OK", "OVERFLOW", "ERROR"])
def test_the_end_says_how_it_ended(way, status):
    data = written(way, [[("a", 1.0, 2, 3)]], status, "it <broke>").decode()
    assert data.count('value="OK"') == 1
    assert (f'value="{status}">it &lt;broke&gt;' in data) is (status != "OK")
    assert len(read(data.encode())) == 1


def test_control_characters_do_not_break_the_document():
    assert read(written("votable", [[("a\x00\x07b", float("inf"), 1, 2)]]))[0][0] == "ab"


def test_csv_is_as_pythons_reader_wants_it():
    rows = [('a,"b"\nc', 1.5, None, 3), (None, None, None, None)]
    lines = list(csv.reader(io.StringIO(written("csv", [rows]).decode(), newline="")))
    assert lines == [["text", "real", "whole", "small"], ['a,"b"\nc', "1.5", "", "3"], [""] * 4]


@pytest.mark.parametrize("way", WAYS)
def test_astropys_validator_has_nothing_to_say(way, tmp_path):
    path = tmp_path / "answer.xml"
    path.write_bytes(written(way, [[("a", 1.0, 2, 3)], [(None, None, None, None)]], "OVERFLOW"))
    told = io.StringIO()
    assert validate(path, told), told.getvalue()
