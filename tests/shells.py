"""Stand-ins for the shells of monolithic CASA: none can be had here.

`make_shell` is a few lines of any Python that treat their words and their name space as CASA's shell does.
`make_python_2_casa` is one whose tasks are real: each call goes to a modular CASA in another process.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reimage.casa import environments
from reimage.model import CasaBuild

SHELL = """#!{python}
# A stand-in for the shell of a monolithic CASA (tests/shells.py): its words, its name space.
import os, sys
_words = sys.argv[1:]
_script, _log, _pipeline = None, None, False
while _words:
    _word = _words.pop(0)
    if _word == "--logfile":
        _log = _words.pop(0)
    elif _word == "--pipeline":
        _pipeline = True
    elif _word == "-c":
        _script = _words.pop(0)
        break
    elif _word not in ("--nogui", "--nologger"):
        sys.exit("unknown option " + _word)
sys.argv = [_script] + _words
open(_log, "a").write("2026-01-01 00:00:00\\tINFO\\tcasa::\\tCASA Version {version}\\n")
sys.path.insert(0, {library!r})
import casadef
{globals}
exec(compile(open(_script).read(), _script, "exec"), globals())
"""
TASKS = "importasdm = flagdata = applycal = split = lambda *args, **kwargs: None\n"

FORWARDED = (
    "importasdm",
    "flagdata",
    "flagmanager",
    "split",
    "setjy",
    "gaincal",
    "bandpass",
    "fluxscale",
    "applycal",
)
CLIENT = """
import json, subprocess
_server = subprocess.Popen([{casa_python!r}, {server!r}, _log],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def _call(name, args, kwargs):
    _server.stdin.write(json.dumps([name, args, kwargs, os.getcwd()]) + "\\n")
    _server.stdin.flush()
    said = json.loads(_server.stdout.readline())
    if said is not None:
        raise RuntimeError("%s: %s" % (name, said))
def _task(name):
    return lambda *args, **kwargs: _call(name, args, kwargs)
for _name in {tasks!r}:
    globals()[_name] = _task(_name)
class _Log(object):
    def post(self, message, priority="INFO", origin="casa"):
        _call("post", [message, priority], {{}})
casalog = _Log()
"""
SERVER = """# Calls of the stand-in's tasks, carried out by casatasks.
import json, os, sys
LOG, sys.argv = sys.argv[1], sys.argv[:1]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import casatasks
casatasks.casalog.setlogfile(LOG)
for line in sys.stdin:
    name, args, kwargs, cwd = json.loads(line)
    os.chdir(cwd)
    said = None
    try:
        (casatasks.casalog.post if name == "post" else getattr(casatasks, name))(*args, **kwargs)
    except Exception as error:
        said = "%s: %s" % (type(error).__name__, error)
    print(json.dumps(said), file=answers, flush=True)
"""


def find_python_2() -> str:
    """Return a Python 2.7 that starts; skip by name where there is none."""
    for candidate in environments._pythons("2.7"):
        said = subprocess.run(
            [candidate, "-c", "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"],
            check=False,
            capture_output=True,
            text=True,
        )
        if said.stdout == "2.7":
            return candidate
    pytest.skip("no python2.7 on this machine: the stand-in for CASA 4 is not run")


def make_shell(
    root: Path,
    python: str,
    version: str,
    names: str = TASKS,
    executable: str = "bin/casa",
) -> Path:
    """Make a tree of a monolithic CASA whose shell has these names; return its directory."""
    library = root / "lib" / "python"
    (library / "recipes").mkdir(parents=True)
    (library / "casadef.py").write_text(f"casa_version = '{version}'\n")
    (library / "recipes/__init__.py").touch()
    (library / "recipes/almahelpers.py").write_text(
        "def fixsyscaltimes(vis):\n    print('fixsyscaltimes: nothing to do in ' + vis)\n"
    )
    casa = root / executable
    casa.parent.mkdir(parents=True, exist_ok=True)
    casa.write_text(
        SHELL.format(python=python, version=version, globals=names, library=str(library))
    )
    casa.chmod(0o755)
    return root


def make_python_2_casa(root: Path, version: str, real: CasaBuild) -> Path:
    """Make a tree of a CASA of Python 2 whose tasks are those of a modular build."""
    server = root / "lib" / "server.py"
    names = CLIENT.format(casa_python=real.python, server=str(server), tasks=FORWARDED)
    make_shell(root, find_python_2(), version, names)
    server.write_text(SERVER)
    return root
