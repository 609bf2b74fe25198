"""Run a delivered scriptForPI.py as ``casa -c`` does: tasks and tools are there as globals.

Input: ``{"script": absolute path, "options": {"SPACESAVING": 0, ...}}``.  Value: ``{"ended": how}``.
The script's own working directory is the one it lies in, as ALMA's README asks.  What it says of
itself proves nothing: the caller looks for the MSs.
"""

import _job

import os


def run(inputs, progress):
    script = inputs["script"]
    os.chdir(os.path.dirname(script))
    names = casa_globals()
    names.update(inputs["options"])
    names.update({"__name__": "__main__", "__file__": script})
    with open(script) as stream:
        code = compile(stream.read(), script, "exec")
    progress("script.started", script=os.path.basename(script))
    ended = "end"
    try:
        exec(code, names)
    except SystemExit as stop:  # `sys.exit("ERROR: ...")` is how these scripts give up
        ended = "exit: %s" % (stop.code,)
        print(ended)
    return {"ended": ended}


def casa_globals():
    """The names that a CASA shell has: every task, and one instance of each common tool."""
    import casatasks
    import casatools

    names = {name: getattr(casatasks, name) for name in dir(casatasks) if not name.startswith("_")}
    for name, kind in (
        ("tb", "table"),
        ("ms", "ms"),
        ("msmd", "msmetadata"),
        ("me", "measures"),
        ("qa", "quanta"),
        ("ia", "image"),
        ("cb", "calibrater"),
        ("im", "imager"),
        ("cl", "componentlist"),
    ):
        names[name] = getattr(casatools, kind)()
    names["casatools"], names["casatasks"] = casatools, casatasks
    return names


if __name__ == "__main__":
    _job.main(run)
