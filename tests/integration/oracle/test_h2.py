"""The schema and everything that the store says, executed by H2 in Oracle mode: the nearest to an Oracle there is."""

from __future__ import annotations

import pytest
from everything import do_everything
from playing import find, make
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from reimage.journal import now
from reimage.model import Result, State
from reimage.settings import Settings
from reimage.store import migrate, questions
from reimage.store.moves import RunLive
from reimage.store.questions import QUESTIONS
from reimage.store.tables import metadata

pytestmark = pytest.mark.xdist_group("h2")
REFUSED = {
    # what the schema must refuse on every database
    "done without a result": "UPDATE run SET state = 'done'",
    "a state that is none": "UPDATE run SET state = 'asleep'",
    "a class of what is not done": "UPDATE run SET error_class = 'x'",
    "an empty string": "UPDATE run SET recipe = ''",
    "a run twice": """
        INSERT INTO run (run, dataset_id, recipe, recipe_digest, state, directory, attempt_no,
        priority, memory_mb, limit_s, created_at, products_planned, products_made, caveats, log_offset)
        SELECT run, dataset_id, 'other', recipe_digest, state, directory, attempt_no,
        priority, memory_mb, limit_s, created_at, 0, 0, caveats, log_offset FROM run""",
    "neither true nor false": """
        INSERT INTO failure (run_id, attempt_no, result, error_class, failed_at, is_final)
        SELECT id, 1, 'failed', 'x', created_at, 2 FROM run""",
    "a note of no act": """
        INSERT INTO annotation (act_seq, dataset_id, note, author, noted_at)
        SELECT 99, dataset_id, 'n', 'a', created_at FROM run""",
}


@pytest.fixture(scope="module")
def asked(h2, script, tmp_path_factory):
    """Give a database in which everything was done once."""
    connection = h2.Connection("asked")
    h2.carry_out(connection, script)
    opened = migrate.open_database("oracle+h2:///asked")
    place = tmp_path_factory.mktemp("asked")
    do_everything(Settings(data=place, cache=place / "cache", poll_s=0.05), opened)
    yield opened
    opened.close()
    h2.drop(connection)


def test_the_script_of_the_dba_makes_the_whole_schema(h2, empty_oracle, script):
    connection, _ = empty_oracle
    refused = [one for one in h2.statements_of(script) if h2.is_false_alarm(one)]
    assert [one.split()[4 - 1] for one in refused] == ["ux_run_live"]  # told apart by name
    h2.carry_out(connection, script)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'PUBLIC'"
        )
        made = {name.lower() for (name,) in cursor.fetchall()}
    assert made == set(metadata().tables) | {"alembic_version"}


def test_every_column_is_there(oracle):
    with oracle.read() as session:
        seen = session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'PUBLIC'"
            )
        )
        found = {(table.lower(), column.lower()) for table, column in seen}
    declared = {(t.name, c.name) for t in metadata().sorted_tables for c in t.columns}
    assert declared <= found


def test_everything_is_executed(asked):
    done = {name: find(asked, name) for name in ("r1", "r2", "r3")}
    assert done["r1"].result == Result.FAILED
    assert done["r2"].result == Result.IMAGED
    assert done["r3"].result == Result.CANCELLED


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_the_schema_refuses(oracle, settings, statement):
    make(settings, oracle, "r1")
    with pytest.raises(IntegrityError), oracle.write() as session:
        session.execute(text(statement))
    assert find(oracle).state == State.QUEUED


def test_one_live_run_per_dataset_and_recipe(oracle, settings):
    make(settings, oracle, "r1")
    with pytest.raises(RunLive):
        make(settings, oracle, "r01")  # the same dataset


def test_what_an_oracle_has_no_word_for_is_refused(h2, oracle):
    """H2 is no rubber stamp: what the dialect would say wrongly does not pass."""
    for statement in (
        "SELECT id FROM run LIMIT 1",
        "SELECT id FROM failure WHERE is_final IS 1",
        "INSERT INTO lease (name) VALUES ('x') ON CONFLICT DO NOTHING",
    ):
        with oracle.read() as session, pytest.raises(Exception, match="Syntax error"):
            session.execute(text(statement))


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_saved_question_is_answered(asked, name):
    """With what the sample holds; that the rows are right is for the other databases' tests."""
    question = QUESTIONS[name]
    with asked.read() as session:
        answer = questions.ask(session, question, questions.given(question, {}, now()), 100)
    assert answer.columns
