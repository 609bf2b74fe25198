from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from astropy.io import votable
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.archive import votable_in
from reimage.archive.votable_in import UnsoundTableError, require_sound

CORPUS = Path(__file__).parents[2] / "corpus" / "archive"


def table(data, field='arraysize="*"', attributes="", head=""):
    return (
        f'{head}<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">'
        f'<TABLE {attributes}><FIELD name="a" datatype="char" {field}/><DATA>{data}</DATA></TABLE>'
        "</RESOURCE></VOTABLE>"
    ).encode()


ROWS = "<TABLEDATA><TR><TD>x</TD></TR></TABLEDATA>"


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.glob("*.xml")))
def test_real_answers_are_sound(name):
    require_sound((CORPUS / name).read_bytes())


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
@settings(deadline=None, max_examples=15)
@given(rows=st.lists(st.tuples(st.integers(-9, 9), st.floats(-1, 1), st.text("abc", max_size=9))))
def test_what_astropy_writes_is_sound(form, rows):
    columns = list(zip(*rows, strict=True)) if rows else [[0], [0.5], ["x"]]
    whole = votable.from_table(Table([list(one) for one in columns], names=("i", "f", "s")))
    written = io.BytesIO()
    votable.writeto(whole, written, tabledata_format=form)
    require_sound(written.getvalue())


@pytest.mark.parametrize(
    "content",
    [
        table('<BINARY><STREAM href="file:///etc/passwd"/></BINARY>'),
        table("<BINARY><STREAM encoding='base64'\n href  =\n'http://h/x'/></BINARY>"),
        table('<BINARY><v:STREAM xmlns:v="x" v:href="http://h/x"/></BINARY>'),
        table('<FITS><STREAM HREF="ftp://h/x"/></FITS>'),
        table('<BINARY><STREAM href="http://h/x"/></BINARY>').decode().encode("utf-16"),
        table(ROWS, head="<!DOCTYPE v [<!ENTITY a 'b'>]>"),
        table(ROWS, head="<!DOCTYPE VOTABLE SYSTEM 'file:///etc/passwd'>"),
        table(ROWS, attributes='nrows="30000000"'),
        table(ROWS, attributes='nrows="-1"'),
        table(ROWS, attributes='nrows="²"'),
        table(ROWS, attributes=f'nrows="{"9" * 5000}"'),
        table(ROWS, field='arraysize="3000000000"'),
        table(ROWS, field='arraysize="99999x99999*"'),
        table(ROWS, field='arraysize="1e9"'),
        table(ROWS * 2, field='arraysize="100000000"'),
        table(ROWS)[:-20],
        gzip.compress(table(ROWS)),
        b"",
        b"<",
    ],
)
def test_what_is_not_parsed(content):
    with pytest.raises(UnsoundTableError) as caught:
        require_sound(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", ["*", "64*", "2x3", "2x*", "2x3*", "", " 7 "])
def test_array_sizes_that_are_some(size):
    require_sound(table(ROWS, field=f'arraysize="{size}"', attributes='nrows="1"'))


def test_a_table_may_be_only_so_long(monkeypatch):
    content = table(ROWS)
    require_sound(content, len(content))
    with pytest.raises(UnsoundTableError, match="more than"):
        require_sound(content, len(content) - 1)
    monkeypatch.setattr(votable_in, "MOST_MEMORY", 1 << 10)
    with pytest.raises(UnsoundTableError, match="memory"):
        require_sound(table("<TR/>" * 60, field='arraysize="2"'))


@given(st.binary(max_size=200))
def test_any_bytes_are_sound_or_told(content):
    try:
        require_sound(content)
    except UnsoundTableError:
        return
    votable_in.expat.ParserCreate().Parse(content, True)  # noqa: FBT003 -- as it is
