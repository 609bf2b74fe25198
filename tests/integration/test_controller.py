"""The controller with real supervisors and a runner that plays what it is told."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import psutil
import pytest
from making import make_run
from playing import FAKE, LIMITS, controller, find, make

from reimage import controller as controlling
from reimage import queueing
from reimage.errors import DiskFull
from reimage.journal import now
from reimage.leadership import ControllerRunning
from reimage.model import Result, Stage, State
from reimage.queueing import enqueue, request_cancel
from reimage.run import Limits
from reimage.store import decisions, events, failures, inbox, migrate, moves, products, runs
from reimage.store.inbox_asked import Asked


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_a_run_that_succeeds(settings, database):
    make(settings, database)
    seen = []
    controller(settings, database).run(until_idle=True, on_progress=seen.append)
    row = find(database)
    assert (row.state, row.result, row.error_class) == (State.DONE, Result.IMAGED, None)
    assert (row.stage, row.build, row.attempts) == (Stage.ASSESS, "casa-test", 1)
    assert (row.products_made, row.products_planned) == (2, 2)
    assert row.caveats == ("restored-without-pipeline",)
    assert row.wall_s > 0
    with database.read() as session:
        stages = runs.stages(session, "r1")
        said = events.of_run(session, "r1")
        attempt = runs.attempts(session, "r1")[0]
        assert [p.name for p in products.of_run(session, "r1")] == ["a.fits", "b.fits"]
        assert [d.kind for d in decisions.of_run(session, "r1")] == ["end"]
        assert failures.of_run(session, "r1") == ()
    assert [stage.stage for stage in stages] == list(Stage)
    assert {stage.state for stage in stages} == {"proven"}
    assert "something.new" in [event.event for event in said]
    assert (attempt.exit_code, attempt.why, attempt.job is not None) == (0, "exit", True)
    assert [n.event.event for n in seen if n.event.attempt == 0] == [
        "attempt.submitting",
        "attempt.submitted",
        "attempt.judged",
    ]


def test_a_failure_is_judged_and_keeps_its_evidence(settings, database):
    make(settings, database, act="fail", act_at="fetch")
    controller(settings, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.error_class, row.stage) == (
        Result.FAILED,
        "archive-file-damaged",
        Stage.FETCH,
    )
    with database.read() as session:
        (failure,) = failures.of_run(session, "r1")
        (kept,) = failures.evidence(session, "r1")
        (judged,) = failures.classifications(session, "r1")
        (group,) = inbox.groups(session, Asked(), now())
        (family,) = inbox.groups(session, Asked(by="family"), now())
        stage = runs.stages(session, "r1")[-1]
    assert (failure.code, failure.message, failure.final) == (
        "archive-file-damaged",
        "a tar is cut",
        True,
    )
    assert judged.author.startswith("archive-file-damaged@")
    assert (queueing.run_directory(settings, row) / kept.path).stat().st_size == kept.n_bytes
    assert (group.key, group.datasets, group.runs, family.key) == (
        "archive-file-damaged",
        1,
        1,
        "fetch",
    )
    assert (stage.stage, stage.state) == (Stage.FETCH, "failed")


def test_a_refusal_is_no_failure(settings, database):
    make(settings, database, act="refuse", act_at="choose")
    controller(settings, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.error_class) == (Result.REFUSED, "nothing-to-restore")
    with database.read() as session:
        (group,) = inbox.groups(session, Asked(), now())
    assert (group.key, group.refused) == ("nothing-to-restore", True)


@pytest.mark.parametrize("act", ["kill", "kill-supervisor"])
def test_a_killed_runner_or_supervisor_is_tried_again(settings, database, act):
    make(settings, database, act=act, act_at="image")
    controller(settings, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.attempts, row.products_made) == (Result.IMAGED, 2, 2)
    with database.read() as session:
        (failure,) = failures.of_run(session, "r1")
        assert [d.kind for d in decisions.of_run(session, "r1")] == ["retry", "end"]
        kept = [s.stage for s in runs.stages(session, "r1") if s.state == "kept"]
    assert (failure.result, failure.final) == (Result.LOST, False)
    assert kept == [Stage.FETCH, Stage.CHOOSE, Stage.RESTORE]


def test_tries_have_an_end(settings, database):
    make(settings, database, act="kill", act_at="image", act_in=list(range(1, 20)))
    few = settings.model_copy(update={"max_interruptions": 4})
    controller(few, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.attempts) == (Result.LOST, 4)
    assert row.error_class in {"killed", "lost"}


def test_memory_limit(settings, database):
    limits = Limits(memory_mb=250, wall_s=60, silence_s=60)
    make(settings, database, limits=limits, act="hog", act_at="image")
    controller(settings, database).run(until_idle=True)
    with database.read() as session:
        attempt = runs.attempts(session, "r1")[0]
    # Either the supervisor ended the tree, or the kernel the greedy process: both say memory.
    assert attempt.why == "memory" or attempt.oom_kills >= 1
    if attempt.why == "memory":
        assert find(database).error_class == "memory"


def test_wall_limit(settings, database):
    limits = Limits(memory_mb=2000, wall_s=1, silence_s=60)
    make(settings, database, limits=limits, act="hang", act_at="image")
    controller(settings, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.error_class, row.attempts) == (Result.FAILED, "wall-time", 1)


def test_nothing_outlives_a_run(settings, database):
    make(settings, database, act="orphan", act_at="image")
    controller(settings, database).run(until_idle=True)
    with database.read() as session:
        (started,) = [e for e in events.of_run(session, "r1") if e.event == "casa.started"]
        assert runs.attempts(session, "r1")[0].casa_wall_s == 1.25
    assert not psutil.pid_exists(started.data["pid"])
    assert find(database).result == Result.IMAGED


def test_cancelling_a_queued_and_a_running_run(settings, database):
    make(settings, database, "r1", act="hang", act_at="image")
    make(settings, database, "r2")
    request_cancel(database, "r2", author="somebody", reason="not now")
    lead = controller(settings, database)

    def cancel_when_imaging(notice):
        if notice.run == "r1" and notice.event.data.get("stage") == "image":
            request_cancel(database, "r1", author="somebody")

    lead.run(until_idle=True, on_progress=cancel_when_imaging)
    for name in ("r1", "r2"):
        row = find(database, name)
        assert (row.state, row.result, row.error_class) == (
            State.DONE,
            Result.CANCELLED,
            "cancelled",
        )
    assert find(database, "r2").attempts == 0


def test_slots_are_kept(settings, database):
    for number in range(1, 6):
        make(settings, database, f"r{number}", stage_s=0.05)
    most = 0

    def count(_):
        nonlocal most
        with database.read() as session:
            most = max(most, len(runs.live(session)))

    controller(settings, database).run(until_idle=True, on_progress=count)
    assert most == settings.slots
    assert {find(database, f"r{n}").result for n in range(1, 6)} == {Result.IMAGED}


def test_one_live_run_per_dataset_and_recipe(settings, database):
    make(settings, database)
    again = make_run(
        settings.data,
        run="r9",
        dataset="uid://A001/X1/X1",
        recipe={"id": "test", "stages": []},
        limits=LIMITS,
    )
    with pytest.raises(moves.RunLive) as caught:
        enqueue(settings, database, again)
    assert caught.value.evidence["run"] == "r1"
    assert not (settings.runs_dir / "uid___A001_X1_X1" / "r9").exists()


def test_a_run_directory_that_vanished(settings, database):
    row = make(settings, database)
    directory = queueing.run_directory(settings, row)
    directory.rename(directory.with_name("gone"))
    controller(settings, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.error_class) == (Result.LOST, "lost")


def test_two_controllers(settings, database):
    first, second = controller(settings, database), controller(settings, database)
    first._lead.acquire()
    second._lead._own = type(second._lead._own)("elsewhere", "boot", 1, 1)
    with pytest.raises(ControllerRunning) as caught:
        second.run(once=True)
    assert caught.value.hint
    first._lead.resign()
    second.run(once=True)


class Full:
    """A disk that is full for so many looks around."""

    def __init__(self, controller, looks):
        self.controller, self.looks, self.step = controller, looks, controller.step

    def __call__(self):
        if self.looks > 0:
            self.looks -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.step()


def test_a_disk_that_is_full_for_a_moment_is_waited_for(settings, database, monkeypatch):
    make(settings, database)
    one = controller(settings, database)
    monkeypatch.setattr(one, "step", full := Full(one, looks=3))
    one.run(until_idle=True)
    assert full.looks == 0
    assert find(database).result == Result.IMAGED


def test_a_disk_that_stays_full_ends_the_controller(settings, database, monkeypatch):
    one = controller(settings, database)
    monkeypatch.setattr(controlling, "FULL_GRACE", timedelta(seconds=0.2))
    monkeypatch.setattr(one, "step", full := Full(one, looks=10**6))
    with pytest.raises(DiskFull):
        one.run(until_idle=True)
    assert full.looks < 10**6 - 1  # it looked again
    one._lead.acquire()  # and has resigned


@pytest.mark.parametrize("after_s", [0.1, 0.5, 1.0, 1.6])
def test_a_killed_controller_is_succeeded(settings, tmp_path, after_s):
    """SIGKILL at four times of a run's life; the supervisor goes on, the next controller takes over."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    migrate.upgrade(url)
    database = migrate.open_database(url)
    make(settings, database, stage_s=0.2)
    program = (
        "import sys, pathlib; from reimage.controller import Controller;"
        "from reimage.executors.local import LocalExecutor; from reimage.settings import Settings;"
        "from reimage.store.migrate import open_database;"
        f"s = Settings(data=pathlib.Path({str(settings.data)!r}), poll_s=0.05);"
        f"Controller(s, LocalExecutor([sys.executable, {FAKE!r}]), open_database({url!r}))"
        ".run(until_idle=True)"
    )
    child = subprocess.Popen([sys.executable, "-c", program])
    wait_for(lambda: find(database).attempts > 0 or child.poll() is not None)
    time.sleep(after_s)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    controller(settings, database).run(until_idle=True)
    row = find(database)
    assert (row.result, row.attempts, row.products_made) == (Result.IMAGED, 1, 2)
    with database.read() as session:
        kinds = [e.event for e in events.of_run(session, "r1") if e.attempt == 0]
        assert [s.stage for s in runs.stages(session, "r1")] == list(Stage)
    assert kinds == ["run.queued", "attempt.submitting", "attempt.submitted", "attempt.judged"]
    database.close()


def test_sigterm_drains_and_leaves_runs_going_on(settings, database):
    make(settings, database, stage_s=0.1)
    lead = controller(settings, database)

    def end_it(notice):
        if notice.event.event == "stage.started":
            os.kill(os.getpid(), signal.SIGTERM)

    lead.run(until_idle=True, on_progress=end_it)
    assert lead.stopped_by == "SIGTERM"
    assert find(database).state == State.RUNNING
    controller(settings, database).run(until_idle=True)
    assert (find(database).result, find(database).attempts) == (Result.IMAGED, 1)


def test_nothing_in_a_run_directory_is_imported(settings, database):
    """A delivered script may write there; what it leaves must not become our code."""
    row = make(settings, database)
    directory = queueing.run_directory(settings, row)
    for name in ("json", "psutil", "reimage", "errno"):
        (directory / f"{name}.py").write_text("raise SystemExit('hijacked')")
    lead = controller(settings, database)
    lead._executor._program = ()  # the real runner, which finds no archive
    lead.run(until_idle=True)
    assert find(database).error_class is not None
    with database.read() as session:
        assert runs.attempts(session, "r1")[0].exit_code == 0
        (failure,) = failures.of_run(session, "r1")
    assert failure.code == "archive-foreign"
