"""The mirror of a holding: few statements for a batch, and only what was looked at is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from making import WHEN
from sqlalchemy import event

from reimage.store import datasets, holdings_stats, mirroring

LATER = WHEN + timedelta(days=1)


def facts_of(number, **other):
    return {
        "mous": f"uid://A001/X1/X{number:x}",
        "project": f"20{12 + number % 3}.1.{number:05d}.S",
        "cycle": number % 3,
        "bands": [3, 6] if number % 2 else [6],
        "array": "12m+7m+TP",
        "data_rights": "Public" if number % 7 else None,
        "qa2_passed": [True, False, None][number % 3],
        "size_bytes": 1000 * number or None,
        **other,
    }


def rows_of(numbers, **other):
    return [(f"uid://A001/X1/X{number:x}", facts_of(number, **other)) for number in numbers]


@pytest.fixture
def statements(database):
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    return seen


@pytest.mark.parametrize(
    ("first", "second", "most"),
    [([], range(500), 4), (range(500), range(500), 2), (range(250), range(500), 8)],
    ids=["new", "unchanged", "half"],
)
def test_a_batch_takes_few_statements(database, statements, first, second, most):
    with database.write() as session:
        mirroring.begin(session, "alma", archive="here", at=WHEN)
        mirroring.put(session, "alma", rows_of(first), at=WHEN)
    statements.clear()
    changed = {} if len(first) == len(second) else {"n_ebs": 2}
    with database.write() as session:
        counts = mirroring.put(session, "alma", rows_of(second, **changed), at=LATER)
    assert counts.seen == len(second)
    assert counts.added == len(second) - len(first)
    assert len([one for one in statements if not one.startswith("BEGIN")]) <= most


def test_more_than_a_batch(database):
    n = 2 * mirroring.BATCH + 1
    with database.write() as session:
        assert datasets.sync(session, "alma", rows_of(range(n)), at=WHEN).added == n
    with database.write() as session:
        again = datasets.sync(session, "alma", rows_of(range(1, n)), at=LATER)
    assert (again.unchanged, again.gone) == (n - 1, 1)
    with database.read() as session:
        assert datasets.list_datasets(session, "alma", "array = '12m+7m+TP'", limit=1)


def test_gone_is_only_what_was_looked_at(database):
    with database.write() as session:
        datasets.sync(session, "alma", rows_of(range(9)), at=WHEN)
        datasets.sync(session, "other", [("a", {"title": "b"})], at=WHEN)
    with database.write() as session:
        mirroring.put(session, "alma", rows_of([0]), at=LATER)
        assert mirroring.sweep_up(session, "alma", since=LATER, prefixes=[]) == 0
        assert mirroring.sweep_up(session, "alma", since=LATER, prefixes=["2012.", "2019_"]) == 2
        assert mirroring.sweep_up(session, "alma", since=LATER, prefixes=["2012."]) == 0
    with database.read() as session:
        assert len(datasets.list_datasets(session, "alma")) == 7
        assert len(datasets.list_datasets(session, "other")) == 1
        gone = datasets.find(session, "alma", "uid://A001/X1/X3")
    assert gone.gone_at == LATER
    with database.write() as session:
        assert mirroring.sweep_up(session, "alma", since=LATER) == 6


def test_an_archive_that_lists_nothing_has_told_nothing(database):
    with database.write() as session:
        datasets.sync(session, "alma", rows_of(range(3)), at=WHEN)
        assert datasets.sync(session, "alma", [], at=LATER).gone == 0


def test_how_far_the_mirror_is(database):
    with database.write() as session:
        before = mirroring.begin(session, "alma", archive="a", at=WHEN)
        assert (before.archive, before.begun_at, before.whole_at) == ("", None, None)
        mirroring.end(session, "alma", whole_at=WHEN)
        again = mirroring.begin(session, "alma", archive="a", at=LATER)
        assert (again.archive, again.begun_at, again.whole_at) == ("a", None, WHEN)
        assert mirroring.find_state(session, "alma").begun_at == LATER
        mirroring.begin(session, "alma", archive="b", at=LATER)
        assert mirroring.find_state(session, "alma").whole_at is None


def test_counts(database):
    with database.write() as session:
        datasets.sync(session, "alma", [*rows_of(range(6)), ("x", {"mous": "x"})], at=WHEN)
    with database.read() as session:
        total = holdings_stats.total(session, "alma")
        assert (total.datasets, total.n_bytes, total.sized) == (7, 15000, 5)
        bands = {one.value: one.datasets for one in holdings_stats.count(session, "alma", "band")}
        assert bands == {"3": 3, "6": 6, None: 1}
        cycles = [one.value for one in holdings_stats.count(session, "alma", "cycle", "band = 3")]
        assert cycles == ["0", "1", "2"]
        assert holdings_stats.total(session, "nowhere").datasets == 0


def test_order_and_alternatives(database):
    with database.write() as session:
        datasets.sync(session, "alma", rows_of(range(6)), at=WHEN)
    with database.read() as session:
        order = ["cycle", "-size"]
        found = datasets.list_datasets(session, "alma", "cycle = 0 or cycle = 1", None, order)
        numbers = [int(row.dataset.rpartition("X")[2]) for row in found]
        assert numbers == [3, 0, 4, 1]  # what has no size comes last
        denied = datasets.list_datasets(session, "alma", "not (cycle = 0 or band = 3)")
        assert [row.dataset[-2:] for row in denied] == ["X2", "X4"]


def test_of_two_at_once_the_later_is_not_made_older(database):
    """What both see stays seen, though the one that began first comes to it last."""
    with database.write() as session:
        mirroring.begin(session, "alma", archive="here", at=WHEN)
        mirroring.put(session, "alma", rows_of([3]), at=WHEN)
        mirroring.begin(session, "alma", archive="here", at=LATER)
        mirroring.put(session, "alma", rows_of([0, 3]), at=LATER)
        mirroring.put(session, "alma", rows_of([0]), at=WHEN)
        mirroring.put(session, "alma", rows_of([3], n_ebs=2), at=WHEN)
        assert mirroring.sweep_up(session, "alma", since=LATER) == 0
    with database.read() as session:
        rows = datasets.list_datasets(session, "alma")
    assert [row.synced_at for row in rows] == [LATER, LATER]
    assert sorted(row.facts.get("n_ebs", 0) for row in rows) == [0, 2]


def test_the_newest_change(database):
    with database.write() as session:
        assert mirroring.newest(session, "alma") is None
        datasets.sync(session, "alma", rows_of([0]), at=WHEN)
        assert mirroring.newest(session, "alma") is None
        mirroring.put(session, "alma", rows_of([1], last_modified=WHEN.isoformat()), at=WHEN)
        mirroring.put(session, "alma", rows_of([2], last_modified="2020-01-01"), at=WHEN)
        assert mirroring.newest(session, "alma") == WHEN


@pytest.mark.parametrize("where", ["cycle < 1e10", "cycle < 70000.5", "cycle < 9.2e18"])
def test_a_number_that_its_column_cannot_hold_is_compared(database, where):
    with database.write() as session:
        datasets.sync(session, "alma", rows_of(range(3)), at=WHEN)
        assert len(datasets.list_datasets(session, "alma", where)) == 3
        assert datasets.list_datasets(session, "alma", "cycle = 1.5") == ()
        assert len(datasets.list_datasets(session, "alma", "n_bytes >= 1000")) == 2
