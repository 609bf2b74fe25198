"""Restore pipeline-calibrated data without the pipeline: its tables and its own applycal calls.

What ``hifa_restoredata`` does, on casatasks: importasdm, flag version ``Pipeline_Final``, calibration
tables, the calls of ``calapply.txt``.  Those lines come from outside: they are parsed, never executed.

Input: ``{"ebs": [{"eb", "asdm", "flagversions", "calapply"}], "caltables": [tgz, ...]}``; the cwd is
where the MSs are made.  Value: ``{"ms": {eb: path}, "applied": {eb: number of calls}}``.
"""

import _job

import ast
import os
import shutil
import tarfile

FLAG_VERSION = "Pipeline_Final"
ASIS = "Antenna Station Receiver Source CalAtmosphere CalWVR SBSummary"


def run(inputs, progress):
    work = inputs["work"]
    os.chdir(work)
    for name in inputs["caltables"]:
        unpack(name)
    made, applied = {}, {}
    for eb in inputs["ebs"]:
        made[eb["eb"]] = restore(eb, progress)
        applied[eb["eb"]] = apply_calibration(eb, progress)
    return {"ms": {eb: os.path.join(work, vis) for eb, vis in made.items()}, "applied": applied}


def restore(eb, progress):
    from casatasks import flagmanager, importasdm

    vis = eb["eb"] + ".ms"
    for left in (vis, vis + ".flagversions"):
        shutil.rmtree(left, ignore_errors=True)
    importasdm(asdm=eb["asdm"], vis=vis, asis=ASIS, process_flags=True, bdfflags=False, lazy=False)
    progress("eb.imported", eb=eb["eb"])
    unpack(eb["flagversions"])  # merges with the versions that importasdm made
    flagmanager(vis=vis, mode="restore", versionname=FLAG_VERSION)
    return vis


def apply_calibration(eb, progress):
    from casatasks import applycal

    with open(eb["calapply"]) as stream:
        calls = parse_calls(stream.read())
    for arguments in calls:
        for table in arguments.get("gaintable", []):
            if not os.path.isdir(table):  # applycal says it too, but later and less clearly
                raise RuntimeError("calibration table %s is not among the delivered ones" % table)
        applycal(**arguments)
    progress("eb.calibrated", eb=eb["eb"], calls=len(calls))
    return len(calls)


def parse_calls(text):
    """Return the keyword arguments of each ``applycal(...)`` in a text of literal calls."""
    calls = []
    for statement in ast.parse(text).body:
        call = getattr(statement, "value", None)
        if not (
            isinstance(call, ast.Call)
            and getattr(call.func, "id", "") == "applycal"
            and not call.args
        ):
            raise ValueError("line %d is no applycal(...) call" % statement.lineno)
        calls.append({k.arg: ast.literal_eval(k.value) for k in call.keywords})
    if not calls:
        raise ValueError("no applycal(...) call at all")
    return calls


def unpack(name):
    with tarfile.open(name) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(".", filter="data")
            return
        for member in archive:  # Python before 3.8.17: the same by hand
            parts = member.name.split("/")
            if (
                member.name.startswith("/")
                or ".." in parts
                or not (member.isfile() or member.isdir())
            ):
                raise ValueError("%s has a member that is no plain file: %s" % (name, member.name))
            archive.extract(member)


if __name__ == "__main__":
    _job.main(run)
