"""What happens after an attempt: how far remedies go, and that they never go round in a circle."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.cases import Bounds, Case, Change, Inputs
from reimage.model import Result
from reimage.remedies import OVER_PEAK, decide, is_interruption, propose, rung_above
from reimage.triage.catalogue import Family, Remedy

INPUTS = Inputs(run="r1", memory_mb=8000, wall_s=3600.0, cores=4, build="a", cube_gb=40.0)
BOUNDS = Bounds(memory_mb=64000, wall_s=86400.0)


def case(remedy, result=Result.FAILED, **other):
    fields = {
        "result": result,
        "error_class": "some-class",
        "family": "imaging",
        "remedy": Remedy(remedy),
        "inputs": INPUTS,
        "builds": ("a", "b", "c"),
    }
    return Case(**{**fields, **other})


@pytest.mark.parametrize(
    ("result", "remedy", "change", "kind"),
    [
        (Result.LOST, "retry", {}, "retry"),
        (Result.FAILED, "retry", {"attempt": 2}, "retry"),
        (Result.FAILED, "retry", {"attempt": 3}, "end"),
        (Result.FAILED, "retry", {"attempt": 7, "uncounted": 5}, "retry"),
        (Result.FAILED, "retry", {"attempt": 8, "uncounted": 5}, "end"),
        (Result.LOST, "retry", {"attempt": 9, "family": "infrastructure"}, "retry"),
        (Result.LOST, "retry", {"attempt": 10, "uncounted": 9}, "end"),
        (Result.FAILED, "retry", {"attempt": 9, "family": "fetch", "uncounted": 3}, "retry"),
        (Result.FAILED, "retry", {"cancelled": True}, "end"),
        (Result.FAILED, "more memory", {"cancelled": True}, "end"),
        (Result.FAILED, "none", {}, "end"),
        (Result.FAILED, "more memory", {}, "rerun"),
        (Result.FAILED, "more memory", {"inputs": None}, "end"),
        (Result.PARTIAL, "more memory", {"resumable": True}, "rerun"),
        (Result.PARTIAL, "more memory", {}, "end"),
        (Result.PARTIAL, "other build", {"resumable": True}, "end"),
        (Result.REFUSED, "retry", {}, "end"),
        (Result.PARTIAL, "retry", {}, "end"),
        (Result.CANCELLED, "retry", {}, "end"),
    ],
)
def test_decisions(result, remedy, change, kind):
    decision = decide(case(remedy, result, **change), BOUNDS)
    assert decision.kind == kind
    assert "some-class" in decision.reason
    assert (decision.change is not None) == (kind == "rerun")


def test_what_is_imaged_is_at_its_end():
    assert decide(case("none", Result.IMAGED, error_class=None), BOUNDS).reason == "imaged"


@pytest.mark.parametrize(
    ("remedy", "change", "wanted"),
    [
        ("more memory", {"peak_mb": 7900}, Change(memory_mb=12000)),
        ("more memory", {"peak_mb": 20000}, Change(memory_mb=30000)),
        ("more memory", {"peak_mb": 50000}, Change(memory_mb=64000)),
        ("more memory", {"needed_mb": 33000}, Change(memory_mb=33000)),
        (
            "more memory",
            {"peak_mb": 7900, "resumable": True},
            Change(memory_mb=12000, keeps_images=True),
        ),
        ("more time", {"silent_s": 10.0, "silence_s": 600.0}, Change(wall_s=7200.0)),
        ("more time", {"inputs": replace(INPUTS, wall_s=50000.0)}, Change(wall_s=86400.0)),
        ("other build", {}, Change(casa="b")),
        ("other build", {"earlier": (replace(INPUTS, build="b"),)}, Change(casa="c")),
        ("serial", {}, Change(cores=1)),
        ("fix", {"fix": "python2-port"}, Change(fix="python2-port")),
        ("shrink work", {}, Change(cube_gb=20.0)),
        # at the cap: what the recipe can make smaller
        ("more memory", {"inputs": replace(INPUTS, memory_mb=64000)}, Change(cube_gb=20.0)),
        ("more memory", {"needed_mb": 70000}, Change(cube_gb=20.0)),
    ],
)
def test_what_the_new_run_has(remedy, change, wanted):
    assert decide(case(remedy, **change), BOUNDS).change == wanted


@pytest.mark.parametrize(
    ("remedy", "inputs", "other", "words"),
    [
        ("more memory", {"memory_mb": 64000, "cube_gb": None}, {}, "needs a larger machine"),
        ("more memory", {"cube_gb": 0.0}, {"needed_mb": 70000}, "70000 MB wanted"),
        ("more time", {"wall_s": 86400.0, "cube_gb": None}, {}, "needs more time"),
        ("serial", {"cores": 1}, {}, "without parallel processes already"),
        ("fix", {"fixes": ("f",)}, {"fix": "f"}, "did not help"),
        ("other build", {"build": "c"}, {"builds": ("c",)}, "no further build would do (tried: c)"),
        ("other build", {"build": None}, {"builds": ()}, "tried: none"),
        ("shrink work", {"cube_gb": 1.5}, {}, "cannot be made smaller"),
    ],
)
def test_where_nothing_is_left(remedy, inputs, other, words):
    decision = decide(case(remedy, inputs=replace(INPUTS, **inputs), **other), BOUNDS)
    assert decision.kind == "end"
    assert words in decision.reason


def test_what_stood_still_is_given_no_more_time():
    still = case("more time", silent_s=700.0, silence_s=600.0)
    assert decide(still, BOUNDS).kind == "retry"
    assert propose(still, BOUNDS).change == Change()


def test_how_far_of_itself():
    followed = replace(INPUTS, automatic=True)
    tired = case("other build", inputs=followed, earlier=(followed, followed, INPUTS))
    assert decide(tired, BOUNDS).kind == "end"
    assert "3 of at most 3" in decide(tired, BOUNDS).reason
    assert propose(tired, BOUNDS).kind == "rerun", "a person may"
    fresh = replace(tired, inputs=INPUTS)
    assert decide(fresh, BOUNDS).kind == "rerun", "a person began anew"


@pytest.mark.parametrize("mode", ["ask", "off"])
def test_remedies_that_wait(mode):
    told = decide(case("more memory"), replace(BOUNDS, mode=mode))
    assert told.kind == "end"
    assert ("reimage failures remedy some-class" in told.reason) == (mode == "ask")
    again = decide(case("retry"), replace(BOUNDS, mode=mode))
    assert again.kind == ("retry" if mode == "ask" else "end")


def test_no_rung_is_skipped():
    rung, rungs = 100, []
    while rung < 100_000:
        rung = rung_above(rung)
        rungs.append(rung)
    assert rungs[:4] == [125, 187, 250, 375]
    assert {8000, 12000, 16000, 24000, 32000, 48000, 64000, 96000} <= set(rungs)
    assert all(1 < b / a <= 1.51 for a, b in itertools.pairwise(rungs))


# --- invariants -----------------------------------------------------------------------------------

SIZES = st.integers(1, 200_000)
MAYBE = st.none() | SIZES
EVERY_INPUT = st.builds(
    Inputs,
    run=st.just("r"),
    memory_mb=SIZES,
    wall_s=st.floats(1, 1e6),
    cores=st.integers(1, 64),
    build=st.none() | st.sampled_from("abcd"),
    fixes=st.sampled_from([(), ("f",)]),
    cube_gb=st.none() | st.floats(0, 100),
    automatic=st.booleans(),
)
CASES = st.builds(
    Case,
    result=st.sampled_from(list(Result)),
    error_class=st.just("c"),
    family=st.sampled_from([one.value for one in Family]),
    remedy=st.sampled_from(list(Remedy)),
    fix=st.none() | st.just("f"),
    attempt=st.integers(1, 40),
    uncounted=st.integers(0, 30),
    cancelled=st.booleans(),
    inputs=st.none() | EVERY_INPUT,
    earlier=st.lists(EVERY_INPUT, max_size=4).map(tuple),
    builds=st.lists(st.sampled_from("abcd"), unique=True).map(tuple),
    peak_mb=MAYBE,
    needed_mb=MAYBE,
    silent_s=st.none() | st.floats(0, 1e5),
    silence_s=st.none() | st.floats(1, 1e5),
    resumable=st.booleans(),
)
EVERY_BOUND = st.builds(
    Bounds,
    mode=st.sampled_from(["auto", "ask", "off"]),
    max_attempts=st.integers(1, 9),
    max_interruptions=st.integers(1, 20),
    max_remedies=st.integers(0, 5),
    memory_mb=SIZES,
    wall_s=st.floats(1, 1e6),
)


@given(CASES, EVERY_BOUND)
def test_a_decision_is_one_and_says_why(one, bounds):
    decision = decide(one, bounds)
    assert decision == decide(one, bounds)
    assert decision.reason.startswith("c: ")
    assert decision.counts or is_interruption(one)
    if one.cancelled or bounds.mode == "off":
        assert decision.kind == "end"
    if decision.kind == "rerun":
        assert bounds.mode == "auto"


@given(CASES, EVERY_BOUND)
def test_a_new_run_differs_and_stays_below_the_caps(one, bounds):
    told = propose(one, bounds)
    if told.kind != "rerun" or one.remedy is Remedy.RETRY or told.change in (Change(), None):
        return
    change, inputs = told.change, one.inputs
    if change.memory_mb is not None:
        assert inputs.memory_mb < change.memory_mb <= bounds.memory_mb
        assert change.memory_mb == bounds.memory_mb or (
            change.memory_mb >= int(OVER_PEAK * (one.peak_mb or 0))
        )
    if change.wall_s is not None:
        assert inputs.wall_s < change.wall_s <= bounds.wall_s
    if change.casa is not None:
        assert change.casa not in {inputs.build, *(earlier.build for earlier in one.earlier)}
    assert change.cores is None or change.cores < inputs.cores
    assert change.fix is None or change.fix not in inputs.fixes
    assert change.cube_gb is None or change.cube_gb < inputs.cube_gb
    assert replace(change, keeps_images=False) != Change()


@given(EVERY_BOUND, st.lists(st.tuples(st.booleans(), st.booleans()), min_size=40, max_size=60))
def test_a_run_is_tried_only_so_often(bounds, ends):
    """Whatever order machines and its own failures come in: both are bounded, each by its own number."""
    own = foreign = 0
    for attempt, (is_foreign, lost) in enumerate(ends, 1):
        family = "infrastructure" if is_foreign else "imaging"
        result = Result.LOST if is_foreign and lost else Result.FAILED
        now = case("retry", result, family=family, attempt=attempt, uncounted=foreign)
        decision = decide(now, bounds)
        assert decision.counts != is_foreign
        own, foreign = own + (not is_foreign), foreign + is_foreign
        if decision.kind == "end":
            reached = (
                foreign >= bounds.max_interruptions if is_foreign else own >= bounds.max_attempts
            )
            assert reached or bounds.mode == "off"
            return
    raise AssertionError("it never ended")


@given(
    EVERY_BOUND, st.lists(st.tuples(st.sampled_from(list(Remedy)), SIZES), min_size=80, max_size=80)
)
def test_no_dataset_goes_on_for_ever(bounds, ends):
    """A person who carries out every remedy, whatever fails next, comes to an end, too."""
    inputs, earlier = INPUTS, ()
    seen = {_what(inputs)}
    for remedy, peak in ends:
        if remedy is Remedy.RETRY:
            continue
        now = case(remedy, inputs=inputs, earlier=earlier, peak_mb=peak, fix="f")
        told = propose(now, bounds)
        if told.kind == "end":
            continue
        earlier, inputs = (inputs, *earlier), _after(inputs, told.change)
        assert _what(inputs) not in seen
        seen.add(_what(inputs))


def _after(inputs, change):
    """Return the inputs of the new run."""
    said = {"memory_mb": change.memory_mb, "wall_s": change.wall_s, "cores": change.cores}
    said |= {"build": change.casa, "cube_gb": change.cube_gb}
    new = replace(inputs, **{key: value for key, value in said.items() if value is not None})
    return replace(new, fixes=(*new.fixes, change.fix)) if change.fix else new


def _what(inputs):
    return replace(inputs, run="", automatic=False)
