from __future__ import annotations

import pytest
from making import make_archive, make_build, make_row

from reimage import cli, document
from reimage.cli import demo
from reimage.demo.datasets import datasets
from reimage.settings import load

LETTERS = {dataset.letter: str(dataset.mous) for dataset in datasets()}


@pytest.fixture
def built(monkeypatch, tmp_path):
    """A build that is there, and an archive that is made at once."""
    monkeypatch.setenv("REIMAGE_POLL_S", "0.01")

    def build_archive(target, *, build, cache, emit):
        assert (build.version, cache) == ("6.7.0.31", load().cache)
        rows = [make_row(member_ous_uid=mous) for mous in LETTERS.values()]
        if not target.exists():
            make_archive(target, {"a.tar": ("#auxiliary", b"x")}, rows)
        emit("demo.cached", dataset="a")
        emit("demo.built", path=str(target), datasets=6)

    def install(row, *, builds_dir, **_):
        build = make_build(id=row.id, python=str(tmp_path / "python"))
        (tmp_path / "python").touch()
        builds_dir.mkdir(parents=True)
        document.write(builds_dir / f"{build.id}.json", build)
        return build

    monkeypatch.setattr("reimage.cli.demo.building.build_archive", build_archive)
    monkeypatch.setattr("reimage.cli.demo.builds.install", install)


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
