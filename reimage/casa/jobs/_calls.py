"""Tasks of CASA that tell of every call: ``from _calls import tclean``.

A line of ``calls.jsonl`` in the job's directory is one call that came back: task, arguments as given, when it
began (seconds since 1970), how many seconds it took, and what it raised.  A call in which the
process died is not there: the next start makes it again.  `own` does the same for functions of ours that
change files between two tasks; their source goes along, so that who replays the calls has them.
"""

import functools
import inspect
import json
import os
import time

import casatasks

import _job

FILE = "calls.jsonl"


def __getattr__(name):
    """A task of casatasks that tells of its calls (PEP 562)."""
    if name.startswith("_"):
        raise AttributeError(name)
    return _telling(getattr(casatasks, name), name, {})


def own(function):
    """A function of ours that tells of its calls, with its source."""
    source = "def " + inspect.getsource(function).split("def ", 1)[1]
    return _telling(function, function.__name__, {"source": source})


def _telling(function, name, more):
    @functools.wraps(function)
    def call(*given, **named):
        arguments = dict(inspect.signature(function).bind(*given, **named).arguments)
        told = dict(more, task=name, arguments=arguments, start=time.time())
        error = None
        try:
            return function(*given, **named)
        except Exception as raised:
            error = "%s: %s" % (type(raised).__name__, raised)
            raise
        finally:
            _tell(dict(told, seconds=round(time.time() - told["start"], 3), error=error))

    return call


def _tell(told):
    """Append a line; without a job (a test, a shell) there is nobody to tell."""
    if _job.DIRECTORY is not None:
        with open(os.path.join(_job.DIRECTORY, FILE), "ab+") as out:
            if out.tell() and out.seek(-1, os.SEEK_END) and out.read(1) != b"\n":
                out.write(b"\n")  # after a line that a kill has torn: this one is not lost with it
            out.write(json.dumps(told, default=_job._plain).encode() + b"\n")
