"""Every saved question is answered, on both databases; some are held against a count by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reimage.errors import ReimageError
from reimage.store import migrate, questions

END = datetime(2026, 11, 20, tzinfo=UTC)
BENCH = Path(__file__).parents[2] / "ops" / "bench"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(BENCH))
        import desk  # noqa: PLC0415 -- a program beside the service

        yield desk.prepare(tmp_path_factory.mktemp("history"), 0.002), desk.END


@pytest.fixture
def ask(made):
    history, now = made
    with closing(migrate.open_database(history.url)) as database:

        def answer(name, most=10_000, **values):
            question = questions.find(name)
            with database.read() as session:
                given = questions.given(question, values, now)
                return questions.ask(session, question, given, most)

        yield answer


@pytest.fixture
def plain(made):
    with closing(sqlite3.connect(made[0].path)) as connection:
        yield lambda statement: connection.execute(statement).fetchall()


@pytest.mark.parametrize("name", questions.QUESTIONS)
def test_every_question_is_answered(ask, name):
    found = ask(name, most=5)
    assert len(found.columns) == len(set(found.columns)) > 1
    assert len(found.rows) <= 5
    assert all(len(row) == len(found.columns) for row in found.rows)
    if name not in {"came-back", "never-seen", "running-longest", "new-signatures", "core-dumps"}:
        assert found.rows, "the made-up history should have something to tell"


@pytest.mark.parametrize("name", questions.QUESTIONS)
def test_every_question_is_understood_by_postgresql(postgresql_database, name):
    question = questions.find(name)
    with postgresql_database.read() as session:
        found = questions.ask(session, question, questions.given(question, {}, END), 5)
    assert found.columns


@pytest.fixture(scope="module")
def postgresql_database(postgresql):
    url = postgresql()
    migrate.upgrade(url)
    with closing(migrate.open_database(url)) as database:
        yield database


def test_each_says_what_it_asks():
    for name, question in questions.QUESTIONS.items():
        assert question.name == name
        assert question.title.endswith("?")
        assert question.meaning.endswith(".")
        assert all(
            f"`{key}`" in question.meaning or key in question.meaning for key in question.parameters
        )
    assert len(questions.QUESTIONS) >= 20


def test_success_by_casa_is_the_count_by_hand(ask, plain):
    expected = plain(
        "SELECT build || ' ' || category, COUNT(*), SUM(result = 'imaged') FROM run"
        " WHERE state = 'done' GROUP BY 1 ORDER BY 1"
    )
    assert [row[:3] for row in ask("success-by-casa").rows] == expected
    some = ask("success-by-casa", category="12m", casa="casa-6.7").rows
    assert 0 < len(some) < len(expected)
    assert all("casa-6.7" in row[0] and "12m" in row[0] for row in some)


def test_failed_twice_is_the_count_by_hand(ask, plain):
    expected = plain(
        "SELECT d.dataset_key, COUNT(*) AS n FROM failure b JOIN failure a ON a.dataset_id = b.dataset_id"
        " AND a.signature = b.signature AND a.is_final JOIN dataset d ON d.id = b.dataset_id"
        " WHERE b.n_blocked AND b.result <> 'refused' GROUP BY b.id HAVING n >= 2"
    )
    found = ask("failed-twice")
    assert sorted((row[0], row[3]) for row in found.rows) == sorted(expected)
    assert expected


def test_classes_by_category_are_the_count_by_hand(ask, plain):
    expected = plain(
        "SELECT category, COUNT(*) AS n FROM failure WHERE is_final"
        " AND error_class IN ('memory', 'unclassified') GROUP BY 1 ORDER BY n DESC, 1"
    )
    found = ask("memory-by-category", classes="memory, unclassified")
    assert [row[:2] for row in found.rows] == expected
    assert expected


def test_remedies_are_the_count_by_hand(ask, plain):
    ((tried, imaged),) = plain(
        "SELECT COUNT(*), SUM(r.result = 'imaged') FROM decision d JOIN run r ON r.id = d.run_id"
        " WHERE d.kind = 'retry' AND r.state = 'done'"
    )
    (row,) = ask("remedies", days="100000").rows
    assert row[:4] == ("retry", tried, tried, imaged)


def test_days_are_dates(ask, plain):
    found = ask("days", days="5000")
    assert f"{found.rows[0][0]:%Y-%m-%d}" == plain("SELECT MAX(DATE(ended_at)) FROM run")[0][0]
    assert (
        sum(row[1] for row in found.rows)
        == plain("SELECT COUNT(*) FROM run WHERE result <> ''")[0][0]
    )


def test_rows_are_cut(ask):
    assert ask("hosts", most=2).cut
    assert len(ask("hosts", most=2).rows) == 2
    assert ask("hosts", runs="100000000").rows == ()


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("weather", {}, "question-unknown"),
        ("days", {"weeks": "2"}, "question-parameter"),
        ("days", {"days": "-1"}, "question-parameter"),
        ("days", {"days": "many"}, "question-parameter"),
        ("days", {"days": "99999999999"}, "question-parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask, name, values, code):
    with pytest.raises(ReimageError) as refused:
        ask(name, **values)
    assert refused.value.code == code
