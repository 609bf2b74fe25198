"""Work that several processes share: each task once, in an order that its needs allow, whoever dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reimage.casa.jobs import _work as work

JOBS = Path(work.__file__).parent


def task(place, name, needs=(), told=None):
    record = place / name

    def run():
        if told is not None:
            told.append(name)
        record.write_text("")

    return work.Task(name, run, record.exists, needs)


@pytest.fixture
def share(tmp_path):
    (tmp_path / "claims").mkdir()
    (tmp_path / "records").mkdir()
    return work.Share(str(tmp_path / "claims"), 0)


def test_what_is_needed_comes_first(share, tmp_path):
    told, place = [], tmp_path / "records"
    tasks = [
        task(place, "c", ["a", "b"], told),
        task(place, "b", ["a"], told),
        task(place, "a", (), told),
    ]
    share.work(tasks)
    assert told == ["a", "b", "c"]
    assert not list((tmp_path / "claims").iterdir())


def test_what_is_recorded_is_not_done_again(share, tmp_path):
    told, place = [], tmp_path / "records"
    (place / "a").write_text("")
    share.work([task(place, "a", (), told), task(place, "b", ["a"], told)])
    assert told == ["b"]


def test_a_claim_of_another_is_waited_for(share, tmp_path, monkeypatch):
    told, place = [], tmp_path / "records"
    (tmp_path / "claims" / "a").symlink_to("7")

    def other_is_done(_):
        (place / "a").write_text("")

    monkeypatch.setattr(work.time, "sleep", other_is_done)
    share.work([task(place, "a", (), told)])
    assert told == []


def test_one_who_waits_says_that_he_lives(share, capsys, monkeypatch):
    monkeypatch.setattr(work, "LOOK_S", 0)
    monkeypatch.setattr(work, "ALIVE_S", -1)
    share.wait()
    assert "waiting" in capsys.readouterr().out


def test_a_task_without_a_record_is_an_error(share):
    with pytest.raises(RuntimeError, match="left no record"):
        share.work([work.Task("a", lambda: None, lambda: False)])


def test_a_claim_says_what_was_being_done(share, tmp_path):
    def die():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        share.work([work.Task("a", die, lambda: False)])
    assert (tmp_path / "claims" / "a").readlink() == Path("0")


def test_several_processes_do_each_task_once(tmp_path):
    for name in ("claims", "records", "told"):
        (tmp_path / name).mkdir()
    text = (
        "import os, sys, time\nsys.path.insert(0, sys.argv[1])\nimport _work\n"
        "def task(n):\n"
        "    def run():\n"
        "        os.mkdir('told/%d' % n)\n"
        "        time.sleep(0.002)\n"
        "        open('records/%d' % n, 'w').close()\n"
        "    needs = [str(n - 5)] if n >= 5 else []\n"
        "    return _work.Task(str(n), run, lambda: os.path.exists('records/%d' % n), needs)\n"
        "_work.LOOK_S = 0.001\n"
        "_work.Share('claims', sys.argv[2]).work([task(n) for n in range(150)])\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", text, str(JOBS), str(n)], cwd=tmp_path)
        for n in range(4)
    ]
    assert [one.wait(60) for one in started] == [0] * 4  # a second mkdir would have raised
    assert len(list((tmp_path / "told").iterdir())) == 150
