"""Restores with real CASA: each way, and each failure that CASA does not tell of (casa.md 9 C).

Datasets a (the pipeline's tables) and b (manual, two execution blocks) of the demonstration archive.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from making import make_run

from reimage import document
from reimage.casa import process
from reimage.delivery import unpack
from reimage.delivery.asdm import AsdmIncomplete
from reimage.delivery.layout import read_layout
from reimage.demo.build import build_archive
from reimage.demo.datasets import datasets
from reimage.fix import discover
from reimage.model import CasaChoice
from reimage.run import Limits
from reimage.settings import shipped
from reimage.stages import restore, restored, scripts
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("restore")]
LIMITS = Limits(memory_mb=4000, wall_s=300, silence_s=120)
ILLS = str(Path(__file__).with_name("restore_ills"))


@pytest.fixture(scope="module")
def unpacked(casa, cache, tmp_path_factory):
    """Unpack datasets a and b once; tests copy them by hard links."""
    root = tmp_path_factory.mktemp("restores")
    archive = root / "archive"
    build_archive(
        archive, build=casa, cache=cache, emit=lambda *_, **__: None, only=frozenset("ab")
    )
    for dataset in datasets():
        for tar in archive.glob(f"dataPortal/{dataset.project}_*.tar"):
            if dataset.letter in "ab" and not tar.name.endswith("_001_of_001.tar"):
                unpack.unpack(tar, root / dataset.letter)
    return root


class Restore:
    """One run's restore, after a test has made its delivery ill."""

    def __init__(self, unpacked, letter, casa, directory):
        self.casa, self.directory, self.events = casa, directory, []
        self.root = directory / "fetch/delivery"
        shutil.copytree(unpacked / letter, self.root)
        self.read()

    def read(self):
        self.delivery = read_layout(self.root)
        self.member = self.root / self.delivery.member

    def run(self, **changes):
        delivery = replace(self.delivery, **changes)
        choice = CasaChoice(build=self.casa.id, wanted=None, because=())
        (self.directory / "choose").mkdir()
        value = document.dump(ChooseValue(delivery=delivery, choice=choice))
        document.write(self.directory / "choose" / PROVEN, {"value": value})
        fixes = self.directory / "fixes"  # the one that the scripts of b need, as it is now
        fixes.mkdir()
        shutil.copy(shipped("fixes") / "recipes_almahelpers.py", fixes)
        run = make_run(
            self.directory,
            builds=(self.casa,),
            limits=LIMITS,
            fixes=discover([fixes]),
        )
        context = StageContext(
            run=run,
            directory=self.directory,
            attempt=1,
            emit=lambda event, **data: self.events.append((event, data)),
            still_current=lambda: None,
        )
        return restore.run(context)

    def edit(self, name, change):
        (path,) = self.member.glob(name)
        path.write_text(change(path.read_text()))

    def forget_spws(self, *spws):
        """Take the solutions of spws out of the delivered bandpass table."""
        self.spoil({"spws": list(spws)})

    def spoil(self, ill, packed="*session_1.caltables.tgz", table="*.bcal.tbl"):
        """Let job ``restore_ills`` make a delivered calibration table ill."""
        (tgz,) = self.member.glob(f"calibration/{packed}")
        inside = self.directory / tgz.name
        unpack.unpack(tgz, inside)
        (bandpass,) = inside.glob(table)
        told = process.run_job(
            self.casa,
            ILLS,
            {"table": str(bandpass), **ill},
            directory=self.directory / f"ills-{tgz.name}",
            limits=LIMITS,
            emit=lambda *_, **__: None,
        )
        assert told["after"] < told["before"]
        tgz.unlink()
        with tarfile.open(tgz, "w:gz") as archive:
            for path in inside.iterdir():
                archive.add(path, path.name)


@pytest.fixture
def a(unpacked, casa, tmp_path):
    return Restore(unpacked, "a", casa, tmp_path / "run")


@pytest.fixture
def b(unpacked, casa, tmp_path):
    return Restore(unpacked, "b", casa, tmp_path / "run")


def real(caveats):
    """Caveats but those that known fixes report: the datasets' own affair."""
    return tuple(one for one in caveats if one.startswith(("spw-", "restored-")))


# --- the ways ------------------------------------------------------------------------------------


def test_by_the_pipeline_s_tables(a):
    value = a.run()
    (one,) = value.ms
    assert (value.method, one.column, one.rows) == ("tables", "corrected", one.promised_rows)
    spws = value.facts[one.path]["target_spws"]
    assert [spw["spw"] for spw in spws] == [0, 1, 2, 3]
    assert all(spw["corrected_differs"] and spw["flagged"] < 0.5 for spw in spws)
    assert real(value.caveats) == ("restored-without-pipeline",)


def test_manual_by_script_for_pi(b):
    value = b.run()
    assert value.method == "scriptForPI"
    assert [(one.column, one.path.endswith(".ms.split.cal")) for one in value.ms] == [
        ("data", True),
        ("data", True),
    ]
    assert all(one.because for one in value.ms)
    assert real(value.caveats) == ()
    needed = dict(b.events)["restore.room"]
    made = sum(
        path.stat().st_size for path in (b.directory / "restore").rglob("*") if path.is_file()
    )
    assert needed["needed"] < needed["free"]
    assert made < needed["needed"] + needed["raw"]  # ASDMs are links: counted once more here


def test_raw_data_elsewhere_and_under_other_names(b):
    """One without its suffix, one in capitals, both in another tree: scriptForPI finds them all the same."""
    one, other = b.delivery.ebs
    (b.root / "disk").mkdir()
    (b.member / f"raw/{one}.asdm.sdm").rename(b.root / "disk" / one)
    (b.member / f"raw/{other}.asdm.sdm").rename(b.root / "disk" / f"{other}.ASDM.SDM")
    b.read()
    assert any(note.startswith("raw-elsewhere: ") for note in b.delivery.notes)
    value = b.run()
    assert [ms.eb for ms in value.ms] == [one, other]
    assert all(ms.rows == ms.promised_rows for ms in value.ms)
    assert (value.missing, real(value.caveats)) == ({}, ())


def test_manual_without_script_for_pi(b):
    """Each scriptForCalibration by itself gives what scriptForPI makes of it."""
    (script,) = b.member.glob("script/*scriptForPI.py")
    script.unlink()
    b.read()
    value = b.run()
    assert value.method == "scripts"
    assert [one.column for one in value.ms] == ["data", "data"]
    assert all(f"{one.eb}.calibration/" in one.path for one in value.ms)


# --- what CASA does not tell ----------------------------------------------------------------------


def test_a_binary_is_missing(a):
    """importasdm would leave its rows out without a word and return 0."""
    binary = sorted(a.member.glob("raw/*/ASDMBinary/*"))[3]
    binary.unlink()
    with pytest.raises(AsdmIncomplete, match=binary.name):
        a.run()


def test_a_binary_that_is_cut_costs_rows_and_nothing_is_said(b):
    """importasdm and the delivered scripts go on and say Done; the rows of the import are counted."""
    ill, well = b.delivery.ebs
    os.truncate(sorted(b.member.glob(f"raw/{ill}*/ASDMBinary/*"))[3], 4000)
    value = b.run()
    assert [one.eb for one in value.ms] == [well]
    assert f"{ill}.ms has " in value.missing[ill]
    left_out = next(data for event, data in b.events if event == "eb.left_out")
    assert (left_out["eb"], left_out["code"]) == (ill, "restore-rows-missing")
    said = (b.directory / "restore/script/stdout.log").read_text()
    assert said.rstrip().endswith("Done.")


def test_no_solution_is_good_and_every_spw_of_the_target_is_flagged(a):
    """applycal flags what it cannot correct, all of it, and returns 0."""
    a.spoil({})
    with pytest.raises(restored.RestoreAllFlagged) as caught:
        a.run()
    seen = caught.value.evidence["target_spws"]
    assert [(spw["spw"], spw["flagged"]) for spw in seen] == [(n, 1.0) for n in range(4)]


def test_a_table_lacks_a_spw(b):
    """With calflag applycal warns, returns 0, and CORRECTED_DATA of the spw is DATA, unflagged."""
    ill, well = b.delivery.ebs
    b.spoil({"spws": [1]}, f"*{ill}.calibration.tgz", f"{ill}.calibration/*.bandpass")
    b.edit(
        f"script/*{ill}*scriptForCalibration.py",
        lambda text: text.replace('"calflagstrict"', '"calflag"'),
    )
    value = b.run()
    assert real(value.caveats) == (f"spw-uncalibrated:1 of {ill}",)
    flagged = {
        one.eb: [spw["flagged"] == 1.0 for spw in value.facts[one.path]["target_spws"]]
        for one in value.ms
    }
    assert flagged[ill][1]  # raw data are never imaged
    assert not any(flagged[ill][:1] + flagged[ill][2:] + flagged[well])


def test_a_table_lacks_a_spw_and_applycal_is_strict(a):
    a.forget_spws(2)
    value = a.run()
    assert f"spw-flagged:2 of {value.ms[0].eb}" in value.caveats


def test_the_script_applies_nothing_to_the_target(b):
    """The split's DATA is the raw data's: what it was split from tells."""
    for eb in b.delivery.ebs:
        b.edit(
            f"script/*{eb}*scriptForCalibration.py",
            lambda text: text.replace("        (science_field, phase_field),\n", ""),
        )
    with pytest.raises(restored.RestoreNotCalibrated, match="nothing calibrated in column data"):
        b.run()


def test_the_tables_were_never_applied_to_the_target(a):
    """The calls of the calibrators only: the target has a CORRECTED_DATA, which is DATA."""
    a.edit(
        "calibration/*calapply.txt",
        lambda text: "\n".join(text.splitlines()[:-1]) + "\n",
    )
    with pytest.raises(restored.RestoreNotCalibrated):
        a.run()


IMPORT_ONLY = """
import os
os.makedirs("../calibrated/working")
importasdm(asdm="../raw/{eb}.asdm.sdm", vis="../calibrated/working/{eb}.ms", lazy=False)
print("Done.")
"""


def test_there_is_no_column_of_calibrated_data(a, monkeypatch):
    """A restore script that imports, applies nothing and says Done; CASA said 0 to each step.

    Only a pipeline calibrates into CORRECTED_DATA.  None is had: its build and its start are played,
    the script and what is proven of it are real.
    """
    real_start = scripts.start_for_pi
    monkeypatch.setattr(
        scripts, "start_for_pi", lambda *given, pipeline: real_start(*given, pipeline=not pipeline)
    )
    (eb,) = a.delivery.ebs
    (a.member / "script/scriptForPI.py").write_text(IMPORT_ONLY.format(eb=eb))
    for script in a.member.glob("script/*scriptForPI.py"):
        if script.name != "scriptForPI.py":
            script.unlink()
    a.read()
    a.casa = replace(a.casa, pipeline="played")  # else its tables are applied without any script
    with pytest.raises(restored.RestoreNotCalibrated, match="column corrected") as caught:
        a.run()
    assert "CORRECTED_DATA" not in caught.value.evidence["columns"]
    assert caught.value.evidence["data_amplitude"] > 0


SPLIT_OF_NOTHING = """
importasdm(asdm="{eb}", vis="{eb}.ms", lazy=False)
split(vis="{eb}.ms", outputvis="{eb}.ms.split.cal", datacolumn="corrected")
"""


def test_a_split_of_a_column_that_is_not_there(b):
    for eb in b.delivery.ebs:
        b.edit(
            f"script/*{eb}*scriptForCalibration.py",
            lambda _, eb=eb: SPLIT_OF_NOTHING.format(eb=eb),
        )
    with pytest.raises(process.CasaJobFailed, match=r"CORRECTED_DATA\) not found"):
        b.run()


GAINCAL_OF_NOTHING = """
importasdm(asdm="{eb}", vis="{eb}.ms", lazy=False)
flagdata(vis="{eb}.ms", mode="manual", flagbackup=False)
gaincal(vis="{eb}.ms", caltable="nothing.gcal", field="0", solint="inf", refant="0")
print("gaincal returned")
applycal(vis="{eb}.ms", gaintable=["nothing.gcal"])
"""


def test_a_step_found_no_data_and_wrote_no_table(b):
    """gaincal returns 0 without a table; what fails is the step that wants it, and it names it."""
    for eb in b.delivery.ebs:
        b.edit(
            f"script/*{eb}*scriptForCalibration.py",
            lambda _, eb=eb: GAINCAL_OF_NOTHING.format(eb=eb),
        )
    with pytest.raises(process.CasaJobFailed, match=r"nothing\.gcal does not exist"):
        b.run()
    assert "gaincal returned" in (b.directory / "restore/script/stdout.log").read_text()


def test_a_script_that_makes_nothing_says_done(b):
    (script,) = b.member.glob("script/*scriptForPI.py")
    script.write_text(
        f"print('ERROR: {b.delivery.ebs[0]}.ms.split.cal was not created.')\nprint('Done.')\n"
    )
    with pytest.raises(restored.RestoreNoMs) as caught:
        b.run()
    assert "was not created" in caught.value.evidence["said"][0]


# --- partial restores ------------------------------------------------------------------------------


def test_raw_data_of_one_block_are_not_there(b):
    """scriptForPI itself goes on with the rest and says Done; the blocks are named."""
    there, absent = b.delivery.ebs
    (asdm,) = b.member.glob(f"raw/{absent}.asdm.sdm")
    shutil.rmtree(asdm)
    ebs = b.delivery.ebs
    b.read()
    value = b.run(ebs=ebs)
    assert [one.eb for one in value.ms] == [there]
    assert f"restored-partially:{absent}" in value.caveats
    said = (b.directory / "restore/script/stdout.log").read_text()
    assert "absent from directory" in said
    assert said.rstrip().endswith("Done.")


# --- scripts of another Python ----------------------------------------------------------------------


def test_python_2_is_seen_before_it_runs(b):
    script = min(b.member.glob("script/*scriptForCalibration.py"))
    script.write_text(script.read_text() + "\nprint 'all done'\n")
    with pytest.raises(scripts.RestoreScriptPython2, match=r"line \d+: print"):
        b.run()
    assert not [event for event, _ in b.events if event == "casa.started"]


def test_the_gate_of_casa_6_is_answered(b, casa):
    """Modular CASA has no casalith; the delivered gate asks it for the version."""
    version = casa.version.rpartition(".")[0]
    gate = (
        "import re, casalith\n"
        f"if re.search('^{version}', '.'.join([str(i) for i in casalith.version()])) == None:\n"
        "    sys.exit('ERROR: PLEASE USE THE SAME VERSION OF CASA')\n"
    )
    for script in b.member.glob("script/*scriptForCalibration.py"):
        script.write_text(script.read_text().replace("\nimport sys\n", "\nimport sys\n" + gate, 1))
        assert gate in script.read_text()
    assert len(b.run().ms) == 2


def test_the_delivery_is_as_it_was(a):
    before = {path: path.stat().st_mtime_ns for path in a.root.rglob("*")}
    a.run()
    assert {path: path.stat().st_mtime_ns for path in a.root.rglob("*")} == before
