"""Recipes: read strictly, changed by address, digested."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage import document
from reimage.model import Stage
from reimage.recipes import Recipe, Step, digest
from reimage.recipes.check import RecipeYearUnknown
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
        ('specmode = "cont"', 'specmode = "beam"', "tasks engine knows mfs, cont, cube, repBW"),
        ('specmode = "cont"', 'specmode = "cont", nbins = "2"', "write it as 9:2,11:4 or *:2"),
        ('specmode = "cont"', 'specmode = "cont", spw = "0~2"', "write it as 0,1,3"),
        ('specmode = "cont"', 'specmode = "cont", hm_cell = "3"', "write it as 0.1arcsec or 5ppb"),
        ('specmode = "cont"', 'specmode = "cont", hm_imsize = "big"', "write it as 512 or 0.3pb"),
        ('specmode = "cont"', 'specmode = "cont", uvtaper = "1"', "write it as 1.5arcsec"),
        (
            'specmode = "cont"',
            'specmode = "mfs", robust = 2.0',
            "makeimages-cont make mfs images with",
        ),
        ('"hif_uvcontfit"', '"hif_selfcal"', "does not carry out hif_selfcal"),
        ('"hif_uvcontfit"', '"hif_uvcontfit"\nenabled = false', "only an optional step"),
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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("heuristics = 2024", "heuristics = 2019", "heuristics of 2019"),
        ("naming = 2017", "naming = 2014", "product names of 2014"),
    ],
)
def test_years_that_the_engine_does_not_know(site, old, new, said):
    with pytest.raises(RecipeYearUnknown, match=said):
        load_recipe("mine", [site(SEED.replace(old, new))])
    elsewhere = SEED.replace(old, new).replace('engine = "tasks"', 'engine = "pipeline"')
    assert load_recipe("mine", [site(elsewhere)]).engine == "pipeline"


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ("maxcubesize=70", "maxcubelimit (60 GB) is below maxcubesize (70 GB)"),
        ("maxproductsize=60", "maxproductsize (60 GB) is not above"),
        ("maxcubelimit=-1 maxproductsize=40", "maxproductsize (40 GB) is not above"),
    ],
)
def test_limits_grow(sizes, said):
    changes = [f"checkproductsize.{one}" for one in sizes.split()]
    with pytest.raises(RecipeOverrideUnusable, match=re.escape(said)):
        override(load_recipe("hifa-image"), changes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('task = "hif_uvcontfit"', 'task = "hif_findcont"', "several steps are called 'findcont'"),
        ('task = "hif_uvcontfit"', 'id = "x"\ntask = "hif_findcont"', "hif_findcont out once"),
        ('task = "hif_uvcontfit"', 'id = "x"\ntask = "hif_makeimages"', "uvcontsub comes after x"),
        (
            'task = "hif_uvcontsub"',
            'task = "hifa_imageprecheck"',
            "imageprecheck comes after uvcont",
        ),
        ('specmode = "cube"', 'specmode = "cube", contfile = "x"', "from cont.dat and x"),
    ],
)
def test_steps_that_the_engine_would_carry_out_otherwise(site, old, new, said):
    text = SEED.replace(old, new, 1)
    with pytest.raises(RecipeUnreadable, match=re.escape(said)):
        load_recipe("mine", [site(text)])
    if "once" in said:
        elsewhere = text.replace('engine = "tasks"', 'engine = "pipeline"')
        assert load_recipe("mine", [site(elsewhere)]).engine == "pipeline"


def test_limits_may_be_changed_one_after_the_other():
    changes = [f"checkproductsize.{one}" for one in ("maxcubesize=100", "maxcubelimit=200")]
    assert override(load_recipe("hifa-image"), changes).overrides == tuple(changes)


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
        ("makeimages.hm_nsimga=3", "no parameter 'hm_nsimga'", "Did you mean hm_nsigma?"),
        ("engine=task", "engine", "tasks, pipeline"),
        ("naming=new", "naming", "A year"),
        ("weblog=often", "weblog", "weblog=false"),
        ("makeimages.tlimit=nan", "tlimit is nan, which is no number", "TOML"),
        ("makeimages.hm_cyclefactor=inf", "hm_cyclefactor is inf, which is no number", "TOML"),
        ("makeimages.tlimit=-3", "takes 0 to inf", "TOML"),
        ("makeimages.tlimit=3\nx=2", "not of type float", "TOML"),
        ("makeimlist.robust=9", "robust is 9.0; the tasks engine takes -2 to 2", "TOML"),
        ("mstransform.chanbin=0", "chanbin is 0; the tasks engine takes 1 to inf", "TOML"),
        ("mstransform.timebin=long", "write it as 30s", "TOML"),
        ("mstransform.timebin=", "write it as 30s", "TOML"),
        ("uvcontsub.fitorder=-1", "fitorder is -1; the tasks engine takes 0 to inf", "TOML"),
        ("makeimlist.hm_cell=0.0arcsec", "write it as 0.1arcsec", "TOML"),
        ("makeimlist.hm_imsize=0.0pb", "write it as 512 or 0.3pb", "TOML"),
        ("findcont.enabled=false", "only optional steps", "Optional in hifatargets-2017: none"),
    ],
)
def test_unusable_override_says_what_is_known(seed, assignment, said, hint):
    with pytest.raises(RecipeOverrideUnusable, match=re.escape(said)) as raised:
        override(seed, [assignment])
    assert hint in raised.value.hint
    assert raised.value.exit_code == 2


def test_keys_of_the_recipe_are_changed_first(seed):
    """Else the engine would be asked for what only the other one does."""
    changed = override(seed, ["makeimages.maxncleans=3", "engine=pipeline", "naming=2024"])
    assert (changed.engine, changed.naming) == ("pipeline", 2024)
    assert changed.overrides == ("makeimages.maxncleans=3", "engine=pipeline", "naming=2024")


def test_optional_step_is_switched():
    today = load_recipe("hifa-image")
    off = override(today, ["selfcal.enabled=false"])
    assert [step.id for step in off.steps if not step.enabled] == ["selfcal"]
    assert document.digest(off) != document.digest(today)
    assert override(off, ["selfcal.enabled=true"]).steps == today.steps
    with pytest.raises(RecipeOverrideUnusable, match="with true or false"):
        override(today, ["selfcal.enabled=never"])


def test_number_where_words_are_due_is_taken_as_words(seed):
    changed = override(seed, ["makeimlist.spw=1", "makeimlist.hm_imsize=512"])
    said = [s.parameters for s in changed.steps if s.task == "hif_makeimlist"]
    assert {(one["spw"], one["hm_imsize"]) for one in said} == {("1", "512")}


def test_short_name_of_two_tasks_is_ambiguous(seed):
    both = (Step(id="one", task="hif_exportdata"), Step(id="two", task="hifa_exportdata"))
    with pytest.raises(RecipeOverrideUnusable, match="may be hif_exportdata or hifa_exportdata"):
        override(replace(seed, steps=both), ["exportdata.pprfile=x"])


change = st.one_of(
    st.sampled_from([2.0, 3, 3.0]).map(lambda value: ("makeimages-mfs.tlimit", value)),
    st.sampled_from([1, 1.0, 2.5]).map(lambda value: ("hif_makeimages.hm_nsigma", value)),
    st.sampled_from(["auto", "none"]).map(lambda value: ("makeimages-cube.hm_masking", value)),
    st.sampled_from([2017, 2024]).map(lambda value: ("naming", value)),
)


@given(st.lists(change, max_size=4), st.lists(change, max_size=4))
def test_digest_differs_if_and_only_if_what_is_done_does(one, other):
    recipes = [override(PARSED, [f"{k}={v}" for k, v in said]) for said in (one, other)]
    done = [(r.naming, [dict(step.parameters) for step in r.steps]) for r in recipes]
    assert (digest(recipes[0]) == digest(recipes[1])) == (done[0] == done[1])
    assert digest(replace(recipes[0], title="other")) == digest(recipes[0])


@given(st.floats(min_value=0.1, max_value=50), st.floats(min_value=0.1, max_value=50))
def test_overrides_of_different_parameters_commute(tlimit, nsigma):
    one = override(PARSED, [f"makeimages.tlimit={tlimit!r}", f"makeimages.hm_nsigma={nsigma!r}"])
    two = override(PARSED, [f"makeimages.hm_nsigma={nsigma!r}", f"makeimages.tlimit={tlimit!r}"])
    assert one.steps == two.steps


def test_a_target_that_looks_like_a_date_is_a_name():
    made = override(load_recipe("hifa-image"), ["makeimlist-mfs.field=2020-01-01"])
    (step,) = (step for step in made.steps if step.id == "makeimlist-mfs")
    assert step.parameters["field"] == "2020-01-01"


@pytest.mark.parametrize("gone", ["makeimlist-cont", "makeimages-cont"])
def test_a_list_without_images_or_images_without_a_list(site, gone):
    """What would be ignored in silence is an error."""
    said = f'[[step]]\nid = "{gone}"\nremove = true\n'
    text = f'schema = 1\nextends = "hifatargets-2017"\n{said}'
    other = {"makeimlist-cont": "makeimages-cont", "makeimages-cont": "makeimlist-cont"}[gone]
    with pytest.raises(RecipeUnreadable, match=f"step {other} would make nothing"):
        load_recipe("mine", [site(text)])
