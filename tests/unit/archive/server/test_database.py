"""The holdings as tables: what the file says, nothing else, and nobody can change it."""

from __future__ import annotations

import math
import re
import sqlite3
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io.votable import parse_single_table
from astropy.table import MaskedColumn, Table
from making import make_row

from reimage.archive.faults import ArchiveForeign
from reimage.archive.server.adql import QueryRefused, translate
from reimage.archive.server.database import BATCH, Database
from reimage.archive.server.functions import FUNCTIONS

BASE = "http://here"
CORPUS = Path(__file__).parents[3] / "corpus" / "archive"


def database(tmp_path, rows, **columns):
    table = Table(rows=rows)
    for name, values in columns.items():
        table[name] = values
    table.write(tmp_path / "holdings.ecsv", format="ascii.ecsv", overwrite=True)
    return Database(tmp_path, BASE)


@pytest.fixture(scope="module")
def one_row(tmp_path_factory):
    return database(tmp_path_factory.mktemp("one"), [make_row()])


def ask(made, query, **options):
    session = made.open(**options)
    try:
        statement = translate(query, session.tables)
        return [tuple(row) for batch in session.rows(statement.sql) for row in batch]
    finally:
        session.close()


def test_the_tables_say_what_the_file_says(tmp_path):
    rows = [make_row(target_name=f'a "{i}" b\'s,\nc', frequency=100.0 + i / 7) for i in range(5)]
    made = database(
        tmp_path,
        rows,
        t_exptime=MaskedColumn([1.5, 2.5, 3.5, 4.5, 5.5], mask=[0, 1, 0, 0, 0]),
        publication_year=[2020] * 5,
        collections=["", "ari_l", "", "", ""],
        brand_new=[7, 8, 9, 10, 11],
        access_url=["https://elsewhere/x"] * 5,
    )
    table = Table.read(tmp_path / "holdings.ecsv", format="ascii.ecsv")
    names = [name for name in table.colnames if name != "access_url"]
    found = ask(made, f"select {', '.join(names)} from ivoa.obscore")  # noqa: S608 -- ours
    said = [
        tuple(None if np.ma.is_masked(v) or v == "" else v for v in row)
        for row in table[names].iterrows()
    ]
    assert found == said
    assert ask(made, "select distinct access_url from ivoa.obscore") == [
        (f"{BASE}/datalink/sync?ID={rows[0]['member_ous_uid']}",)
    ]
    (more,) = [
        column for column in made.tables["ivoa.obscore"].columns if column.name == "brand_new"
    ]
    assert more.datatype == "long"
    assert ask(made, "select count(*) from ivoa.obscore where s_xel1 is null") == [(5,)]


@pytest.mark.parametrize("said", ["17 x", "", "# %ECSV 1.0\n# ---\nnot a table\n", "\x00\x01"])
def test_holdings_that_cannot_be_read_are_named(tmp_path, said):
    (tmp_path / "holdings.ecsv").write_text(said)
    with pytest.raises(ArchiveForeign, match=r"holdings\.ecsv"):
        Database(tmp_path, BASE)


@pytest.mark.parametrize("cell", ["abc", '"1 2', "1 2 3"])
def test_a_broken_row_is_named(tmp_path, cell):
    made = database(tmp_path, [make_row(), make_row()])
    assert ask(made, "select count(*) from ivoa.obscore") == [(2,)]
    path = tmp_path / "holdings.ecsv"
    path.write_text(path.read_text().replace(" 230.0 ", f" {cell} ", 1))
    with pytest.raises(ArchiveForeign, match=r"holdings\.ecsv"):
        Database(tmp_path, BASE)


@pytest.mark.parametrize(
    "sql",
    [
        'DELETE FROM ivoa."obscore"',
        "DROP TABLE ivoa.obscore",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x (a)",
        "PRAGMA query_only = OFF",
        "ATTACH '/tmp/x' AS y",
        "INSERT INTO tap_upload.x VALUES (1)",
        "VACUUM",
    ],
)
def test_a_session_reads_and_nothing_else(tmp_path, sql):
    made = database(tmp_path, [make_row()])
    session = made.open()
    with pytest.raises(QueryRefused):
        list(session.rows(sql))
    session.close()
    assert ask(made, "select count(*) from ivoa.obscore") == [(1,)]


def test_a_query_ends_when_its_time_is_over_and_when_it_is_told_to(tmp_path):
    made = database(tmp_path, [make_row() for _ in range(200)])
    slow = "select count(*) from ivoa.obscore a, ivoa.obscore b, ivoa.obscore c, ivoa.obscore d"
    with pytest.raises(QueryRefused, match="longer than it may"):
        ask(made, slow, seconds=0.05)
    session = made.open()
    rows = session.rows(translate("select a.obs_id from ivoa.obscore a", session.tables).sql)
    session.stop()
    assert BATCH > 200
    with pytest.raises(QueryRefused, match="aborted"):
        list(session.rows(translate(slow, session.tables).sql))
    rows.close()
    session.close()


def test_files_go_with_the_database(tmp_path):
    made = database(tmp_path, [make_row()])
    place = made._files["ivoa"].parent
    assert place.is_dir()
    made.close()
    assert not place.exists()
    made.close()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("abs(-2)", 2), ("ceiling(1.2)", 2), ("floor(-1.2)", -2), ("mod(7, 3)", 1),
        ("mod(-7, 3)", -1), ("power(2, 10)", 1024.0), ("sqrt(2)", math.sqrt(2)),
        ("log(10)", math.log(10)), ("log10(1000)", 3.0), ("exp(1)", math.e), ("pi()", math.pi),
        ("degrees(pi())", 180.0), ("radians(180)", math.pi), ("round(2.345, 2)", 2.35),
        ("truncate(-2.349, 2)", -2.34), ("sin(0.5)", math.sin(0.5)), ("atan2(1, 1)", math.pi / 4),
        ("cot(1)", 1 / math.tan(1)), ("log(-1)", None), ("sqrt(-1)", None), ("acos(2)", None),
        ("power(0, -1)", None), ("abs(null)", None), ("upper('éa')", "ÉA"), ("lower('ÉA')", "éa"),
        ("coalesce(null, 3)", 3), ("7 / 2", 3), ("7 / 2.0", 3.5), ("1 / 0", None),
        ("'a' || 'b'", "ab"), ("coord1(point('ICRS', 370, 2))", 10.0), ("coord2(point(1, 2))", 2.0),
        ("distance(point(0, 0), point(0, 1))", 1.0), ("distance(0, 0, 0, 1)", 1.0),
        ("coordsys(point('ICRS', 1, 2))", "ICRS"), ("coord1(centroid(circle(7, 2, 1)))", 7.0),
        ("contains(point(1, 2), circle(point(1, 2), 0.1))", 1),
        ("contains(point(1, 2), box('ICRS', 1, 2, 2, 2))", 1),
        ("contains(point(3, 2), box('ICRS', 1, 2, 2, 2))", 0),
        ("intersects(range_s2d(359, 2, 0, 3), circle('ICRS', 0, 2, 0.1))", 1),
        ("contains(point(1, 2), polygon('ICRS', 0, 0, 3, 0, 3, 3, 0, 3))", 1),
        ("intersects(region('Union ICRS ( Circle 1 2 3 )'), point(1, 2))", 1),
        ("contains(point(1, 2), null)", None), ("area(circle(0, 0, 90))", 2 * math.pi * math.degrees(1) ** 2),
    ],
)  # fmt: skip
def test_functions(one_row, expression, value):
    ((found,),) = ask(one_row, f"select {expression} as x from ivoa.obscore")  # noqa: S608 -- ours
    assert found == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value)


def test_every_function_is_tried_above():
    (_, cases), *_ = [mark.args for mark in test_functions.pytestmark if mark.name == "parametrize"]
    tried = " ".join(expression for expression, _ in cases).upper()
    untried = {name for name in FUNCTIONS if f"{name}(" not in tried}
    assert untried <= {"ASIN", "ATAN", "COS", "TAN", "RAND"}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("circle('MOON', 1, 2, 3)", "MOON"),
        ("circle('ICRS', 1, 99, 3)", "latitude"),
        ("circle(1, 2, -3)", "impossible radius"),
        ("box(1, 2, 0, 3)", "above zero"),
        ("polygon('ICRS', 1, 2, 3, 4)", "three corners"),
        ("coord1('nothing')", "not a point"),
        ("coord1(circle(1, 2, 3))", "circle has no coordinates"),
        ("region('x')", "unknown shape"),
        ("sqrt('a')", "takes numbers"),
    ],
)
def test_what_a_function_does_not_take_is_named(one_row, expression, words):
    with pytest.raises(QueryRefused, match=words):
        ask(one_row, f"select {expression} as x from ivoa.obscore")  # noqa: S608 -- ours


def test_a_region_of_the_holdings_that_cannot_be_read_is_unknown(tmp_path):
    made = database(tmp_path, [make_row(), make_row(s_region="Blob 1 2"), make_row(s_region="")])
    counted = (
        "select count(*) from ivoa.obscore where intersects(circle(10, -20, 1), s_region) = {}"
    )
    assert ask(made, counted.format(1)) == [(1,)]
    assert ask(made, counted.format(0)) == [(0,)]


def test_real_rows_are_found_where_they_are(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the sample's xtypes
        sample = parse_single_table(CORPUS / "shapes.xml").to_table()
    old_form = (CORPUS / "onerow.txt").read_text().splitlines()
    (m83,) = Table.read(old_form, format="ascii").iterrows("s_ra", "s_dec", "s_region")
    real = [*sample.iterrows("s_ra", "s_dec", "s_region"), m83]
    rows = [
        make_row(obs_id=str(i), s_ra=float(ra), s_dec=float(dec), s_region=str(region))
        for i, (ra, dec, region) in enumerate(real)
    ]
    made = database(tmp_path, rows)
    near = "select obs_id from ivoa.obscore where intersects(circle('ICRS', {}, {}, 0.2), s_region) = 1"
    for i, (_, _, region) in enumerate(real):
        ra, dec = re.findall(r"-?\d+\.\d+", str(region))[:2]  # on its border
        assert ask(made, near.format(ra, dec)) == [(str(i),)]
    assert ask(made, near.format(0, 89)) == []
    small = "select count(*) from ivoa.obscore where area(s_region) < 1 and area(s_region) > 0"
    assert ask(made, small) == [(len(real),)]


def test_sqlite_is_as_new_as_outer_joins_need():
    assert sqlite3.sqlite_version_info >= (3, 39)
