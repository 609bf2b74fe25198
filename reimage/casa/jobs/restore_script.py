"""Run a delivered script as ``casa -c`` does: tasks and tools are there as globals.

Input: ``{"script": absolute path, "options": {"SPACESAVING": 0, ...}, "cwd": directory, "pipeline": bool}``;
without ``cwd`` the script runs in the directory that it lies in, as ALMA's README asks of scriptForPI.py;
with ``pipeline`` the ALMA pipeline's tasks are there, as with ``casa --pipeline``.  Value: ``{"ended": how}``.
What it says of itself proves nothing: the caller looks for the MSs.
"""

import _job

import importlib.util
import os
import sys
import types

import _pipeline


def run(inputs, progress):
    script = inputs["script"]
    os.chdir(inputs.get("cwd") or os.path.dirname(script))
    stand_in_for_casalith()
    names = casa_globals()
    if inputs.get("pipeline"):
        names.update(_pipeline.tasks())
    names.update(inputs["options"])
    names.update({"__name__": "__main__", "__file__": script})
    with open(script, "rb") as stream:  # its own coding line counts, not the locale
        code = compile(stream.read(), script, "exec")
    progress("script.started", script=os.path.basename(script))
    ended = "end"
    try:
        exec(code, names)
    except SystemExit as stop:  # `sys.exit("ERROR: ...")` is how these scripts give up
        ended = "exit: %s" % (stop.code,)
        print(ended)
    return {"ended": ended}


TOOLS = (
    ("tb", "table"),
    ("ms", "ms"),
    ("msmd", "msmetadata"),
    ("me", "measures"),
    ("qa", "quanta"),
    ("ia", "image"),
    ("cb", "calibrater"),
    ("im", "imager"),
    ("cl", "componentlist"),
    ("cs", "coordsys"),
    ("rg", "regionmanager"),
    ("vp", "vpmanager"),
    ("at", "atmosphere"),
    ("cu", "utils"),
)
"""What a CASA shell calls them, and what casatools does."""


def stand_in_for_casalith():
    """The module that CASA 6's gate lines ask for its version; modular CASA has none."""
    if importlib.util.find_spec("casalith") is None:
        import casatools

        stand_in = types.ModuleType("casalith")
        stand_in.version = lambda: list(casatools.version())
        stand_in.version_string = lambda: ".".join(str(part) for part in casatools.version())
        sys.modules["casalith"] = stand_in


def casa_globals():
    """The names that a CASA shell has: every task, and one instance of each common tool."""
    import casatasks
    import casatools

    names = {name: getattr(casatasks, name) for name in dir(casatasks) if not name.startswith("_")}
    for name, kind in TOOLS:
        tool = getattr(casatools, kind, None)
        tool = getattr(tool, kind, None) if isinstance(tool, types.ModuleType) else tool
        if callable(tool):
            names[name] = tool()
    names["casatools"], names["casatasks"] = casatools, casatasks
    names["execfile"] = execfile
    return names


def execfile(path, globals, locals=None):
    """As the shell of CASA 6 gives it: ALMA's scriptForPI.py calls it with its ``globals()``."""
    with open(path, "rb") as stream:
        code = compile(stream.read(), path, "exec")
    exec(code, globals, globals if locals is None else locals)


if __name__ == "__main__":
    _job.main(run)
