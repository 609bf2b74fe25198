"""The lints for Oracle's silent traps: our schema holds none, and each is seen to catch what it is for."""

from __future__ import annotations

import warnings

import pytest
from oracles import oracle_dialect
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Enum,
    Float,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Time,
    Uuid,
    and_,
    exists,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import oracle, postgresql, sqlite
from sqlalchemy.exc import SADeprecationWarning
from traps import SCHEMA, SCRIPTS, STATEMENTS, in_script

from reimage.store import migrate
from reimage.store.columns import BigId, Json, Moment, Words
from reimage.store.tables import metadata

VERSIONS = {"19c": (19, 3), "23ai": (23, 4)}
TABLES = list(metadata().sorted_tables)
OF = {f"{trap.number} {trap.name}": trap for trap in (*SCHEMA, *STATEMENTS)}


def table(*columns, name="planted"):
    return Table(name, MetaData(), *columns)


SICK = {
    "1 a moment as DATE": [Column("seen_at", DateTime(timezone=True))],
    "2 a float with a precision": [Column("flux_jy", Float(53))],
    "3 JSON as BLOB, a CLOB in an index": [
        [Column("facts", JSON)],
        [Column("packed", LargeBinary)],
        [Column("note", Text), Index("ix_note", "note")],
        [Column("note", Text, unique=True)],
    ],
    "5 quoted names": [[Column("comment", Words(9))], [Column("Mixed", Words(9))]],
    "6 long names": [
        [Column("a_name_that_is_too_long_by_one_x", Words(9))],
        [Column("a", Words(9)), Index("ix_" + "a" * 28, "a")],
    ],
    "9 empty strings": [[Column("word", String(9))], [Column("word", Words(9), server_default="")]],
    "10 partial indexes": [
        [Column("a", Words(9)), Index("ix_a", "a", sqlite_where=literal_column("a = 'x'"))],
        [Column("a", Words(9)), Index("ix_a", "a", postgresql_where=literal_column("a = 'x'"))],
        [
            Column("a", Words(9)),
            Index("ix_a", "a", unique=True, sqlite_where=literal_column("a IS NOT NULL")),
        ],
    ],
    "11 types that Oracle lacks": [
        [Column("a", Time)],
        [Column("a", Interval)],
        [Column("a", Uuid)],
        [Column("a", Enum("x", name="kind"))],
        [Column("a", Enum("x", name="kind", native_enum=False))],
    ],
    "12 keys that nobody numbers": [
        [Column("id", BigInteger, Identity(), primary_key=True)],
        [Column("id", BigId, primary_key=True)],
    ],
}
"""Tables, as lists of columns, that the lints of the schema are for."""

WELL = table(
    Column("id", BigId, Identity(always=False), primary_key=True),
    Column("word", Words(9), server_default="x"),
    Column("facts", Json),
    Column("seen_at", Moment),
    Column("kind", Enum("x", name="kind", native_enum=False, create_constraint=True)),
    Column("also_at", DateTime().with_variant(oracle.TIMESTAMP(timezone=True), "oracle")),
    Index("ix_kind", "kind", sqlite_where=literal_column("kind IS NOT NULL")),
    name="sound",
)

T = table(
    Column("id", Integer, primary_key=True),
    Column("word", Words(9)),
    Column("facts", Json),
    Column("is_solar", Boolean),
)


def old_distinct_on():
    """Return what Oracle's compiler leaves out without a word; SQLAlchemy has begun to call it old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SADeprecationWarning)
        return select(T.c.word).distinct(T.c.word)


MISTAKES = {
    "3 CLOBs compared, grouped or sorted": [
        select(T.c.id).where(T.c.facts == {"a": 1}),
        select(T.c.facts, func.count()).group_by(T.c.facts),
        select(T.c.id).order_by(T.c.facts.desc()),
        select(T.c.facts).distinct(),
    ],
    "4 IS 1": [select(T.c.id).where(T.c.is_solar.is_(True))],
    "4 a bare boolean": [
        select(T.c.id).where(literal_column("is_solar")),
        select(T.c.id).where(and_(T.c.id == 1, or_(literal_column("t.is_solar"), T.c.id == 2))),
    ],
    "5 a quoted name": [select(literal_column("1").label("Size")), select(T.c.id.label("comment"))],
    "6 a long label": [select(T.c.id.label("a_label_that_is_too_long_by_one"))],
    "7 ORA-02014": [select(T.c.id).order_by(T.c.id).limit(1).with_for_update(skip_locked=True)],
    "8 many values": [insert(T).values([{"word": "a"}, {"word": "b"}])],
    "8 SELECT EXISTS": [select(exists(select(T.c.id)))],
    "8 DISTINCT ON": [old_distinct_on()],
    "8 upserts": [
        sqlite.insert(T).values(id=1).on_conflict_do_nothing(),
        postgresql.insert(T).values(id=1).on_conflict_do_nothing(),
    ],
    "8 what does not compile": [
        insert(T).values([{"word": "a"}, {"word": "b"}]),
        select(T.c.word).ext(postgresql.distinct_on(T.c.word)),
    ],
    "8 LIMIT": [select(literal_column("1 FROM t LIMIT 1"))],
    "9 compared with ''": [select(T.c.id).where(literal_column("word = ''"))],
}
"""Statements that their lints are for."""

SOUND = [
    select(T.c.id, T.c.word).where(T.c.is_solar == true(), T.c.word == "a").order_by(T.c.word),
    select(T.c.id).where(or_(T.c.is_solar == false(), T.c.facts.is_(None))).limit(3),
    select(T.c.id).where(exists(select(T.c.id))).distinct(),
    insert(T).values(word="a", facts={}),
]

LINES = {
    "LIMIT": "SELECT id FROM run ORDER BY id LIMIT 1",
    "a boolean word": "UPDATE failure SET n = 1 WHERE is_final = true",
    "IS 1": "SELECT id FROM run WHERE is_pilot IS 1",
    "a cast of PostgreSQL": "SELECT id::text FROM run",
    "an upsert": "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
    "RETURNING": "INSERT INTO a VALUES (1) RETURNING id INTO :ret_0",
    "a quoted name": 'SELECT "size" FROM a',
    "an empty string": "UPDATE run SET host = ''",
    "AS before a table's alias": "SELECT r.id FROM run AS r",
    "a type of others": "ALTER TABLE run ADD note TEXT",
    "a function of others": "SELECT NOW()",
    "several columns set at once": "UPDATE run SET a = b.c FROM b",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("trap", SCHEMA, ids=lambda trap: f"{trap.number} {trap.name}")
def test_the_schema_holds_no_trap(trap, version):
    dialect = oracle_dialect(VERSIONS[version])
    assert [found for one in TABLES for found in trap.find(one, dialect)] == []


def test_the_script_holds_no_trap():
    """Of every revision, what is executed by hand included."""
    assert in_script(migrate.offline_sql("oracle")) == []


def test_every_trap_of_the_list_has_its_lint():
    assert {trap.number for trap in (*SCHEMA, *STATEMENTS)} == set(range(1, 13))
    assert set(SICK) | set(MISTAKES) == set(OF)
    assert set(LINES) == set(SCRIPTS)


@pytest.mark.parametrize("name", SICK)
def test_a_lint_of_the_schema_catches_what_it_is_for(name):
    dialect = oracle_dialect((19, 3))
    planted = SICK[name] if isinstance(SICK[name][0], list) else [SICK[name]]
    for columns in planted:
        assert list(OF[name].find(table(*columns), dialect)), columns


@pytest.mark.parametrize("trap", SCHEMA, ids=lambda trap: f"{trap.number} {trap.name}")
def test_and_lets_pass_what_is_right(trap):
    assert list(trap.find(WELL, oracle_dialect((19, 3)))) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_lint_of_statements_catches_what_it_is_for(name):
    for clause in MISTAKES[name]:
        assert list(OF[name].find(clause, oracle_dialect((19, 3)))), clause


@pytest.mark.parametrize("clause", SOUND, ids=range(len(SOUND)))
@pytest.mark.parametrize("trap", STATEMENTS, ids=lambda trap: f"{trap.number} {trap.name}")
def test_and_lets_sound_statements_pass(trap, clause):
    assert list(trap.find(clause, oracle_dialect((19, 3)))) == []


@pytest.mark.parametrize("name", LINES)
def test_a_lint_of_scripts_catches_what_it_is_for(name):
    assert name in in_script(LINES[name])
