"""The version matrix from outcomes: columns, flips, comparisons, key numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.cli.matrix import chance, sentence
from reimage.desk import key_numbers, matrix
from reimage.desk.matrix import ColumnUnknown, Flip
from reimage.model import Result
from reimage.store.matrix import Image, Outcome

OLD, NEW = "casa-6.5.4", "casa-6.6.1"


def outcome(dataset, build, result, error_class=None, *, run_id=1, says=True, recipe="test"):
    return Outcome(
        dataset=dataset,
        build=build,
        recipe=recipe,
        run_id=run_id,
        run=f"r{run_id}",
        result=Result(result),
        error_class=error_class,
        category=None,
        made=2,
        planned=2,
        mitigated=0,
        says=says,
    )


def canaries(failing, passing, same=3):
    """Return datasets that both builds ran: so many newly failing, newly passing, and as they were."""
    fates = [("imaged", "failed")] * failing + [("failed", "imaged")] * passing
    fates += [("imaged", "imaged")] * same
    for n, (before, after) in enumerate(fates):
        for build, result, first in ((OLD, before, 0), (NEW, after, 100)):
            error = None if result == "imaged" else "core-dump"
            yield outcome(f"X{n}", build, result, error, run_id=first + n)


def test_the_sentence_of_a_regression():
    made = matrix.make(canaries(5, 0), by="build")
    assert made.columns == (OLD, NEW)
    assert [row.flips for row in made.rows] == [(Flip.FAILS,)] * 5 + [()] * 3
    (one,) = made.comparisons
    assert (one.both, one.newly_failing, one.newly_passing, one.test) == (8, 5, 0, "mcnemar")
    assert sentence(one) == (
        "casa-6.6.1 beside casa-6.5.4: 5 newly failing, 0 newly passing of 8 datasets in both: "
        "p = 0.031 (one-sided)"
    )


def test_what_says_nothing_is_shown_and_not_compared():
    found = [
        outcome("X1", OLD, "imaged"),
        outcome("X1", NEW, "failed", "disk-full", says=False, run_id=2),
        outcome("X2", OLD, "imaged", run_id=3),
        outcome("X2", NEW, "refused", "proprietary", says=False, run_id=4),
    ]
    made = matrix.make(found, by="build")
    assert [row.flips for row in made.rows] == [(), ()]
    assert {row.cells[1].error_class for row in made.rows} == {"disk-full", "proprietary"}
    assert made.comparisons == ()


def test_what_ended_before_it_had_a_build_stands_last_and_is_not_compared():
    found = [
        outcome("X1", None, "failed", "casa-build-missing", run_id=1),
        outcome("X1", OLD, "imaged", run_id=2),
        outcome("X2", NEW, "imaged", run_id=3),
        outcome("X2", None, "failed", "casa-build-missing", run_id=4),
    ]
    made = matrix.make(found, by="build")
    assert made.columns == (OLD, NEW, "none")
    assert [row.flips for row in made.rows] == [(), ()]
    assert [one.after for one in made.comparisons] == [NEW]
    by_recipe = matrix.make(found, by="recipe")
    assert [row.cells[0].passes for row in by_recipe.rows] == [True, False]


def test_the_newest_that_says_something_stands():
    found = [
        outcome("X1", OLD, "failed", "core-dump", run_id=1),
        outcome("X1", OLD, "imaged", run_id=2, recipe="other"),
        outcome("X1", OLD, "lost", "lost", run_id=3, says=False, recipe="third"),
    ]
    (row,) = matrix.make(found, by="build").rows
    assert row.cells[0].run == "r2"
    both = matrix.make(found, by="both")
    assert both.columns == (f"{OLD} test", f"{OLD} other", f"{OLD} third")


def test_other_datasets_are_compared_by_fishers_test():
    found = [outcome(f"A{n}", OLD, "imaged", run_id=n) for n in range(10)]
    found += [
        outcome(f"B{n}", NEW, "imaged" if n > 3 else "failed", run_id=20 + n) for n in range(10)
    ]
    (one,) = matrix.make(found, by="build").comparisons
    assert one.test == "fisher"
    assert one.p_worse == pytest.approx(0.043, abs=5e-4)
    assert "4 of 10 failing, 0 of 10 before, of other datasets: p = 0.043" in sentence(one)


def test_several_columns_pay_for_being_asked_at_once():
    found = [*canaries(5, 0)]
    found += [outcome(f"X{n}", "casa-6.7", "imaged", run_id=200 + n) for n in range(8)]
    made = matrix.make(found, by="build")
    first, second = made.comparisons
    assert (first.p_worse, first.p_worse_adjusted) == (
        pytest.approx(0.03125),
        pytest.approx(0.0625),
    )
    assert second.p_worse_adjusted == 1.0
    assert sentence(first, of=2).endswith("p = 0.031 (one-sided), 0.062 as one of 2 (Holm)")


def test_against_another_column_turns_the_flips_round():
    made = matrix.make(canaries(5, 0), by="build", against=NEW)
    assert made.columns == (NEW, OLD)
    assert (made.comparisons[0].newly_failing, made.comparisons[0].newly_passing) == (0, 5)
    with pytest.raises(ColumnUnknown, match=r"there are: casa-6\.5\.4, casa-6\.6\.1"):
        matrix.make(canaries(1, 0), by="build", against="casa-9")


def test_failing_otherwise_is_told():
    found = [
        outcome("X1", OLD, "failed", "memory"),
        outcome("X1", NEW, "partial", "plan-incomplete", run_id=2),
    ]
    (row,) = matrix.make(found, by="build").rows
    assert row.flips == (Flip.OTHERWISE,)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["X1", "X2", "X3"]),
            st.sampled_from([OLD, NEW, None]),
            st.sampled_from(["imaged", "failed", "partial", "lost"]),
        ),
        max_size=30,
    )
)
def test_counts_agree_with_the_rows(fates):
    found = [
        outcome(
            key, build, result, None if result == "imaged" else "c", run_id=n, says=result != "lost"
        )
        for n, (key, build, result) in enumerate(fates, 1)
    ]
    made = matrix.make(found, by="build")
    assert made.datasets == len({key for key, _, _ in fates}) == len(made.rows)
    for one in made.comparisons:
        i = made.columns.index(one.after)
        flips = [row.cells[i].flip for row in made.rows if row.cells[i] is not None]
        assert one.newly_failing == flips.count(Flip.FAILS)
        assert one.newly_passing == flips.count(Flip.PASSES)
        assert one.newly_failing + one.newly_passing <= one.both <= made.datasets
        assert 0 < one.p_worse <= one.p_worse_adjusted <= 1


def image(name, specmode, rms, dynamic_range=None):
    said = {"rms_jy_beam": rms, "dynamic_range": dynamic_range, "beam_major_arcsec": 0.5}
    return Image(name=name, specmode=specmode, numbers=said)


def test_key_numbers_are_those_of_the_continuum_and_noise_is_compared_image_by_image():
    before = [
        image("a", "cont", 2e-5, 100),
        image("b", "cube", 1e-3),
        image("c", "cont", 4e-5, 300),
    ]
    after = [image("a", "cont", 4e-5, 90), image("b", "cube", 1e-3), image("new", "cont", 9.0)]
    told = key_numbers.of(after, before)
    assert (told.images, told.rms_jy_beam) == (2, pytest.approx(4.50002))
    assert told.rms_ratio == pytest.approx(1.5)
    assert key_numbers.of(before).dynamic_range == 200
    assert key_numbers.of(before).rms_ratio is None
    assert key_numbers.of([image("b", "cube", 1e-3)]).rms_jy_beam == 1e-3
    assert key_numbers.of([Image(name="pb", specmode="mfs", numbers={"peak": 1.0})]) is None


def test_a_chance_is_never_nothing():
    assert [chance(p) for p in (1.0, 0.03125, 2**-20)] == ["1.000", "0.031", "9.5e-07"]
