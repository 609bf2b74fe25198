"""Parts of a listing: together they are everything, and none has what another has."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import shards
from reimage.archive.shards import Shard

CODES = st.from_regex(r"20[0-3]\d\.[0-9A]\.\d{5}\.[SLTVPA]", fullmatch=True)
ODD = st.sampled_from(["", "0000.0.00180.CSV", "2019", "2019.1", "2019.1.000012.S", "x", "é.1"])
UIDS = st.builds(
    "uid://{}/X{:x}/X{:x}".format, st.sampled_from(["A001", "A002", "A003"]), st.integers(0, 4096),
    st.integers(0, 300),
)  # fmt: skip


@given(CODES | ODD)
def test_every_project_is_in_one_part_of_everything(code):
    assert [shard.holds(code) for shard in shards.whole(2026)].count(True) == 1


@given(CODES | ODD)
def test_every_project_of_a_part_is_in_one_part_of_it(code):
    waiting = [shard for shard in shards.whole(2026) if shard.holds(code)]
    for _ in range(12):
        (shard,) = waiting
        parts = [part for part in shard.split() if not part.by_name]
        if not parts:
            return
        waiting = [part for part in parts if part.holds(code)]
    pytest.fail("divided without end")


@given(st.dictionaries(CODES | ODD, st.integers(1, 500), max_size=60), st.integers(1, 1000))
def test_a_plan_has_every_row_once(rows, limit):
    planned = [one for root in shards.whole(2026) for one in shards.plan(root, rows, limit)]
    assert sum(n for _, n in planned) == sum(rows.values())
    assert len({shard.name for shard, _ in planned}) == len(planned)
    for shard, n in planned:
        several = [code for code in rows if shard.holds(code)]
        assert n == sum(rows[code] for code in several)
        assert n <= limit or len(shard.project) == 12 or shard.but_not


def found(rows, shard):
    """Ask a database for what is in a part."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("PRAGMA case_sensitive_like = ON")
        connection.execute("CREATE TABLE t (n INTEGER, proposal_id TEXT, member_ous_uid TEXT)")
        numbered = [(number, *row) for number, row in enumerate(rows)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", numbered)
        answer = connection.execute(f"SELECT n FROM t WHERE {shard.condition()}").fetchall()  # noqa: S608 -- as a service would
    connection.close()
    return {number for (number,) in answer}


@given(st.lists(st.tuples(CODES | ODD | st.none(), UIDS), max_size=30))
def test_conditions_divide_rows_without_overlap(rows):
    """Divided wherever more than three rows are: codes, then names; each row is found once."""
    seen: list[int] = []
    waiting = list(shards.whole(2026))
    while waiting:
        shard = waiting.pop()
        numbers = found(rows, shard)
        parts = shard.split() if len(numbers) > 3 else ()
        waiting += parts
        seen += [] if parts else sorted(numbers)
    assert sorted(seen) == list(range(len(rows)))


def test_rows_of_a_dataset_stay_together():
    part = Shard(project="2019.1.00003", mous="uid://A001/X12/X1", by_name=True)
    assert part.condition() == (
        "proposal_id LIKE '2019.1.00003%' AND member_ous_uid LIKE 'uid://A001/X12/X1%'"
    )


def test_the_dots_of_codes_are_not_asked_for():
    assert [part.project for part in Shard(project="2019.").split()][1] == "2019.1."
    assert Shard(project="2019.").split()[-1].name == "2019.* but 10"


def test_what_cannot_be_divided_has_no_parts():
    rest = Shard(project="2019.1.00003").split()[-1]
    assert rest.by_name
    assert rest.split() == ()


@pytest.mark.parametrize("text", ["", "2019'", "2019%", "2019 OR 1=1", "2019_1"])
def test_what_is_no_code_is_told(text):
    with pytest.raises(shards.ProjectMalformed):
        shards.of_project(text)
