"""A modular CASA with a package `pipeline`: found, refused, offered to delivered scripts.

The package is a stand-in of a few lines: the real pipeline is on no registry.  With the real one:
`test_restore_against_pipeline`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reimage.casa import builds, process
from reimage.run import Limits

pytestmark = pytest.mark.casa
LIMITS = Limits(memory_mb=4000, wall_s=120, silence_s=60)
WHOLE = {
    "pipeline/__init__.py": "revision = '2025.1.0.35'\n",
    "pipeline/h/cli/__init__.py": "def h_init(): print('h_init of the stand-in')\n",
    "pipeline/hifa/cli/__init__.py": "def hifa_restoredata(vis): print('restored', vis)\n",
}


@pytest.fixture
def casa_with(casa, tmp_path):
    """Give a function that returns the default build with files on its path."""

    def make(files):
        for name, text in files.items():
            path = tmp_path / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        python = tmp_path / "python"
        python.write_text(
            f'#!/bin/sh\nPYTHONPATH={tmp_path / "site"}:$PYTHONPATH exec {casa.python} "$@"\n'
        )
        python.chmod(0o755)
        return dataclasses.replace(casa, id="with-pipeline", python=str(python))

    return make


@pytest.mark.parametrize(
    ("changed", "version", "told"),
    [
        ({}, "2025.1.0.35", ""),
        ({"pipeline/__init__.py": "revision = '0.0.dev0'\n"}, "unknown", ""),
        ({"pipeline/hifa/cli/__init__.py": ""}, None, "has no task hifa_restoredata"),
        (
            {
                "pipeline/__init__.py": "raise TypeError('Descriptors cannot be created directly.\\n"
                "If this call came from a _pb2.py file, ...')\n"
            },
            None,
            "TypeError: Descriptors cannot be created directly.",
        ),
        (
            {"pipeline/hifa/cli/__init__.py": "import a_module_that_is_not_there\n"},
            None,
            "No module named 'a_module_that_is_not_there'",
        ),
    ],
)
def test_the_probe_says_which_pipeline_there_is_or_what_is_wrong_with_it(
    changed, version, told, casa_with
):
    said = []
    probed = builds.probe(casa_with({**WHOLE, **changed}), said.append)
    assert probed.pipeline == version, said
    assert [told in line for line in said] == ([True] if told else [])


@pytest.mark.parametrize(("pipeline", "says"), [(True, "restored ['x']"), (False, "no pipeline")])
def test_a_delivered_script_has_the_pipelines_tasks_where_it_calls_it(
    pipeline, says, casa_with, tmp_path
):
    inner = tmp_path / "casa_piperestorescript.py"
    inner.write_text("h_init()\nhifa_restoredata(vis=['x'])\n")
    script = tmp_path / "scriptForPI.py"
    script.write_text(
        "def run(path):\n    exec(compile(open(path).read(), path, 'exec'), globals())\n"
        f"run({str(inner)!r}) if 'hifa_restoredata' in globals() else print('no pipeline')\n"
    )
    directory = tmp_path / "job"
    process.run_job(
        casa_with(WHOLE),
        "restore_script",
        {"script": str(script), "options": {}, "pipeline": pipeline},
        directory=directory,
        limits=LIMITS,
        emit=lambda *_, **__: None,
    )
    assert says in Path(directory / "stdout.log").read_text()
