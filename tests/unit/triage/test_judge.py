from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reimage.model import Product, ProductState, Result, Stage
from reimage.run import Exit, Fault, Outcome
from reimage.triage.advice import advice
from reimage.triage.catalogue import Remedy, load_classes
from reimage.triage.clues import Clue
from reimage.triage.evidence import Absence, Evidence
from reimage.triage.judge import judge
from reimage.triage.rules import ENDED_BY_US

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
CLASSES = load_classes()
JOB = "image/make"


def product(name="a.pbcor.fits", state=ProductState.MADE, reason=None, *, planned=True):
    return Product(
        name=name,
        kind="pbcor",
        image=name,
        target="NGC_1",
        spws="0",
        specmode="mfs",
        state=state,
        planned=planned,
        reason=reason,
    )


def outcome(
    fault=None, *, stage=Stage.ASSESS, finished=False, refused=False, products=(), caveats=()
):
    return Outcome(
        run="r1",
        attempt=1,
        stage=stage,
        finished=finished,
        refused=refused,
        fault=fault,
        products=tuple(products),
        caveats=caveats,
        ended_at=NOW,
    )


def fault(code="casa-job-failed", message="image_make failed", stage=Stage.IMAGE, **evidence):
    if code == "casa-job-failed":
        evidence = {"directory": f"/runs/d/r1/{JOB}"} | evidence
    return Fault(code=code, message=message, hint="", evidence=evidence, stage=stage)


def ended(why="exit", signal=None, exit_code=0, oom_kills=0):
    return Exit(
        attempt=1,
        host="node1",
        boot_id="b",
        pid=1,
        started_at=NOW,
        ended_at=NOW,
        exit_code=None if signal else exit_code,
        signal=signal,
        why=why,
        wall_s=10,
        cpu_s=10,
        peak_tree_mb=4321,
        peak_process_mb=4000,
        oom_kills=oom_kills,
    )


def line(text, *, job=JOB, severity="SEVERE", stage=Stage.IMAGE, **rest):
    return Clue(source=f"{job}/stderr.log", text=text, severity=severity, stage=stage, **rest)


def judged(result, end, *clues, absent=(), **keys):
    evidence = Evidence(
        run="r1",
        attempt=1,
        stage=(result.fault.stage if result.fault else result.stage) if result else Stage.IMAGE,
        fault=result.fault if result else None,
        exit=end,
        clues=clues,
        absent=tuple(absent),
        n_planned=len([one for one in result.products if one.planned]) if result else 0,
    )
    return judge(result, end, evidence, CLASSES, **keys)


def absences(*reasons):
    return [Absence(name=f"{n}.fits", image=str(n), reason=one) for n, one in enumerate(reasons)]


# --- the result --------------------------------------------------------------------------------


def test_a_finished_run_with_its_whole_plan_is_imaged():
    products = [
        product(),
        product("b", ProductState.MITIGATED),
        product("m", ProductState.ABSENT, planned=False),
    ]
    judgement = judged(
        outcome(finished=True, products=products, caveats=("restored-without-pipeline",)),
        ended(),
        line("std::bad_alloc"),
    )
    assert judgement.result is Result.IMAGED
    assert judgement.error_class is None
    assert judgement.signature is None
    assert judgement.caveats == ("restored-without-pipeline",)


def test_a_run_that_was_asked_to_stop_early_is_imaged_and_says_so():
    judgement = judged(outcome(finished=True, stage=Stage.RESTORE), ended())
    assert (judgement.result, judgement.caveats) == (Result.IMAGED, ("stopped-at:restore",))


def test_a_run_that_ends_well_and_made_nothing_has_failed():
    judgement = judged(outcome(finished=True), ended())
    assert (judgement.result, judgement.error_class) == (Result.FAILED, "plan-incomplete")


def test_absent_products_make_a_run_partial():
    products = [product(), product("b", ProductState.ABSENT, "who knows")]
    judgement = judged(
        outcome(finished=True, products=products), ended(), absent=absences("who knows")
    )
    assert (judgement.result, judgement.error_class) == (Result.PARTIAL, "plan-incomplete")
    assert "1 of 2" in judgement.advice
    assert judgement.signature


def test_the_reason_of_most_absences_is_the_class_of_a_partial_run():
    reasons = ["std::bad_alloc", "Exception (std): std::bad_alloc", "who knows"]
    products = [
        product(),
        *(product(str(n), ProductState.ABSENT, one) for n, one in enumerate(reasons)),
    ]
    judgement = judged(
        outcome(finished=True, products=products), ended(), absent=absences(*reasons)
    )
    assert (judgement.result, judgement.error_class) == (Result.PARTIAL, "memory")
    assert [one.error_class for one in judgement.symptoms] == ["plan-incomplete"]


def test_the_reason_of_a_few_absences_is_a_symptom():
    reasons = ["std::bad_alloc", "who knows", "nobody"]
    products = [
        product(),
        *(product(str(n), ProductState.ABSENT, one) for n, one in enumerate(reasons)),
    ]
    judgement = judged(
        outcome(finished=True, products=products), ended(), absent=absences(*reasons)
    )
    assert judgement.error_class == "plan-incomplete"
    assert [one.error_class for one in judgement.symptoms] == ["memory"]


def test_where_nothing_was_made_the_reasons_of_the_images_decide():
    reasons = {
        "a": "NoBeam: no unflagged data of spw 0",
        "b": "NotAnImage: psf is zero: no data were gridded",
    }
    failed = outcome(fault("imaging-made-nothing", reasons=reasons), stage=Stage.IMAGE)
    judgement = judged(failed, ended(), line("std::bad_alloc", job="image/earlier"))
    assert (judgement.result, judgement.error_class) == (Result.FAILED, "no-visibilities")
    assert [one.error_class for one in judgement.symptoms] == ["plan-incomplete"]
    odd = outcome(fault("imaging-made-nothing", reasons={"a": "who knows"}), stage=Stage.IMAGE)
    assert judged(odd, ended()).error_class == "plan-incomplete"


def test_a_refusal_is_no_failure_and_has_its_class():
    judgement = judged(
        outcome(fault("nothing-to-restore", stage=Stage.CHOOSE), refused=True, stage=Stage.CHOOSE),
        ended(exit_code=4),
    )
    assert (judgement.result, judgement.error_class) == (Result.REFUSED, "nothing-to-restore")


def test_a_refusal_that_no_class_knows_is_unclassified():
    judgement = judged(
        outcome(fault("refused", stage=Stage.CHOOSE), refused=True, stage=Stage.CHOOSE), ended()
    )
    assert (judgement.result, judgement.error_class) == (Result.REFUSED, "unclassified")
    assert judgement.signature


@pytest.mark.parametrize("result", [None, outcome(fault("internal"))])
def test_a_cancelled_run_is_cancelled_whatever_it_says(result):
    judgement = judged(result, ended("signal", "SIGTERM"), line("std::bad_alloc"), cancelled=True)
    assert (judgement.result, judgement.error_class) == (Result.CANCELLED, "cancelled")


def test_a_run_that_finished_before_it_could_be_cancelled_is_imaged():
    judgement = judged(outcome(finished=True, products=[product()]), ended(), cancelled=True)
    assert judgement.result is Result.IMAGED


# --- structure -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "result", "error_class"),
    [
        (None, Result.LOST, "lost"),
        (ended("signal", "SIGKILL"), Result.LOST, "killed"),
        (ended("signal", "SIGKILL", oom_kills=1), Result.FAILED, "memory"),
        (ended("memory", "SIGKILL"), Result.FAILED, "memory"),
        (ended("wall", "SIGKILL"), Result.FAILED, "wall-time"),
        (ended("signal", "SIGSEGV"), Result.FAILED, "core-dump"),
        (ended(exit_code=1), Result.FAILED, "internal"),
    ],
)
def test_without_an_outcome_structure_decides(end, result, error_class):
    judgement = judged(None, end, line('Field Expression: No match found for name "X"'))
    assert (judgement.result, judgement.error_class) == (result, error_class)


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("archive-file-damaged", "archive-file-damaged"),
        ("casa-build-missing", "casa-build-missing"),
        ("casa-timeout", "wall-time"),
        ("casa-silent", "hang"),
        ("internal", "internal"),
        ("disk-full", "disk-full"),
    ],
)
def test_a_fault_with_a_code_of_its_own_is_its_class(code, error_class):
    judgement = judged(
        outcome(fault(code, signal="SIGKILL" if code in ENDED_BY_US else None)), ended()
    )
    assert judgement.error_class == error_class
    assert judgement.result is Result.FAILED
    assert "killed" not in {one.error_class for one in judgement.symptoms}


def test_the_code_wins_over_the_lines():
    judgement = judged(
        outcome(fault("archive-file-size", stage=Stage.FETCH)), ended(), line("std::bad_alloc")
    )
    assert judgement.error_class == "archive-file-size".replace("size", "damaged")


# --- rules -----------------------------------------------------------------------------------------


def test_the_earliest_cause_in_the_failed_job_is_the_root():
    judgement = judged(
        outcome(fault()),
        ended(),
        line("std::bad_alloc", job="image/earlier"),
        line("ConversionException : cannot convert table Main."),
        line("Table nocal.tbl does not exist."),
    )
    assert judgement.error_class == "corrupt-asdm"
    assert {one.error_class for one in judgement.symptoms} == {"memory", "missing-caltable"}


def test_memory_is_the_root_of_the_abort_that_it_brings():
    judgement = judged(
        outcome(fault(signal="SIGABRT")),
        ended(),
        line("terminate called after throwing an instance of 'std::bad_alloc'", severity="OUTPUT"),
    )
    assert judgement.error_class == "memory"
    assert [one.error_class for one in judgement.symptoms] == ["core-dump"]
    assert judgement.remedy is Remedy.MORE_MEMORY


def test_an_abort_without_reason_is_a_core_dump():
    judgement = judged(outcome(fault(signal="SIGABRT")), ended())
    assert judgement.error_class == "core-dump"


def test_heap_corruption_is_not_corrupt_data():
    judgement = judged(
        outcome(fault(signal="SIGABRT")),
        ended(),
        line("corrupted size vs. prev_size", severity="OUTPUT"),
    )
    assert judgement.error_class == "core-dump"


def test_a_hang_after_a_memory_error_is_memory():
    judgement = judged(
        outcome(fault("casa-silent", directory=f"/runs/d/r1/{JOB}")), ended(), line("MemoryError")
    )
    assert judgement.error_class == "memory"
    assert "hang" in {one.error_class for one in judgement.symptoms}


def test_no_solutions_explain_the_missing_table_but_not_a_full_disk():
    warning = line(
        "Found no unflagged data at:   (time=x field=1 spw=0 chan=0)",
        severity="OUTPUT",
        stage=Stage.RESTORE,
        job="restore/script",
    )
    directory = "/runs/d/r1/restore/script"
    failed = outcome(fault(stage=Stage.RESTORE, directory=directory))
    missing = replace(warning, text="RuntimeError: Table g.tbl does not exist.")
    full = replace(warning, text="No space left on device")
    assert judged(failed, ended(), warning, missing).error_class == "no-solutions"
    assert judged(failed, ended(), warning, full).error_class == "disk-full"
    assert judged(failed, ended(), missing, warning).error_class == "missing-caltable"


def test_lines_of_other_stages_are_symptoms_only():
    judgement = judged(
        outcome(fault()), ended(), line("std::bad_alloc", job="restore/script", stage=Stage.RESTORE)
    )
    assert judgement.error_class == "unclassified"
    assert [one.error_class for one in judgement.symptoms] == ["memory"]


def test_what_no_class_knows_is_unclassified_with_a_signature_by_its_words():
    one = judged(
        outcome(fault()), ended(), line("RuntimeError: spw 3 is odd", severity="EXCEPTION")
    )
    other = judged(
        outcome(fault()), ended(), line("RuntimeError: spw 17 is odd", severity="EXCEPTION")
    )
    else_ = judged(
        outcome(fault()), ended(), line("RuntimeError: field is odd", severity="EXCEPTION")
    )
    assert one.error_class == "unclassified"
    assert one.author == "unclassified@sv1"
    assert one.signature == other.signature != else_.signature


@pytest.mark.parametrize("severity", ["WARN", "OUTPUT"])
def test_a_warning_is_no_root_where_something_graver_is_unknown(severity):
    warning = line("Channel 1000 out of range for SPW 3 (valid range 0~63).", severity=severity)
    grave = line("RuntimeError: quite another thing", severity="EXCEPTION")
    judgement = judged(outcome(fault()), ended(), warning, grave)
    assert judgement.error_class == "unclassified"
    assert judgement.decisive == "RuntimeError: quite another thing"
    assert [one.error_class for one in judgement.symptoms] == ["channels-out-of-range"]
    assert judged(outcome(fault()), ended(), warning).error_class == "channels-out-of-range"


def test_a_symptom_is_told_by_what_says_more():
    exception = line(
        "RuntimeError: the antenna is odd",
        severity="EXCEPTION",
        stage=Stage.RESTORE,
        job="restore/script",
    )
    failed = outcome(fault("restore-no-ms", "no calibrated MS of uid___A002_X1_X2", Stage.RESTORE))
    judgement = judged(failed, ended(), exception)
    assert judgement.error_class == "script-stopped"
    assert judgement.decisive == "RuntimeError: the antenna is odd"
    assert judged(failed, ended()).decisive == "no calibrated MS of uid___A002_X1_X2"


def test_what_stopped_the_script_is_the_root_of_the_missing_ms():
    broken = line(
        "ConversionException : cannot convert table Main.",
        stage=Stage.RESTORE,
        job="restore/script",
    )
    failed = outcome(fault("restore-no-ms", "no calibrated MS", Stage.RESTORE))
    judgement = judged(failed, ended(), broken)
    assert judgement.error_class == "corrupt-asdm"
    assert [one.error_class for one in judgement.symptoms] == ["script-stopped"]


def test_judging_is_pure():
    case = (outcome(fault(signal="SIGABRT")), ended(), line("std::bad_alloc"))
    assert judged(*case) == judged(*case)


# --- what goes with it ------------------------------------------------------------------------------


def test_a_passive_class_is_judged_but_has_no_remedy():
    classes = tuple(
        one.model_copy(update={"mode": "passive"}) if one.id == "memory" else one for one in CLASSES
    )
    evidence = Evidence(run="r1", attempt=1, stage=Stage.IMAGE)
    judgement = judge(None, ended("memory", "SIGKILL"), evidence, classes)
    assert (judgement.error_class, judgement.remedy) == ("memory", Remedy.NONE)
    version = next(one.version for one in CLASSES if one.id == "memory")
    assert judgement.author == f"memory@{version}"


def test_advice_takes_facts_and_nothing_else():
    (build_missing,) = [one for one in CLASSES if one.id == "casa-build-missing"]
    evidence = Evidence(
        run="r1", attempt=1, fault=fault("casa-build-missing", wanted="4.2.2 {run.__class__}")
    )
    text = advice(build_missing, evidence)
    assert "Wanted: CASA 4.2.2 {run.__class__}." in text
    assert "reimage rerun r1" in text
    assert "reimage casa register PATH" in text
    assert "CASA <wanted>" in advice(build_missing, Evidence(run="r1", attempt=1))


# --- restored in part ----------------------------------------------------------------------------


def test_images_of_some_execution_blocks_are_partial_and_say_so():
    left_out = "uid___A002_X1_X2,uid___A002_X1_X3"
    done = outcome(finished=True, products=[product()], caveats=(f"restored-partially:{left_out}",))
    judgement = judged(done, ended())
    assert (judgement.result, judgement.error_class) == (Result.PARTIAL, "restored-in-part")
    assert judgement.decisive == "restored without uid___A002_X1_X2, uid___A002_X1_X3"


def test_where_images_are_absent_too_their_reason_weighs_more():
    done = outcome(
        finished=True,
        products=[product(), product("b", ProductState.ABSENT)],
        caveats=("restored-partially:uid___A002_X1_X2",),
    )
    judgement = judged(done, ended(), absent=absences("std::bad_alloc"))
    assert (judgement.result, judgement.error_class) == (Result.PARTIAL, "memory")


def said(text, *, severity, job=JOB, stage=Stage.IMAGE):
    return Clue(source=f"{job}/casa.log", text=text, severity=severity, stage=stage)


BLANK = "PSF is blank for[C0:P0]"
ODD = "ValueError: something that nobody has seen yet"


def judged_as(*clues):
    evidence = Evidence(run="r1", attempt=1, stage=Stage.IMAGE, fault=fault(), clues=clues)
    return judge(outcome(fault(), stage=Stage.IMAGE), ended(), evidence, CLASSES).error_class


def test_a_warning_is_the_cause_whatever_other_stages_said():
    """What is grave elsewhere was dealt with there."""
    elsewhere = said(ODD, severity="EXCEPTION", job="restore/script", stage=Stage.RESTORE)
    assert judged_as(elsewhere, said(BLANK, severity="WARN")) == "no-visibilities"


def test_a_warning_is_not_the_cause_of_what_nobody_knows():
    warning, odd = said(BLANK, severity="WARN"), said(ODD, severity="EXCEPTION")
    assert judged_as(warning, odd) == judged_as(odd, warning) == "unclassified"


def test_what_another_job_said_is_not_why_this_one_failed_in_a_way_that_nobody_knows():
    """The other one ended well all the same, or its failure was dealt with."""
    other = said("Data selection ended with 0 rows", severity="SEVERE", job="image/make-0")
    assert judged_as(other, said(ODD, severity="EXCEPTION")) == "unclassified"
    assert judged_as(other) == "no-visibilities"
