"""The ALMA pipeline in a modular CASA: whether it is there and works, and its tasks by name.

``casa --pipeline`` puts the tasks of ``pipeline.<package>.cli`` among the shell's globals; a plain Python
must do so itself (`pipeline.initcli` looks for the frame of a CASA shell, and finds none).
"""

import importlib
import importlib.util
import json
import subprocess
import sys

PACKAGES = ("h", "hif", "hifa", "hsd")
"""For interferometry and total power at ALMA."""
RESTORES = ("hifa_restoredata", "hif_restoredata")
UNVERSIONED = "0.0.dev0"
"""What an installation without version data says of itself."""
PROBE_S = 90.0
ASK = """
import json, sys
sys.path.insert(0, %r)
import _job, _pipeline
names = _pipeline.tasks()
print("PIPELINE " + json.dumps({"version": _pipeline.version(), "tasks": sorted(names)}))
"""


def is_there():
    """Whether a package of that name can be imported; what it is shows when it is."""
    return importlib.util.find_spec("pipeline") is not None


def tasks():
    """Return the pipeline's tasks by name.  Raises whatever the pipeline's import raises."""
    import casatasks  # noqa: F401 -- before the pipeline, which wants its log
    import pipeline  # noqa: F401

    names = {}
    for package in PACKAGES:
        wanted = "pipeline.%s.cli" % package
        try:
            module = importlib.import_module(wanted)
        except ImportError as error:
            if error.name not in (wanted, wanted[: -len(".cli")]):  # it is there and broken
                raise
            continue
        names.update((n, v) for n, v in vars(module).items() if callable(v) and n[0] != "_")
    return names


def version():
    """Return the pipeline's version, ``unknown`` where it does not know it."""
    import pipeline

    said = str(getattr(pipeline, "revision", UNVERSIONED))
    return "unknown" if said == UNVERSIONED else said


def probe(jobs):
    """Ask in a process of its own; return the version or None, and what keeps it from working.

    Its import runs much code and may fail in any way, or hang: neither is to condemn the CASA that it
    is installed in.
    """
    if not is_there():
        return None, None
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ASK % jobs],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=PROBE_S,
        )
    except subprocess.TimeoutExpired:
        return None, "its import did not end within %d s" % PROBE_S
    for line in asked.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("PIPELINE "):
            told = json.loads(line[len("PIPELINE ") :])
            if any(task in told["tasks"] for task in RESTORES):
                return told["version"], None
            return None, "the package `pipeline` has no task %s" % RESTORES[0]
    return None, last_error(asked.stderr.decode("utf-8", "replace"), asked.returncode)


def last_error(said, code):
    """Return the line that names the exception: a message of several lines follows it."""
    lines = said.splitlines()
    after = max((i for i, line in enumerate(lines) if line.startswith("  ")), default=-1)
    rest = [line for line in lines[after + 1 :] if line.strip()]
    return rest[0] if rest else "its import ended with code %d" % code
