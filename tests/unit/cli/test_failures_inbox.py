"""`reimage failures` and `reimage failures query`, on a site with four runs."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from astropy.io.votable import parse_single_table

from reimage import journal
from reimage.cli import rows_out
from reimage.cli.since import since_of


def test_the_inbox(worked):
    said = worked.call("failures")
    assert said.code == 0
    assert "failures by class" in said.out
    assert "refused by class" in said.out
    assert "new" in said.out
    found = worked.call("failures", "--json").json
    assert found["total"]["done"] == 4
    assert sum(group["share"] for group in found["failures"]) == pytest.approx(1)
    for group in found["failures"]:
        assert (group["datasets"], group["runs"], group["state"]) == (1, 1, "new")
        assert sum(group["weeks"]) == 1
        assert group["recovery_cpu_h"] is not None
        assert group["example"]
    assert [group["result"] for group in found["refused"]] == ["refused"]


@pytest.mark.parametrize(
    "by",
    ["family", "signature", "category", "casa", "recipe", "stage", "host", "day", "band", "cycle"],
)
def test_every_grouping_counts_the_same_runs(worked, by):
    found = worked.call("failures", "--by", by, "--json").json
    assert sum(group["runs"] for group in found["failures"]) == found["total"]["runs"] == 2
    assert worked.call("failures", "--by", by).code == 0


def test_filters_and_the_histogram(worked):
    some = worked.call("failures", "--where", "result = failed", "--since", "1h", "--json").json
    assert some["total"]["runs"] == 1
    (one,) = some["failures"]
    assert worked.call("failures", "--grep", one["decisive"][:12].upper(), "--json").json[
        "failures"
    ]
    assert worked.call("failures", "--grep", "no such words").out.startswith("no failures")
    assert "error[sweep-unknown]" in worked.call("failures", "--sweep", "none", "--json").err
    drawn = worked.call("failures", "--histogram")
    assert "failures by day (UTC)" in drawn.out
    assert "█" in drawn.out
    assert worked.call("failures", "--histogram", "--json").json["histogram"][0]["runs"] == 2


def test_csv_has_a_line_for_each_group(worked):
    rows = list(csv.DictReader(io.StringIO(worked.call("failures", "--csv").out)))
    found = worked.call("failures", "--json").json
    assert [row["key"] for row in rows] == [
        group["key"] for group in (*found["failures"], *found["refused"])
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--where", "mood = 3"], "filter-malformed"),
        (["--since", "yesterday"], "since-malformed"),
        (["query", "weather"], "question-unknown"),
        (["query", "days", "--with", "days"], "question-parameter"),
        (["query", "days", "--sql", "SELECT 1"], "question-unclear"),
        (["query", "--sql", "DROP TABLE run"], "sql-not-readonly"),
        (["query", "--sql", "SELECT nothing FROM run"], "sql-failed"),
    ],
)
def test_what_cannot_be_asked_is_told(worked, words, code):
    said = worked.call("failures", *words)
    assert said.code == 2
    assert code in said.err
    assert "Traceback" not in said.err


def test_sql_that_does_not_end_is_ended(worked):
    endless = "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT MAX(n) FROM a"
    said = worked.call("failures", "query", "--sql", endless, "--limit-s", "0.1")
    assert said.code != 0
    assert "sql-too-slow" in said.err


def test_questions_are_listed_and_answered(worked):
    listed = worked.call("failures", "query", "--list", "--json").json["questions"]
    assert len(listed) >= 20
    assert worked.call("failures", "query").out.count("?") >= 20
    found = worked.call("failures", "query", "reached-end", "--json").json
    assert found["columns"][:3] == ["recipe", "runs", "imaged"]
    assert [row[1:3] for row in found["rows"]] == [[4, 1]]
    assert "What share" in worked.call("failures", "query", "reached-end").out


def test_sql_in_every_form(worked):
    sql = "SELECT run, result, cpu_s, NULL AS blank, 3 AS n FROM run ORDER BY run"
    found = worked.call("failures", "query", "--sql", sql, "--json").json
    rows = list(
        csv.reader(io.StringIO(worked.call("failures", "query", "--sql", sql, "--csv").out))
    )
    assert rows[0] == found["columns"]
    assert [row[0] for row in rows[1:]] == [row[0] for row in found["rows"]]
    assert worked.call("failures", "query", "--sql", sql, "--rows", "2", "--json").json["cut"]


def test_a_votable_holds_the_same_rows(capsysbinary):
    moment = journal.now()
    rows = [(1, 1.5, "a", None, moment), (2, None, "ü", None, moment), (3, 2.0, None, None, None)]
    rows_out.write_votable(("n", "x", "word", "nothing", "n"), rows, "numbers")
    table = parse_single_table(io.BytesIO(capsysbinary.readouterr().out)).to_table()
    assert list(table["n"]) == [1, 2, 3]
    assert list(table["word"][:2]) == ["a", "ü"]
    assert list(table["x"].mask) == [False, True, False]
    assert len(table.colnames) == 5


def test_a_spreadsheet_takes_no_formula_from_a_log(capsys):
    rows_out.write_csv(("a",), [("=cmd()",), ("-1",), (-1,), ("fine",)])
    assert capsys.readouterr().out.splitlines() == ["a", "'=cmd()", "'-1", "-1", "fine"]


def test_since():
    assert journal.now() - since_of("7d") < timedelta(days=7, seconds=5)
    assert since_of("2026-11-01T12:00").isoformat() == "2026-11-01T12:00:00+00:00"
