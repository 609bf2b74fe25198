"""A process of ours shut in by bubblewrap: what a hostile delivered script could do, and could not."""

from __future__ import annotations

import signal
import socket
import sys
import threading

import pytest
from conftest import needs
from making import make_build

from reimage.casa import confine, process
from reimage.run import Limits

LIMITS = Limits(memory_mb=1000, wall_s=20, silence_s=20)
BEGIN = "import json, os, socket, sys\njob = json.load(open(sys.argv[1]))\ninputs = job['input']\nvalue = {}\n"
END = "\njson.dump({'ok': True, 'value': value}, open(job['result'], 'w'))\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    needs("bubblewrap")
    if confine.available() is None:  # in a chroot, or a container that forbids namespaces
        pytest.skip(
            "bubblewrap is installed and may not work here: this kernel or container forbids it"
        )
    monkeypatch.setattr(process, "JOBS", tmp_path / "jobs")
    (tmp_path / "jobs").mkdir()
    events = []

    def run_text(text, **inputs):
        (tmp_path / "jobs/work.py").write_text(BEGIN + text + END)
        return process.run_job(
            make_build(python=sys.executable),
            "work",
            inputs,
            directory=tmp_path / "run/job",
            limits=LIMITS,
            emit=lambda event, **data: events.append((event, data)),
            writable=tmp_path / "run",
        )

    run_text.events = events
    return run_text


TRY_WRITE = """
for path in inputs['paths']:
    try:
        open(path, 'w').write('x')
        value[path] = 'written'
    except OSError as error:
        value[path] = type(error).__name__
"""


def test_only_the_run_directory_can_be_written(run, tmp_path):
    inside, outside = tmp_path / "run/here", tmp_path / "there"
    value = run(TRY_WRITE, paths=[str(inside), str(outside), "/etc/reimage-was-here"])
    assert value[str(inside)] == "written"
    assert value[str(outside)] == value["/etc/reimage-was-here"] == "OSError"
    assert not outside.exists()
    assert run.events[0][1]["confined"] is True


def test_there_is_no_network(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = list(server.getsockname())

        def accept():
            server.accept()[0].close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        text = """
try:
    socket.create_connection(tuple(inputs['address']), timeout=2)
    value['reached'] = True
except OSError:
    value['reached'] = False
"""
        assert run(text, address=address)["reached"] is False
        socket.create_connection(server.getsockname(), timeout=2).close()  # we ourselves can
        thread.join(2)


def test_a_signal_is_still_the_process_s_own(run):
    with pytest.raises(process.CasaJobFailed) as caught:
        run(f"os.kill(os.getpid(), {int(signal.SIGSEGV)})")
    assert caught.value.evidence["signal"] == "SIGSEGV"


def test_where_it_is_missing_the_journal_says_so(run, monkeypatch):
    monkeypatch.setattr(confine, "available", lambda: None)
    run("value['x'] = 1")
    assert run.events[0][1]["confined"] is False
