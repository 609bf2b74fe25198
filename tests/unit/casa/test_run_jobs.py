"""Several jobs watched by one loop: each has its own answer, and none outlives what went wrong."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import psutil
import pytest
from making import make_build

from reimage.casa import place, process, watching
from reimage.run import Limits

BEGIN = "import json, os, sys, time\njob = json.load(open(sys.argv[1])); n = job['input']['n']\n"
GOOD = "json.dump({'ok': True, 'value': {'n': n}}, open(job['result'], 'w'))\n"


@pytest.fixture
def calls(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "JOBS", tmp_path / "jobs")
    monkeypatch.setattr(watching, "GRACE_S", 0.3)
    (tmp_path / "jobs").mkdir()

    def make(text, count, **limits):
        (tmp_path / "jobs/work.py").write_text(BEGIN + text)
        chosen = Limits(**{"memory_mb": 1000, "wall_s": 20, "silence_s": 20, **limits})
        return [
            process.call_of(
                make_build(python=sys.executable),
                "work",
                {"n": n},
                place.Setting(
                    directory=tmp_path / f"job-{n}",
                    limits=chosen,
                    emit=lambda *_, **__: None,
                    casa_memory_mb=100 + n,
                ),
            )
            for n in range(count)
        ]

    return make


def test_they_run_side_by_side(calls, tmp_path):
    """Each ends only when all three have begun."""
    text = (
        f"here = {str(tmp_path)!r} + '/begun-%d'\nopen(here % n, 'w').close()\n"
        "while not all(os.path.exists(here % one) for one in range(3)): time.sleep(0.01)\n"
    )
    answers = process.run_jobs(calls(text + GOOD, 3), at_once=3)
    assert sorted(answer["n"] for answer in answers) == [0, 1, 2]


def test_a_job_may_have_nothing_to_say(calls):
    text = "json.dump({'ok': True, 'value': None}, open(job['result'], 'w'))\n"
    assert process.run_jobs(calls(text, 2), at_once=2) == [None, None]


def test_never_more_than_were_asked_for(calls, tmp_path):
    text = (
        f"here = {str(tmp_path)!r} + '/running'\nos.makedirs(here, exist_ok=True)\n"
        "mine = here + '/%d' % n; open(mine, 'w').close(); time.sleep(0.2)\n"
        "assert len(os.listdir(here)) <= 2; os.remove(mine)\n" + GOOD
    )
    answers = process.run_jobs(calls(text, 4), at_once=2)
    assert sorted(answer["n"] for answer in answers) == [0, 1, 2, 3]


def test_each_has_its_own_answer(calls):
    text = "if n == 1: os.kill(os.getpid(), 11)\nif n == 2: time.sleep(60)\n" + GOOD
    told = {}
    *quick, slow = calls(text, 3)
    short = replace(slow.setting, limits=replace(slow.setting.limits, wall_s=0.5))
    process.run_jobs(
        [*quick, replace(slow, setting=short)],
        at_once=3,
        then=lambda call, answer: told.update({call.inputs["n"]: answer}),
    )
    assert told[0] == {"n": 0}
    assert isinstance(told[1], process.CasaJobFailed)
    assert told[1].evidence["signal"] == "SIGSEGV"
    assert isinstance(told[2], process.CasaTimeout)


def test_what_ended_may_be_started_again(calls):
    text = "if not os.path.exists('tried'):\n    open('tried', 'w'); sys.exit(1)\n" + GOOD
    answers = process.run_jobs(
        calls(text, 2),
        at_once=2,
        then=lambda call, answer: None if isinstance(answer, dict) else call,
    )
    assert sum(isinstance(answer, process.CasaJobFailed) for answer in answers) == 2
    assert sum(isinstance(answer, dict) for answer in answers) == 2


def test_whatever_is_raised_ends_them_all(calls, tmp_path):
    text = "open('pid', 'w').write(str(os.getpid())); time.sleep(60)\n"

    def meanwhile():
        if all((tmp_path / f"job-{n}" / "pid").exists() for n in range(2)):
            time.sleep(0.1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run_jobs(calls(text, 2), at_once=2, meanwhile=meanwhile)
    for n in range(2):
        pid = int((tmp_path / f"job-{n}" / "pid").read_text())
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_casa_is_told_its_share_of_memory(calls, tmp_path):
    process.run_jobs(calls(GOOD, 2), at_once=2)
    rules = (tmp_path / "job-1/home/.casarc").read_text()
    assert rules == "system.resources.memory: 101\n"
