from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from making import make_build

from reimage import cli, document, settings
from reimage.store import migrate


def checks(capsys, *arguments):
    code = cli.main([*arguments, "doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    return code, {check["name"]: check for check in found["checks"]}, found["settings"]


def test_an_empty_environment_is_no_error(capsys, tmp_path):
    code, found, _ = checks(capsys)
    assert code == 0
    assert found["run database"]["verdict"] == found["CASA builds"]["verdict"] == "note"
    assert "reimage db upgrade" in found["run database"]["hint"]
    assert "reimage casa install" in found["CASA builds"]["hint"]
    assert not (tmp_path / "data").exists()


def test_what_is_missing_says_what_installs_it(capsys, monkeypatch):
    monkeypatch.setattr("reimage.casa.confine.available", lambda: None)
    _, found, _ = checks(capsys)
    assert "apt-get install bubblewrap" in found["bubblewrap"]["hint"]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ('archive = "home"', "archive"),
        ('database = "sqlite:///broken.db"', "run database"),
        ('classes = ["broken"]', "error classes"),
        ('data = "broken.db"', "data"),
        ('admit = "nowhere"', "ADMIT"),
    ],
)
def test_what_is_broken_is_bad_and_leaves_with_1(capsys, tmp_path, setting, name):
    (tmp_path / "broken.db").write_text("this is no database at all, and never was one")
    (tmp_path / "broken" / "data").mkdir(parents=True)
    (tmp_path / "broken" / "data" / "x.toml").write_text("nonsense = 1")
    (tmp_path / "reimage.toml").write_text(setting)
    code, found, _ = checks(capsys)
    assert found[name]["verdict"] == "bad"
    assert found[name]["hint"]
    assert code == 1


def test_a_build_that_vanished(capsys, tmp_path):
    (tmp_path / "data" / "builds").mkdir(parents=True)
    build = make_build(python=str(tmp_path / "gone" / "python"))
    document.write(tmp_path / "data" / "builds" / f"{build.id}.json", build)
    code, found, _ = checks(capsys)
    assert code == 1
    assert found[f"build {build.id}"]["verdict"] == "bad"


def test_settings_say_where_they_come_from(capsys, tmp_path, monkeypatch):
    (tmp_path / "reimage.toml").write_text('recipe = "mine"\nslots = 3\n')
    monkeypatch.setenv("REIMAGE_SLOTS", "5")
    monkeypatch.setenv("REIMAGE_DATABASE_PASSWORD", "secret")
    _, _, listed = checks(capsys, "--data", str(tmp_path / "elsewhere"))
    origins = {row["name"]: (row["value"], row["origin"]) for row in listed}
    assert origins["recipe"] == ("mine", str(tmp_path / "reimage.toml"))
    assert origins["slots"] == (5, "REIMAGE_SLOTS")
    assert origins["data"] == (str(tmp_path / "elsewhere"), "option")
    assert origins["holding"] == ("alma", "default")
    assert "secret" not in str(listed)


def test_origins_cover_every_setting(tmp_path):
    found = settings.origins(environ={}, cwd=tmp_path)
    assert set(found) == set(settings.Settings.model_fields) - {"source"}


def test_the_run_database_tells_what_it_is(capsys, tmp_path):
    assert cli.main(["db", "upgrade"]) == 0
    capsys.readouterr()
    _, found, _ = checks(capsys)
    told = found["run database"]["found"]
    size = (tmp_path / "data" / "reimage.db").stat().st_size / 1e6
    assert f"at {migrate.head()}, sqlite, {size:.1f} MB" in told
    assert "GB free" in told
    assert "rows" not in found


def thorough(capsys):
    code = cli.main(["doctor", "--thorough", "--json"])
    return code, {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def test_on_demand_every_page_and_sum_is_looked_at(capsys, tmp_path):
    assert cli.main(["db", "upgrade"]) == 0
    capsys.readouterr()
    code, found = thorough(capsys)
    assert (code, found["rows"]["verdict"], found["sums"]["verdict"]) == (0, "ok", "ok")
    with closing(sqlite3.connect(tmp_path / "data" / "reimage.db")) as database:
        database.execute("INSERT INTO holding_sync (holding) VALUES ('nowhere')")
        database.execute(
            "INSERT INTO tally VALUES ('class', 'memory', 'failed', 0, 1, 0, 0.0, 0.0,"
            " '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')"
        )
        database.commit()
    code, found = thorough(capsys)
    assert (code, found["rows"]["verdict"], found["sums"]["verdict"]) == (1, "bad", "bad")
    assert "holding_sync" in found["rows"]["found"]
    assert "db rebuild" in found["rows"]["hint"]
    assert "db recount" in found["sums"]["hint"]


def test_no_database_has_no_rows_to_look_at(capsys):
    code, found = thorough(capsys)
    assert code == 1
    assert "db upgrade" in found["rows"]["hint"]
