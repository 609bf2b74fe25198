"""What a delivered script may try: contained, named, reported, and over in time.

The jobs are plain Python under bubblewrap, as CASA's are; they do their worst.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import needs
from making import make_build

from reimage.casa import following, process, watching
from reimage.run import Limits

BEGIN = (
    "import json, os, signal, socket, sys, time\njob = json.load(open(sys.argv[1]))\nvalue = {}\n"
)
END = "\njson.dump({'ok': True, 'value': value}, open(job['result'], 'w'))\n"
MARK = f"reimage-cage-{os.getpid()}"


@pytest.fixture
def run(tmp_path, monkeypatch):
    needs("bubblewrap")
    monkeypatch.setattr(process, "JOBS", tmp_path / "jobs")
    monkeypatch.setattr(watching, "GRACE_S", 0.3)
    monkeypatch.setattr(watching, "MOST_OUTPUT_BYTES", 4 << 20)
    monkeypatch.setattr(watching, "KEPT_OUTPUT_BYTES", 1 << 20)
    (tmp_path / "jobs").mkdir()
    events = []

    def run_text(text, **limits):
        (tmp_path / "jobs/work.py").write_text(BEGIN + text + END)
        return process.run_job(
            make_build(python=sys.executable),
            "work",
            {},
            directory=tmp_path / "run/job",
            limits=Limits(**{"memory_mb": 1000, "wall_s": 20, "silence_s": 20, **limits}),
            emit=lambda event, **data: events.append((event, data)),
            writable=tmp_path / "run",
        )

    run_text.events, run_text.directory = events, tmp_path / "run/job"
    return run_text


def alive():
    """Processes that carry our mark in their words."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if MARK in " ".join(process.info["cmdline"] or [])
        and process.status() != psutil.STATUS_ZOMBIE
    ]


def gone():
    for _ in range(100):
        if not alive():
            return True
        time.sleep(0.02)
    return False


FORK_AWAY = f"""
words = [sys.executable, '-c', 'import time; time.sleep(60)', '{MARK}']
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, words)
        os._exit(0)
time.sleep(0.5)
"""


def test_what_forks_away_ends_with_the_job(run):
    started = time.monotonic()
    run(FORK_AWAY)
    assert gone()
    assert time.monotonic() - started < 15


def test_what_forked_away_ends_when_the_job_is_ended(run):
    with pytest.raises(process.CasaTimeout):
        run(FORK_AWAY + "\ntime.sleep(60)", wall_s=1.5)
    assert gone()


def test_it_cannot_kill_its_parent_nor_anybody(run):
    """``kill(-1)`` would end every process of the user: the runner, the controller, the shell."""
    bystander = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    text = f"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for pid in (os.getppid(), {os.getpid()}, {bystander.pid}, -1):
    try:
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGKILL) if pid > 1 else None
    except OSError as error:
        value[str(pid)] = type(error).__name__
"""
    try:
        value = run(text)
        assert value[str(os.getpid())] == value[str(bystander.pid)] == "ProcessLookupError"
        assert bystander.is_running()
        assert bystander.status() != psutil.STATUS_ZOMBIE
    finally:
        bystander.kill()
        bystander.wait()


def test_it_sees_no_process_but_its_own(run):
    value = run("value['pids'] = sorted(int(p) for p in os.listdir('/proc') if p.isdigit())")
    assert len(value["pids"]) <= 3


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_flood_is_ended_and_cut(run, stream):
    text = f"while True:\n    sys.{stream}.write('x' * 99999 + chr(10))\n"
    with pytest.raises(process.CasaOutputFlood, match=f"more than 4 MB into {stream}") as e:
        run(text)
    assert e.value.evidence["directory"] == str(run.directory)
    assert (run.directory / f"{stream}.log").stat().st_size == watching.KEPT_OUTPUT_BYTES
    assert run.events[-1][1]["why"] == "flood"


def test_a_flood_of_the_casa_log_is_one_too(run):
    text = "out = open(job['log'], 'a')\nwhile True:\n    out.write('x' * 99999 + chr(10))\n"
    with pytest.raises(process.CasaOutputFlood, match=r"casa\.log"):
        run(text)


def test_much_output_in_a_moment_is_cut_and_the_result_kept(run, monkeypatch):
    monkeypatch.setattr(watching, "POLL_S", 3)  # it is over before anybody looks
    assert run("sys.stdout.write('x' * (6 << 20)); value['n'] = 1") == {"n": 1}
    assert (run.directory / "stdout.log").stat().st_size == watching.KEPT_OUTPUT_BYTES


def test_silence_is_a_hang(run):
    with pytest.raises(process.CasaSilent):
        run("signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)", silence_s=0.5)


def test_a_signal_and_an_exit_code_are_the_process_s_own(run):
    for number in (signal.SIGSEGV, signal.SIGABRT):
        with pytest.raises(process.CasaJobFailed) as e:
            run(f"os.kill(os.getpid(), {int(number)})")
        assert e.value.evidence["signal"] == number.name
    with pytest.raises(process.CasaJobFailed, match="code 7"):
        run("sys.exit(7)")


def test_the_memory_that_it_took_is_known(run):
    run("x = b'x' * (150 << 20)")
    assert run.events[-1][1]["peak_process_mb"] > 150


def test_what_is_no_event_is_passed_over(run):
    text = """
out = open(job['progress'], 'a')
for line in ('no json', '[1]', '"x"', '{}', '{"event": 1}', json.dumps({'event': 'half.done'})):
    out.write(line + chr(10))
out.flush()
"""
    run(text)
    assert [name for name, _ in run.events] == ["casa.started", "half.done", "casa.exited"]


def test_events_without_end_are_not_all_passed_on(run, monkeypatch):
    monkeypatch.setattr(following, "MOST_EVENTS", 10)
    run(
        "out = open(job['progress'], 'a')\nfor _ in range(99):\n    out.write('{\"event\": \"a.b\"}' + chr(10))\n"
    )
    assert [name for name, _ in run.events].count("a.b") == 10


def test_it_writes_nowhere_else_and_reaches_nobody(run, tmp_path):
    text = f"""
for path in ({str(tmp_path / "outside")!r}, '/tmp/{MARK}', os.path.expanduser('~/{MARK}')):
    try:
        open(path, 'w').write('x')
        value[path] = 'written'
    except OSError as error:
        value[path] = type(error).__name__
try:
    socket.create_connection(('127.0.0.1', 1), timeout=1)
except OSError as error:
    value['socket'] = type(error).__name__
"""
    value = run(text)
    home = str(run.directory / "home" / MARK)
    assert value.pop(home) == "written"  # its HOME is in the run directory
    assert "socket" in value
    del value["socket"]
    assert set(value.values()) == {"OSError"}
    assert not Path("/tmp", MARK).exists()
