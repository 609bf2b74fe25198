"""A runner that fails until its run has what the dataset needs: memory, the right build, less silence."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import fake_runner

from reimage import document
from reimage.model import ProductState
from reimage.run import Fault, Run

HOLD = """
import sys, time
held = []
for _ in range(int(sys.argv[1]) // 50):
    held.append(b"x" * (50 << 20))
    time.sleep(0.25)
"""


def act(run, directory, what, stage, journal):
    facts = run.facts
    if what == "need memory":
        # Either the supervisor ends the tree, or the kernel the greedy process.
        held = subprocess.run([sys.executable, "-c", HOLD, str(facts["needs_mb"])], check=False)
        gone = fault("casa-job-failed", "  what():  std::bad_alloc", stage)
        return gone if held.returncode else None
    if what == "need time":
        time.sleep(facts["needs_s"])
        return None
    if what == "need build":
        ranked = facts["ranked"]
        chosen = run.casa or ranked[0]
        value = {"choice": {"build": chosen, "alternatives": ranked[1:]}}
        (directory / "choose").mkdir(exist_ok=True)
        document.write(directory / "choose" / "PROVEN.json", {"digest": "0", "value": value})
        if chosen == facts["good"]:
            return None
        return fault("restore-script-python-2", "scriptForPI.py is Python 2", stage)
    if what == "stand still":
        return fault("casa-silent", "image_make was silent for 60 s", stage)
    return _own(what, stage, journal)


def fault(code, message, stage):
    return Fault(code=code, message=message, hint="", evidence={}, stage=stage)


def product(run, name, of_fault):
    """Return a product that is not tried where there is too little room for it."""
    made = _product(name, of_fault)
    if name != "b" or run.limits.memory_mb >= run.facts["room_mb"]:
        return made
    reason = f"memory-predicted: needs {run.facts['room_mb']} MB of {run.limits.memory_mb}"
    return replace(made, state=ProductState.ABSENT, path=None, reason=reason)


_own, _product = fake_runner.act, fake_runner.product


def play(directory, attempt):
    run = document.read(Run, directory / "run.json")
    fake_runner.act = partial(act, run, directory)
    if "room_mb" in run.facts:
        fake_runner.product = partial(product, run)
    fake_runner.play(directory, attempt)


if __name__ == "__main__":
    play(Path(sys.argv[1]), int(sys.argv[2]))
