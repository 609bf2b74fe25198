"""Recipes: read strictly, changed by address, digested."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage import document
from reimage.model import Stage
from reimage.recipes import Recipe, Step
from reimage.recipes.load import (
    SHIPPED,
    RecipeOverrideUnusable,
    RecipeUnknown,
    RecipeUnreadable,
    find_recipes,
    load_recipe,
    override,
)

PARSED = load_recipe("hifatargets-2017")
SEED = (SHIPPED / "hifatargets-2017.toml").read_text()


@pytest.fixture
def site(tmp_path):
    """Write a recipe of the site; returns its folder."""

    def write(text: str, name: str = "mine"):
        (tmp_path / f"{name}.toml").write_text(text)
        return tmp_path

    return write


@pytest.fixture
def seed() -> Recipe:
    return load_recipe("hifatargets-2017")


def test_seed_is_the_sequence_of_the_pipeline_of_2017(seed):
    assert [step.task for step in seed.steps] == [
        "hifa_importdata",
        "hif_mstransform",
        "hifa_flagtargets",
        "hif_makeimlist",
        "hif_findcont",
        "hif_uvcontfit",
        "hif_uvcontsub",
        "hif_makeimages",
        "hif_makeimlist",
        "hif_makeimages",
        "hif_makeimlist",
        "hif_makeimages",
        "hifa_exportdata",
    ]
    modes = [step.parameters.get("specmode") for step in seed.steps if "makeimlist" in step.task]
    assert modes == ["mfs", "cont", "cube"]
    assert seed.stages == tuple(Stage)


def test_recipe_survives_run_json(seed):
    assert document.load(Recipe, document.dump(seed)) == seed


def test_unknown_recipe_names_those_that_are_known():
    with pytest.raises(RecipeUnknown) as raised:
        load_recipe("hifatarget")
    assert "hifatargets-2017" in raised.value.hint


def test_a_site_hides_the_package(site):
    folder = site(SEED.replace("naming = 2017", "naming = 2024"), "hifatargets-2017")
    assert load_recipe("hifatargets-2017", [folder]).naming == 2024
    assert find_recipes([folder])["hifatargets-2017"].parent == folder


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "schema 2, not 1"),
        ("naming =", "nameing =", "nobody knows 'nameing'"),
        ("hif_findcont", "hif_findkont", "nobody knows 'hif_findkont'"),
        ('specmode = "cont"', 'specmod = "cont"', "nobody knows 'specmod'"),
        ('specmode = "cont"', "specmode = 3", "not of type str"),
        ('specmode = "cont"', 'specmode = "repBW"', "tasks engine knows mfs, cont, cube"),
        ('"assess"]', '"asses"]', "stages"),
        ("dbservice = false", "dbservice = true", "does not carry out dbservice"),
        ('engine = "tasks"', 'engine = "task"', "engine"),
        ("title =", "title", "line 4"),
    ],
)
def test_what_nobody_knows_is_an_error(site, old, new, said):
    assert old in SEED
    with pytest.raises(RecipeUnreadable, match=re.escape(said)):
        load_recipe("mine", [site(SEED.replace(old, new, 1))])


def test_steps_of_one_task_need_ids(site):
    with pytest.raises(RecipeUnreadable, match="several steps are called 'makeimages'"):
        load_recipe("mine", [site(re.sub(r'id = "makeimages-\w+"\n', "", SEED))])


def test_unknown_key_suggests_the_known_one(site):
    with pytest.raises(RecipeUnreadable) as raised:
        load_recipe("mine", [site(SEED.replace("hif_findcont", "hif_findkont"))])
    assert "Did you mean hif_findcont?" in raised.value.hint


def test_override_by_task_reaches_every_step_of_it(seed):
    changed = override(seed, ["makeimages.hm_cyclefactor=3"])
    values = [s.parameters.get("hm_cyclefactor") for s in changed.steps if "makeimages" in s.task]
    assert values == [3, 3, 3]
    assert changed.overrides == ("makeimages.hm_cyclefactor=3",)
    assert document.digest(changed) != document.digest(seed)
    assert override(seed, ["hif_makeimages.hm_cyclefactor=3"]).steps == changed.steps


def test_override_by_id_reaches_one_step(seed):
    changed = override(seed, ["makeimages-cube.hm_masking=none"])
    touched = [s.id for s in changed.steps if s.parameters.get("hm_masking") == "none"]
    assert touched == ["makeimages-cube"]


def test_last_override_wins(seed):
    changed = override(seed, ["uvcontsub.fitorder=0", "uvcontsub.fitorder=2"])
    assert next(s for s in changed.steps if s.id == "uvcontsub").parameters["fitorder"] == 2


@pytest.mark.parametrize(
    ("assignment", "said", "hint"),
    [
        ("makeimage.tlimit=3", "no step 'makeimage'", "Did you mean makeimages?"),
        ("makeimages.tlimitt=3", "no parameter 'tlimitt'", "tlimit"),
        ("makeimlist.specmode=cube", "differs between the steps", "makeimlist-mfs"),
        ("makeimages.hm_nsigma=much", "not of type float", "TOML"),
        ("makeimages.maxncleans=3", "does not carry out maxncleans", "TOML"),
        ("makeimages.tlimit", "not a change", "step.param=value"),
        ("tlimit=3", "not a change", "step.param=value"),
    ],
)
def test_unusable_override_says_what_is_known(seed, assignment, said, hint):
    with pytest.raises(RecipeOverrideUnusable, match=re.escape(said)) as raised:
        override(seed, [assignment])
    assert hint in raised.value.hint
    assert raised.value.exit_code == 2


def test_short_name_of_two_tasks_is_ambiguous(seed):
    both = (Step(id="one", task="hif_exportdata"), Step(id="two", task="hifa_exportdata"))
    with pytest.raises(RecipeOverrideUnusable, match="may be hif_exportdata or hifa_exportdata"):
        override(replace(seed, steps=both), ["exportdata.pprfile=x"])


@given(st.floats(min_value=0.1, max_value=50), st.floats(min_value=0.1, max_value=50))
def test_overrides_of_different_parameters_commute(tlimit, nsigma):
    one = override(PARSED, [f"makeimages.tlimit={tlimit!r}", f"makeimages.hm_nsigma={nsigma!r}"])
    two = override(PARSED, [f"makeimages.hm_nsigma={nsigma!r}", f"makeimages.tlimit={tlimit!r}"])
    assert one.steps == two.steps
