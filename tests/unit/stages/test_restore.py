"""The stage *restore* around jobs that are played: ways, partial restores, what is left out, what is asked first."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from making import EB, MEMBER, MOUS, make_build, make_run, make_tar, make_tree

from reimage import document
from reimage.archive.cache import Cache
from reimage.archive.listing import ArchiveFile
from reimage.delivery import asdm
from reimage.delivery.layout import DeliveryAmbiguous
from reimage.errors import CasaError
from reimage.model import Calibration, CasaChoice, Delivery
from reimage.run import Transfer
from reimage.stages import blocks, restore, restored, room, scripts
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue

EB2 = "uid___A002_Xc0ffee_X2"
PI = f"{MEMBER}/script/member.uid___A001_X1_X2.scriptForPI.py"


def facts(rows=100, **of_spw):
    spw = {
        "spw": 0,
        "rows": 10,
        "flagged": 0.0,
        "data_amplitude": 1.0,
        "corrected_amplitude": 2.0,
        "corrected_differs": True,
    }
    return {
        "rows": rows,
        "columns": ["DATA", "CORRECTED_DATA"],
        "target_rows": rows,
        "target_flagged": 0.0,
        "data_amplitude": 1.0,
        "target_spws": [spw, {**spw, "spw": 1, **of_spw}],
        "spws": [
            {"id": n, "name": f"BB_{n}", "n_channels": 99, "center_hz": 1e11 * (1 + n)}
            for n in (0, 1)
        ],
    }


class Casa:
    """Plays the jobs: what each makes and says."""

    def __init__(self):
        self.jobs, self.makes, self.says, self.facts = [], [], "Done.\n", {}
        self.builds = []

    def __call__(self, build, job, inputs, *, directory, pipeline=None, **_):
        self.jobs.append((job, inputs))
        self.builds.append((job, build.id, pipeline))
        directory.mkdir(parents=True, exist_ok=True)
        if job == "inspect_ms":
            return {path: self.facts.get(Path(path).name, facts()) for path in inputs["ms"]}
        if job == "fix_ms":
            return {"done": len(inputs["operations"])}
        (directory / "stdout.log").write_text(self.says)
        where = {
            "restore_tables": lambda: Path(inputs["work"]).parent,
            "restore_script": lambda: self.calibrated(inputs),
            "shell_script": lambda: self.calibrated(inputs),
        }[job]()
        for name in self.makes:
            make_tree(where / name, {"table.dat": ""})
        return {}

    @staticmethod
    def calibrated(inputs):
        where = inputs.get("cwd") or Path(inputs["script"]).parent.parent / "calibrated"
        Path(where).mkdir(exist_ok=True)
        return Path(where)

    def named(self, job):
        return [inputs for name, inputs in self.jobs if name == job]


@pytest.fixture
def casa(monkeypatch):
    played = Casa()
    monkeypatch.setattr("reimage.casa.process.run_job", played)
    monkeypatch.setattr("reimage.casa.process.run_in_shell", played)
    monkeypatch.setattr(asdm, "read_promise", promise)
    return played


def promise(path):
    if "damaged" in (path / "Main.xml").read_text():
        raise asdm.AsdmIncomplete(f"{path.name}: 1 of 2 binary files are missing")
    return asdm.AsdmPromise(name=path.name, rows=100, scans=(1,), n_antennas=3, cross_rows=60)


@pytest.fixture
def stage(tmp_path, casa):
    """Make a delivery and run the stage on it."""
    directory = tmp_path / "run"
    root = directory / "fetch/delivery"

    def run_stage(files, *, calibration, ebs=(EB,), pipeline=None, builds=(), **fields):
        make_tree(root, files)
        every = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
        builds = builds or (make_build(pipeline=pipeline, python_version="3.11.2"),)
        run = make_run(tmp_path / "archive", builds=builds, **fields)
        delivery = Delivery(
            root=str(root),
            member=MEMBER,
            layout="uid",
            calibration=calibration,
            ebs=ebs,
            raw=tuple(name for name in every if (root / name / "Main.xml").is_file()),
            scripts=tuple(name for name in every if name.endswith(".py")),
            calapply=tuple(name for name in every if name.endswith("calapply.txt")),
            calibrated=tuple(
                str(Path(name).parent) for name in every if name.endswith("/table.dat")
            ),
        )
        (directory / "choose").mkdir(parents=True, exist_ok=True)
        choice = CasaChoice(build=builds[0].id, wanted=None, because=())
        value = document.dump(ChooseValue(delivery=delivery, choice=choice))
        document.write(directory / "choose" / PROVEN, {"value": value})
        context = StageContext(
            run=run,
            directory=directory,
            attempt=1,
            emit=lambda event, **data: run_stage.events.append((event, data)),
            still_current=lambda: None,
        )
        return restore.run(context)

    run_stage.events, run_stage.directory = [], directory
    return run_stage


def raw(*ebs, damaged=()):
    return {
        f"{MEMBER}/raw/{eb}.asdm.sdm/Main.xml": "damaged" if eb in damaged else "fine" for eb in ebs
    }


def codes(stage):
    return {data["eb"]: data["code"] for event, data in stage.events if event == "eb.left_out"}


SCRIPTED = {PI: "print('hello')\n"}
PIPELINE = Calibration.PIPELINE


def test_script_for_pi_with_all_options_said(stage, casa):
    casa.makes = [f"{EB}.ms.split.cal", f"working/{EB}.ms"]
    value = stage({**SCRIPTED, **raw(EB)}, calibration=PIPELINE, pipeline="2024.1")
    assert casa.named("restore_script")[0]["options"] == {"SPACESAVING": 0, "DOSPLIT": True}
    assert value.method == "scriptForPI"
    (one,) = value.ms
    assert one.path == f"restore/tree/{MEMBER}/calibrated/{EB}.ms.split.cal"
    assert one.because
    assert (value.missing, value.caveats) == ({}, ())
    # what it was split from is looked into, and is no MS of the run
    assert len(casa.named("inspect_ms")[0]["ms"]) == 2
    assert len(value.facts) == 1
    assert dict(stage.events)["ms.passed_over"]["ms"]


def test_spacesaving_follows_the_free_disk(stage, casa, monkeypatch):
    size = 4 * 10**6
    files = {**SCRIPTED, f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "x" * size}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=8 * size))
    casa.makes = [f"{EB}.ms.split.cal"]
    stage(files, calibration=Calibration.MANUAL)
    assert casa.named("restore_script")[0]["options"]["SPACESAVING"] == 1


@pytest.mark.parametrize("calibration", [Calibration.MANUAL, PIPELINE, Calibration.DELIVERED])
def test_too_little_disk_is_said_before_anything_is_started(stage, casa, monkeypatch, calibration):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5))
    files = {**SCRIPTED, **raw(EB), f"{MEMBER}/calibrated/{EB}.ms/table.dat": "four"}
    with pytest.raises(room.RestoreDiskShort) as error:
        stage(files, calibration=calibration)
    assert error.value.evidence["needed_bytes"] > error.value.evidence["free_bytes"] == 5
    assert casa.jobs == []


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Give a cache with content of 9 kB, 3 kB of them in use, on a disk that has room for 10 kB in all."""
    place = tmp_path / "cache"
    for n in (1, 2, 3):
        content = bytes([n]) * 3000
        source = tmp_path / f"{n}.tar"
        source.write_bytes(content)
        file = ArchiveFile(name=source.name, semantics="#progenitor", content_type="", n_bytes=3000)
        Cache(place, 10**6).put(MOUS, "", file, hashlib.sha256(content).hexdigest(), source)
        if n != 1:
            source.unlink()

    def usage(_):
        held = sum(one.stat().st_size for one in place.glob("sha256/??/*"))
        return SimpleNamespace(free=10_000 - held)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return place


@pytest.mark.parametrize("calibration", [Calibration.MANUAL, PIPELINE, Calibration.DELIVERED])
def test_the_cache_makes_room_first(stage, casa, cached, calibration):
    transfer = Transfer(cache=str(cached), cache_bytes=10**6)
    files = {**SCRIPTED, f"{MEMBER}/calibrated/{EB}.ms/table.dat": "x" * 1700}
    files |= {f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "x" * 500}
    casa.makes = [f"{EB}.ms.split.cal", f"{EB}.ms"]
    with suppress(CasaError):  # what the played jobs make is not at issue
        stage(files, calibration=calibration, transfer=transfer)
    told = dict(stage.events)["restore.room"]
    assert (told["reclaimed"], told["needed"] <= told["free"]) == (3000, True)
    assert len(list(cached.glob("sha256/??/*"))) == 2


def test_the_cache_is_not_emptied_in_vain(stage, casa, cached):
    transfer = Transfer(cache=str(cached), cache_bytes=10**6)
    files = {**SCRIPTED, f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "x" * 10_000}
    with pytest.raises(room.RestoreDiskShort):
        stage(files, calibration=Calibration.MANUAL, transfer=transfer)
    assert len(list(cached.glob("sha256/??/*"))) == 3
    assert casa.jobs == []


def test_without_script_for_pi_each_block_s_own_script_runs(stage, casa):
    script = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
    casa.makes = [f"{EB}.ms.split.cal", f"{EB}.ms"]
    files = {script: "print('x')\n", **raw(EB)}
    make_tar(
        stage.directory / f"fetch/delivery/{MEMBER}/calibration/{EB}.calibration.tgz",
        {f"{EB}.calibration/table/x": b"x"},
        "w:gz",
    )
    value = stage(files, calibration=Calibration.MANUAL)
    (inputs,) = casa.named("restore_script")
    assert inputs["options"] == {"applyonly": True, "mysteps": []}
    work = Path(inputs["cwd"])
    assert (work / "table/x").is_file()
    assert (work / EB / "Main.xml").read_text() == "fine"
    assert value.method == "scripts"
    assert value.ms[0].path.endswith(f"{EB}.calibration/{EB}.ms.split.cal")


def test_without_any_script_a_manual_calibration_cannot_be_restored(stage):
    with pytest.raises(scripts.RestoreScriptMissing, match=r"no scriptForPI\.py and no"):
        stage(raw(EB), calibration=Calibration.MANUAL)


def test_two_script_for_pi_are_one_too_many(stage):
    files = {**SCRIPTED, f"{MEMBER}/script/other.scriptForPI.py": "", **raw(EB)}
    with pytest.raises(scripts.RestoreScriptMissing, match="2 scriptForPI"):
        stage(files, calibration=Calibration.MANUAL)


def test_the_pipeline_s_tables_where_there_is_no_script_for_pi(stage, casa):
    casa.makes = [f"working/{EB}.ms"]
    value = stage(raw(EB), calibration=PIPELINE, pipeline="2024.1")
    assert (value.method, value.ms[0].column) == ("tables", "corrected")
    assert value.caveats == ("restored-without-pipeline",)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("print 'ERROR: no ASDM'\n", scripts.RestoreScriptPython2),
        ("execfile('x.py')\n", scripts.RestoreScriptPython2),
        ("<html>not found</html>\n", scripts.RestoreScriptUnreadable),
    ],
)
def test_a_script_that_the_build_cannot_run_is_not_started(stage, casa, text, error):
    script = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
    with pytest.raises(error) as caught:
        stage({**SCRIPTED, script: text, **raw(EB)}, calibration=Calibration.MANUAL)
    assert caught.value.evidence["script"] == script
    assert casa.jobs == []


# --- the shell of a monolithic CASA ----------------------------------------------------------------

JOBS = make_build("6.7.0.31", id="jobs", python_version="3.11.2")


def shell_of(version, python_version, **other):
    return make_build(
        version, id="shell", kind="monolithic", casa="/casa", python_version=python_version, **other
    )


OLD_SHELL = shell_of("4.7.2", "2.7.14", python=None)


def test_what_a_script_leaves_is_looked_into_by_the_build_that_can(stage, casa):
    casa.makes = [f"{EB}.ms.split.cal"]
    script = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
    files = {**SCRIPTED, script: "print 'Python 2'\n", **raw(EB)}
    stage(files, calibration=Calibration.MANUAL, builds=(OLD_SHELL, JOBS))
    assert casa.builds == [("shell_script", "shell", False), ("inspect_ms", "jobs", None)]
    [inputs] = casa.named("shell_script")
    assert inputs["options"]["SPACESAVING"] == 0


def test_a_monolithic_casa_6_runs_scripts_in_its_shell_and_jobs_itself(stage, casa):
    casa.makes = [f"{EB}.ms"]
    chosen = shell_of("6.4.1.12", "3.8.10", pipeline="2023.1")
    stage({**SCRIPTED, **raw(EB)}, calibration=PIPELINE, builds=(chosen, JOBS))
    assert casa.builds == [("shell_script", "shell", True), ("inspect_ms", "shell", None)]


def test_a_shell_without_the_pipeline_leaves_the_tables_to_the_build_that_can(stage, casa):
    casa.makes = [f"working/{EB}.ms"]
    value = stage({**SCRIPTED, **raw(EB)}, calibration=PIPELINE, builds=(OLD_SHELL, JOBS))
    assert casa.builds[0] == ("restore_tables", "jobs", None)
    assert value.method == "tables"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("print(f'{1}')\n", scripts.RestoreScriptPython3),
        ("import casatasks\n", scripts.RestoreScriptPython3),
        ("<html>not found</html>\n", scripts.RestoreScriptUnreadable),
    ],
)
def test_a_script_that_python_2_cannot_run_is_not_started(stage, casa, text, error):
    script = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
    with pytest.raises(error) as caught:
        stage(
            {**SCRIPTED, script: text, **raw(EB)},
            calibration=Calibration.MANUAL,
            builds=(OLD_SHELL, JOBS),
        )
    assert caught.value.evidence["script"] == script
    assert casa.jobs == []


# --- partial restores ------------------------------------------------------------------------------


def test_raw_data_that_were_not_delivered_leave_the_others(stage, casa):
    casa.makes = [f"working/{EB}.ms"]
    value = stage(raw(EB), calibration=PIPELINE, ebs=(EB, EB2))
    assert [one.eb for one in value.ms] == [EB]
    assert value.missing == {EB2: f"no raw data of {EB2}"}
    assert f"restored-partially:{EB2}" in value.caveats
    assert codes(stage) == {EB2: "restore-raw-missing"}
    assert [one["eb"] for one in casa.named("restore_tables")[0]["ebs"]] == [EB]


def test_damaged_raw_data_are_kept_from_the_script(stage, casa):
    casa.makes = [f"{EB}.ms.split.cal"]
    casa.says = "WARNING: Inconsistency between ASDMs and calibration scripts\nDone.\n"
    files = {**SCRIPTED, **raw(EB, EB2, damaged=(EB2,))}
    value = stage(files, calibration=Calibration.MANUAL, ebs=(EB, EB2))
    farm = stage.directory / f"restore/tree/{MEMBER}/raw"
    assert [path.name for path in farm.iterdir()] == [f"{EB}.asdm.sdm"]
    assert codes(stage) == {EB2: "asdm-incomplete"}
    assert list(value.missing) == [EB2]


def test_scripts_find_raw_data_where_they_look_whatever_was_delivered(stage, casa):
    """Without suffix, in capitals, in another tree: ``<member>/raw/<eb>.asdm.sdm``."""
    casa.makes = [f"{EB}.ms.split.cal", f"{EB2}.ms.split.cal"]
    odd = {f"{MEMBER}/raw/{EB}/Main.xml": "fine", f"disk/{EB2.upper()}.ASDM.SDM/Main.xml": "fine"}
    value = stage({**SCRIPTED, **odd}, calibration=Calibration.MANUAL, ebs=(EB, EB2))
    farm = stage.directory / f"restore/tree/{MEMBER}/raw"
    assert sorted(path.name for path in farm.iterdir()) == [f"{EB}.asdm.sdm", f"{EB2}.asdm.sdm"]
    assert all((path / "Main.xml").read_text() == "fine" for path in farm.iterdir())
    assert {one.eb for one in value.ms} == {EB, EB2}
    assert dict(stage.events)["restore.room"]["raw"] == 8


def test_the_tables_of_a_longer_name_are_another_block_s(stage, casa):
    casa.makes = [f"working/{EB}.ms", f"working/{EB}2.ms"]
    tables = {f"{MEMBER}/calibration/{eb}.ms.calapply.txt": eb for eb in (f"{EB}2", EB2)}
    stage({**raw(EB, f"{EB}2"), **tables}, calibration=PIPELINE, ebs=(EB, f"{EB}2"))
    given = {one["eb"]: one["calapply"] for one in casa.named("restore_tables")[0]["ebs"]}
    assert given[EB] == ""
    assert given[f"{EB}2"].endswith(f"{EB}2.ms.calapply.txt")


def test_the_tables_find_raw_data_by_any_name(stage, casa):
    casa.makes = [f"working/{EB}.ms"]
    odd = {f"{MEMBER}/raw/{EB.upper()}.ASDM.SDM/Main.xml": "fine"}
    stage(odd, calibration=PIPELINE)
    (eb,) = casa.named("restore_tables")[0]["ebs"]
    assert Path(eb["asdm"], "Main.xml").read_text() == "fine"


def test_an_ms_that_was_not_created_is_told_in_the_script_s_words(stage, casa):
    casa.makes = [f"{EB}.ms.split.cal"]
    casa.says = f"ERROR: {EB2}.ms.split.cal was not created.\nDone.\n"
    files = {**SCRIPTED, **raw(EB, EB2)}
    value = stage(files, calibration=Calibration.MANUAL, ebs=(EB, EB2))
    assert "was not created" in value.missing[EB2]
    assert value.caveats == (f"restored-partially:{EB2}",)


def test_no_ms_at_all_quotes_what_the_script_said(stage, casa):
    casa.says = f"ERROR: {EB}.ms.split.cal was not created.\nDone.\n"
    with pytest.raises(restored.RestoreNoMs, match=f"no calibrated MS of {EB}") as error:
        stage({**SCRIPTED, **raw(EB)}, calibration=Calibration.MANUAL)
    assert error.value.evidence["said"] == [f"ERROR: {EB}.ms.split.cal was not created."]


@pytest.mark.parametrize("rows", [99, 61, 59])
def test_an_import_that_lost_rows_is_seen_behind_its_split(stage, casa, rows):
    """A split leaves out calibrators: its own rows tell nothing."""
    casa.makes = [f"{EB}.ms.split.cal", f"{EB}.calibration/{EB}.ms", f"{EB2}.ms.split.cal"]
    casa.facts = {f"{EB}.ms": facts(rows=rows), f"{EB2}.ms.split.cal": facts(rows=5)}
    files = {**SCRIPTED, **raw(EB, EB2)}
    value = stage(files, calibration=Calibration.MANUAL, ebs=(EB, EB2))
    assert [one.eb for one in value.ms] == [EB2]
    assert codes(stage) == {EB: "restore-rows-missing"}
    assert f"{EB}.ms has {rows} rows, promised are 100" in value.missing[EB]


@pytest.mark.parametrize("rows", [100, 60])
def test_an_import_without_autocorrelations_is_whole(stage, casa, rows):
    casa.makes = [f"{EB}.ms.split.cal", f"{EB}.calibration/{EB}.ms"]
    casa.facts = {f"{EB}.ms": facts(rows=rows)}
    value = stage({**SCRIPTED, **raw(EB)}, calibration=Calibration.MANUAL)
    assert (value.missing, len(value.ms)) == ({}, 1)


def test_a_block_that_fails_its_proof_is_left_out(stage, casa):
    casa.makes = [f"working/{EB}.ms", f"working/{EB2}.ms"]
    casa.facts = {f"{EB2}.ms": facts(rows=99)}
    value = stage(raw(EB, EB2), calibration=PIPELINE, ebs=(EB, EB2))
    assert [one.eb for one in value.ms] == [EB]
    assert codes(stage) == {EB2: "restore-rows-missing"}
    assert [Path(name).name for name in value.facts] == [f"{EB}.ms"]


def test_where_none_is_proven_the_first_reason_is_raised(stage, casa):
    casa.makes = [f"working/{EB}.ms", f"working/{EB2}.ms"]
    casa.facts = {f"{EB}.ms": facts(rows=99), f"{EB2}.ms": facts(rows=98)}
    with pytest.raises(restored.RestoreRowsMissing, match="99 rows"):
        stage(raw(EB, EB2), calibration=PIPELINE, ebs=(EB, EB2))


def test_no_raw_data_at_all(stage):
    with pytest.raises(blocks.RestoreRawMissing):
        stage({PI: ""}, calibration=PIPELINE)
    with pytest.raises(blocks.RestoreRawMissing, match="names no execution block"):
        stage({PI: ""}, calibration=PIPELINE, ebs=())


# --- spws ------------------------------------------------------------------------------------------


def test_a_spw_that_nothing_was_applied_to_is_flagged_and_named(stage, casa):
    casa.makes = [f"working/{EB}.ms"]
    casa.facts = {f"{EB}.ms": facts(corrected_differs=False)}
    with_flags = facts(corrected_differs=False, flagged=1.0)
    played = casa.__call__

    def flagging(build, job, inputs, **keys):
        if job == "fix_ms":
            casa.facts = {f"{EB}.ms": with_flags}
        return played(build, job, inputs, **keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reimage.casa.process.run_job", flagging)
        value = stage(raw(EB), calibration=PIPELINE)
    (operation,) = casa.named("fix_ms")[0]["operations"]
    assert operation["kind"] == "flagdata"
    assert operation["arguments"]["spw"] == "1"
    assert f"spw-uncalibrated:1 of {EB}" in value.caveats
    assert value.facts[value.ms[0].path] == with_flags
    assert "spw.flagged" in dict(stage.events)


# --- Cycle 0 -----------------------------------------------------------------------------------------


def test_delivered_data_are_copied_once_each(stage):
    files = {
        f"{MEMBER}/calibrated/{EB}.ms.split.cal/table.dat": "",
        f"{MEMBER}/calibrated/{EB}.ms/table.dat": "",
        f"{MEMBER}/calibrated/calibrated.ms/table.dat": "",
    }
    value = stage(files, calibration=Calibration.DELIVERED)
    assert [one.path for one in value.ms] == [f"restore/calibrated/{EB}.ms.split.cal"]
    assert [path.name for path in (stage.directory / "restore/calibrated").iterdir()] == [
        f"{EB}.ms.split.cal"
    ]


def test_delivered_data_in_one_piece(stage):
    files = {f"{MEMBER}/calibrated/calibrated_final.ms/table.dat": ""}
    value = stage(files, calibration=Calibration.DELIVERED, ebs=())
    assert [one.eb for one in value.ms] == ["calibrated_final"]
    assert value.missing == {}


def test_delivered_data_of_one_name_are_not_put_over_one_another(stage):
    files = {
        f"{MEMBER}/calibrated/{part}/{EB}.ms.split.cal/table.dat": "" for part in ("one", "two")
    }
    with pytest.raises(DeliveryAmbiguous, match="one name"):
        stage(files, calibration=Calibration.DELIVERED)


def test_what_a_killed_attempt_left_is_cleared(stage, casa):
    make_tree(stage.directory / "restore", {f"calibrated/working/{EB}.ms/old": "x"})
    casa.makes = [f"working/{EB}.ms"]
    stage(raw(EB), calibration=PIPELINE)
    assert not (stage.directory / f"restore/calibrated/working/{EB}.ms/old").exists()


def test_the_value_survives_its_document(stage, casa):
    casa.makes = [f"working/{EB}.ms"]
    value = stage(raw(EB), calibration=PIPELINE, ebs=(EB, EB2))
    assert document.load(type(value), document.dump(value)) == value
