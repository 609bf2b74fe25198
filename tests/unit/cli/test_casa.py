from __future__ import annotations

import json
import sys

import pytest
from making import make_build
from shells import make_shell

from reimage import cli
from reimage.casa import builds, environments


@pytest.fixture
def installed(monkeypatch):
    """What `casa install` asks for."""
    asked = {}

    def install(row, *, cache, builds_dir, report, interpreter):
        report(f"{row.id}: making an environment")
        asked.update(row=row, builds_dir=builds_dir, interpreter=interpreter, cache=cache)
        return make_build(row.version, id=row.id)

    monkeypatch.setattr(builds, "install", install)
    return asked


@pytest.mark.parametrize(
    ("version", "build"),
    [([], "casa-6.7.0.31-py311"), (["6.6.0"], "casa-6.6.0.20-py310")],
)
def test_install_shows_progress_and_prints_the_build(installed, capsys, tmp_path, version, build):
    assert cli.main(["casa", "install", *version, "--python", "/opt/python"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{build}\n"
    assert f"{build}: making an environment" in said.err
    assert installed["interpreter"] == "/opt/python"
    assert installed["builds_dir"] == tmp_path / "data" / "builds"


def test_a_missing_python_is_told_with_a_hint(monkeypatch, capsys):
    monkeypatch.setattr(environments, "_pythons", lambda _: iter(()))
    assert cli.main(["casa", "install", "6.6.0"]) == 2
    said = capsys.readouterr().err
    assert "error[python-missing]" in said
    assert "--python PATH" in said


def test_register_an_environment_under_a_name(monkeypatch, capsys, tmp_path):
    python = tmp_path / "site" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(builds, "probe", lambda build, _: build)
    assert cli.main(["casa", "register", str(tmp_path / "site"), "--id", "mine"]) == 0
    assert capsys.readouterr().out == "mine\n"
    assert cli.main(["casa", "list", "--json"]) == 0
    [listed] = json.loads(capsys.readouterr().out)["builds"]
    assert (listed["id"], listed["python"]) == ("mine", str(python))


@pytest.mark.parametrize("place", [".", "nowhere", "~nobody-at-all"])
def test_what_is_no_casa_is_not_registered(capsys, place):
    assert cli.main(["casa", "register", place]) == 1
    assert "error[build-unusable]" in capsys.readouterr().err


def test_probe_tells_what_works(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(builds, "find", lambda *_: make_build())
    monkeypatch.setattr(builds, "probe", lambda build, _: build)
    assert cli.main(["casa", "probe", "6.7.0.31"]) == 0
    assert "no ALMA pipeline" in capsys.readouterr().out


def test_register_and_probe_tell_that_scripts_run_in_the_shell(tmp_path, capsys):
    root = make_shell(tmp_path / "casa-release-4.3.1", sys.executable, "4.3.1")
    assert cli.main(["casa", "register", str(root)]) == 0
    assert capsys.readouterr().out == "site-casa-release-4.3.1\n"
    assert cli.main(["casa", "probe", "4.3.1"]) == 0
    said = capsys.readouterr().out
    assert "delivered scripts run in its shell (and nothing else" in said
    assert cli.main(["casa", "list", "--json"]) == 0
    [listed] = json.loads(capsys.readouterr().out)["builds"]
    assert (listed["casa"], listed["python"]) == (str(root / "bin/casa"), None)
