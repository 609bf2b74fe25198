"""The supervisor itself, over small programs: how things end, and that nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from making import make_run

from reimage import document, identity, kernel
from reimage.executors.local import LocalExecutor
from reimage.executors.protocol import JobState, SubmissionFailed
from reimage.run import Exit, Limits

HOG = "x = [bytearray(b'x' * (10 << 20)) for _ in range(60)]; import time; time.sleep(30)"


@pytest.fixture
def run_dir(tmp_path):
    directory = tmp_path / "run"
    (directory / "attempts").mkdir(parents=True)

    def freeze(memory_mb=1000, wall_s=30.0):
        limits = Limits(memory_mb=memory_mb, wall_s=wall_s, silence_s=60)
        document.write(directory / "run.json", make_run(tmp_path, limits=limits))
        return directory

    return freeze


def supervise(directory, code, attempt=1, *, wait=True):
    command = [sys.executable, "-m", "reimage.supervisor", str(directory), str(attempt)]
    child = subprocess.Popen([*command, "--", sys.executable, "-c", code])
    if not wait:
        return child
    assert child.wait(timeout=60) == 0
    return ended(directory, attempt)


def ended(directory, attempt=1):
    return document.read(Exit, directory / "attempts" / str(attempt) / "exit.json")


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("code", "why", "exit_code", "died_of"),
    [
        ("print('hello')", "exit", 0, None),
        ("raise SystemExit(7)", "exit", 7, None),
        ("import os; os.kill(os.getpid(), 11)", "signal", None, "SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "signal", None, "SIGKILL"),
    ],
)
def test_ends_are_told(run_dir, code, why, exit_code, died_of):
    record = supervise(run_dir(), code)
    assert (record.why, record.exit_code, record.signal) == (why, exit_code, died_of)
    assert record.boot_id == identity.boot_id()
    assert record.ended_at >= record.started_at
    assert record.peak_process_mb > 0


def test_the_program_gets_directory_and_attempt_and_a_log(run_dir):
    directory = run_dir()
    supervise(directory, "import sys, os; print(sys.argv[1:], os.getcwd())", attempt=3)
    said = (directory / "attempts" / "3" / "runner.log").read_text()
    assert said.strip() == f"{[str(directory), '3']} {directory}"


@pytest.mark.parametrize("with_cgroup", [True, False])
def test_memory(run_dir, with_cgroup, tmp_path):
    """With a cgroup the kernel ends it, without one the supervisor; both say memory."""
    probe = kernel.MemoryCgroup.make("probe", 1 << 30)
    if probe is not None:
        probe.close()
    if with_cgroup and probe is None:
        pytest.skip("no memory cgroup can be made here: run as root with the controller mounted")
    code = HOG
    directory = run_dir(memory_mb=200)
    if not with_cgroup:
        switch = "import sys; from reimage import kernel, supervisor; kernel.MemoryCgroup.make = "
        switch += "lambda *_: None; sys.exit(supervisor.main(sys.argv[1:]))"
        command = [sys.executable, "-c", switch, str(directory), "1", "--", sys.executable, "-c"]
        subprocess.run([*command, code], check=True)
        record = ended(directory)
    else:
        record = supervise(directory, code)
    assert (record.why, record.signal) == ("memory", "SIGKILL")
    assert record.oom_kills == 1
    assert record.peak_process_mb > 150
    assert record.wall_s < 20


def test_a_greedy_child_goes_before_its_runner(run_dir):
    code = (
        f"import subprocess, sys; c = [sys.executable, '-c', {HOG!r}]; "
        "sys.exit(0 if subprocess.run(c).returncode == -9 else 1)"
    )
    record = supervise(run_dir(memory_mb=200), code)
    assert (record.why, record.exit_code, record.oom_kills) == ("exit", 0, 1)


def test_wall(run_dir):
    record = supervise(run_dir(wall_s=0.5), "import time; time.sleep(60)")
    assert (record.why, record.signal) == ("wall", "SIGTERM")


def test_wall_over_a_program_that_hears_nothing(run_dir, monkeypatch):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    record = supervise(run_dir(wall_s=0.5), code)
    assert (record.why, record.signal) == ("wall", "SIGKILL")


def test_nothing_is_left_behind(run_dir):
    """Grandchildren in sessions of their own, orphaned, ignoring SIGTERM: all end with the runner."""
    directory = run_dir()
    sleeper = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    code = (
        "import subprocess, sys;"
        f"c = [subprocess.Popen([sys.executable, '-c', {sleeper!r}], start_new_session=True)"
        " for _ in range(3)]; open('pids', 'w').write(' '.join(str(p.pid) for p in c))"
    )
    supervise(directory, code)
    pids = [int(pid) for pid in (directory / "pids").read_text().split()]
    assert len(pids) == 3
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_the_runner_dies_with_its_supervisor(run_dir):
    directory = run_dir()
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    child = supervise(directory, code, wait=False)
    wait_for(lambda: (directory / "pid").exists() and (directory / "pid").read_text())
    pid = int((directory / "pid").read_text())
    child.kill()
    child.wait()
    wait_for(lambda: identity.of_process(pid) is None)
    assert not (directory / "attempts" / "1" / "exit.json").exists()


def test_an_attempt_has_one_supervisor(run_dir):
    directory = run_dir()
    code = "open('starts', 'a').write('x'); import time; time.sleep(1)"
    both = [supervise(directory, code, wait=False) for _ in range(2)]
    assert [child.wait(timeout=30) for child in both] == [0, 0]
    assert (directory / "starts").read_text() == "x"
    supervise(directory, code)  # nor later
    assert (directory / "starts").read_text() == "x"
    assert not list(directory.glob("attempts/1/*.part"))


def test_asked_to_end(run_dir):
    directory = run_dir()
    child = supervise(directory, "import time; time.sleep(60)", wait=False)
    record = directory / "attempts" / "1" / "memory.jsonl"
    wait_for(record.exists)
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=30)
    assert (ended(directory).why, ended(directory).signal) == ("signal", "SIGTERM")
    assert set(json.loads(record.read_text().splitlines()[0])) == {"s", "mb"}


def test_the_supervisor_is_small(run_dir):
    directory = run_dir()
    child = supervise(directory, "import time; time.sleep(60)", wait=False)
    wait_for((directory / "attempts" / "1" / "memory.jsonl").exists)
    resident_mb = psutil.Process(child.pid).memory_info().rss / (1 << 20)
    child.terminate()
    child.wait()
    assert resident_mb < 30


def test_local_jobs_are_known_by_who_they_are(run_dir):
    directory = run_dir()
    executor = LocalExecutor([sys.executable, "-c", "import time; time.sleep(60)"])
    job = executor.submit(directory, 1)
    wait_for((directory / "attempts" / "1" / "memory.jsonl").exists)
    assert executor.recover(directory, 1) == job
    assert executor.recover(directory, 2) is None
    another = LocalExecutor()  # of a controller that came later
    host, boot, pid, start = job.rsplit(":", 3)
    reused = f"{host}:{boot}:{pid}:{int(start) + 1}"
    elsewhere = f"elsewhere:{boot}:{pid}:{start}"
    status = another.poll([job, reused, elsewhere, "nonsense"])
    assert {name: told.state for name, told in status.items()} == {
        job: JobState.ALIVE,
        reused: JobState.ENDED,
        elsewhere: JobState.UNKNOWN,
        "nonsense": JobState.UNKNOWN,
    }
    another.cancel(reused)
    another.cancel(elsewhere)
    assert another.poll([job])[job].state is JobState.ALIVE
    another.cancel(job)
    wait_for(lambda: executor.poll([job])[job].state is JobState.ENDED)
    assert not psutil.pid_exists(int(pid))  # reaped by its parent
    assert ended(directory).signal == "SIGTERM"


def test_a_submission_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SubmissionFailed):
        LocalExecutor().submit(tmp_path / "file", 1)


def test_left_over_cgroups_are_swept(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        (tmp_path / f"reimage-{pid}-r1-1").mkdir()
    kernel.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"reimage-{os.getpid()}-r1-1"]
