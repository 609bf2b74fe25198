"""Runs that play what they are told (`fake_runner.py`), and a controller for them."""

from __future__ import annotations

import sys
from pathlib import Path

from making import WHEN, make_run

from reimage.controller import Controller
from reimage.executors.local import LocalExecutor
from reimage.model import Stage
from reimage.queueing import enqueue
from reimage.run import Limits
from reimage.store import runs

FAKE = str(Path(__file__).with_name("fake_runner.py"))
LIMITS = Limits(memory_mb=2000, wall_s=60, silence_s=60)


def make(settings, database, name="r1", limits=LIMITS, **facts):
    run = make_run(
        settings.data / "archive",
        run=name,
        dataset=f"uid://A001/X1/X{int(name[1:], 16):x}",
        facts=facts,
        recipe={"id": "test", "stages": [stage.value for stage in Stage]},
        limits=limits,
        created_at=WHEN,
    )
    return enqueue(settings, database, run)


def controller(settings, database):
    return Controller(settings, LocalExecutor([sys.executable, FAKE]), database)


def find(database, name="r1"):
    with database.read() as session:
        return runs.find(session, name)
