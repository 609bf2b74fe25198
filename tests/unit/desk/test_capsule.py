"""Capsules of runs that never saw CASA: what is taken, what is cut down, what `run.sh` makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import EB, MEMBER, make_build, make_run, make_tree

from reimage import document
from reimage.desk import capsule, capsule_call, capsule_state, capsule_texts
from reimage.journal import Journal
from reimage.model import Calibration, CasaChoice, Delivery, Result, Stage, State
from reimage.run import Fault, Outcome
from reimage.settings import Settings
from reimage.stages import scripts
from reimage.stages.context import PROVEN
from reimage.stages.values import ChooseValue
from reimage.store.rows import RunRow

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DECISIVE = "RuntimeError: Table nothing.gcal does not exist."
PROGRAM = """#!/bin/sh
# plays a Python with CASA: tells where it is, reads what it was given, and fails
[ -f "$1" ] || exit 70
echo "home $HOME threads $OMP_NUM_THREADS data $REIMAGE_CASADATA"
cat "$(sed -n 's/.*"script": "\\(.*\\)",*/\\1/p' "$2")"
echo "RuntimeError: Table nothing.gcal does not exist." >&2
exit 3
"""


class Ran:
    """A run directory as a failed restore leaves it, and its row."""

    def __init__(self, root):
        self.settings = Settings(data=root / "data")
        self.directory = root / "data" / "runs" / "x" / "r1"
        self.directory.mkdir(parents=True)
        self.program = root / "casa" / "bin" / "python"
        make_tree(root, {"casa/bin/python": PROGRAM, "casadata/geodetic": "x"})
        self.program.chmod(0o755)
        self.build = make_build(python=str(self.program), casadata=str(root / "casadata"))
        self.archive = root / "archive"
        self.write_run()
        (self.directory / "attempts" / "1").mkdir(parents=True)
        self.row = RunRow(
            run="r1",
            holding="alma",
            dataset="uid://A001/X1/X2",
            state=State.DONE,
            stage=Stage.RESTORE,
            result=Result.FAILED,
            error_class="no-solutions",
            signature="sv1:0",
            category=None,
            recipe="hifa-image",
            build=self.build.id,
            products_made=0,
            products_planned=0,
            created_at=NOW,
            submitted_at=NOW,
            started_at=NOW,
            ended_at=NOW,
            attempts=1,
            wall_s=1.0,
            caveats=(),
            sweep=None,
            retry_of=None,
            decisive=DECISIVE,
            directory="runs/x/r1",
        )

    def write_run(self, **other):
        made = make_run(self.archive, run="r1", builds=(self.build,), **other)
        document.write(self.directory / "run.json", made)

    def ends_at(self, stage, code="casa-job-failed"):
        fault = Fault(code=code, message="it failed", hint="", evidence={}, stage=stage)
        outcome = Outcome(
            run="r1", attempt=1, stage=stage, finished=False, fault=fault, ended_at=NOW
        )
        document.write(self.directory / "outcome.json", outcome)

    def job(self, where, job, inputs, **ended):
        folder = self.directory / where
        folder.mkdir(parents=True)
        told = {
            "job": job,
            "result": str(folder / "result.json"),
            "progress": str(folder / "progress.jsonl"),
            "log": str(folder / "casa.log"),
            "input": inputs,
        }
        (folder / "job.json").write_text(json.dumps(told, indent=1))
        (folder / "stderr.log").write_text(DECISIVE + "\n")
        exit_record = {"exit_code": 1, "signal": None, "why": "exit", "wall_s": 1.0, **ended}
        (folder / "exit.json").write_text(json.dumps(exit_record))
        return folder

    def delivered(self, calibration=Calibration.MANUAL):
        """Deliver scripts, tables and raw data; choose a build."""
        root = self.directory / "fetch" / "delivery"
        make_tree(
            root,
            {
                f"{MEMBER}/script/scriptForPI.py": "print('as delivered')\n",
                f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py": "print 'old'\n",
                f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "<Main/>",
                f"{MEMBER}/raw/{EB}.asdm.sdm/ASDMBinary/x1": b"\x00" * 3000,
            },
        )
        delivery = Delivery(
            root=str(root), member=MEMBER, layout="dated", calibration=calibration, ebs=(EB,)
        )
        choice = CasaChoice(build=self.build.id, wanted=None, because=())
        value = document.dump(ChooseValue(delivery=delivery, choice=choice))
        (self.directory / "choose").mkdir(exist_ok=True)
        document.write(self.directory / "choose" / PROVEN, {"value": value})
        return root

    def restored(self):
        """Run scriptForPI in a farm of links, as the stage does; it leaves things behind and fails."""
        root = self.delivered()
        farm = self.directory / "restore" / "tree"
        scripts.link_farm(root, farm)
        member = farm / MEMBER
        (member / "raw").mkdir(exist_ok=True)
        (member / "raw" / f"{EB}.asdm.sdm").symlink_to(root / MEMBER / f"raw/{EB}.asdm.sdm")
        patched = member / f"script/{EB}.ms.scriptForCalibration.py"
        patched.unlink()
        patched.write_text("print('patched')\n")
        make_tree(member, {"calibrated/left.ms/table.dat": "left behind"})
        (member / "calibrated" / "again").symlink_to(root)
        (member / "script" / "casa.log").write_text("left behind")
        inputs = {"script": str(member / "script/scriptForPI.py"), "options": {"DOSPLIT": True}}
        self.job("restore/script", "restore_script", inputs, exit_code=3)
        self.ends_at(Stage.RESTORE)

    def make(self, to, **options):
        return capsule.make(self.settings, self.row, to, **options)


@pytest.fixture
def ran(tmp_path):
    return Ran(tmp_path)


def repeat(folder, **variables):
    return subprocess.run(
        [folder / "run.sh"],
        cwd="/",
        env={"PATH": os.defpath, "REIMAGE_CONFINE": "no", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def sums_hold(folder):
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


# --- a restore -----------------------------------------------------------------------------------------


def test_the_command_finds_what_the_call_found(ran, tmp_path):
    ran.restored()
    made = ran.make(tmp_path / "away", with_data=True)
    assert (made.job, made.stage, made.missing) == ("restore_script", Stage.RESTORE, ())
    ran.directory.rename(tmp_path / "put-away")
    said = repeat(tmp_path / "away")
    assert said.returncode == 3
    assert "exit 3, as in the service" in said.stderr
    assert f"there again: {DECISIVE}" in said.stderr
    work = tmp_path / "away" / "work" / "run"
    told = (work / "restore/script/stdout.log").read_text()
    assert f"home {work}/restore/script/home threads 1 data {tmp_path}/casadata" in told
    assert "as delivered" in told
    member = work / "restore/tree" / MEMBER
    assert (member / f"script/{EB}.ms.scriptForCalibration.py").read_text() == "print('patched')\n"
    assert (member / f"raw/{EB}.asdm.sdm/ASDMBinary/x1").stat().st_size == 3000
    assert not (member / "calibrated").exists()
    assert not (member / "script/casa.log").exists()
    assert sums_hold(tmp_path / "away")


def test_without_data_they_are_taken_from_the_run(ran, tmp_path):
    ran.restored()
    made = ran.make(tmp_path / "away")
    assert not list((tmp_path / "away/run").rglob("ASDMBinary"))
    assert made.inputs == 4
    assert "1 of them" not in (tmp_path / "away/README.md").read_text()
    assert repeat(tmp_path / "away").returncode == 3
    ran.directory.rename(tmp_path / "moved")
    said = repeat(tmp_path / "away")
    assert said.returncode == 66
    assert "missing: fetch/delivery" in said.stderr
    assert repeat(tmp_path / "away", REIMAGE_RUN=str(tmp_path / "moved")).returncode == 3


def test_a_run_that_was_moved_is_captured_where_it_is_now(ran, tmp_path):
    ran.restored()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    ran.settings = Settings(data=tmp_path / "elsewhere")
    ran.make(tmp_path / "away", with_data=True)
    assert repeat(tmp_path / "away").returncode == 3


def test_what_retention_deleted_is_named_and_how_to_get_it(ran, tmp_path):
    ran.restored()
    shutil.rmtree(ran.directory / "fetch" / "delivery" / MEMBER / "raw")
    made = ran.make(tmp_path / "away", with_data=True)
    assert made.missing == (f"fetch/delivery/{MEMBER}/raw/{EB}.asdm.sdm",)
    readme = (tmp_path / "away/README.md").read_text()
    assert f"- {made.missing[0]}" in readme
    assert "`reimage rerun r1 --until restore`" in readme
    assert repeat(tmp_path / "away").returncode == 66


def test_where_the_call_itself_was_deleted_the_record_is_left(ran, tmp_path):
    ran.restored()
    shutil.rmtree(ran.directory / "restore")
    made = ran.make(tmp_path / "away")
    assert made.job is None
    assert not (tmp_path / "away/run.sh").exists()
    assert "deleted" in (tmp_path / "away/README.md").read_text()
    assert (tmp_path / "away/record/run.json").exists()


def test_no_casa_here(ran, tmp_path):
    ran.restored()
    ran.make(tmp_path / "away", with_data=True)
    said = repeat(tmp_path / "away", REIMAGE_PROGRAM="/nowhere/python")
    assert said.returncode == 69
    assert "reimage casa install 6.7.0.31" in said.stderr


def test_another_end_is_told(ran, tmp_path):
    ran.restored()
    ran.make(tmp_path / "away", with_data=True)
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\nexit 0\n")
    other.chmod(0o755)
    said = repeat(tmp_path / "away", REIMAGE_PROGRAM=str(other))
    assert said.returncode == 0
    assert "exit 0; in the service it was 3" in said.stderr
    assert "the decisive line is not there" in said.stderr


def test_a_calibration_script_has_its_tables_unpacked(ran, tmp_path):
    root = ran.delivered()
    farm = ran.directory / "restore" / "tree"
    (root / MEMBER / "calibration").mkdir()
    table = make_tree(tmp_path / "t", {f"{EB}.calibration/a.bcal/table.dat": "solutions"})
    with tarfile.open(root / MEMBER / f"calibration/{EB}.calibration.tgz", "w:gz") as tar:
        tar.add(table / f"{EB}.calibration", f"{EB}.calibration")
    scripts.link_farm(root, farm)
    (farm / MEMBER / "raw").mkdir(exist_ok=True)
    raw = farm / MEMBER / "raw" / f"{EB}.asdm.sdm"
    raw.symlink_to(root / MEMBER / f"raw/{EB}.asdm.sdm")
    inputs = {
        "script": str(farm / MEMBER / f"script/{EB}.ms.scriptForCalibration.py"),
        "cwd": str(farm / MEMBER / f"calibrated/{EB}.calibration"),
        "options": {},
    }
    ran.job(f"restore/script-{EB}", "restore_script", inputs)
    ran.ends_at(Stage.RESTORE)
    ran.make(tmp_path / "away", with_data=True)
    repeat(tmp_path / "away")
    where = tmp_path / "away/work/run/restore/tree" / MEMBER / f"calibrated/{EB}.calibration"
    assert (where / "a.bcal/table.dat").read_text() == "solutions"
    assert (where / EB / "Main.xml").exists()


# --- which call ----------------------------------------------------------------------------------------


def test_the_last_failed_job_of_the_stage_is_taken(ran, tmp_path):
    inputs = {"ms": [str(ran.directory / "x.ms")]}
    make_tree(ran.directory, {"x.ms/table.dat": "x"})
    for name, ok in (("tables", True), ("inspect", False), ("flag", True)):
        folder = ran.job(f"restore/{name}", "inspect_ms", inputs, exit_code=0 if ok else 1)
        if ok:
            (folder / "result.json").write_text('{"ok": true, "value": {}}')
    ran.ends_at(Stage.RESTORE)
    jobs = capsule_call.jobs_of(ran.directory)
    assert capsule_call.choose(jobs).directory == "restore/inspect"
    made = ran.make(tmp_path / "away", with_data=True)
    assert made.job == "inspect_ms"
    assert (tmp_path / "away/run/x.ms/table.dat").stat().st_nlink == 1  # CASA writes into it


def test_a_proof_that_failed_repeats_the_job_that_worked(ran):
    for name, job in (("tables", "restore_tables"), ("inspect", "inspect_ms")):
        folder = ran.job(f"restore/{name}", job, {}, exit_code=0)
        (folder / "result.json").write_text('{"ok": true, "value": {}}')
    jobs = capsule_call.jobs_of(ran.directory)
    assert capsule_call.choose(jobs).directory == "restore/tables"
    assert capsule_call.choose(()) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"result": 3, "input": {}}'])
def test_a_torn_job_is_no_call(ran, text, tmp_path):
    folder = ran.job("restore/tables", "restore_tables", {})
    (folder / "job.json").write_text(text)
    ran.ends_at(Stage.RESTORE)
    assert ran.make(tmp_path / "away").job is None


def test_an_outcome_of_an_earlier_attempt_is_none_of_this_one(ran, tmp_path):
    ran.restored()
    ran.ends_at(Stage.FETCH)
    ran.row = replace(ran.row, attempts=2, result=Result.LOST)
    assert ran.make(tmp_path / "away").stage is Stage.RESTORE


def test_a_process_that_was_killed_with_its_runner(ran, tmp_path):
    ran.restored()
    (ran.directory / "restore/script/exit.json").unlink()
    (ran.directory / "outcome.json").unlink()
    ran.make(tmp_path / "away", with_data=True)
    said = repeat(tmp_path / "away")
    assert "exit 3; in the service nothing says how it ended" in said.stderr


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"exit_code": None, "signal": "SIGKILL", "why": "signal"}, "in the service it was 137"),
        ({"exit_code": None, "signal": "SIGTERM", "why": "silent"}, "it was silent for too long"),
    ],
)
def test_how_it_ended_in_the_service(ran, tmp_path, ended, told):
    ran.restored()
    record = ran.directory / "restore/script/exit.json"
    record.write_text(json.dumps({"wall_s": 1.0, **ended}))
    ran.make(tmp_path / "away", with_data=True)
    assert told in repeat(tmp_path / "away").stderr


def test_the_shell_of_an_old_casa(ran, tmp_path):
    """It is given what the service gives it, the pipeline where the script calls it."""
    ran.build = make_build("4.7.2", id="casa-test", kind="monolithic", python=None, casa="/c/casa")
    ran.write_run()
    ran.restored()
    ran.delivered(Calibration.PIPELINE)
    asked = ran.directory / "restore/script/job.json"
    asked.write_text(asked.read_text().replace("restore_script", "shell_script"))
    ran.make(tmp_path / "away", with_data=True)
    shell = make_tree(tmp_path, {"shell": '#!/bin/sh\necho $REIMAGE_JOBS "$@"\n'}) / "shell"
    shell.chmod(0o755)
    assert repeat(tmp_path / "away").returncode == 69
    repeat(tmp_path / "away", REIMAGE_PROGRAM=str(shell))
    away = tmp_path / "away"
    job = away / "work/run/restore/script"
    words = ["--nogui", "--nologger", "--logfile", f"{job}/casa.log", "--pipeline"]
    words += ["-c", f"{away}/jobs/shell_script.py"]
    assert (job / "stdout.log").read_text().split() == [f"{away}/jobs", *words]
    assert {path.name for path in (away / "jobs").glob("*.py")} == {"_shell.py", "shell_script.py"}


# --- imaging -------------------------------------------------------------------------------------------


def planned(number):
    name = f"T.spw{number}.mfs"
    return {"id": name, "basename": name, "record": f"{name}.json", "cost": 1.0, "dropped": None}


def imaged(ran, *, prepared):
    """Leave an image stage of two images, the second of them absent."""
    work = ran.directory / "image"
    contfile = ran.directory.parent / "cont.dat"
    contfile.write_text("ranges")
    files = {
        "scratch/claims-1.json": json.dumps({"images": [planned(0), planned(1)], "workers": 2}),
        "records/T.spw0.mfs.json": '{"state": "made"}',
        "records/T.spw1.mfs.json": '{"state": "absent", "reason": "RuntimeError: no beam at all"}',
        "records/continuum.json": json.dumps({"file": str(work / "products/cont.dat")}),
        f"ms/{EB}_targets.ms/table.dat": "x",
        "products/cont.dat": "found",
    }
    if prepared:
        facts = {"ebs": [{"ms": str(work / f"ms/{EB}_targets.ms")}]}
        files["prepared.json"] = json.dumps({"digest": "d", "facts": facts})
    make_tree(work, files)
    make_tree(ran.directory, {"restore/calibrated/x.ms/table.dat": "x"})
    inputs = {
        "digest": "d",
        "worker": 1,
        "claims": str(work / "scratch/claims-1"),
        "plan": str(work / "scratch/claims-1.json"),
        "prepared": str(work / "prepared.json"),
        "prepare": {"ms": [{"eb": EB, "path": str(ran.directory / "restore/calibrated/x.ms")}]},
        "ms_directory": str(work / "ms"),
        "records": str(work / "records"),
        "products": str(work / "products"),
        "scratch": str(work / "scratch"),
        "contfile": str(contfile),
    }
    folder = ran.job("image/make-0", "image_make", inputs, exit_code=0)
    (folder / "result.json").write_text('{"ok": true, "value": {}}')
    call = json.dumps({"task": "tclean", "arguments": {"vis": "a.ms"}, "error": "RuntimeError: no"})
    (folder / "calls.jsonl").write_text(call + '\n{"task": "ia')
    ran.ends_at(Stage.IMAGE, code="imaging-made-nothing")


@pytest.mark.parametrize("prepared", [True, False])
def test_one_absent_image_is_left_of_the_plan(ran, tmp_path, prepared):
    imaged(ran, prepared=prepared)
    made = ran.make(tmp_path / "away", with_data=True)
    begins = "prepared" if prepared else "restored"
    assert made.cut == (f"1 of 2 planned images, from the {begins} MSs: T.spw1.mfs",)
    repeat(tmp_path / "away")
    work = tmp_path / "away/work/run/image"
    plan = json.loads((work / "scratch/claims-1.json").read_text())
    assert [one["id"] for one in plan["images"]] == ["T.spw1.mfs"]
    assert plan["workers"] == 1
    assert (work / "scratch/claims-1").is_dir()
    assert not list((work / "records").glob("T.*"))
    asked = json.loads((work / "make-0/job.json").read_text())["input"]
    assert (asked["worker"], asked["plan"]) == (0, str(work / "scratch/claims-1.json"))
    assert Path(asked["contfile"]).read_text() == "ranges"
    assert (work / "ms" / f"{EB}_targets.ms").exists() == prepared
    assert (tmp_path / "away/work/run/restore/calibrated/x.ms").exists() != prepared
    if prepared:
        kept = json.loads((work / "prepared.json").read_text())
        assert kept["facts"]["ebs"][0]["ms"] == str(work / f"ms/{EB}_targets.ms")
    assert "tclean(" in (tmp_path / "away/README.md").read_text()


def test_the_pipeline_stops_at_the_step_that_broke(ran, tmp_path):
    work = ran.directory / "image"
    steps = [{"id": n, "task": f"hif_{n}", "arguments": {}} for n in ("import", "findcont", "make")]
    make_tree(work, {"records/01-import.json": '{"state": "done"}'})
    make_tree(work, {"records/02-findcont.json": '{"state": "failed"}'})
    make_tree(ran.directory, {"restore/calibrated/x.ms/table.dat": "x"})
    inputs = {
        "steps": steps,
        "ms": [{"eb": EB, "path": str(ran.directory / "restore/calibrated/x.ms")}],
        "root": str(work),
        "records": str(work / "records"),
        "weblog": None,
        "display": ":99",
    }
    ran.job("image/pipeline", "pipeline_run", inputs)
    ran.ends_at(Stage.IMAGE)
    made = ran.make(tmp_path / "away")
    asked = json.loads((tmp_path / "away/job.json").read_text())["input"]
    assert [step["id"] for step in asked["steps"]] == ["import", "findcont"]
    assert (asked["weblog"], asked["display"]) == (False, None)
    assert made.cut[-1] == "2 of 3 steps: the last of them failed"


# --- stages without CASA, and what cannot be ------------------------------------------------------------


def test_a_fetch_that_failed_has_a_script_that_fetches(ran, tmp_path):
    ran.archive = "https://who:secret@archive.example.org"
    ran.write_run()
    with_journal(ran, "file.started", name="x_auxiliary.tar", n_bytes=10)
    record = {"name": "r.txt", "semantics": "#documentation", "n_bytes": 1, "sha256": "0" * 64}
    make_tree(ran.directory, {"fetch/records/r.txt.json": json.dumps(record)})
    ran.ends_at(Stage.FETCH, code="archive-file-damaged")
    made = ran.make(tmp_path / "away")
    assert made.job is None
    script = (tmp_path / "away/fetch.sh").read_text()
    assert "fetch x_auxiliary.tar" in script
    assert f"{'0' * 64}  r.txt" in script
    assert "curl --fail" in script
    told = "".join(p.read_text() for p in (tmp_path / "away").rglob("*") if p.is_file())
    assert "secret" not in told.replace("a password", "")
    assert subprocess.run(["sh", "-n", tmp_path / "away/fetch.sh"], check=False).returncode == 0


def with_journal(ran, event, **data):
    journal = Journal(ran.directory / "attempts" / "1" / "journal.jsonl", 1)
    journal.emit(event, **data)
    journal.close()


def test_a_derive_that_failed_names_its_images(ran, tmp_path):
    products = [
        {"path": "image/products/a.fits", "state": "made"},
        {"path": None, "state": "absent"},
    ]
    make_tree(ran.directory, {"image/products/a.fits": "SIMPLE"})
    document.write(ran.directory / "image" / PROVEN, {"value": {"products": products}})
    ran.ends_at(Stage.DERIVE, code="nothing-derived")
    made = ran.make(tmp_path / "away", with_data=True)
    assert (made.job, made.inputs) == (None, 1)
    assert (tmp_path / "away/run/image/products/a.fits").read_text() == "SIMPLE"
    assert "--stage image" in (tmp_path / "away/README.md").read_text()


def test_a_folder_that_is_there_is_kept(ran, tmp_path):
    ran.restored()
    mine = tmp_path / "mine"
    make_tree(mine, {"README.md": "# my own", "SHA256SUMS": ""})
    for force in (False, True):
        with pytest.raises(capsule.ReproExists):
            ran.make(mine, force=force)
    assert (mine / "README.md").read_text() == "# my own"
    ran.make(tmp_path / "away")
    with pytest.raises(capsule.ReproExists):
        ran.make(tmp_path / "away")
    (tmp_path / "away/old").write_text("")
    ran.make(tmp_path / "away", force=True)
    assert not (tmp_path / "away/old").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


# --- texts ---------------------------------------------------------------------------------------------

LINES = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=40, deadline=None)
@given(program=LINES, casadata=LINES, decisive=LINES)
def test_a_shell_reads_what_was_written(tmp_path_factory, program, casadata, decisive):
    ran = Ran(tmp_path_factory.mktemp("quoting"))
    ran.build = make_build(python=program, casadata="/" + casadata)
    ran.write_run()
    ran.job("restore/tables", "restore_tables", {})
    run = make_run(ran.archive, builds=(ran.build,))
    (job,) = capsule_call.jobs_of(ran.directory)
    call = capsule_call.read(ran.directory, run, job)
    text = capsule_texts.call_sh(call, run, decisive=decisive, looked=())
    (ran.directory / "call.sh").write_text(text)
    script = '. ./call.sh; printf "%s\\n" "$program" "$casadata" "$expected" "$origin"'
    said = subprocess.run(
        ["sh", "-c", script],
        cwd=ran.directory,
        capture_output=True,
        env={"PATH": os.defpath},
        check=True,
    )
    expected = capsule_texts.expected(decisive)
    wanted = [program, "/" + casadata, expected, str(ran.directory)]
    assert said.stdout.decode().split("\n")[:-1] == wanted


@given(LINES)
def test_what_is_expected_is_in_the_line_and_needs_no_escape(decisive):
    expected = capsule_texts.expected(decisive)
    assert expected in decisive
    assert not set("\"'\\") & set(expected)


def test_the_job_s_name_is_ours_and_no_log_has_it(ran, tmp_path):
    ran.restored()
    ran.row = replace(ran.row, decisive=f"restore_script: {DECISIVE}")
    ran.make(tmp_path / "away", with_data=True)
    assert f"there again: {DECISIVE}" in repeat(tmp_path / "away").stderr


def test_places_are_no_part_of_what_is_expected():
    line = f"RuntimeError: File {capsule_state.RUN}/restore/x.ms could not be opened for reading"
    assert capsule_texts.expected(line) == "could not be opened for reading"


@pytest.mark.parametrize(
    ("told", "public"),
    [
        ("https://who:pw@host/x", "https://host/x"),
        ('{"token": "abc", "n": 1}', '{"token": "[removed]", "n": 1}'),
        ("https://host/x?ticket=abc&n=1", "https://host/x?ticket=[removed]&n=1"),
        ("mail to a@b.org, 3 tokens", "mail to a@b.org, 3 tokens"),
    ],
)
def test_nobody_s_secrets(told, public):
    assert capsule_texts.public(told) == public
