"""The offered port with real CASA: scripts of CASA 4.2 in Python 2, restored by the default build.

The delivery is dataset b of the demonstration (manual, two execution blocks); `making_python2` writes its
scripts as they were.  The twin is the same delivery with the scripts as they are, in Python 3.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import making_python2
import pytest
from making import make_run

from reimage import document, fix
from reimage.casa import process
from reimage.delivery import python2, unpack, vocabulary
from reimage.delivery.layout import read_layout
from reimage.demo.build import build_archive
from reimage.demo.datasets import datasets
from reimage.model import CasaChoice
from reimage.run import Limits
from reimage.settings import shipped
from reimage.stages import restore, scripts
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("restore")]
LIMITS = Limits(memory_mb=4000, wall_s=300, silence_s=120)
CHECKS = str(Path(__file__).with_name("port_checks"))
CAVEAT = "scripts-ported-to-python-3"


@pytest.fixture(scope="module")
def modern(casa, cache, tmp_path_factory):
    """Unpack dataset b, with its scripts in Python 3."""
    root = tmp_path_factory.mktemp("port")
    archive = root / "archive"
    build_archive(archive, build=casa, cache=cache, emit=_silent, only=frozenset("b"))
    (dataset,) = (one for one in datasets() if one.letter == "b")
    for tar in archive.glob(f"dataPortal/{dataset.project}_*.tar"):
        if not tar.name.endswith("_001_of_001.tar"):
            unpack.unpack(tar, root / "b")
    return root / "b"


@pytest.fixture(scope="module")
def old(modern, tmp_path_factory):
    """Give the same delivery with the scripts of its time."""
    root = tmp_path_factory.mktemp("old") / "b"
    shutil.copytree(modern, root)
    for path in root.rglob("script/*.py"):
        write = {
            "scriptForPI.py": making_python2.script_for_pi,
            "scriptForCalibration.py": making_python2.script_for_calibration,
        }.get(path.name.rpartition(".ms.")[2])
        if write is not None:
            path.write_text(write(path.read_text()))
            assert python2.unreadable(path.read_text())
    return root


def _silent(event, **data):
    pass


class Restore:
    """One run's restore of a delivery, with the fixes that were named."""

    def __init__(self, root, casa, directory, named=()):
        self.casa, self.directory, self.events = casa, directory, []
        here = directory / "fetch/delivery"
        shutil.copytree(root, here)
        self.delivery = read_layout(here)
        choice = CasaChoice(build=casa.id, wanted=None, because=())
        (directory / "choose").mkdir()
        value = document.dump(ChooseValue(delivery=self.delivery, choice=choice))
        document.write(directory / "choose" / PROVEN, {"value": value})
        fixes = directory / "fixes"  # those that the scripts need, as they are now
        fixes.mkdir()
        for name in ("recipes_almahelpers.py", "python2_port.py"):
            shutil.copy(shipped("fixes") / name, fixes)
        found = fix.discover([fixes], named)
        run = make_run(directory, builds=(casa,), limits=LIMITS, fixes=found)
        self.context = StageContext(
            run=run,
            directory=directory,
            attempt=1,
            emit=lambda event, **data: self.events.append((event, data)),
            still_current=lambda: None,
        )

    def run(self):
        return restore.run(self.context)

    def digests(self, value):
        """Return what each execution block's calibrated data come down to."""
        inputs = {"ms": [str(self.directory / one.path) for one in value.ms]}
        place = self.directory / "digests"
        found = process.run_job(
            self.casa, CHECKS, inputs, directory=place, limits=LIMITS, emit=_silent
        )
        return dict(zip([one.eb for one in value.ms], found, strict=True))


def test_scripts_of_casa_4_are_ported_and_restore_what_their_twin_restores(
    modern, old, casa, tmp_path
):
    twin = Restore(modern, casa, tmp_path / "modern")
    expected = twin.run()
    assert CAVEAT not in expected.caveats
    ported = Restore(old, casa, tmp_path / "old", named=["python2-port"])
    value = ported.run()
    assert CAVEAT in value.caveats
    assert value.method == "scriptForPI"
    assert len(value.ms) == 2
    digests = twin.digests(expected)
    assert len(set(digests.values())) == 2
    assert ported.digests(value) == digests
    diff = (ported.directory / "evidence/fix-python2-port.diff").read_text()
    assert "-    execfile(path, globals())\n" in diff
    assert "reimage: python2-port opened the gate" in diff
    applied = [data["fix"] for event, data in ported.events if event == "fix.applied"]
    assert "python2-port" in applied


def test_the_shell_of_casa_6_has_an_execfile_and_needs_no_port(modern, casa, tmp_path):
    """ALMA's newer scriptForPI.py is Python 3, and calls ``execfile(path, globals())``."""
    root = tmp_path / "b"
    shutil.copytree(modern, root)
    (script,) = root.rglob("script/scriptForPI.py")
    text = script.read_text().replace(making_python2.EXECFILE, "    execfile(path, globals())\n")
    assert "execfile(path" in text
    script.write_text(text)
    value = Restore(root, casa, tmp_path / "run").run()
    assert len(value.ms) == 2
    assert CAVEAT not in value.caveats


def test_without_the_option_nothing_is_ported_and_the_hint_names_it(old, casa, tmp_path):
    refused = Restore(old, casa, tmp_path / "run")
    with pytest.raises(scripts.RestoreScriptPython2) as caught:
        refused.run()
    assert caught.value.code == "restore-script-python-2"
    assert "--fix python2-port" in caught.value.hint
    assert not (refused.directory / "evidence/fix-python2-port.diff").exists()
    assert not [event for event, _ in refused.events if event == "casa.started"]


def test_one_unsafe_line_and_nothing_is_ported(old, casa, tmp_path):
    unsafe = Restore(old, casa, tmp_path / "run", named=["python2-port"])
    script = min((unsafe.directory / "fetch").rglob("*scriptForCalibration.py"))
    script.write_text(script.read_text() + "clean(vis=vis)\nedge = 128\nedge = edge / 16\n")
    with pytest.raises(scripts.RestoreScriptPython2) as caught:
        unsafe.run()
    assert "No mechanical port is safe" in caught.value.hint
    assert "clean: no task of CASA 6" in caught.value.hint
    (said,) = (data for event, data in unsafe.events if event == "fix.refused")
    assert len(said["obstacles"]) == 2
    assert not [event for event, _ in unsafe.events if event == "casa.started"]


def test_the_table_of_tasks_is_that_of_the_default_build(casa, tmp_path):
    found = process.run_job(
        casa, CHECKS, {"tasks": True}, directory=tmp_path / "job", limits=LIMITS, emit=_silent
    )
    told = vocabulary.tasks()
    assert set(found) >= set(told)
    for name, parameters in told.items():
        assert set(found[name]) - {"kwargs"} == parameters, name
