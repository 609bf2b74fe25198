"""Starts one attempt's runner, watches its process tree, and writes how it ended.

    python -m reimage.supervisor RUN_DIR ATTEMPT [-- PROGRAM ...]

The same under every executor.  PROGRAM is what carries out the attempt (default: the runner); it gets
RUN_DIR and ATTEMPT as its last arguments.  ``attempts/<n>/supervisor.json`` says who this process is
and is made once: a second supervisor of the same attempt finds it and leaves.  ``exit.json``
(`reimage.run.Exit`) is written last, when no process of the tree is left.

Nothing outlives it: the runner dies with this process (PDEATHSIG), and what the runner leaves behind
becomes a child of this process (subreaper) and is ended with the rest.  Memory is that of the whole
tree, sampled; where a memory cgroup can really be made, the kernel enforces the limit and leaves
evidence, and the sampling stands 10 % above it.  Either way the largest process of the tree goes first,
and ``oom_kills`` counts.  No RLIMIT_AS: CASA's import hangs below 1.1 GB of
address space.

A small process: standard library and psutil.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import psutil

from reimage import identity, kernel

MB = 1 << 20
LOOK_S = 0.25
SERIES_S = 5.0
GRACE_S = 5.0
RUNNER = (sys.executable, "-P", "-m", "reimage.runner")
"""``-P``: what a delivered script leaves in the run directory, the cwd, is never imported."""
ALREADY_SUPERVISED = 0


@dataclass(slots=True)
class Watch:
    """What was seen of the tree, and what is to become of it."""

    started: float = field(default_factory=time.monotonic)
    peak_mb: int = 0
    kills: int = 0
    """Processes that were ended for the tree's memory."""
    why: str | None = None
    """Set when the tree is to be ended: memory, wall, or signal (somebody asked)."""
    asked: str | None = None
    """Signal by which somebody asked."""
    told_at: float = -SERIES_S


def main(arguments: Sequence[str]) -> int:
    """Supervise one attempt; return 0 whatever the runner did: ``exit.json`` says that."""
    run_dir, attempt = Path(arguments[0]).resolve(), int(arguments[1])
    program = tuple(arguments[3:]) if arguments[2:3] == ["--"] else RUNNER
    directory = run_dir / "attempts" / str(attempt)
    directory.mkdir(parents=True, exist_ok=True)
    started_at = datetime.now(UTC)
    own = identity.of_self()
    if not _claim(directory / "supervisor.json", own, started_at):
        return ALREADY_SUPERVISED
    limits = json.loads((run_dir / "run.json").read_bytes())["limits"]
    watch = Watch()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda number, _: _ask(watch, number))
    kernel.adopt_orphans()
    cgroup = kernel.MemoryCgroup.make(f"{run_dir.name}-{attempt}", int(limits["memory_mb"]) * MB)
    command = [*program, str(run_dir), str(attempt)]
    child = _begin(command, run_dir, directory / "runner.log", kernel.Birth(os.getpid(), cgroup))
    end = _watch(child.pid, watch, limits, directory / "memory.jsonl", over=1.1 if cgroup else 1)
    child.returncode = end.code
    _end_tree(grace_s=0)
    watch.kills += cgroup.close() if cgroup else 0
    record = {
        "attempt": attempt,
        "host": own.host,
        "boot_id": own.boot_id,
        "pid": child.pid,
        "started_at": started_at.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        **_manner(end.code, watch),
        **_use(end, watch),
        "casa_wall_s": round(_casa_wall_s(directory / "journal.jsonl"), 3),
    }
    _write(directory / "exit.json", record)
    return 0


def _begin(command: list[str], folder: Path, log: Path, birth: kernel.Birth) -> Popen[bytes]:
    with log.open("ab") as said:
        return Popen(  # noqa: S603 -- our own program
            command,
            cwd=folder,
            stdin=DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=birth,  # noqa: PLW1509 -- one thread here
        )


@dataclass(frozen=True, slots=True)
class End:
    """What the kernel says of the runner's end."""

    code: int
    """Negative: the signal."""
    cpu_s: float
    peak_process_mb: int


def _watch(pid: int, watch: Watch, limits: dict[str, Any], series: Path, over: float) -> End:
    """Look at the tree until the runner has ended; end it when it crosses a limit."""
    limit_mb = int(limits["memory_mb"]) * over
    while True:
        found, status, usage = os.wait4(-1, os.WNOHANG)
        if found == pid:
            code = os.waitstatus_to_exitcode(status)
            cpu_s = usage.ru_utime + usage.ru_stime
            return End(code, cpu_s, usage.ru_maxrss // 1024)
        if found:  # an orphan of the tree, reaped
            continue
        resident_mb = sum(_resident(process) for process in _tree()) // MB
        watch.peak_mb = max(watch.peak_mb, resident_mb)
        _tell(series, watch, resident_mb)
        if resident_mb > limit_mb:
            _kill_largest(pid, watch)
        if watch.why is None and time.monotonic() - watch.started > float(limits["wall_s"]):
            watch.why = "wall"
        if watch.why in {"wall", "signal"}:
            _terminate(pid)
        time.sleep(LOOK_S)


def _kill_largest(runner: int, watch: Watch) -> None:
    """Do as the kernel does when memory is out: the largest process has to go.

    A CASA job that goes leaves the runner to say so, and to go on with the next image; only a runner
    that is itself the largest ends the attempt.
    """
    largest = max(_tree(), key=_resident, default=None)
    if largest is None:
        return
    with suppress(psutil.NoSuchProcess):
        largest.kill()
        watch.kills += 1
    if largest.pid == runner and watch.why is None:
        watch.why = "memory"


def _terminate(pid: int) -> None:
    """End the runner: TERM, time to write its outcome, KILL; what it leaves behind is ended later."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(LOOK_S / 5)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _end_tree(grace_s: float) -> None:
    """End whatever the runner left behind, and reap it."""
    deadline = time.monotonic() + grace_s
    while True:
        left = list(_tree())
        if not left:
            return
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill() if time.monotonic() >= deadline else process.terminate()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def _tree() -> Iterator[psutil.Process]:
    """Yield the runner and all its descendants: this process is the subreaper of them all."""
    try:
        yield from psutil.Process().children(recursive=True)
    except psutil.NoSuchProcess:  # a process ended while psutil looked
        return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _use(end: End, watch: Watch) -> dict[str, Any]:
    """Say what it used."""
    return {
        "wall_s": round(time.monotonic() - watch.started, 3),
        "cpu_s": round(end.cpu_s, 3),
        "peak_tree_mb": max(watch.peak_mb, end.peak_process_mb),
        "peak_process_mb": end.peak_process_mb,
        "oom_kills": watch.kills,
    }


def _manner(code: int, watch: Watch) -> dict[str, Any]:
    """Say why it ended: a limit that was crossed comes before what the runner made of it."""
    died_of = signal.Signals(-code).name if code < 0 else None
    why = watch.why or ("signal" if code < 0 else "exit")
    if watch.kills and died_of == "SIGKILL":
        why = "memory"
    return {
        "why": why,
        "exit_code": code if code >= 0 else None,
        "signal": watch.asked if why == "signal" and watch.asked else died_of,
    }


def _ask(watch: Watch, number: int) -> None:
    if watch.why is None:
        watch.why, watch.asked = "signal", signal.Signals(number).name


def _claim(path: Path, own: identity.Identity, at: datetime) -> bool:
    """Write who supervises; False when somebody already does, or did."""
    record = {"identity": str(own), "host": own.host, "boot_id": own.boot_id, "pid": own.pid}
    part = path.with_name(f"{path.name}.{own.pid}.part")
    _write(part, {**record, "start": own.start, "started_at": at.isoformat()})
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def _write(path: Path, record: dict[str, Any]) -> None:
    """Write JSON, whole or not at all (as `reimage.document` does, without its weight)."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as stream:
        json.dump(record, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(path)


def _tell(path: Path, watch: Watch, resident_mb: int) -> None:
    """Add to the memory series, seldom."""
    now = time.monotonic()
    if now - watch.told_at >= SERIES_S:
        watch.told_at = now
        line = {"s": round(now - watch.started, 1), "mb": resident_mb}
        with path.open("a", encoding="ascii") as stream:
            stream.write(json.dumps(line) + "\n")


def _casa_wall_s(journal: Path) -> float:
    """Add up what the attempt's CASA processes took, as its journal says."""
    total = 0.0
    with suppress(OSError), journal.open("rb") as stream:
        for line in stream:
            if b'"casa.exited"' in line:
                with suppress(ValueError, KeyError, TypeError):
                    total += float(json.loads(line)["wall_s"])
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
