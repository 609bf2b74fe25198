from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage import document
from reimage.model import Result, Stage
from reimage.run import Limits
from reimage.triage import scheduler
from reimage.triage.catalogue import load_classes
from reimage.triage.evidence import Evidence, collect
from reimage.triage.judge import judge
from reimage.triage.scheduler import SchedulerRecord, Step, clues, word

CLASSES = load_classes()
NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def record(state, *steps, **facts):
    told = [Step(id=str(number), state=one) for number, one in enumerate(steps)]
    steps = facts.pop("steps", tuple(told))
    return SchedulerRecord(
        scheduler="slurm", source="sacct", job="7", state=state, steps=steps, **facts
    )


def judged(found, **facts):
    evidence = Evidence(run="r1", attempt=1, stage=Stage.IMAGE, scheduler=found, **facts)
    return judge(None, None, evidence, CLASSES)


@pytest.mark.parametrize(
    ("found", "result", "error_class"),
    [
        (record("OUT_OF_MEMORY"), Result.FAILED, "memory"),
        (record("COMPLETED", "COMPLETED", "OUT_OF_MEMORY"), Result.FAILED, "memory"),
        (record("FAILED", "OUT_OF_MEMORY"), Result.FAILED, "memory"),
        (record("NODE_FAIL", "OUT_OF_MEMORY"), Result.FAILED, "memory"),
        (record("COMPLETED", exit_code=0, signal=125), Result.FAILED, "memory"),
        (
            record("COMPLETED", steps=(Step(id="batch", state="FAILED", signal=125),)),
            Result.FAILED,
            "memory",
        ),
        (record("TIMEOUT", "CANCELLED"), Result.FAILED, "wall-time"),
        (record("DEADLINE"), Result.FAILED, "wall-time"),
        (record("NODE_FAIL", "CANCELLED"), Result.LOST, "node-failed"),
        (record("BOOT_FAIL"), Result.LOST, "node-failed"),
        (record("PREEMPTED"), Result.LOST, "preempted"),
        (record("CANCELLED by 1000"), Result.CANCELLED, "cancelled"),
        (record("CANCELLED by 0"), Result.FAILED, "cancelled-by-site"),
        (record("CANCELLED by slurm"), Result.FAILED, "cancelled-by-site"),
        (record("PENDING", reason="BadConstraints"), Result.LOST, "request-unsatisfiable"),
        (record("COMPLETED"), Result.LOST, "lost"),
        (None, Result.LOST, "lost"),
    ],
    ids=str,
)
def test_a_run_that_left_no_word_is_judged_by_the_scheduler(found, result, error_class):
    judgement = judged(found)
    assert (judgement.result, judgement.error_class) == (result, error_class)


def test_a_job_that_is_only_waiting_is_no_class_of_its_own():
    assert judged(record("PENDING", reason="Resources")).error_class == "unclassified"


def test_what_ran_out_of_time_without_a_word_hung():
    limits = Limits(memory_mb=1000, wall_s=7200.0, silence_s=1800.0)
    hung = judged(record("TIMEOUT"), limits=limits, silent_s=3600.0)
    assert hung.error_class == "hang"
    assert "wall-time" in [one.error_class for one in hung.symptoms]
    assert judged(record("TIMEOUT"), limits=limits, silent_s=60.0).error_class == "wall-time"


def test_the_record_is_read_with_the_evidence(tmp_path):
    attempt = tmp_path / "attempts" / "2"
    attempt.mkdir(parents=True)
    found = record("COMPLETED", "OUT_OF_MEMORY", ended_at=NOW, memory_mb=8000, nodes=("node7",))
    document.write(attempt / scheduler.RECORD_FILE, found)
    log = tmp_path / "image" / "make" / "stderr.log"
    log.parent.mkdir(parents=True)
    log.write_text("it began\n")
    said = (NOW - timedelta(seconds=90)).timestamp()
    os_times(log, said)
    evidence = collect(tmp_path, 2, None, None)
    assert evidence.scheduler == found
    assert evidence.silent_s == 90.0
    assert collect(tmp_path, 1, None, None).scheduler is None


def os_times(path, at):
    import os  # noqa: PLC0415 -- only here

    os.utime(path, (at, at))


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"job": 1}', '{"schema": 99}'])
def test_a_damaged_record_is_none(tmp_path, text):
    (tmp_path / scheduler.RECORD_FILE).write_text(text)
    assert scheduler.read(tmp_path) is None


STATES = st.sampled_from(
    ["COMPLETED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL", "CANCELLED by 0", "CANCELLED+"]
)


@given(STATES, st.lists(STATES, max_size=6))
def test_memory_is_told_first_and_each_state_once(state, steps):
    told = [one.scheduler for one in clues(record(state, *steps), Stage.IMAGE)]
    assert len(told) == len(set(told))
    assert ("OUT_OF_MEMORY" in told) == ("OUT_OF_MEMORY" in (state, *steps))
    assert "OUT_OF_MEMORY" not in told[1:]
    assert not {"COMPLETED", "FAILED"} & set(told)


def test_a_state_is_its_first_word():
    assert [word(one) for one in ("CANCELLED by 5", "cancelled+", "", " TIMEOUT ")] == [
        "CANCELLED",
        "CANCELLED",
        "",
        "TIMEOUT",
    ]
