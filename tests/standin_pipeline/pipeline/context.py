"""The pipeline's context, and how its tasks are called."""

# ruff: noqa: T201, TRY301 -- the pipeline prints, and is ill as asked
from __future__ import annotations

import functools
import json
import os
import pickle
import time
import traceback
from pathlib import Path

import casatasks

from pipeline.infrastructure import basetask


class PipelineException(Exception):
    pass


class Context:
    def __init__(self):
        self.task_counter = 0
        self.clean_list_pending = []
        self.size_mitigation_parameters = {}
        self.state = {}
        self.made = {}
        self.plan = {"targets": {}}
        self.count = {}

    def set_state(self, part, name, value):  # noqa: ARG002 -- the pipeline's
        self.state[name] = value

    @property
    def ous(self):
        return self.state["ousstatus_entity_id"].replace(":", "_").replace("/", "_")


class stack:  # noqa: N801 -- a name space
    context: Context | None = None


def say(level, text):
    print(f"2026-01-01 00:00:00 {level}: {text}", flush=True)
    casatasks.casalog.post(level, "pipeline::pipeline.standin::casa", text)


def ill(kind):
    return stack.context.plan.get("ills", {}).get(kind, {})


def task(function):
    """Count stages, be ill as asked, and turn what is raised into a PipelineException."""

    @functools.wraps(function)
    def called(**arguments):
        context, name = stack.context, function.__name__
        if context is None:
            raise RuntimeError("Pipeline has not been initialized. Please call h_init() first.")
        context.task_counter += 1
        context.count[name] = context.count.get(name, 0) + 1
        try:
            if ill("die") == [name, *[one["specmode"] for one in context.clean_list_pending[:1]]]:
                os.abort()
            hang(name)
            if name in ill("says"):
                say("WARNING", ill("says")[name])
            for kind in ("raise", "return"):
                if name in ill(kind):
                    raise RuntimeError(ill(kind)[name])
            return function(context, **arguments)
        except Exception as error:
            told = traceback.format_exc()
            say("ERROR", told)
            if name in ill("return"):
                return basetask.FailedTaskResults(tb=told)
            raise PipelineException(told) from error

    return called


def hang(name):
    """Hang as plotms does, or once, in the middle of writing."""
    plots = ill("hang") == name and (ill("always") or not basetask.DISABLE_WEBLOG)
    mark = Path("../rawdata/hung")
    once = ill("hang_once") == name and not mark.exists()
    if once:
        mark.touch()
        Path("uid___A002_X1_X2_targets.ms").mkdir()
    if plots or once:
        time.sleep(3600)


def load(path):
    with Path(path).open("rb") as stream:
        return pickle.load(stream)  # noqa: S301 -- our own


def read_plan(ms):
    return json.loads((Path(ms) / "standin.json").read_text())
