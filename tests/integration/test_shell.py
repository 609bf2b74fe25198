"""The shell of a monolithic CASA, played by a stand-in of Python 2 and 3 (tests/shells.py)."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import needs
from shells import TASKS, find_python_2, make_shell

from reimage.casa import builds, process, watching
from reimage.run import Limits

LIMITS = Limits(memory_mb=1000, wall_s=30, silence_s=30)
PIPELINE = (
    "if _pipeline:\n    import types\n    sys.modules['pipeline'] = types.ModuleType('pipeline')\n"
    "    sys.modules['pipeline'].revision = '38335'\n    hif_restoredata = TASK\n"
).replace("TASK", "split")
DIES_WITH_PIPELINE = "if _pipeline:\n    sys.exit('cannot load the pipeline')\n"


@pytest.fixture(params=["python 2", "python 3"])
def python(request):
    return find_python_2() if request.param == "python 2" else sys.executable


def described(root):
    return builds.from_path(root, Path("/no/casadata"))


class Shell:
    """A build of a stand-in, and the running of scripts in it."""

    def __init__(self, build, directory):
        self.build, self.directory, self.events = build, directory, []

    def run(self, text, limits=LIMITS, writable=None, **inputs):
        script = self.directory / "delivery/script/scriptForPI.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_bytes(text if isinstance(text, bytes) else text.encode())
        return process.run_in_shell(
            self.build,
            "shell_script",
            {"script": str(script), "options": {}, **inputs},
            directory=self.directory / "job",
            limits=limits,
            emit=lambda event, **data: self.events.append((event, data)),
            writable=writable,
        )

    @property
    def said(self):
        return (self.directory / "job/stdout.log").read_text()


@pytest.fixture
def shell(python, tmp_path):
    return Shell(described(make_shell(tmp_path / "casa-4.3.1", python, "4.3.1")), tmp_path)


# --- scripts ---------------------------------------------------------------------------------------


def test_a_script_runs_among_the_shell_s_names(shell):
    text = (
        "import os\nprint(SPACESAVING)\nprint(callable(applycal))\nprint(__name__)\n"
        "print(os.path.basename(os.getcwd()))\nprint(os.path.basename(__file__))\n"
        "print(globals() is GLOBALS())\n"
    )
    shell.build = described(
        make_shell(
            shell.directory / "other",
            Path(shell.build.casa).read_text().splitlines()[0].removeprefix("#!"),
            "4.3.1",
            TASKS + "def GLOBALS():\n    return globals()\n",
        )
    )
    told = shell.run(text, options={"SPACESAVING": 3})
    assert told == {"ended": "end"}
    assert shell.said.split() == ["3", "True", "__main__", "script", "scriptForPI.py", "True"]
    assert [event for event, _ in shell.events] == [
        "casa.started",
        "script.started",
        "casa.exited",
    ]


def test_it_is_started_with_casa_s_words(shell):
    shell.run("import sys\nprint(sys.argv)\nprint(_log)\nprint(_pipeline)\n")
    argv, log, pipeline = shell.said.splitlines()
    assert argv == f"['{process.JOBS / 'shell_script.py'}']"
    assert (log, pipeline) == (str(shell.directory / "job/casa.log"), "False")


def test_nothing_of_our_files_changes_the_script_s_syntax(shell, python):
    text = "print 'as in Python 2'\nexecfile('other.py')\n"
    (shell.directory / "delivery/script").mkdir(parents=True)
    (shell.directory / "delivery/script/other.py").write_text("print 5 / 2\n")
    if python == sys.executable:
        with pytest.raises(process.CasaJobFailed, match="SyntaxError"):
            shell.run(text)
    else:
        shell.run(text.replace("\n", "\r\n"))
        assert shell.said == "as in Python 2\n2\n"


def test_how_scripts_give_up_is_told(shell):
    told = shell.run("import sys\nsys.exit('ERROR: Nothing to process.')\n")
    assert told == {"ended": "exit: ERROR: Nothing to process."}


def test_an_exception_is_the_job_s_result(shell):
    with pytest.raises(process.CasaJobFailed, match="ValueError: no table") as caught:
        shell.run("print('before')\nraise ValueError('no table')\n")
    assert "scriptForPI.py" in caught.value.evidence["stderr_tail"]
    assert "before" in shell.said


def test_an_exception_that_says_other_than_ascii(shell):
    text = "# -*- coding: latin-1 -*-\nraise ValueError(u'M\xfcller: \xb5Jy')\n".encode("latin-1")
    with pytest.raises(process.CasaJobFailed, match="ValueError"):
        shell.run(text)


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("import os\nos.kill(os.getpid(), 11)\n", "SIGSEGV"),
        ("import os\nos._exit(139)\n", "SIGSEGV"),  # as a shell script says that CASA died
    ],
)
def test_death_by_a_signal_is_seen_through_the_shell_script(shell, text, signal):
    with pytest.raises(process.CasaJobFailed, match=f"ended by {signal}"):
        shell.run(text)


def test_a_shell_that_leaves_without_a_result_failed(shell):
    with pytest.raises(process.CasaJobFailed, match="no result"):
        shell.run("import os\nos._exit(0)\n")


def test_with_what_code_a_shell_leaves_after_its_result_says_nothing(shell):
    leaving = "import atexit, os\natexit.register(os._exit, 1)\n"
    assert shell.run(leaving) == {"ended": "end"}
    assert json.loads((shell.directory / "job/exit.json").read_text())["exit_code"] == 1


def test_a_shell_that_hangs_is_ended(shell, monkeypatch):
    monkeypatch.setattr(watching, "GRACE_S", 0.2)
    with pytest.raises(process.CasaSilent):
        shell.run(
            "import time\ntime.sleep(60)\n",
            limits=Limits(memory_mb=1000, wall_s=30, silence_s=1),
        )


def test_a_modular_build_has_no_shell(shell):
    shell.build = replace(shell.build, casa=None)
    with pytest.raises(watching.CasaNotStarted, match="modular"):
        shell.run("pass\n")


# --- what a build is -------------------------------------------------------------------------------


@pytest.mark.parametrize("executable", ["bin/casa", "bin/casapy", "casapy"])
def test_the_shell_is_found_from_its_directory_and_from_itself(tmp_path, executable):
    root = make_shell(tmp_path / "casa-release-4.7.2", "/python", "4.7.2", executable=executable)
    for path in (root, root / executable):
        build = described(path)
        assert (build.id, build.kind) == ("site-casa-release-4.7.2", "monolithic")
        assert (build.casa, build.python) == (str(root / executable), None)


def test_a_python_2_of_casa_5_runs_no_jobs(tmp_path):
    root = make_shell(tmp_path / "casa-release-5.6.1", "/python", "5.6.1")
    (root / "bin/python").touch()
    assert described(root).python is None
    (root / "lib/py/bin").mkdir(parents=True)
    (root / "lib/py/bin/python3").touch()
    assert described(root).python == str(root / "lib/py/bin/python3")


def test_its_own_data_serve_where_ours_are_not_installed(tmp_path):
    root = make_shell(tmp_path / "casa-release-4.7.2", "/python", "4.7.2")
    ours = tmp_path / "casadata"
    assert builds.from_path(root, ours).casadata == str(ours)
    (root / "data").mkdir()
    assert builds.from_path(root, ours).casadata == str(root / "data")
    ours.mkdir()
    assert builds.from_path(root, ours).casadata == str(ours)


def test_the_probe_tells_what_the_shell_is(python, tmp_path):
    root = make_shell(tmp_path / "casa", python, "4.3.1", TASKS + PIPELINE)
    said = []
    build = builds.register(described(root), tmp_path / "builds", said.append)
    assert (build.version, build.pipeline) == ("4.3.1", "38335")
    assert build.python_version.startswith("3" if python == sys.executable else "2.7")
    assert builds.registered(tmp_path / "builds") == (build,)


def test_casa_5_tells_its_version_by_its_tool(python, tmp_path):
    tool = "class cu:\n    @staticmethod\n    def version():\n        return [5, 6, 1, 8]\n"
    root = make_shell(tmp_path / "casa", python, "wrong", TASKS + tool)
    assert builds.probe(described(root)).version == "5.6.1-8"


def test_a_pipeline_that_does_not_start_is_none(python, tmp_path):
    root = make_shell(tmp_path / "casa", python, "4.7.0", TASKS + DIES_WITH_PIPELINE)
    said = []
    assert builds.probe(described(root), said.append).pipeline is None
    assert any("--pipeline" in line for line in said)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("echo 'lib/libtinfo.so.5: no version information' >&2; exit 1", "no result", "rename it"),
        (
            "echo 'error while loading shared libraries: libX11.so.6: cannot open' >&2; exit 127",
            "code 127",
            "system library",
        ),
        ("kill -SEGV $$", "ended by SIGSEGV", "root directory"),
        ("sleep 60", "silent", "root directory"),
    ],
)
def test_a_casa_that_does_not_start_is_told_with_what_is_known(
    tmp_path, monkeypatch, text, message, hint
):
    monkeypatch.setattr(watching, "GRACE_S", 0.2)
    monkeypatch.setattr(builds, "PROBE_LIMITS", Limits(memory_mb=1000, wall_s=20, silence_s=1))
    root = make_shell(tmp_path / "casa", "/python", "4.3.1")
    (root / "bin/casa").write_text(f"#!/bin/sh\n{text}\n")
    with pytest.raises(builds.BuildUnusable, match=message) as caught:
        builds.probe(described(root))
    assert hint in caught.value.hint


def test_a_shell_without_tasks_is_no_casa(python, tmp_path):
    root = make_shell(tmp_path / "casa", python, "4.3.1", "pass\n")
    with pytest.raises(builds.BuildUnusable, match="no task importasdm"):
        builds.probe(described(root))


# --- the cage --------------------------------------------------------------------------------------


def test_a_script_in_a_shell_is_shut_in(shell, tmp_path):
    needs("bubblewrap")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    text = f"open('inside', 'w').close()\nopen({str(outside / 'x')!r}, 'w').close()\n"
    with pytest.raises(process.CasaJobFailed, match="Read-only file system"):
        shell.run(text, writable=tmp_path)
    assert (tmp_path / "delivery/script/inside").exists()
    assert not list(outside.iterdir())
    assert dict(shell.events)["casa.started"]["confined"]


def test_death_by_a_signal_is_seen_through_the_cage(shell, tmp_path):
    needs("bubblewrap")
    with pytest.raises(process.CasaJobFailed, match="ended by SIGSEGV"):
        shell.run("import os\nos.kill(os.getpid(), 11)\n", writable=tmp_path)
