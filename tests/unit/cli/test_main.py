"""Exit codes and what is said of errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from reimage import cli
from reimage.cli import codes, references
from reimage.errors import CODES
from reimage.model import Result

DATASETS = {
    "uid://A001/X1/X1": codes.DONE,
    "uid://A001/X1/X2": codes.FAILED,
    "uid___A001_X1_X3": codes.REFUSED,
    "uid://A001/X1/X4": codes.PARTIAL,
}


@pytest.mark.parametrize(("dataset", "code"), DATASETS.items())
def test_run_leaves_with_what_came_of_it(site, dataset, code):
    said = site.call("run", dataset, "--json")
    assert said.code == code
    assert codes.OF_RESULT[Result(said.json["run"]["result"])] == code


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--version"], codes.DONE, ""),
        (["status"], codes.FAILED, "error[database-outdated]"),
        (["nonsense"], codes.USAGE, "nonsense"),
        (["run"], codes.USAGE, "Missing argument"),
        (["status", "--state", "asleep"], codes.USAGE, "asleep"),
        (["--config", "absent.toml", "status"], codes.USAGE, "error[settings]"),
        (["classes", "show", "nonsense"], codes.USAGE, "error[error-class-unknown]"),
        (["recipe", "show", "nonsense"], codes.USAGE, "error[recipe-unknown]"),
        (["category", "show", "nonsense"], codes.USAGE, "error[category-unknown]"),
        (["casa", "probe", "nonsense"], codes.USAGE, "error[build-unknown]"),
        (["casa", "install", "1.2.3"], codes.USAGE, "error[casa-version-unknown]"),
        (["db", "sql", "--dialect", "access"], codes.USAGE, "error[dialect-unknown]"),
    ],
)
def test_exit_code_of_a_command_line(arguments, code, named, capsys):
    assert cli.main(arguments) == code
    said = capsys.readouterr()
    assert named in said.err
    assert code == codes.DONE or not said.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "uid://A001/X1/X99"], "dataset-unknown"),
        (["run", "uid://A001/nonsense"], "uid-malformed"),
        (["show", "uid___A001_X1_X2_X3"], "uid-malformed"),
        (["run", "nonsense"], "dataset-unknown"),
        (["run", "uid://A001/X1/X1", "--casa", "9.9"], "build-unknown"),
        (["run", "uid://A001/X1/X1", "--set", "nonsense"], "recipe-override-unusable"),
        (["show", "nonsense"], "run-unknown"),
        (["rerun", "uid://A001/X1/X1"], "run-unknown"),
        (["cancel", "nonsense"], "run-unknown"),
        (["holdings", "show", "nonsense"], "dataset-unknown"),
        (["holdings", "list", "--where", "cycle"], "filter-malformed"),
        (["holdings", "sync"], "archive-not-set"),
        (["sweep", "status", "nonsense"], "sweep-unknown"),
    ],
)
def test_bad_input_is_a_coded_error_with_a_hint(site, arguments, code):
    references.load_all()
    said = site.call(*arguments)
    assert said.code == CODES[code].exit_code == codes.USAGE
    assert said.err.startswith(f"error[{code}]: ")
    assert "hint: " in said.err
    assert not said.out


def test_a_live_run_is_not_started_twice(site):
    first = site.call("run", "uid://A001/X1/X1", "--detach")
    assert first.code == codes.DONE
    second = site.call("run", "uid___A001_X1_X1", "--detach")
    assert second.code != codes.DONE
    assert "error[run-live]" in second.err


def test_our_bug_keeps_its_traceback(monkeypatch, capsys):
    def broken(context):
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("reimage.cli.invocation.Invocation.of", broken)
    assert cli.main(["status"]) == codes.INTERNAL
    said = capsys.readouterr()
    assert "error[internal]: ZeroDivisionError: nobody thought of this" in said.err
    kept = Path(said.err.split(" with ")[-1].strip())
    assert "Traceback" in kept.read_text()


@pytest.mark.parametrize("where", ["reimage.cli.invocation.Invocation.of", "reimage.cli.root.load"])
def test_interrupted(monkeypatch, where):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupted)
    assert cli.main(["status"]) == codes.INTERRUPTED


def test_every_result_has_an_exit_code_of_the_table():
    references.load_all()
    assert set(codes.OF_RESULT) == set(Result)
    assert set(codes.OF_RESULT.values()) < set(codes.EXIT_CODES)
    assert {kind.exit_code for kind in CODES.values()} < set(codes.EXIT_CODES)
