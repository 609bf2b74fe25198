"""ADQL: what is taken, what is refused and by which words, and what the answer's columns are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.archive.server.adql import QueryRefused, translate
from reimage.archive.server.columns import OBSCORE, TableShape
from reimage.archive.server.tap_schema import SHAPES

OBS = TableShape(name="ivoa.obscore", description="", columns=OBSCORE)
TABLES = {shape.name.lower(): shape for shape in (OBS, *SHAPES)}


def columns(query):
    return [(c.name, c.datatype, c.unit) for c in translate(query, TABLES).columns]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select obs_id, S_RA from ivoa.ObsCore", [("obs_id", "char", ""), ("s_ra", "double", "deg")]),
        ("select LASTMODIFIED from ivoa.obscore", [("lastModified", "char", "")]),
        ("select s_ra as Ra from ivoa.obscore", [("Ra", "double", "deg")]),
        ("select count(*) as N from ivoa.obscore", [("N", "long", "")]),
        ("select max(frequency) m from ivoa.obscore", [("m", "double", "GHz")]),
        ("select avg(calib_level) m from ivoa.obscore", [("m", "double", "")]),
        ("select max(calib_level) m from ivoa.obscore", [("m", "int", "")]),
        ("select round(s_ra, 2) x from ivoa.obscore", [("x", "double", "")]),
        ("select s_ra + 1 as x, calib_level * 2 as y from ivoa.obscore",
         [("x", "double", ""), ("y", "long", "")]),
        ("select upper(type) x, 'a' || type as y from ivoa.obscore",
         [("x", "char", ""), ("y", "char", "")]),
        ("select area(s_region) x from ivoa.obscore", [("x", "double", "deg**2")]),
        ("select 1 as a, 1.5 as b, 'x' as c, 3000000000 as d from ivoa.obscore",
         [("a", "int", ""), ("b", "double", ""), ("c", "char", ""), ("d", "long", "")]),
        ("select n.c from (select count(*) as c from ivoa.obscore) as n", [("c", "long", "")]),
        ("select (select max(s_dec) from ivoa.obscore) as x from ivoa.obscore",
         [("x", "double", "deg")]),
        ("select obs_id from ivoa.obscore union select asdm_uid from ivoa.obscore",
         [("obs_id", "char", "")]),
        ('select "size" from tap_schema.columns', [("size", "int", "")]),
    ],
)  # fmt: skip
def test_names_types_and_units_of_an_answer(query, found):
    assert columns(query) == found


def test_a_star_is_every_column():
    assert [name for name, _, _ in columns("select * from ivoa.obscore")] == [
        column.name for column in OBSCORE
    ]
    both = columns(
        "select a.*, b.obs_id from ivoa.obscore a join ivoa.obscore b on a.obs_id=b.obs_id"
    )
    assert len(both) == len(OBSCORE) + 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select nope from ivoa.obscore", "nope"),
        ("select obs_id from ivoa.obscore where nope = 1", "nope"),
        ("select obs_id from ivoa.obscore order by nope", "nope"),
        ("select x.obs_id from ivoa.obscore as o", "x"),
        ("select obs_id from ivoa.nothing", "no table ivoa.nothing; there are"),
        ("select obs_id from obscore", "no table obscore"),
        ("select name from sqlite_master", "no table sqlite_master"),
        ("select load_extension('x') from ivoa.obscore", "no function LOAD_EXTENSION"),
        ("select contains(s_region) from ivoa.obscore", "CONTAINS takes 2 arguments, not 1"),
        ("select polygon() from ivoa.obscore", "POLYGON takes arguments"),
        ("select obs_id from ivoa.obscore limit 3", "not ADQL"),
        ("select cast(s_ra as integer) from ivoa.obscore", "no function CAST"),
        ("with a as (select 1 as b) select b from a", "ADQL has no"),
        ("select case when s_ra > 1 then 2 end from ivoa.obscore", "not ADQL"),
        ("drop table ivoa.obscore", "one SELECT"),
        ("delete from ivoa.obscore", "one SELECT"),
        ("attach 'x' as y", "not ADQL"),
        ("pragma query_only = 0", "one SELECT"),
        ("select obs_id from ivoa.obscore; drop table ivoa.obscore", "one SELECT"),
        ("select obs_id into x from ivoa.obscore", "ADQL has no Into"),
        ("select row_number() over (order by s_ra) from ivoa.obscore", "ADQL has no"),
        ("select", "nothing is selected"),
        ("  ", "empty"),
        ("SELEC obs_id FROM ivoa.obscore", ""),
        ("select obs_id from ivoa.obscore where (s_ra > 1", "not ADQL"),
        ("select " + "(" * 3000 + "1" + ")" * 3000 + " as a from ivoa.obscore", "deeply"),
    ],
)
def test_what_is_refused_and_why(query, words):
    with pytest.raises(QueryRefused) as refused:
        translate(query, TABLES)
    assert words in refused.value.message
    assert "\n" not in refused.value.message
    assert "\x1b" not in refused.value.message


def test_top_and_offset_become_what_sqlite_has():
    assert translate("select top 5 obs_id from ivoa.obscore", TABLES).sql.endswith("LIMIT 5")
    assert "LIMIT 0" in translate("select distinct top 0 obs_id from ivoa.obscore", TABLES).sql


def test_every_name_is_quoted_and_a_comment_is_gone():
    sql = translate("select obs_id -- drop\nfrom ivoa.obscore /* x */", TABLES).sql
    assert sql == 'SELECT "obscore"."obs_id" AS "obs_id" FROM "ivoa"."obscore" AS "obscore"'


def test_a_backslash_escapes_in_like():
    sql = translate(r"select obs_id from ivoa.obscore where obs_id like 'a\_%'", TABLES).sql
    assert sql.endswith(r"""LIKE 'a\_%' ESCAPE '\'""")


TEXT = r"""select top 3 distinct * obs_id s_ra nope , ( ) from ivoa.obscore ivoa.x as a where 1 'x' = <
and or not in between like is null exists join on using natural left outer group by having order
count max contains point circle union all except || + - / . " ' ; -- /* limit with case when end
over cast [ ] { } ? : @ $ # % ^ ~ ! \ :: -> values lateral unnest interval date timestamp array
struct map if iff coalesce tap_schema.columns size desc offset fetch for update window pivot
sample qualify recursive explain true false any some é"""
WORDS = st.sampled_from([*TEXT.split(), "\0"])


@settings(deadline=None, max_examples=400)
@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_any_text_is_translated_or_refused(text):
    for query in (text, f"select {text}", f"select obs_id from ivoa.obscore where {text}"):  # noqa: S608 -- no database
        try:
            made = translate(query, TABLES)
        except QueryRefused:
            continue
        assert made.columns
