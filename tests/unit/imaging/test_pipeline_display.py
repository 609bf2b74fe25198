"""The display for the pipeline's plots, and when there are none."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from reimage.casa import process
from reimage.imaging import pipeline_display


@pytest.fixture
def xvfb(tmp_path, monkeypatch):
    """Give a function that puts a program of that name, and nothing else, on the path."""

    def put(script):
        program = tmp_path / "Xvfb"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(pipeline_display.shutil, "which", lambda name: str(tmp_path / name))
        return program

    return put


def is_running(program):
    return any(
        str(program) in " ".join(one.info["cmdline"] or [])
        for one in psutil.process_iter(["cmdline"])
    )


def test_a_display_lives_as_long_as_it_is_used(xvfb):
    program = xvfb("echo 42\nexec sleep 60 # $0")
    with pipeline_display.started() as display:
        assert display == ":42"
    deadline = time.monotonic() + 5
    while is_running(program) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(program)


@pytest.mark.parametrize("script", ["exit 1", "echo no", "sleep 60"])
def test_a_server_that_does_not_start_is_none(script, xvfb, monkeypatch):
    monkeypatch.setattr(pipeline_display, "START_S", 0.3)
    xvfb(script)
    with pipeline_display.started() as display:
        assert display is None


def test_without_the_program_there_is_no_display(monkeypatch):
    monkeypatch.setattr(pipeline_display.shutil, "which", lambda _: None)
    with pipeline_display.started() as display:
        assert display is None


# --- the job's side --------------------------------------------------------------------------------


@pytest.fixture
def job(monkeypatch, tmp_path):
    """Give the job's module, in an environment of its own, without casaplotms."""
    spec = importlib.util.spec_from_file_location("_display", process.JOBS / "_display.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "casaplotms", raising=False)
    return module


def plotter(tmp_path, *names):
    where = tmp_path / "casaplotms" / "__bin__"
    where.mkdir(parents=True)
    (where.parent / "__init__.py").touch()
    for name in names:
        (where / name).touch()
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("wanted", "display", "why"),
    [
        (False, ":1", "switched off"),
        (True, None, None),
        (None, None, "no X display"),
        (None, ":1", "casaplotms is not installed"),
    ],
)
def test_a_weblog_is_written_where_plots_can_be_made(wanted, display, why, job):
    assert job.why_not(wanted, display) == why
    assert os.environ.get("DISPLAY") == display  # noqa: TID251 -- what the job did


def test_an_appimage_needs_fuse(job, tmp_path, monkeypatch):
    plotter(tmp_path, "casaplotms-x86_64.AppImage")
    monkeypatch.setattr(job, "has_fuse", lambda: False)
    assert "AppImage" in job.why_not(None, ":1")
    monkeypatch.setattr(job, "has_fuse", lambda: True)
    assert job.why_not(None, ":1") is None


def test_an_unpacked_plotter_needs_none(job, tmp_path, monkeypatch):
    plotter(tmp_path, "casaplotms")
    monkeypatch.setattr(job, "has_fuse", lambda: False)
    assert job.why_not(None, ":1") is None


def test_fuse_is_a_library_and_a_device(job, monkeypatch):
    monkeypatch.setattr(job, "FUSE", "libthatisnotthere.so.9")
    assert not job.has_fuse()
    monkeypatch.setattr(job, "FUSE", "libc.so.6")
    assert job.has_fuse() == Path("/dev/fuse").exists()
