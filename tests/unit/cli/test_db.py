from __future__ import annotations

from reimage import cli
from reimage.cli import codes


def test_a_reader_makes_no_empty_database(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--data", str(tmp_path / "data"), "status"]) == codes.FAILED
    assert "there is no run database yet" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
