"""Limits that hold for all processes of a machine: with real processes, one of them killed."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time

import pytest

from reimage.archive import slots
from reimage.archive.failed import Stopped
from reimage.archive.rate import Gates, Rate
from reimage.archive.slots import Account, Slots

HOST = "http://archive.example"
MANY = """
import sys, threading, time, uuid
from pathlib import Path
from reimage.archive.rate import Gates

place, n, turns = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
gates = Gates(n, threading.Event().wait, folder=place)
inside = place / "inside"
inside.mkdir(exist_ok=True)

def work():
    for _ in range(turns):
        with gates.inside("http://archive.example/a"):
            mine = inside / uuid.uuid4().hex
            mine.touch()
            sys.stdout.write(f"{len(list(inside.iterdir()))}\\n")
            time.sleep(0.005)
            mine.unlink()

threads = [threading.Thread(target=work) for _ in range(n)]
[one.start() for one in threads]
[one.join() for one in threads]
"""
HELD = """
import sys, threading, time
from pathlib import Path
from reimage.archive.slots import Slots

with Slots(Path(sys.argv[1]), 1, threading.Event().wait).inside("http://archive.example"):
    print("inside", flush=True)
    time.sleep(600)
"""
SPENT = """
import sys, time
from pathlib import Path
from reimage.archive.rate import Rate

rate = Rate(1000, lambda _: False, folder=Path(sys.argv[1]))
print(*(rate.spend(1) for _ in range(500)))
"""


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def never(_):
    return False


def test_processes_are_as_few_together_as_one_alone(tmp_path):
    processes = [start(MANY, tmp_path, 2, 15) for _ in range(3)]
    seen = [int(line) for one in processes for line in one.communicate()[0].split()]
    assert [one.returncode for one in processes] == [0, 0, 0]
    assert len(seen) == 3 * 2 * 15
    assert max(seen) == 2


def test_who_is_killed_gives_his_slot_back_and_who_waits_can_be_stopped(tmp_path):
    with start(HELD, tmp_path) as holder:
        assert holder.stdout.readline() == "inside\n"
        with pytest.raises(Stopped), Slots(tmp_path, 1, lambda _: True).inside(HOST):
            pytest.fail("two were inside")
        with Slots(tmp_path, 1, never).inside("http://another.example"):
            pass  # a host of its own
        with Slots(tmp_path, 2, never).inside(HOST):
            pass  # who may make more connections has one more
        holder.send_signal(signal.SIGKILL)
        with Slots(tmp_path, 1, threading.Event().wait).inside(HOST):
            pass


def test_one_who_always_comes_back_keeps_nobody_out(tmp_path):
    """Without a door, who releases a slot and takes it again at once is quicker than who only looks."""
    stop, turns = threading.Event(), []

    def greedy():
        mine = Slots(tmp_path, 1, threading.Event().wait)
        while not stop.is_set():
            with mine.inside(HOST):
                time.sleep(0.002)
                turns.append(None)

    thread = threading.Thread(target=greedy)
    thread.start()
    waited = []
    try:
        for _ in range(21):
            before = len(turns)
            with Slots(tmp_path, 1, threading.Event().wait).inside(HOST):
                waited.append(len(turns) - before)
    finally:
        stop.set()
        thread.join()
    assert statistics.median(waited) <= 3


def test_the_rate_is_what_processes_make_together(tmp_path):
    """A thousand bytes at a thousand a second are paid for no sooner than a second after the first."""
    begun = time.monotonic()
    processes = [start(SPENT, tmp_path) for _ in range(2)]
    owed = [len(one.communicate()[0].split()) for one in processes]
    assert owed == [500, 500]
    assert Account(tmp_path / slots.FOLDER).spend(0.0, 0.0) >= begun + 1.0 - 1e-3


def test_an_account_of_another_boot_or_none_at_all_is_begun_anew(tmp_path):
    account = Account(tmp_path)
    assert account.spend(10.0, 2.0) == pytest.approx(12.0)
    assert account.spend(11.0, 2.0) == pytest.approx(14.0)
    assert account.spend(100.0, 1.0) == pytest.approx(101.0)
    (book,) = tmp_path.glob("*.paid")
    for said in (b"0" * 36 + b" 9999999999.0", b"\xff\x00", b"", b"x " * 99):
        book.write_bytes(said)
        assert account.spend(5.0, 1.0) == pytest.approx(6.0)


def test_a_folder_that_cannot_be_is_done_without(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    folder = tmp_path / "file"
    gates = Gates(1, lambda _: True, folder=folder)
    with gates.inside(f"{HOST}/a"), pytest.raises(Stopped), gates.inside(f"{HOST}/b"):
        pytest.fail("two were inside")
    slept = []
    rate = Rate(1000, lambda s: bool(slept.append(s)), clock=lambda: 10.0, folder=folder)
    assert [rate.spend(500), rate.spend(500)] == slept == [0.5, 1.0]
