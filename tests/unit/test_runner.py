"""One attempt, with real deliveries as far as no CASA is needed; stages that need it are stood in for."""

from __future__ import annotations

import errno
import shutil
from types import SimpleNamespace

import pytest
from making import EB, MEMBER, MOUS, make_archive, make_build, make_run, tar_bytes

from reimage import document, journal, runner
from reimage.model import Calibration, Stage
from reimage.run import Outcome

README = ("#documentation", b"CASA version used for reduction: 4.2.2\n")
SHELL = {
    "r.README.txt": README,
    "x_auxiliary.tar": ("#auxiliary", tar_bytes({f"{MEMBER}/script/scriptForPI.py": b""})),
}
MANUAL_AUX = tar_bytes(
    {f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py": b"re.search('^6.7.0', casalith.version())"}
)
RAW = tar_bytes({f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": b"<T/>"})
MANUAL = {"x_auxiliary.tar": ("#auxiliary", MANUAL_AUX), "x.asdm.sdm.tar": ("#progenitor", RAW)}


@pytest.fixture
def start(tmp_path):
    """Freeze a run of a small archive; returns a function that runs an attempt of it."""

    def prepare(files, name="run", archive=None, **fields):
        root = archive or make_archive(tmp_path / f"archive-{name}", files)
        directory = tmp_path / name
        directory.mkdir()
        document.write(directory / "run.json", make_run(root, **fields))

        def attempt(number=1):
            (directory / "ATTEMPT").write_text(f"{number}\n")
            return runner.run_attempt(directory, number)

        attempt.directory, attempt.archive = directory, root
        return attempt

    return prepare


def events(directory, attempt=1):
    path = directory / "attempts" / str(attempt) / "journal.jsonl"
    return [(e.event, e.data.get("stage")) for e, _ in journal.read(path)]


def test_a_semipass_shell_is_refused_by_its_listing_and_nothing_is_fetched(start):
    attempt = start({**SHELL, "x.asdm.sdm.tar": ("#progenitor", RAW)})
    outcome = attempt()
    assert (outcome.refused, outcome.finished, outcome.stage) == (True, False, Stage.FETCH)
    assert outcome.fault.code == "nothing-to-restore"
    assert document.read(Outcome, attempt.directory / "outcome.json") == outcome
    assert [p for p in (attempt.directory / "fetch").rglob("*") if p.is_file()] == []


def test_what_only_the_delivery_tells_is_refused_and_its_raw_data_stay_where_they_are(start):
    power = {f"{MEMBER}/script/{EB}.ms.scriptForSDCalibration.py": b"hsd_calimage"}
    attempt = start(
        {
            "r.README.txt": README,
            "x_auxiliary.tar": ("#auxiliary", tar_bytes(power)),
            "x.asdm.sdm.tar": ("#progenitor", RAW),
            "p_001_of_001.tar": ("#this", RAW),
        }
    )
    outcome = attempt()
    assert (outcome.refused, outcome.stage) == (True, Stage.CHOOSE)
    assert outcome.fault.code == "no-recipe"
    fetched = [p.name for p in (attempt.directory / "fetch/records").iterdir()]
    assert sorted(fetched) == ["r.README.txt.json", "x_auxiliary.tar.json"]
    value = document.read_json(attempt.directory / "fetch/PROVEN.json")["value"]
    left = {one["name"]: one["why"] for one in value["left"]}
    assert left == {
        "x.asdm.sdm.tar": value["postponed"],
        "p_001_of_001.tar": "products are made anew",
    }


def test_a_build_that_is_not_there_is_named(start):
    outcome = start(MANUAL, builds=(make_build("6.2.1.7"),))()
    assert (outcome.fault.code, outcome.fault.stage) == ("casa-build-missing", Stage.CHOOSE)
    assert outcome.fault.evidence["wanted"] == "6.7.0"


def test_proprietary_data_are_refused(start):
    outcome = start(MANUAL, facts={"data_rights": "Proprietary", "release_at": "2030-01-01"})()
    assert (outcome.refused, outcome.fault.code) == (True, "data-proprietary")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (RAW[:1800], "archive-file-damaged"),
        (b"<html>HTTP Status 500</html>", "archive-file-damaged"),
        (tar_bytes({"../../out": b"x"}), "archive-file-hostile"),
        (tar_bytes({"/out": b"x"}), "archive-file-hostile"),
    ],
)
def test_bad_raw_data_end_the_fetch_and_escape_nowhere(start, tmp_path, raw, code):
    attempt = start({**MANUAL, "x.asdm.sdm.tar": ("#progenitor", raw)})
    before = {path for path in tmp_path.rglob("*") if attempt.directory not in path.parents}
    outcome = attempt()
    assert (outcome.fault.code, outcome.fault.stage, outcome.refused) == (code, Stage.FETCH, False)
    assert {path for path in tmp_path.rglob("*") if attempt.directory not in path.parents} == before


def test_nothing_listed_is_coded(start):
    assert start(MANUAL, dataset="uid://A001/X7/X7")().fault.code == "archive-nothing-listed"


def test_until_stops_after_a_stage(start):
    outcome = start(MANUAL, until=Stage.CHOOSE)()
    assert (outcome.finished, outcome.stage, outcome.build) == (
        True,
        Stage.CHOOSE,
        "casa-6.7.0.31-py311",
    )


def test_a_second_attempt_keeps_what_is_proven(start):
    attempt = start(MANUAL, until=Stage.CHOOSE)
    attempt(1)
    attempt(2)
    assert ("stage.kept", "fetch") in events(attempt.directory, 2)
    assert ("stage.started", "fetch") not in events(attempt.directory, 2)


def test_killed_within_fetch_only_the_rest_is_fetched(start):
    attempt = start(MANUAL, until=Stage.CHOOSE)
    attempt(1)
    (attempt.directory / "fetch/PROVEN.json").unlink()
    (
        attempt.archive / "dataPortal/x_auxiliary.tar"
    ).unlink()  # fetched already: not asked for again
    assert attempt(2).finished


def test_a_superseded_attempt_writes_no_outcome(start, monkeypatch):
    attempt = start(MANUAL, until=Stage.CHOOSE)
    choose = runner.importlib.import_module("reimage.stages.choose")

    def overtaken(context):
        (attempt.directory / "ATTEMPT").write_text("2\n")
        return SimpleNamespace()

    monkeypatch.setattr(choose, "run", overtaken)
    with pytest.raises(runner.AttemptSuperseded):
        attempt(1)
    assert not (attempt.directory / "outcome.json").exists()
    assert not (attempt.directory / "choose/PROVEN.json").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full"),
        (ZeroDivisionError("division by zero"), "internal"),
    ],
)
def test_what_nobody_expected_is_recorded(start, monkeypatch, error, code):
    choose = runner.importlib.import_module("reimage.stages.choose")

    def broken(context):
        raise error

    monkeypatch.setattr(choose, "run", broken)
    attempt = start(MANUAL)
    outcome = attempt()
    assert outcome.fault.code == code
    assert (outcome.fault.traceback is not None) == (code == "internal")
    assert not list(attempt.directory.rglob("reserve"))


def test_a_rerun_adopts_the_fetched_files_of_the_earlier_run(start):
    first = start(MANUAL, until=Stage.CHOOSE)
    first()
    again = start(
        None,
        name="again",
        archive=first.archive,
        adopt_from=str(first.directory),
        until=Stage.CHOOSE,
    )
    shutil.rmtree(first.archive / "dataPortal")
    assert again().finished
    assert ("stage.adopted", "fetch") in events(again.directory)
    one, other = (next(run.directory.glob("fetch/delivery/**/Main.xml")) for run in (first, again))
    assert one.samefile(other)


def test_nothing_is_adopted_where_inputs_differ(start):
    first = start(MANUAL, until=Stage.CHOOSE)
    first()
    other = start(MANUAL, name="other", adopt_from=str(first.directory), until=Stage.CHOOSE)
    assert other().finished
    assert ("stage.adopted", "fetch") not in events(other.directory)


def test_the_delivery_is_read_as_manual(start):
    attempt = start(MANUAL, until=Stage.CHOOSE)
    attempt()
    value = document.read_json(attempt.directory / "choose/PROVEN.json")["value"]
    assert value["delivery"]["calibration"] == Calibration.MANUAL
    assert attempt.directory.name == "run"
    assert MOUS in value["delivery"]["dataset"]
