"""`reimage repro`, as an operator meets it."""

from __future__ import annotations

import re

import pytest

IMAGED, FAILED, REFUSED = (f"uid://A001/X1/X{n}" for n in (1, 2, 3))


def run_of(site, dataset):
    runs = site.call("status", "--json").json["runs"]
    return next(run for run in runs if run["dataset"] == dataset)["run"]


def test_a_failed_fetch(worked, tmp_path):
    said = worked.call("repro", FAILED)
    run = run_of(worked, FAILED)
    assert said.code == 0, said.err
    assert "archive-file-damaged" in said.out
    assert "no CASA call to repeat" in said.out
    folder = tmp_path / f"repro-{run}"
    assert (folder / "README.md").read_text().startswith(f"# Repro capsule of run {run}\n")
    assert "a tar is cut" in (folder / "README.md").read_text()
    assert (folder / "evidence/attempt-1.json").exists()
    readme = (folder / "README.md").read_text()
    told = re.findall(r"^\| `([\w.]+)/?` \|", readme, re.MULTILINE)
    assert sorted(told) == sorted(one.name for one in folder.iterdir() if one.name != "README.md")
    assert "run.sh" not in readme


def test_json_and_where(worked, tmp_path):
    run = run_of(worked, FAILED)
    said = worked.call("repro", run, "-o", "deep/down", "--json")
    told = said.json["capsule"]
    assert (told["run"], told["stage"], told["job"]) == (run, "fetch", None)
    assert told["directory"] == str(tmp_path / "deep/down")
    assert said.err == ""


def test_a_failure_by_its_number(worked):
    said = worked.call("repro", "#1", "-o", "one", "--json")
    assert said.code == 0, said.err
    assert said.json["capsule"]["run"] == run_of(worked, FAILED)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("no-such-run",), "run-unknown", 2),
        (("uid://A001/X7/X7",), "run-unknown", 2),
        (("#9999",), "failure-unknown", 2),
        (("uid://A001/X1",), "uid-malformed", 2),
        ((REFUSED,), "repro-nothing-ran", 2),
        ((FAILED, "--stage", "restore"), "repro-stage-silent", 2),
        ((FAILED, "-o", "."), "repro-exists", 2),
        ((FAILED, "-o", ".", "--force"), "repro-exists", 2),
        ((FAILED, "-o", "reimage.toml/x"), "repro-place-unusable", 2),
    ],
)
def test_what_cannot_be(worked, words, code, exit_code):
    said = worked.call("repro", *words)
    assert said.code == exit_code, said.err
    assert f"error[{code}]: " in said.err
    assert "\nhint: " in said.err


def test_a_run_that_waits(site):
    site.call("run", FAILED, "--detach", "--no-preflight")
    said = site.call("repro", FAILED)
    assert "error[repro-under-way]: " in said.err


def test_a_run_that_was_never_started(site):
    site.call("run", FAILED, "--detach", "--no-preflight")
    site.call("cancel", run_of(site, FAILED), "--why", "a test")
    site.call("controller", "--once")
    said = site.call("repro", FAILED)
    assert "error[repro-nothing-ran]: " in said.err
    assert "was never started" in said.err


def test_a_run_whose_directory_was_deleted(worked):
    directory = worked.settings.data / next(
        run["directory"]
        for run in worked.call("status", "--json").json["runs"]
        if run["dataset"] == FAILED
    )
    directory.rename(directory.with_name("gone"))
    said = worked.call("repro", FAILED)
    assert "error[repro-directory-gone]: " in said.err
