from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from reimage import document
from reimage.model import Product, ProductState, Stage
from reimage.run import Fault, Limits, Outcome, Run
from reimage.triage import evidence as module
from reimage.triage import texts
from reimage.triage.catalogue import load_classes
from reimage.triage.evidence import Evidence, collect, excerpt, of_path, of_text
from reimage.triage.judge import judge, judge_text

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
OOM = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"


def write_job(directory, *, stderr="", casa="", exit_code=None, signal=None, why="exit", ok=None):
    directory.mkdir(parents=True)
    (directory / "job.json").write_text(json.dumps({"job": "image_make"}))
    (directory / "stderr.log").write_text(stderr)
    (directory / "casa.log").write_text(casa)
    (directory / "exit.json").write_text(
        json.dumps({"exit_code": exit_code, "signal": signal, "why": why, "wall_s": 1.0})
    )
    if ok is not None:
        (directory / "result.json").write_text(json.dumps({"ok": ok, "value": {}}))
    return directory


def failed(directory, code="casa-job-failed", stage=Stage.IMAGE, **facts):
    return Outcome(
        run="r1",
        attempt=1,
        stage=stage,
        finished=False,
        fault=Fault(
            code=code,
            message="image_make was ended by SIGABRT",
            hint="",
            evidence={"directory": str(directory), **facts},
            stage=stage,
        ),
        ended_at=NOW,
    )


def test_a_failed_job_is_collected_and_judged(tmp_path):
    job = write_job(tmp_path / "image" / "make", stderr=OOM, signal="SIGABRT", why="signal")
    outcome = failed(job, signal="SIGABRT")
    evidence = collect(tmp_path, 1, outcome, None)
    (seen,) = evidence.jobs
    assert (seen.job, seen.directory, seen.stage) == ("image_make", "image/make", Stage.IMAGE)
    assert evidence.tails["image/make/stderr.log"].endswith("std::bad_alloc")
    assert judge(outcome, None, evidence, load_classes()).error_class == "memory"


def test_evidence_is_json_and_comes_back_whole(tmp_path):
    job = write_job(tmp_path / "image" / "make", stderr=OOM, signal="SIGABRT", why="signal")
    evidence = collect(tmp_path, 1, failed(job), None)
    document.write(tmp_path / module.EVIDENCE_FILE, evidence)
    again = document.read(Evidence, tmp_path / module.EVIDENCE_FILE)
    assert again == evidence
    assert again.clues


def test_a_signal_that_we_sent_is_no_clue(tmp_path):
    write_job(tmp_path / "restore" / "script", signal="SIGTERM", why="silent")
    (clue,) = collect(tmp_path, 1, None, None).clues
    assert (clue.signal, clue.why) == (None, "silent")


def test_clues_come_in_the_order_of_time(tmp_path):
    write_job(
        tmp_path / "restore" / "script",
        casa="2026-11-20 06:11:50\tSEVERE\tb::\tsecond\n",
        stderr="2026-11-20 06:11:40\tSEVERE\ta::\tfirst\nERROR: with that\n",
        ok=False,
    )
    assert [clue.text for clue in collect(tmp_path, 1, None, None).clues] == [
        "first",
        "ERROR: with that",
        "second",
    ]


def test_tables_and_products_are_not_searched(tmp_path):
    table = tmp_path / "image" / "work" / "x.ms"
    write_job(table, stderr="ERROR: never read\n")
    (table / "table.dat").write_text("")
    write_job(tmp_path / "fetch" / "delivery" / "log", stderr="ERROR: somebody else's\n")
    assert collect(tmp_path, 1, None, None).jobs == ()


def test_the_fault_speaks_where_the_directory_is_gone(tmp_path):
    outcome = failed(
        "gone",
        severe=["2026-11-20 06:11:17\tSEVERE\tx::\tTable nocal.tbl does not exist."],
        stderr_tail=OOM,
    )
    evidence = collect(tmp_path / "nothing", 1, outcome, None)
    assert [clue.severity for clue in evidence.clues] == ["SEVERE", "OUTPUT", "OUTPUT"]
    assert evidence.disk_free_mb is None


def test_our_own_traceback_is_evidence(tmp_path):
    outcome = failed("x", code="internal", stage=Stage.DERIVE)
    trace = (
        "Traceback (most recent call last):\n"
        '  File "reimage/products/preview.py", line 9, in draw\n'
        "OSError: [Errno 28] No space left on device\n"
    )
    broken = Fault(
        code="internal",
        message="OSError",
        hint="",
        evidence={},
        stage=Stage.DERIVE,
        traceback=trace,
    )
    outcome = Outcome(
        run="r1", attempt=1, stage=Stage.DERIVE, finished=False, fault=broken, ended_at=NOW
    )
    evidence = collect(tmp_path, 1, outcome, None)
    assert evidence.clues[0].frames == ("preview.draw",)
    judgement = judge(outcome, None, evidence, load_classes())
    assert judgement.error_class == "disk-full"
    assert [one.error_class for one in judgement.symptoms] == ["internal"]


def test_the_plan_is_compared_with_what_was_made(tmp_path):
    products = [
        Product(
            name=f"{state}.fits",
            kind="pbcor",
            image="i",
            target="t",
            spws="0",
            specmode="mfs",
            state=state,
            planned=planned,
            reason="none",
        )
        for state, planned in [
            (ProductState.MADE, True),
            (ProductState.ABSENT, True),
            (ProductState.ABSENT, False),
        ]
    ]
    outcome = Outcome(
        run="r1",
        attempt=1,
        stage=Stage.ASSESS,
        finished=True,
        products=tuple(products),
        ended_at=NOW,
    )
    evidence = collect(tmp_path, 1, outcome, None)
    assert (evidence.n_planned, evidence.n_made) == (2, 1)
    assert [one.name for one in evidence.absent] == ["absent.fits"]


@pytest.mark.parametrize("name", ["exit.json", "result.json", "job.json"])
def test_a_damaged_record_is_a_missing_one(tmp_path, name):
    job = write_job(tmp_path / "image" / "make", stderr=OOM)
    (job / name).write_text("[1, 2")
    assert collect(tmp_path, 1, None, None).clues


def test_a_huge_log_is_read_at_both_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "MOST_BYTES", 2000)
    noise = "2026-11-20 06:11:17\tINFO\tx::\tnothing to see\n" * 2000
    write_job(
        tmp_path / "image" / "make",
        stderr="ERROR: the beginning\n"
        + noise
        + "ERROR: the middle\n"
        + noise
        + "ERROR: the end\n",
    )
    assert [clue.text for clue in collect(tmp_path, 1, None, None).clues] == [
        "ERROR: the beginning",
        "ERROR: the end",
    ]


def test_a_binary_log_is_read_without_harm(tmp_path):
    job = write_job(tmp_path / "image" / "make")
    (job / "stderr.log").write_bytes(bytes(range(256)) * 1000 + OOM.encode())
    assert "std::bad_alloc" in collect(tmp_path, 1, None, None).clues[-1].text


def test_an_excerpt_is_one_short_line():
    text = excerpt(of_text("RuntimeError: " + "long " * 400 + "\n"))
    assert len(text) == 500
    assert "\n" not in text
    assert text.startswith("log: RuntimeError: long")


def test_an_excerpt_prefers_what_explains():
    evidence = of_text(
        "Exception: ASDM conversion error. Check the logs for additional details.\n"
        "RuntimeError: ConversionException : cannot convert table Main.\n"
    )
    assert "ConversionException" in excerpt(evidence)


def test_an_excerpt_of_nothing_says_so():
    assert excerpt(Evidence(run="r1", attempt=1)) == "no outcome and no exit record"


def test_logs_that_somebody_brings_are_read_from_a_file_or_a_directory(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "stderr.log").write_text(OOM)
    (tmp_path / "notes.txt").write_text("ERROR: not a log\n")
    of_directory = of_path(tmp_path)
    assert of_directory.clues == of_path(tmp_path / "deep" / "stderr.log").clues
    assert [clue.severity for clue in of_directory.clues] == ["OUTPUT", "OUTPUT"]
    assert judge_text(of_directory, load_classes()).error_class == "memory"


def test_what_was_asked_for_is_part_of_the_evidence(tmp_path):
    limits = Limits(memory_mb=8000, wall_s=3600.0, silence_s=600.0)
    run = Run(
        run="r1",
        holding="alma",
        dataset="uid://A001/X1/X2",
        facts={"observed_at": "2017-03-20T03:22:42"},
        recipe={"id": "hifa-image"},
        recipe_digest="0",
        archive="/data/archive",
        builds=(),
        fixes=(),
        limits=limits,
        created_at=NOW,
    )
    document.write(tmp_path / "run.json", run)
    evidence = collect(tmp_path, 1, None, None)
    assert (evidence.recipe, evidence.limits) == ("hifa-image", limits)
    assert evidence.observed_at == datetime(2017, 3, 20, 3, 22, 42, tzinfo=UTC)
    assert evidence.reimage
    assert evidence.disk_free_mb is not None
    assert evidence.disk_free_mb > 0


@pytest.mark.parametrize("text", ["", "{}", '{"facts": 3}'])
def test_a_damaged_record_of_the_run_leaves_the_rest(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    write_job(tmp_path / "image" / "make", stderr=OOM)
    evidence = collect(tmp_path, 1, None, None)
    assert evidence.recipe is None
    assert evidence.clues


def test_a_clue_knows_the_casa_that_spoke(tmp_path):
    head = "2026-11-20 09:49:52\tINFO\t::casa\tCASA Version {}\n"
    write_job(tmp_path / "restore" / "script", stderr=OOM, casa=head.format("4.7.2-REL (r39762)"))
    write_job(tmp_path / "image" / "make", stderr=OOM, casa=head.format("MODULAR 6.7.0.31"))
    evidence = collect(tmp_path, 1, None, None)
    told = {clue.stage: clue.casa for clue in evidence.clues}
    assert told == {Stage.RESTORE: "4.7.2-REL", Stage.IMAGE: "6.7.0.31"}
    assert {job.stage: job.casa for job in evidence.jobs} == told
    brought = of_path(tmp_path)
    assert {clue.casa for clue in brought.clues} == {"4.7.2-REL", "6.7.0.31"}


def test_what_the_pipeline_found_is_kept(tmp_path):
    outcome = failed("x", findings=["makeimages: clean-failed: " + "it went wrong " * 100])
    (found,) = collect(tmp_path, 1, outcome, None).findings
    assert found.startswith("makeimages: clean-failed: ")
    assert len(found) == 500


def test_evidence_of_an_earlier_reimage_is_read(tmp_path):
    """What is new in it since has a default; what it had is still there."""
    document.write(tmp_path / "new.json", of_text(OOM))
    data = json.loads((tmp_path / "new.json").read_text())
    new = {"scheduler", "silent_s", "findings", "casa", "build", "recipe", "observed_at"}
    new |= {"limits", "files_free", "reimage"}
    for name in new:
        del data[name]
    for clue in data["clues"]:
        del clue["casa"]
    (tmp_path / "old.json").write_text(json.dumps(data))
    old = document.read(Evidence, tmp_path / "old.json")
    assert old == of_text(OOM)


@pytest.mark.slow
def test_evidence_is_bounded_however_much_was_said(tmp_path):
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
    said = "".join(f"ERROR: {word} failed {'x' * 3000}\n" for word in words)
    for number in range(45):
        write_job(tmp_path / "image" / f"make-{number}", stderr=said, casa=said)
    evidence = collect(tmp_path, 1, None, None)
    document.write(tmp_path / "evidence.json", evidence)
    assert len(evidence.jobs) == 40
    assert (tmp_path / "evidence.json").stat().st_size < 4_000_000
    assert "image/make-44" in {clue.source.rpartition("/")[0] for clue in evidence.clues}
