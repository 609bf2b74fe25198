"""What helped with failures like one, told from what happened."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reimage.desk import alike
from reimage.model import Result
from reimage.store.sequels import Again, Sequel, Try

FAILED = Try(
    run="r1",
    dataset_id=1,
    build="casa-6.5.4",
    recipe="hifa-image",
    recipe_digest="d1",
    memory_mb=8000,
    limit_s=3600.0,
    fixes=frozenset(),
    result=Result.FAILED,
    error_class="memory",
    signature="sv1:aa",
)
WELL = {"result": Result.IMAGED, "error_class": None, "signature": None}


def then(run="r2", **changed):
    return Sequel(failed=FAILED, then=replace(FAILED, run=run, **changed))


def told(*sequels, again=(), of="class", name="memory"):
    found = alike.helped(of, name, sequels, again)
    return {one.change: (one.tried, one.imaged, one.partial, one.same) for one in found}


def test_changes_are_counted_with_what_came_of_them():
    sequels = [
        then(memory_mb=16000, **WELL),
        then("r3", memory_mb=32000),
        then("r4", memory_mb=16000, result=Result.PARTIAL, error_class="plan-incomplete"),
        then("r5", build="casa-6.6.1", fixes=frozenset({"python2-port"}), **WELL),
        then("r6"),
    ]
    assert told(*sequels) == {
        "build casa-6.6.1 + fix python2-port": (1, 1, 0, 0),
        "more memory": (3, 1, 1, 1),
        "the same again": (1, 0, 0, 1),
    }
    found = alike.helped("class", "memory", sequels, ())
    assert [one.example for one in found] == ["r2", "r5", "r6"]


def test_every_input_that_differs_is_told():
    differing = {
        "build": "casa-other",
        "limit_s": 7200.0,
        "memory_mb": 4000,
        "recipe_digest": "d2",
    }
    one = replace(FAILED, **differing)
    assert list(alike.changes(FAILED, one)) == [
        *("build casa-other", "other parameters", "less memory", "more time")
    ]
    assert list(alike.changes(FAILED, replace(FAILED, build=None))) == []  # ended before its choice
    back = replace(FAILED, recipe="hifatargets-2017", recipe_digest="d3")
    assert list(alike.changes(FAILED, back)) == ["recipe hifatargets-2017"]
    assert list(alike.changes(replace(FAILED, fixes=frozenset("a")), FAILED)) == ["without fix a"]


def test_another_attempt_may_have_been_enough():
    again = [
        Again(run="r1", attempt=2, error_class=None, signature=None),
        Again(run="r2", attempt=2, error_class="memory", signature="sv1:bb"),
    ]
    assert told(again=again) == {"another attempt": (2, 1, 0, 1)}
    assert told(again=again, of="signature", name="sv1:aa") == {"another attempt": (2, 1, 0, 0)}


@given(st.lists(st.tuples(st.sampled_from(list(Result)), st.integers(1, 3)), max_size=20))
def test_no_run_is_counted_twice(ends):
    sequels = [then(f"r{n}", result=end, memory_mb=8000 * k) for n, (end, k) in enumerate(ends)]
    found = alike.helped("class", "memory", sequels, ())
    assert sum(one.tried for one in found) == len(ends)
    assert all(one.imaged + one.partial <= one.tried and one.same <= one.tried for one in found)
    assert [one.imaged for one in found] == sorted((one.imaged for one in found), reverse=True)
