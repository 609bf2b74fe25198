"""A runner that plays what its run's facts say, in no time; started by a real supervisor.

It keeps the real runner's contract: it reads ``run.json``, writes its attempt's journal, looks at ATTEMPT
before every proof, goes on from the stages that are proven, and ends with ``outcome.json``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from reimage import document
from reimage.journal import Journal, now
from reimage.model import Product, ProductState, Stage
from reimage.run import Fault, Outcome, Run


def play(directory, attempt):
    run = document.read(Run, directory / "run.json")
    facts = run.facts
    journal = Journal(directory / "attempts" / str(attempt) / "journal.jsonl", attempt)
    journal.emit("attempt.started", run=run.run, dataset=run.dataset)
    journal.emit("something.new", nobody="knows this event")
    journal.emit("delivery.read", notes=["raw-missing: uid___A002_X1_X1"])
    because = ["4.7.2: README, line 1"]
    journal.emit("casa.chosen", build="casa-test", wanted="4.7.2", doubtful=True, because=because)
    fault, stage = None, None
    for stage in Stage:
        proven = directory / f"{stage}.proven"
        if proven.exists():
            journal.emit("stage.kept", stage=stage)
            continue
        journal.emit("stage.started", stage=stage)
        time.sleep(facts.get("stage_s", 0))
        if stage == facts.get("act_at") and attempt in facts.get("act_in", (1,)):
            fault = act(facts["act"], stage, journal)
            if fault is not None:
                break
        if (directory / "ATTEMPT").read_text().strip() != str(attempt):
            return
        document.write(proven, {"attempt": attempt})
        journal.emit("stage.proven", stage=stage)
    products = [product(name, fault) for name in ("a", "b")] if stage in list(Stage)[3:] else []
    outcome = Outcome(
        run=run.run,
        attempt=attempt,
        stage=stage,
        finished=fault is None,
        refused=fault is not None and facts["act"] == "refuse",
        fault=fault,
        caveats=("restored-without-pipeline",),
        products=tuple(products),
        build="casa-test",
        ended_at=now(),
    )
    document.write(directory / "outcome.json", outcome)
    journal.emit("attempt.ended", finished=outcome.finished)
    journal.close()


def act(what, stage, journal):
    """Do what the facts ask for; return a fault if it is one."""
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "kill-supervisor":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    if what == "hang":
        time.sleep(600)
    if what == "hog":
        subprocess.run(
            [sys.executable, "-c", "import time; x = b'x' * (400 << 20); time.sleep(60)"],
            check=False,
        )
    if what == "orphan":
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
        )
        journal.emit("casa.started", build="casa-test", pid=child.pid)
        journal.emit("casa.exited", wall_s=1.25)
    if what == "refuse":
        return Fault(
            code="nothing-to-restore", message="nothing", hint="", evidence={}, stage=stage
        )
    if what == "fail":
        return Fault(
            code="archive-file-damaged", message="a tar is cut", hint="", evidence={}, stage=stage
        )
    return None


def product(name, fault):
    made = fault is None
    return Product(
        name=f"{name}.fits",
        kind="pbcor",
        image=name,
        target="NGC_1",
        spws="0",
        specmode="mfs",
        state=ProductState.MADE if made else ProductState.ABSENT,
        reason=None if made else "it was not to be",
        path=f"image/products/{name}.fits" if made else None,
        n_bytes=2880 if made else None,
        numbers={"rms_jy_beam": 0.001} if made else {},
    )


if __name__ == "__main__":
    play(Path(sys.argv[1]), int(sys.argv[2]))
