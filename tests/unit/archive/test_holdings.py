"""Reading a listing in parts, from a database that answers as a TAP service does, within any limits."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import faults, grouping, shards
from reimage.archive.holdings import TapHoldings
from reimage.archive.tap import Answer, QuerySlowError


class Engine:
    """Answers ADQL from a database; cuts at ``limit`` rows, is too slow above ``slow`` rows."""

    url = "http://archive/tap"

    def __init__(self, rows, *, columns=grouping.COLUMNS, limit=10_000, slow=10_000, tells=True):
        self.limit, self.slow, self.tells, self.asked = limit, slow, tells, []
        self.database = sqlite3.connect(":memory:")
        self.database.execute("PRAGMA case_sensitive_like = ON")
        self.database.execute("ATTACH ':memory:' AS ivoa")
        self.database.execute("ATTACH ':memory:' AS TAP_SCHEMA")
        self.database.execute(f"CREATE TABLE ivoa.obscore ({', '.join(columns)})")
        self.database.execute("CREATE TABLE TAP_SCHEMA.columns (table_name, column_name)")
        told = [("ivoa.obscore", name) for name in columns]
        self.database.executemany("INSERT INTO TAP_SCHEMA.columns VALUES (?, ?)", told)
        marks = ", ".join("?" for _ in columns)
        self.database.executemany(
            f"INSERT INTO ivoa.obscore VALUES ({marks})",  # noqa: S608 -- made here
            [[row.get(name) for name in columns] for row in rows],
        )

    def ask(self, query, *, most=None, is_async=False):
        self.asked.append((query, is_async))
        sql = re.sub(r"SELECT TOP (\d+) (.*)", r"SELECT \2 LIMIT \1", query)
        cursor = self.database.execute(sql)
        found = cursor.fetchall()
        if len(found) > self.slow and not is_async and "TAP_SCHEMA" not in query:
            raise QuerySlowError("timeout")
        limit = min(most or self.limit, self.limit)
        names = [column[0].lower() for column in cursor.description]
        kept = found[:limit]
        columns = {name: [row[i] for row in kept] for i, name in enumerate(names)}
        return Answer(columns=columns, is_cut=self.tells and len(found) > limit)


def rows_of(sizes):
    """Return rows: of each dataset (project, name, rows) as many as it says."""
    return [
        {"member_ous_uid": mous, "proposal_id": code, "lastModified": f"2025-01-{number + 1:02d}"}
        for code, mous, n in sizes
        for number in range(n)
    ]


def read(engine, roots, **options):
    found = TapHoldings(engine, **options)
    return [part for one in found.plan(roots) for part in found.read(one)]


CODES = st.sampled_from(
    ["2012.1.00001.S", "2012.1.00002.S", "2019.2.00001.S", "2019.A.00001.T", "x", "", None]
)
SIZES = st.lists(
    st.tuples(CODES, st.integers(0, 40).map("uid://A001/X12{:x}/X1".format), st.integers(1, 9)),
    max_size=25,
    unique_by=lambda one: one[1],
)


@given(SIZES, st.integers(12, 200), st.booleans(), st.integers(12, 200))
def test_every_dataset_is_read_once_with_all_its_rows(sizes, limit, tells, at_once):
    """Whatever the service's limit, and whether or not it tells that it cut an answer.

    The census is one row a project: seven at most, below any limit here.
    """
    engine = Engine(rows_of(sizes), limit=limit, tells=tells)
    parts = read(engine, shards.whole(2026), rows_at_once=min(at_once, limit))
    found = [(key, facts["n_rows"]) for part in parts for key, facts in part.datasets]
    assert sorted(found) == sorted((mous, n) for _, mous, n in sizes)
    assert all(part.is_whole for part in parts)


@given(SIZES, st.integers(9, 60))
def test_slow_queries_are_divided(sizes, slow):
    engine = Engine(rows_of(sizes), slow=slow)
    try:
        parts = read(engine, shards.whole(2026))
    except faults.ArchiveUnavailable:
        return  # too many in a row: it is told, not hidden
    found = [(key, facts["n_rows"]) for part in parts for key, facts in part.datasets]
    assert sorted(found) == sorted((mous, n) for _, mous, n in sizes)


def test_columns_that_are_not_there_are_not_asked_for():
    columns = ("member_ous_uid", "proposal_id", "band_list")
    engine = Engine(rows_of([("2012.1.00001.S", "uid://A001/X1/X1", 2)]), columns=columns)
    (part,) = read(engine, shards.whole(2026))
    assert part.datasets[0][1]["n_rows"] == 2
    assert not any("lastModified" in query for query, _ in engine.asked)
    with pytest.raises(faults.ArchiveAnswerMalformed, match="lastmodified") as caught:
        read(engine, shards.whole(2026), since=datetime(2025, 1, 1, tzinfo=UTC))
    assert "--full" in caught.value.hint


def test_columns_are_found_without_a_schema():
    engine = Engine(rows_of([("2012.1.00001.S", "uid://A001/X1/X1", 2)]))
    engine.database.execute("DELETE FROM TAP_SCHEMA.columns")
    assert len(read(engine, shards.whole(2026))) == 1


def test_a_table_of_something_else_is_told():
    with pytest.raises(faults.ArchiveAnswerMalformed, match="proposal_id"):
        read(Engine([], columns=("member_ous_uid", "other")), shards.whole(2026))


def test_all_rows_of_a_dataset_that_changed_are_asked_for():
    sizes = [("2012.1.00001.S", "uid://A001/X1/X1", 3), ("2012.1.00001.S", "uid://A001/X1/X2", 1)]
    parts = read(Engine(rows_of(sizes)), shards.whole(2026), since=datetime(2025, 1, 3, tzinfo=UTC))
    # A day without a time, as here, is before the first second of it.
    assert [(key, facts["n_rows"]) for part in parts for key, facts in part.datasets] == []
    parts = read(Engine(rows_of(sizes)), shards.whole(2026), since=datetime(2025, 1, 2, tzinfo=UTC))
    assert [(key, facts["n_rows"]) for part in parts for key, facts in part.datasets] == [
        ("uid://A001/X1/X1", 3)
    ]


def test_fewer_rows_than_were_counted_are_not_whole():
    engine = Engine(rows_of([("2012.1.00001.S", "uid://A001/X1/X1", 3)]))
    found = TapHoldings(engine)
    (planned,) = found.plan(shards.whole(2026))
    engine.database.execute("DELETE FROM ivoa.obscore WHERE lastModified = '2025-01-01'")
    (part,) = found.read(planned)
    assert (part.n_rows, part.is_whole) == (2, False)


def test_rows_without_a_dataset_are_counted():
    rows = rows_of([("2012.1.00001.S", "uid://A001/X1/X1", 1), ("2012.1.00001.S", "", 2)])
    (part,) = read(Engine(rows), shards.whole(2026))
    assert (part.n_rows, part.n_nameless, len(part.datasets)) == (3, 2, 1)


@pytest.mark.parametrize("nameless", [None, ""])
def test_rows_without_a_dataset_are_in_one_part_of_a_project_that_names_divide(nameless):
    sizes = [("2012.1.00001.S", f"uid://A001/X12{number:x}/X1", 3) for number in range(30)]
    rows = rows_of([*sizes, ("2012.1.00001.S", nameless, 2)])
    parts = read(Engine(rows, limit=40), shards.whole(2026), rows_at_once=40)
    assert sum(part.n_nameless for part in parts) == 2
    assert sum(part.n_rows for part in parts) == len(rows)  # else the archive is never read whole
