"""Every statement that the store executes, compiled for Oracle, searched for its silent traps, and bound."""

from __future__ import annotations

from datetime import datetime

import pytest
from everything import speakers
from oracle_fake import FakeOracle
from oracles import oracle_dialect
from traps import IN_LIMIT, STATEMENTS, compiled

pytestmark = pytest.mark.xdist_group("statements")  # recorded once
VERSIONS = pytest.mark.parametrize("version", [(19, 3), (23, 4)], ids=["19c", "23ai"])


def different(statements, dialect):
    """Return one clause of each text."""
    return {compiled(one.clause, dialect): one.clause for one in statements}


@VERSIONS
@pytest.mark.parametrize("trap", STATEMENTS, ids=lambda trap: f"{trap.number} {trap.name}")
def test_no_statement_holds_a_trap(statements, trap, version):
    dialect = oracle_dialect(version)
    clauses = different(statements, dialect)
    assert len(clauses) > 60
    assert [found for clause in clauses.values() for found in trap.find(clause, dialect)] == []


def test_everything_that_the_store_can_say_was_said(statements):
    """A new query is executed in `everything.do_everything`, and so seen by all that looks for traps."""
    assert sorted(set(speakers()) - statements.called) == []


@pytest.fixture(scope="module")
def sent(statements):
    """Give what the driver of Oracle would be sent for everything: (statement, bound values)."""
    fake = FakeOracle()
    for one in statements:
        fake.execute(one.clause, one.rows or one.row)
    return fake.sent


def test_the_dialect_is_that_of_19c():
    fake = FakeOracle()
    fake.execute_text("SELECT 1 FROM dual")
    dialect = fake.engine.dialect
    assert dialect.server_version_info[:2] == (19, 3)
    assert not dialect.supports_native_boolean


def test_bound_values_are_those_that_the_driver_takes(sent):
    """No boolean (19c has none), no moment with a zone (the driver drops it), no '' (it is NULL)."""
    values = [(statement, value) for statement, row in sent for value in row.values()]
    assert len(values) > 500
    wrong = [
        (statement, value)
        for statement, value in values
        if isinstance(value, bool)
        or value == ""
        or (isinstance(value, datetime) and value.tzinfo is not None)
        or not isinstance(value, str | int | float | datetime | None | FakeOracle.Variable)
    ]
    assert wrong == []
    kinds = {type(value) for _, value in values}
    assert {str, int, datetime} <= kinds


def test_truth_and_json_are_bound_as_numbers_and_text(sent):
    inserted = [row for statement, row in sent if statement.startswith("INSERT INTO dataset_alma ")]
    assert {row["is_mosaic"] for row in inserted} == {0}
    events = [row for statement, row in sent if statement.startswith("INSERT INTO event ")]
    assert all(row["data"].startswith("{") for row in events)


def test_returning_is_only_for_the_keys_of_single_rows(sent):
    """What `RETURNING .. INTO` gives is the key of the row just inserted; nothing else relies on it."""
    returning = {statement for statement, _ in sent if "RETURNING" in statement}
    assert all(statement.startswith("INSERT INTO ") for statement in returning)
    assert all(statement.count(":ret_") == 1 for statement in returning)


def test_no_list_is_too_long(sent):
    assert max(len(row) for _, row in sent) < IN_LIMIT


@pytest.mark.parametrize(
    ("value", "bound"),
    [("", None), ("\0", None), ("x" * 100, "x" * 64), ("word", "word")],
)
def test_words_are_bound_as_oracle_keeps_them(value, bound):
    from sqlalchemy import insert  # noqa: PLC0415

    from reimage.store.desk_tables import GroupState  # noqa: PLC0415

    fake = FakeOracle()
    fake.execute(insert(GroupState), {"name": "n", "author": "a", "resolved_in": value})
    (_, row) = fake.sent[-1]
    assert row["resolved_in"] == bound
