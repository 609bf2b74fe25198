"""What run directories tell of what was tried, whole and spoilt ones."""

from __future__ import annotations

import json

from making import WHEN, make_run

from reimage import document, histories
from reimage.cases import Bounds, Inputs
from reimage.journal import Journal
from reimage.model import Result, Stage
from reimage.recipes.load import load_recipe, override
from reimage.remedies import decide
from reimage.run import Fault, Limits, Remedied
from reimage.triage.catalogue import Remedy
from reimage.triage.evidence import Absence, Evidence

PLAIN, SIZED = load_recipe("hifatargets-2017"), load_recipe("hifa-image-2018")
TOLD = "NoData: memory-predicted: needs 12800 MB of 7850"


def write(root, name, recipe=PLAIN, choice=None, **fields):
    directory = root / name
    directory.mkdir(parents=True)
    limits = Limits(memory_mb=8000, wall_s=600, silence_s=60, cores=2)
    run = make_run(root, run=name, recipe=document.dump(recipe), **{"limits": limits, **fields})
    document.write(directory / "run.json", run)
    if choice is not None:
        (directory / "choose").mkdir()
        document.write(directory / "choose" / "PROVEN.json", {"value": {"choice": choice}})
    return directory


def log(directory, *decisions):
    writer = Journal(directory / "controller.jsonl", 0, clock=lambda: WHEN)
    for number, decision in enumerate(decisions, 1):
        writer.emit("attempt.judged", number=number, decision=decision)
    writer.close()


def read(directory, attempt=1, result=Result.FAILED, remedy=Remedy.MORE_MEMORY, **evidence):
    return histories.read_case(
        directory,
        Evidence(run=directory.name, attempt=attempt, **evidence),
        attempt=attempt,
        result=result,
        error_class="memory",
        family="resources",
        remedy=remedy,
        fix=None,
    )


def test_what_a_run_was_given(tmp_path):
    directory = write(tmp_path, "r1", SIZED, {"build": "b", "alternatives": ["c", "a"]})
    case = read(directory, stage=Stage.IMAGE, peak_mb=7000, silent_s=5.0)
    assert case.inputs == Inputs(
        run="r1", memory_mb=8000, wall_s=600, cores=2, build="b", cube_gb=case.inputs.cube_gb
    )
    assert case.inputs.cube_gb > 0
    assert case.builds == ("b", "c", "a")
    assert (case.peak_mb, case.silent_s, case.silence_s, case.resumable) == (7000, 5.0, 60, True)
    assert not read(directory, stage=Stage.RESTORE).resumable


def test_sizes_are_the_recipes_own(tmp_path):
    assert read(write(tmp_path, "plain")).inputs.cube_gb is None
    free = override(SIZED, ["checkproductsize.maxcubesize=-1"])
    assert read(write(tmp_path, "free", free)).inputs.cube_gb == 0.0
    small = override(SIZED, ["checkproductsize.maxcubesize=7"])
    assert read(write(tmp_path, "small", small)).inputs.cube_gb == 7.0


def test_the_chain_is_read_from_beside_wherever_it_was_moved(tmp_path):
    first = {"build": "a", "alternatives": ["b", "c"]}
    write(tmp_path / "then", "r1", choice=first)
    remedied = Remedied(reason="x", author="controller", automatic=True)
    second = write(
        tmp_path / "then",
        "r2",
        choice={"build": "b", "alternatives": []},
        retry_of="r1",
        adopt_from="/gone/r1",
        remedy=remedied,
    )
    (tmp_path / "then").rename(tmp_path / "now")
    case = read(tmp_path / "now" / second.name)
    assert [one.build for one in (case.inputs, *case.earlier)] == ["b", "a"]
    assert [one.automatic for one in (case.inputs, *case.earlier)] == [True, False]
    assert case.builds == ("a", "b", "c")


def test_runs_that_follow_each_other_in_a_circle(tmp_path):
    write(tmp_path, "r1", retry_of="r2")
    case = read(write(tmp_path, "r2", retry_of="r1"))
    assert [one.run for one in case.earlier] == ["r1"]


def test_what_an_image_was_predicted_to_need(tmp_path):
    absent = (Absence(name="a", image="a", reason=TOLD),)
    case = read(write(tmp_path, "r1"), result=Result.PARTIAL, stage=Stage.ASSESS, absent=absent)
    assert 12800 < case.needed_mb < 13500
    fault = Fault(code="memory", message=TOLD, hint="", evidence={}, stage=Stage.IMAGE)
    assert read(tmp_path / "r1", fault=fault).needed_mb == case.needed_mb


def test_attempts_that_did_not_count(tmp_path):
    directory = write(tmp_path, "r1")
    retry = {"kind": "retry", "reason": "x"}
    log(directory, {**retry, "counts": False}, retry, {**retry, "counts": False}, {"kind": "end"})
    assert [read(directory, attempt).uncounted for attempt in (1, 2, 3, 4)] == [0, 1, 1, 2]
    assert histories.last_decision(directory) == {"kind": "end"}


def test_spoilt_records_are_no_reason_to_stop(tmp_path):
    directory = write(tmp_path, "r1", choice="none")
    lines = [{"event": "attempt.judged"}, {"event": "attempt.judged", "number": 1, "decision": "x"}]
    head = {"v": 1, "attempt": 0, "seq": 1, "at": WHEN.isoformat()}
    text = "".join(json.dumps({**head, **line}) + "\n" for line in lines)
    (directory / "controller.jsonl").write_text(text + "torn")
    case = read(directory, 2)
    assert (case.uncounted, case.builds, case.inputs.build) == (0, (), None)
    assert histories.last_decision(directory) is None
    (directory / "run.json").write_text("{}")
    gone = read(directory, 2)
    assert gone.inputs is None
    assert decide(gone, Bounds(memory_mb=64000, wall_s=86400.0)).kind == "end"
