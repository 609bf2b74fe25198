"""What every CASA job begins and ends with.  To be imported before anything of CASA.

A job reads one ``job.json`` and writes one ``result.json``; what it reports on the way goes to
``progress.jsonl``.  It runs under the Python of the build: 3.8 grammar, standard library, numpy.
"""

import json
import os
import sys
import traceback

# casaconfig parses the host program's arguments and would execute a file named there.
ARGUMENTS, sys.argv = sys.argv[1:], sys.argv[:1]
DIRECTORY = None
"""The job's own directory, once it runs."""

# Before casatools, which brings its own libsqlite (3.12 + 6.7.5: later import fails) and, in 6.2,
# its own libgcc (numpy must be first).
import sqlite3  # noqa: F401
import numpy  # noqa: F401


def main(function):
    """Run ``function(inputs, progress)``; exit 0 with its value, or 1 with what it raised."""
    global DIRECTORY
    with open(ARGUMENTS[0]) as stream:
        job = json.load(stream)
    DIRECTORY = os.path.dirname(job["result"])

    def progress(event, **data):
        with open(job["progress"], "a") as out:
            out.write(json.dumps(dict(data, event=event)) + "\n")

    try:
        from casatasks import casalog

        casalog.setlogfile(job["log"])
        value = function(job["input"], progress)
    except Exception as error:  # a job's only broad except: what it raised is its result
        traceback.print_exc()
        _write(
            job["result"],
            {
                "ok": False,
                "error": {
                    "type": type(error).__name__,
                    "message": str(error),
                    "traceback": traceback.format_exc(),
                },
            },
        )
        sys.stdout.flush()  # what a delivered script printed before it failed
        sys.stderr.flush()
        os._exit(1)  # CASA's threads may hang a normal exit after an error
    _write(job["result"], {"ok": True, "value": value})


def _write(path, document):
    with open(path + ".part", "w") as out:
        json.dump(document, out, indent=1, default=_plain)
        out.flush()
        os.fsync(out.fileno())
    os.rename(path + ".part", path)


def _plain(value):
    """numpy's numbers and arrays as JSON."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
