"""A real build: installed once into the cache, probed, registered by path."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from reimage.casa import builds, environments, process
from reimage.errors import ReimageError
from reimage.run import Limits

pytestmark = pytest.mark.casa
LIMITS = Limits(memory_mb=4000, wall_s=120, silence_s=60)


def test_the_installed_build_works_and_is_registered(casa, tmp_path):
    assert casa.version == environments.default_version()
    assert casa.python_version.startswith("3.11")
    assert casa.pipeline is None
    told = []
    again = builds.register(casa, tmp_path / "builds", told.append)
    assert builds.registered(tmp_path / "builds") == (again,)
    assert builds.find(tmp_path / "builds", casa.version) == again
    assert any("registered" in line for line in told)


def test_an_environment_is_registered_by_its_path(casa, tmp_path):
    python = Path(casa.python)
    for path in (python, python.parent.parent):
        described = builds.from_path(path, Path(casa.casadata))
        assert builds.probe(described).version == casa.version


def test_missing_measures_data_are_found_by_the_probe(casa, tmp_path):
    with pytest.raises(builds.BuildUnusable) as caught:
        builds.probe(dataclasses.replace(casa, casadata=str(tmp_path)))
    assert caught.value.evidence["stderr_tail"]


def test_an_interpreter_without_casa_is_found_by_the_probe(casa):
    with pytest.raises(builds.BuildUnusable, match="does not work"):
        builds.probe(dataclasses.replace(casa, python=sys.executable))


def test_an_exception_of_casa_reaches_us_with_its_reason(casa, tmp_path):
    with pytest.raises(process.CasaJobFailed) as caught:
        process.run_job(
            casa,
            "inspect_ms",
            {"ms": [str(tmp_path / "nothing.ms")]},
            directory=tmp_path / "job",
            limits=LIMITS,
            emit=lambda *_, **__: None,
        )
    assert "nothing.ms" in caught.value.message
    assert caught.value.evidence["exit_code"] == 1
    assert isinstance(caught.value, ReimageError)
