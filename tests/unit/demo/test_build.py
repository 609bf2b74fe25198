from __future__ import annotations

import json

import pytest

from reimage.casa import process
from reimage.demo import build
from reimage.demo.datasets import datasets
from reimage.model import CasaBuild

BUILD = CasaBuild(id="casa-6.7.0.31-py311", version="6.7.0.31", kind="modular", python="python")


@pytest.fixture
def started(monkeypatch, fill):
    """Run no CASA; remember which datasets it was asked for."""
    asked = []

    def run_job(casa, job, inputs, *, directory, limits, emit):
        letter = next(d.letter for d in datasets() if d.mous.name == inputs["mous"])
        asked.append(letter)
        fill(next(d for d in datasets() if d.letter == letter), directory)
        (directory / "raw.ms").mkdir()
        return {}

    monkeypatch.setattr(process, "run_job", run_job)
    return asked


def _build(tmp_path, casa=BUILD, **other):
    told = []
    build.build_archive(
        tmp_path / "archive",
        build=casa,
        cache=tmp_path / "cache",
        emit=lambda event, **_: told.append(event),
        **other,
    )
    return told


def test_everything_is_there(tmp_path, started):
    _build(tmp_path)
    assert sorted(started) == list("abcdef")
    names = {path.name for path in (tmp_path / "archive").iterdir()}
    assert names == {"holdings.ecsv", "files.ecsv", "dataPortal", "truth.json"}
    assert len(list((tmp_path / "archive/dataPortal").iterdir())) == 19


def test_what_casa_made_is_made_once(tmp_path, started):
    _build(tmp_path)
    told = _build(tmp_path)
    assert len(started) == 6
    assert told.count("demo.cached") == 6


def test_another_casa_makes_it_anew(tmp_path, started):
    other = CasaBuild(id="x", version="6.7.5.18", kind="modular", python="python")
    _build(tmp_path, only=frozenset("d"))
    _build(tmp_path, other, only=frozenset("d"))
    assert started == ["d", "d"]


def test_the_observatory_runs_scripts_whose_gate_lets_the_build_through(tmp_path, monkeypatch):
    seen = {}

    def run_job(casa, job, inputs, *, directory, limits, emit):
        seen.update(inputs)
        raise process.CasaJobFailed("stop here")

    monkeypatch.setattr(process, "run_job", run_job)
    with pytest.raises(process.CasaJobFailed):
        _build(tmp_path, only=frozenset("f"))
    assert "THE SCRIPT: 6.7.0" in seen["ebs"][0]["script"]
    assert not (tmp_path / "archive").exists()


def test_only_the_output_is_cached(tmp_path, started):
    _build(tmp_path, only=frozenset("e"))
    (place,) = (tmp_path / "cache/demo").iterdir()
    assert {path.name for path in place.iterdir()} == {"out", "result.json"}
    assert started == ["e"]


def test_an_archive_is_replaced_and_nothing_else_is(tmp_path, started):
    _build(tmp_path, only=frozenset("e"))
    (tmp_path / "archive/dataPortal/left-over.tar").write_text("")
    _build(tmp_path, only=frozenset("e"))
    assert not (tmp_path / "archive/dataPortal/left-over.tar").exists()
    (tmp_path / "archive/truth.json").unlink()
    with pytest.raises(build.DemoTargetOccupied) as raised:
        _build(tmp_path, only=frozenset("e"))
    assert raised.value.hint
    assert started == ["e"]


def test_the_truth_states_each_lines_channels(tmp_path, started):
    _build(tmp_path, only=frozenset("a"))
    truth = json.loads((tmp_path / "archive/truth.json").read_text())
    assert truth["a"]["ebs"][0]["lines"] == [
        {"spw": 0, "component": 1, "lsrk_hz": 1.05e11, "channels": [2, 4]}
    ]
    assert truth["a"]["components"][0]["flux_jy"] == 0.05
    assert started == ["a"]


def test_a_file_is_no_place_for_an_archive(tmp_path, started):
    (tmp_path / "archive").write_text("mine")
    with pytest.raises(build.DemoTargetOccupied):
        _build(tmp_path, only=frozenset("e"))
    assert (tmp_path / "archive").read_text() == "mine"
    assert started == []
