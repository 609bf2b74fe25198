"""The wheel, in an empty environment and from another directory: it finds everything it ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from reimage.store import migrate

ROOT = Path(__file__).parents[2]
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("dist")
    run([sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", str(place), str(ROOT)], place)
    (made,) = place.glob("reimage-*.whl")
    return made


@pytest.fixture(scope="module")
def reimage(wheel, tmp_path_factory):
    """Give a function that runs the installed command line in a directory of its own."""
    place = tmp_path_factory.mktemp("installed")
    venv, elsewhere = place / "venv", place / "elsewhere"
    elsewhere.mkdir()
    run([sys.executable, "-m", "venv", str(venv)], place)
    constraints = str(ROOT / "ops" / "constraints.txt")
    python = str(venv / "bin" / "python")
    run([python, *PIP, "install", "--constraint", constraints, str(wheel)], place)

    def reimage(*words):
        environ = {"HOME": str(place), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        return run([str(venv / "bin" / "reimage"), *words], elsewhere, environ).stdout

    reimage.venv, reimage.elsewhere = venv, elsewhere
    return reimage


def run(command, place, environ=None):
    said = subprocess.run(
        command, cwd=place, env=environ, check=False, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    return said


def test_it_holds_what_is_declared_and_nothing_of_this_machine(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        texts = {name: archive.read(name) for name in names}
    for folder in ("fixes", "categories", "migrations"):
        declared = {
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        shipped = {
            name.removeprefix("reimage/shipped/")
            for name in names
            if name.startswith(f"reimage/shipped/{folder}/")
        }
        assert declared == shipped
    data = {
        str(path.relative_to(ROOT))
        for pattern in ("*.toml", "*.txt")
        for path in (ROOT / "reimage").rglob(pattern)
    }
    assert data <= names
    assert not [name for name in names if name.startswith(("tests/", "demo/", "data/"))]
    assert not [name for name, text in texts.items() if str(ROOT).encode() in text]


def test_it_passes_doctor_and_makes_its_database_from_another_directory(reimage):
    checks = json.loads(reimage("doctor", "--json"))["checks"]
    assert not [check for check in checks if check["verdict"] == "bad"]
    assert list(reimage.elsewhere.iterdir()) == []
    said = reimage("db", "upgrade")
    assert migrate.head() in said
    assert str(reimage.elsewhere / "data" / "reimage.db") in said
    assert json.loads(reimage("db", "current", "--json"))["revision"] == migrate.head()
    assert json.loads(reimage("status", "--json"))["runs"] == []


@pytest.mark.parametrize(
    ("verb", "folder", "suffix"),
    [
        ("fix", "fixes", ".py"),
        ("category", "categories", ".toml"),
        ("recipe", "reimage/recipes", ".toml"),
        ("classes", "reimage/triage/classes", ".toml"),
    ],
)
def test_it_lists_every_declaration(reimage, verb, folder, suffix):
    listed = json.loads(reimage(verb, "list", "--json"))["declared"]
    found = (ROOT / folder).rglob(f"[!_]*{suffix}")
    files = [path for path in found if "dialects" not in path.parts]
    assert sorted(one["id"] for one in listed) == sorted(p.stem.replace("_", "-") for p in files)
    if verb == "fix":
        assert all(one["path"].startswith(str(reimage.venv)) for one in listed)


def test_it_speaks_the_dialects_of_the_pipeline(reimage):
    script = reimage("recipe", "show", "hifa-image", "--as-script", "--pipeline", "2025.1.0.35")
    compile(script, "hifatargets.py", "exec")
    assert "hif_selfcal(" in script


def test_it_knows_the_default_build(reimage):
    installable = json.loads(reimage("casa", "list", "--installable", "--json"))["installable"]
    assert installable[0]["version"] == "6.7.0.31"
    assert installable[0]["broken"] is None
