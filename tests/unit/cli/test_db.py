from __future__ import annotations

from operating import NOW, opened
from sqlalchemy import text

from reimage import cli
from reimage.cli import codes
from reimage.desk import acts
from reimage.store import runs, tallies


def test_a_reader_makes_no_empty_database(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--data", str(tmp_path / "data"), "status"]) == codes.FAILED
    assert "there is no run database yet" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_sums_are_counted_afresh(worked):
    """A sum that was changed behind our back is told by --check, mended without it, and then right."""
    assert worked.call("db", "recount", "--check").out.endswith("the sums are what the rows say\n")
    with opened(worked.settings.database_url) as database, database.write() as session:
        session.execute(text("UPDATE tally SET n_runs = 7 WHERE axis = 'band' AND day_no = 0"))
    said = worked.call("db", "recount", "--check", "--json")
    assert said.code == codes.FAILED
    assert not said.json["mended"]
    assert any("n_runs is 7, counted 1" in line for line in said.json["differences"])
    assert "differences, mended" in worked.call("db", "recount").out
    assert worked.call("db", "recount", "--check", "--json").json["differences"] == []


def test_a_rebuilt_database_has_what_people_did(worked, tmp_path):
    (run,) = [
        one["run"]
        for one in worked.call("status", "--json").json["runs"]
        if one["error_class"] == "archive-file-damaged"
    ]
    with opened(worked.settings.database_url) as database:
        judged = {"run": run, "attempt": 1, "error_class": "memory", "symptoms": []}
        said = {"author": "somebody", "reason": "why", "at": NOW, "subject": "memory"}
        acts.record(worked.settings, database, "failures.judged", **said, judgements=[judged])
    again = tmp_path / "again.db"
    said = worked.call("db", "rebuild", "--into", again)
    assert (said.code, said.out.endswith("4 runs, 1 sweep, 1 act of the desk\n")) == (0, True)
    with opened(f"sqlite:///{again}") as database, database.read() as session:
        assert runs.find(session, run).error_class == "memory"
        assert tallies.differences(session) == []
