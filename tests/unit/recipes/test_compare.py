"""Where two recipes differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.recipes import digest
from reimage.recipes.compare import compare, differs
from reimage.recipes.load import find_recipes, load_recipe, override

SEED = load_recipe("hifatargets-2017")
names = st.sampled_from(sorted(find_recipes()))


def kinds(found):
    return [(one.kind, one.name) for one in found if one.kind != "same"]


def test_changed_parameter_is_told_with_both_values():
    (found,) = [
        one
        for one in compare(SEED, override(SEED, ["makeimages-cube.tlimit=4.0"]))
        if one.kind != "same"
    ]
    assert (found.kind, found.name, found.changed) == ("changed", "makeimages-cube", ("tlimit",))
    assert (found.before, found.after) == ({}, {"tlimit": 4.0})


def test_keys_and_steps_are_told_in_order():
    found = compare(SEED, load_recipe("hifa-image-2018"))
    assert kinds(found) == [
        ("key", "title"),
        ("key", "naming"),
        ("added", "imageprecheck"),
        ("added", "checkproductsize"),
        ("added", "makeimlist-repBW"),
        ("added", "makeimages-repBW"),
        ("changed", "exportdata"),
    ]
    assert kinds(compare(load_recipe("hifa-image-2018"), SEED))[2] == ("removed", "imageprecheck")


def test_step_that_is_switched_off_differs():
    today = load_recipe("hifa-image")
    off = override(today, ["selfcal.enabled=false"])
    assert kinds(compare(today, off)) == [("changed", "selfcal")]


@pytest.mark.parametrize("change", ["naming=2024", "weblog=false", "engine=pipeline"])
def test_keys_of_the_recipe_are_compared(change):
    assert kinds(compare(SEED, override(SEED, [change]))) == [("key", change.partition("=")[0])]


@given(names, names)
def test_both_sides_are_told_whole(one, other):
    """What a reader sees of one side is that recipe, step by step."""
    left, right = load_recipe(one), load_recipe(other)
    found = [each for each in compare(left, right) if each.kind != "key"]
    assert [e.name for e in found if e.kind != "added"] == [step.id for step in left.steps]
    assert [e.name for e in found if e.kind != "removed"] == [step.id for step in right.steps]


@given(names, st.lists(st.sampled_from(["makeimages.tlimit=3.0", "naming=2020", "weblog=true"])))
def test_recipes_that_do_not_differ_have_one_digest(name, changes):
    one = load_recipe(name)
    other = override(one, changes)
    assert differs(compare(one, other)) == (digest(one) != digest(other))
