"""Tables that clients bring along: read as they are, and refused in words when they are nothing."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st
from making import make_row

from reimage.archive.server.adql import QueryRefused, translate
from reimage.archive.server.database import Database
from reimage.archive.server.uploads import read_uploads

BASE = "http://here"


def document(*, form="tabledata", **columns):
    stream = io.BytesIO()
    from_table(Table(columns)).to_xml(stream, tabledata_format=form)
    return stream.getvalue()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    root = tmp_path_factory.mktemp("uploads")
    Table(rows=[make_row()]).write(root / "holdings.ecsv", format="ascii.ecsv")
    return Database(root, BASE)


def ask(database, query, said="mine,param:f", **files):
    session = database.open(read_uploads(said, files, 100, BASE))
    try:
        statement = translate(query, session.tables)
        rows = [tuple(row) for batch in session.rows(statement.sql) for row in batch]
        return [column.datatype for column in statement.columns], rows
    finally:
        session.close()


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
def test_every_type_comes_through(database, form):
    sent = document(
        form=form,
        text=["a", "b c"],
        real=MaskedColumn([1.5, 2.5], mask=[False, True]),
        short=np.array([1, 2], np.int16),
        long=np.array([2**62, -1], np.int64),
        flag=[True, False],
        pair=np.array([[1, 2], [3, 4]], np.int32),
    )
    types, rows = ask(database, "select * from tap_upload.mine", f=sent)
    assert types == ["char", "double", "short", "long", "long", "char"]
    assert rows == [("a", 1.5, 1, 2**62, 1, "1 2"), ("b c", None, 2, -1, 0, "3 4")]


def test_two_tables_at_once(database):
    files = {"f": document(a=[1, 2]), "g": document(a=[2, 3])}
    query = "select x.a from TAP_UPLOAD.One as x join tap_upload.two as y on x.a = y.a"
    assert ask(database, query, "One,param:f;two,param:g", **files)[1] == [(2,)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("mine", "not ''"),
        ("mine,", "not ''"),
        ("mine,param:g", "nothing was sent as 'g'"),
        ("mine,http://elsewhere/x", "not 'http://elsewhere/x'"),
        ("mine,http://here.elsewhere/x", "not 'http://here.elsewhere/x'"),
        ("my name,param:f", "cannot be a table's name"),
        ('x";drop,param:f', "cannot be a table's name"),
        ("mine,param:f;MINE,param:f", "already exists"),
    ],
)
def test_what_cannot_be_brought_along(database, said, words):
    with pytest.raises(QueryRefused) as refused:
        ask(database, "select * from tap_upload.mine", said, f=document(a=[1]))
    assert words in refused.value.message
    assert refused.value.message.startswith("UPLOAD")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"<html><body>404</body></html>",
        b'<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE></RESOURCE></VOTABLE>',
        document(a=[1])[:-200],
        document(a=[1], A=[2]),
    ],
)
def test_what_is_no_table_is_refused(database, data):
    with pytest.raises(QueryRefused, match="UPLOAD"):
        ask(database, "select * from tap_upload.mine", f=data)


def test_too_many_rows_are_refused(database):
    with pytest.raises(QueryRefused, match="101 rows, 100 at most"):
        ask(database, "select * from tap_upload.mine", f=document(a=list(range(101))))


@given(st.binary(max_size=40), st.integers(0, 600), st.integers(0, 60))
def test_a_table_damaged_anywhere_is_read_or_refused(database, noise, at, cut):
    whole = document(a=[1, 2], b=["x", "y"])
    damaged = whole[:at] + noise + whole[at + cut :]
    try:
        ask(database, "select count(*) from tap_upload.mine", f=damaged)
    except QueryRefused as refused:
        assert refused.message.startswith("UPLOAD")  # noqa: PT017 -- either is right
