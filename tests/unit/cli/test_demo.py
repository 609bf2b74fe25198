from __future__ import annotations

import pytest
from demonstrating import at_once

from reimage import cli
from reimage.cli import demo
from reimage.settings import load


@pytest.fixture
def built(monkeypatch, tmp_path):
    """A build that is there, and an archive that is made at once."""
    at_once(monkeypatch, tmp_path)


@pytest.mark.usefixtures("built")
def test_settings_that_are_there_are_kept(tmp_path, capsys):
    text = 'data = "mine"\narchive = "here"\n'
    (tmp_path / "reimage.toml").write_text(text)
    cli.main(["demo", "run"])
    assert (tmp_path / "reimage.toml").read_text() == text
    assert (tmp_path / "mine" / "reimage.db").exists()
    assert (tmp_path / "here" / "holdings.ecsv").exists()
    assert "wrote" not in capsys.readouterr().err


@pytest.mark.usefixtures("built")
def test_build_names_where_the_archive_is(tmp_path, capsys):
    assert cli.main(["demo", "build", "archive"]) == 0
    assert capsys.readouterr().out == "archive\n"
    assert (tmp_path / "archive" / "files.ecsv").exists()


@pytest.mark.usefixtures("built")
def test_build_needs_a_place(capsys):
    assert cli.main(["demo", "build"]) == 2
    assert "error[archive-not-set]" in capsys.readouterr().err


def test_the_settings_of_the_demo_can_be_loaded(tmp_path):
    (tmp_path / "reimage.toml").write_text(demo.SETTINGS.format(archive="http://127.0.0.1:1"))
    found = load(environ={}, cwd=tmp_path)
    assert found.data == tmp_path / "demo" / "data"
    assert found.archive == "http://127.0.0.1:1"


def test_the_demo_asks_no_archive_of_others(tmp_path, capsys):
    (tmp_path / "reimage.toml").write_text('archive = "https://archive.example"\n')
    assert cli.main(["demo", "run"]) == 2
    assert "error[demo-archive-elsewhere]" in capsys.readouterr().err
