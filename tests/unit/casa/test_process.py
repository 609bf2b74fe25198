"""The boundary, with a stand-in for CASA: the jobs are plain Python; the real thing is in tests/casa."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest
from making import make_build

from reimage.casa import process, watching
from reimage.errors import ReimageError
from reimage.run import Limits

BEGIN = "import json, os, sys, time\njob = json.load(open(sys.argv[1]))\n"
GOOD = BEGIN + (
    "open(job['progress'], 'a').write(json.dumps({'event': 'half.done', 'n': 1}) + '\\n')\n"
    "value = {'input': job['input'], 'home': os.environ['HOME'], 'keys': sorted(os.environ), 'cwd': os.getcwd()}\n"
    "json.dump({'ok': True, 'value': value}, open(job['result'], 'w'))\n"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "JOBS", tmp_path / "jobs")
    monkeypatch.setattr(watching, "GRACE_S", 0.3)
    (tmp_path / "jobs").mkdir()
    events = []

    def run_text(text, **limits):
        (tmp_path / "jobs/work.py").write_text(text)
        chosen = Limits(**{"memory_mb": 1000, "wall_s": 20, "silence_s": 20, **limits})
        return process.run_job(
            make_build(python=sys.executable),
            "work",
            {"n": 1},
            directory=tmp_path / "job",
            limits=chosen,
            emit=lambda event, **data: events.append((event, data)),
        )

    run_text.events, run_text.directory = events, tmp_path / "job"
    return run_text


def test_a_job_has_its_own_place_and_reports(run):
    value = run(GOOD)
    assert value["input"] == {"n": 1}
    assert value["cwd"] == str(run.directory)
    assert value["home"] == str(run.directory / "home")
    assert "VIRTUAL_ENV" not in value["keys"]
    assert [event for event, _ in run.events] == ["casa.started", "half.done", "casa.exited"]


@pytest.mark.parametrize(
    ("text", "message", "signal"),
    [
        (BEGIN + "raise SystemExit(7)", "ended with code 7 and no result", None),
        (BEGIN + "os.kill(os.getpid(), 11)", "ended by SIGSEGV", "SIGSEGV"),
        (BEGIN + "pass", "ended with code 0 and no result", None),
        (
            BEGIN + "json.dump({'ok': False, 'error': {'type': 'RuntimeError', 'message': 'no'}},"
            "open(job['result'], 'w')); sys.stderr.write('reason'); sys.exit(1)",
            "RuntimeError: no",
            None,
        ),
    ],
)
def test_the_ways_to_fail(run, text, message, signal):
    with pytest.raises(process.CasaJobFailed, match=message) as caught:
        run(text)
    assert caught.value.evidence["signal"] == signal
    assert "reason" in caught.value.evidence["stderr_tail"] or "reason" not in text


def child_is_gone(pid_file):
    pid = int(pid_file.read_text())
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("limits", "error"),
    [({"wall_s": 0.5}, process.CasaTimeout), ({"silence_s": 0.5}, process.CasaSilent)],
)
def test_limits_end_the_whole_group(run, limits, error):
    hang = (
        "import signal, subprocess\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '60'])\nopen('pid', 'w').write(str(child.pid))\ntime.sleep(60)"
    )
    with pytest.raises(error) as caught:
        run(BEGIN + hang, **limits)
    assert caught.value.evidence["signal"] == "SIGKILL"
    assert child_is_gone(run.directory / "pid")


def test_a_job_that_talks_is_not_silent(run):
    talk = "for n in range(12):\n    print(n, flush=True)\n    time.sleep(0.1)\n"
    assert run(BEGIN + talk + GOOD.removeprefix(BEGIN), silence_s=0.6)["input"] == {"n": 1}


def test_what_was_left_behind_is_ended(run):
    leave = (
        "import subprocess\nopen('pid', 'w').write(str(subprocess.Popen(['sleep', '60']).pid))\n"
    )
    run(BEGIN + leave + GOOD.removeprefix(BEGIN))
    assert child_is_gone(run.directory / "pid")


def test_the_logs_of_an_earlier_start_are_kept(run):
    with pytest.raises(process.CasaJobFailed):
        run(BEGIN + "print('first'); raise SystemExit(1)")
    run(GOOD)
    assert (Path(f"{run.directory}.1") / "stdout.log").read_text() == "first\n"


def test_a_build_that_vanished_is_coded(run, tmp_path):
    build = make_build(python=str(tmp_path / "gone"))
    with pytest.raises(process.CasaNotStarted, match="cannot start"):
        process.run_job(
            build,
            "work",
            {},
            directory=tmp_path / "other",
            limits=Limits(memory_mb=1, wall_s=1, silence_s=1),
            emit=lambda *_, **__: None,
        )


def test_a_monolithic_build_is_refused_honestly(tmp_path):
    build = make_build(python=None, casa="/opt/casa/bin/casa", kind="monolithic")
    with pytest.raises(ReimageError, match="its shell runs delivered scripts only"):
        process.run_job(
            build,
            "work",
            {},
            directory=tmp_path,
            limits=Limits(memory_mb=1, wall_s=1, silence_s=1),
            emit=lambda *_, **__: None,
        )
