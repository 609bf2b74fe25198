"""What a pipeline run said of its calibration, read: ``calapply.txt`` and ``casa_piperestorescript.py``.

Both come from outside: they are parsed, never executed.  ``calapply.txt`` speaks the pipeline's language:
``intent='PHASE,TARGET,WVR'`` are intents of the pipeline, which no MS has, tables and MS may be named by
paths of another machine, and one table stands without the brackets of a list.
Source: what hifa_exportdata and hifa_restoredata of pipeline 2025.1 write and do, as run.
"""

import ast
import os
import re

APPLIED = {
    "TARGET",
    "PHASE",
    "BANDPASS",
    "AMPLITUDE",
    "CHECK",
    "POLARIZATION",
    "POLANGLE",
    "POLLEAKAGE",
}
"""The pipeline's intents to which hifa_restoredata applies calibration."""

INTENTS = {
    "OBSERVE_TARGET": "TARGET",
    "OBSERVE_CHECK_SOURCE": "CHECK",
    "CALIBRATE_DELAY": "CHECK",
    "CALIBRATE_TARGET": "TARGET",
    "CALIBRATE_PHASE": "PHASE",
    "CALIBRATE_BANDPASS": "BANDPASS",
    "CALIBRATE_AMPLI": "AMPLITUDE",
    "CALIBRATE_FLUX": "AMPLITUDE",
    "CALIBRATE_POLARIZATION": "POLARIZATION",
    "CALIBRATE_POL_ANGLE": "POLANGLE",
    "CALIBRATE_POL_LEAKAGE": "POLLEAKAGE",
}
"""The pipeline's intent of an intent in the MS, on source."""

RESTORE_TASKS = ("hifa_restoredata", "hif_restoredata", "h_restoredata")
LIBRARY = ("field", "spw", "gaintable", "gainfield", "interp", "spwmap", "calwt")
"""What an entry of a callibrary takes over from a call, beside its intents."""

_ON_SOURCE = re.compile(r"(\w+?)[#._]ON_SOURCE$")
_OF_THE_MS = re.compile(r"[*#]|CALIBRATE_|OBSERVE_")
_PER_TABLE = ("gaintable", "gainfield", "interp", "calwt")


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
        calls.append(_lists({k.arg: ast.literal_eval(k.value) for k in call.keywords}))
    if not calls:
        raise ValueError("no applycal(...) call at all")
    return calls


def _lists(call):
    """The call with one entry per table in every argument that has one, tables without directories."""
    known = {"gaintable": [], "gainfield": "", "interp": "linear", "calwt": True, "spwmap": []}
    call = dict(known, **call)
    for name in _PER_TABLE:
        if not isinstance(call[name], (list, tuple)):
            call[name] = [call[name]]
    if not any(isinstance(one, (list, tuple)) for one in call["spwmap"]):
        call["spwmap"] = [list(call["spwmap"])]
    call["gaintable"] = [os.path.basename(one.rstrip("/")) for one in call["gaintable"]]
    return call


def restore_options(text):
    """Return the literal options of the one call that restores; empty where none can be read.

    Scripts of Python 2 may not parse: then the task's own defaults hold, as they do in most scripts.
    """
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return {}
    for node in nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RESTORE_TASKS:
            return {
                one.arg: ast.literal_eval(one.value)
                for one in node.keywords
                if one.arg in ("asis", "bdfflags", "ocorr_mode") and _is_literal(one.value)
            }
    return {}


def _is_literal(node):
    return isinstance(node, ast.Constant)


def intents_of_ms(wanted, modes):
    """Return the intents of the MS that calibration is for, sorted; empty: for none that it has.

    `wanted`: the call's, of the pipeline (``PHASE,TARGET,WVR``), of the MS, or empty for all;
    `modes`: STATE.OBS_MODE of every state.
    """
    if _OF_THE_MS.search(wanted):
        return [one.strip() for one in wanted.split(",")]
    names = {one.strip() for one in wanted.split(",")} if wanted else APPLIED
    there = {one.strip() for mode in modes for one in mode.split(",")}
    return sorted(one for one in there if pipeline_intent(one) in names & APPLIED)


def pipeline_intent(mode):
    """Return the pipeline's intent of one of the MS: PHASE of CALIBRATE_PHASE#ON_SOURCE; None for others."""
    found = _ON_SOURCE.match(mode)
    return INTENTS.get(found.group(1)) if found else None
