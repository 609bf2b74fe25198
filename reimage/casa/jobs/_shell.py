"""What a job in the shell of a monolithic CASA begins and ends with: Python 2.6 to 3, standard library.

The shell executes the file that ``-c`` names in its own name space, where its tasks are.  The job is found
by ``REIMAGE_JOB``, because shells differ in what they leave of the arguments.
"""

import json
import os
import sys
import traceback


def main(function, names):
    """Run ``function(inputs, names, progress)``; ``names`` are the globals of the shell."""
    with open(os.environ["REIMAGE_JOB"]) as stream:
        job = json.load(stream)

    def progress(event, **data):
        with open(job["progress"], "a") as out:
            out.write(json.dumps(dict(data, event=event)) + "\n")

    try:
        value = function(job["input"], names, progress)
    except Exception:  # a job's only broad except: what it raised is its result
        kind, error = sys.exc_info()[:2]
        traceback.print_exc()
        told = {
            "type": kind.__name__,
            "message": text(error),
            "traceback": decoded(traceback.format_exc()),
        }
        write(job["result"], {"ok": False, "error": told})
        flush()
        os._exit(1)  # CASA's threads may hang a normal exit after an error
    write(job["result"], {"ok": True, "value": value})
    flush()


def script(inputs, names, progress):
    """Run a delivered script among the shell's names; what it exits with proves nothing."""
    path = native(inputs["script"])
    os.chdir(native(inputs.get("cwd") or os.path.dirname(path)))
    for name, option in inputs["options"].items():
        names[native(name)] = option
    names["__file__"] = path
    with open(path, "rb") as stream:
        source = stream.read().replace(b"\r\n", b"\n") + b"\n"  # Python 2.6 wants them so
    progress("script.started", script=os.path.basename(path))
    ended = "end"
    try:
        # nothing of this file's `from __future__`, had it any, goes into the script
        exec(compile(source, path, "exec", 0, True), names)
    except SystemExit:  # `sys.exit("ERROR: ...")` is how these scripts give up
        ended = "exit: " + text(sys.exc_info()[1].code)
        sys.stdout.write(native(ended) + "\n")
    return {"ended": ended}


def probe(inputs, names, progress):
    """Tell the version of CASA and of Python, and the pipeline's where it is loaded."""
    missing = [
        task for task in ("importasdm", "flagdata", "applycal", "split") if task not in names
    ]
    if missing:
        raise RuntimeError("the shell has no task " + ", ".join(missing))
    return {
        "version": casa_version(names),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "pipeline": pipeline_version(names),
    }


def casa_version(names):
    """As each generation tells it: 6, 5.1 to 5.8, up to 5.0, a shell on modular CASA 6."""
    try:
        import casalith

        return casalith.version_string()
    except ImportError:
        pass
    if hasattr(names.get("cu"), "version"):
        parts = [str(int(part)) for part in names["cu"].version()]
        return ".".join(parts[:3]) + "".join("-" + part for part in parts[3:])
    try:
        import casadef

        return casadef.casa_version
    except ImportError:
        import casatasks

        return casatasks.version_string()


def pipeline_version(names):
    """The ALMA pipeline's version, None where its tasks are not there."""
    builtins = sys.modules.get("builtins") or sys.modules["__builtin__"]
    tasks = ("hifa_restoredata", "hif_restoredata")  # up to CASA 4.7 the second
    if not any(task in names or hasattr(builtins, task) for task in tasks):
        return None
    try:
        import pipeline
    except ImportError:
        return "unknown"
    said = str(getattr(pipeline, "revision", "unknown"))
    return "unknown" if said == "0.0.dev0" else said


def text(what):
    """Any object as text."""
    try:
        return decoded(str(what))
    except UnicodeError:  # Python 2: an exception that holds other than ASCII
        return decoded(repr(what))


def decoded(said):
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def native(said):
    """A text of JSON as what this Python calls ``str``: names and paths are nothing else in Python 2."""
    return said if isinstance(said, str) else said.encode("utf-8")


def write(path, document):
    with open(path + ".part", "w") as out:
        json.dump(document, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    os.rename(path + ".part", path)


def flush():
    sys.stdout.flush()  # what a delivered script printed before it failed
    sys.stderr.flush()
