"""Recorded tclean calls, made again by the build's own Python: ``tclean_calls.py calls.json``.

``calls.json``: a list of arguments.  Beside it, ``seconds.json`` says what the calls took without CASA's start.
"""

import json
import os
import sys
import time

ARGUMENTS, sys.argv = sys.argv[1:], sys.argv[:1]
import sqlite3  # noqa: F401
import numpy  # noqa: F401
from casatasks import tclean

with open(ARGUMENTS[0]) as stream:
    calls = json.load(stream)
wall, cpu = time.time(), time.process_time()
for call in calls:
    tclean(**call)
with open(os.path.join(os.path.dirname(ARGUMENTS[0]), "seconds.json"), "w") as out:
    json.dump({"wall_s": time.time() - wall, "cpu_s": time.process_time() - cpu}, out)
