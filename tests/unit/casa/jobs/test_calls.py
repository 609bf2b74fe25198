"""Tasks that tell of every call."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import reimage.casa

PATH = Path(reimage.casa.__file__).parent / "jobs" / "_calls.py"


@pytest.fixture
def directory(tmp_path):
    return tmp_path


@pytest.fixture
def calls(monkeypatch, directory):
    """Give the module beside a CASA that has one task, in a job that runs."""

    def tclean(vis, imagename, niter=0):
        """Clean."""
        if niter < 0:
            raise RuntimeError("niter must not be negative")
        return {"vis": vis, "imagename": imagename}

    casatasks = types.ModuleType("casatasks")
    casatasks.tclean = tclean
    job = types.ModuleType("_job")
    job.DIRECTORY = str(directory)
    job._plain = lambda value: value.tolist() if hasattr(value, "tolist") else str(value)
    monkeypatch.setitem(sys.modules, "casatasks", casatasks)
    monkeypatch.setitem(sys.modules, "_job", job)
    spec = importlib.util.spec_from_file_location("_calls", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(directory):
    return [json.loads(line) for line in (directory / "calls.jsonl").read_text().splitlines()]


def test_a_call_is_made_and_told(calls, directory):
    assert calls.tclean(vis=["a.ms"], imagename="/x/y", niter=np.int64(3))["imagename"] == "/x/y"
    (one,) = told(directory)
    assert (one["task"], one["error"]) == ("tclean", None)
    assert one["arguments"] == {"vis": ["a.ms"], "imagename": "/x/y", "niter": 3}
    assert one["seconds"] >= 0


def test_positional_arguments_get_their_names(calls, directory):
    calls.tclean("a.ms", "y")
    assert told(directory)[0]["arguments"] == {"vis": "a.ms", "imagename": "y"}


def test_what_is_raised_is_told_and_raised(calls, directory):
    with pytest.raises(RuntimeError, match="negative"):
        calls.tclean(vis="a.ms", imagename="y", niter=-1)
    assert told(directory)[0]["error"] == "RuntimeError: niter must not be negative"


def test_a_function_of_ours_brings_its_source(calls, directory):
    @calls.own
    def drop(where):
        return where + "!"

    assert drop("y") == "y!"
    (one,) = told(directory)
    assert one["task"] == "drop"
    assert one["source"].startswith("def drop(where):")


def test_without_a_job_nobody_is_told(calls, directory):
    sys.modules["_job"].DIRECTORY = None
    calls.tclean(vis="a.ms", imagename="y")
    assert not (directory / "calls.jsonl").exists()


def test_what_casa_has_not_cannot_be_imported(calls):
    with pytest.raises(AttributeError):
        _ = calls.tcleen


def test_a_line_that_a_kill_has_torn_costs_no_other(calls, directory):
    (directory / "calls.jsonl").write_text('{"task": "tcl')
    calls.tclean(vis="a.ms", imagename="y")
    calls.tclean(vis="b.ms", imagename="y")
    lines = (directory / "calls.jsonl").read_text().splitlines()
    assert [json.loads(line)["arguments"]["vis"] for line in lines[1:]] == ["a.ms", "b.ms"]
