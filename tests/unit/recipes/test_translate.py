"""Recipes in the words of other releases of the pipeline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.recipes import Step
from reimage.recipes.load import find_recipes, load_recipe, override
from reimage.recipes.releases import PipelineVersionUnknown, dialects, named
from reimage.recipes.translate import RecipeNotInDialect, translate

SEED = override(load_recipe("hifatargets-2017"), ["engine=pipeline"])
TODAY = override(load_recipe("hifa-image"), ["engine=pipeline"])
CUBES = replace(
    SEED,
    steps=tuple(
        s for s in SEED.steps if "cube" in s.id or s.task in {"hifa_importdata", "hifa_exportdata"}
    ),
)


def calls(recipe, version):
    return [(call.task, dict(call.arguments)) for call in translate(recipe, version).calls]


@pytest.mark.parametrize(
    ("said", "era"),
    [
        ("r30986", "2014.09"),
        ("38377", "2016.10"),
        ("39732M (Pipeline-Cycle4)", "2016.10"),
        ("r42254", "2018.10"),
        ("42866 (Pipeline-CASA56-P1-B)", "2019.10"),
        ("2020.1.0.40", "2020.1"),
        ("2023.1.0.124", "2023.1"),
        ("2025.1.0.35+dirty", "2025.1"),
        ("2026.0.0.0+1377-gfbf19139c1", "2026.0"),
        ("2016.10", "2016.10"),
    ],
)
def test_pipelines_say_their_release(said, era):
    assert named(said) == (era, ())


@pytest.mark.parametrize("said", ["", None, "unknown", "0.0.dev0"])
def test_pipeline_without_a_version_is_taken_for_the_newest(said):
    era, caveats = named(said)
    assert era == dialects().release[-1].era
    assert caveats[0].startswith("pipeline-version-unknown:")


def test_newer_than_the_table_is_a_caveat():
    assert named("2031.1.0.3")[1] == ("pipeline-newer-than-known:2031.1, taken for 2026.0",)


@pytest.mark.parametrize("said", ["trunk", "r20000", "2012.1", "5.6.1"])
def test_other_versions_are_refused(said):
    with pytest.raises(PipelineVersionUnknown):
        named(said)


def test_seed_in_its_own_words():
    """The pipeline's own hifatargets.py of CASA 4.7, call by call."""
    assert calls(SEED, "r38377") == [
        ("hifa_importdata", {"dbservice": False}),
        ("hif_mstransform", {}),
        ("hifa_flagtargets", {}),
        ("hif_makeimlist", {"specmode": "mfs"}),
        ("hif_findcont", {}),
        ("hif_uvcontfit", {}),
        ("hif_uvcontsub", {}),
        ("hif_makeimages", {}),
        ("hif_makeimlist", {"specmode": "cont"}),
        ("hif_makeimages", {}),
        ("hif_makeimlist", {"width": ""}),
        ("hif_makeimages", {"subcontms": False}),
        ("hifa_exportdata", {}),
    ]


def test_fit_and_subtraction_became_one():
    told = translate(SEED, "2023.1")
    assert "hif_uvcontfit" not in [call.task for call in told.calls]
    assert told.caveats == ("translated:hif_uvcontfit is part of hif_uvcontsub",)
    changed = override(SEED, ["uvcontfit.fitorder=2"])
    assert ("hif_uvcontsub", {"fitorder": 2}) in calls(changed, "2025.1")


def test_subtraction_takes_its_fit_before_it():
    changed = override(TODAY, ["uvcontsub.fitorder=0"])
    found = calls(changed, "2019.10")
    at = found.index(("hif_uvcontfit", {"fitorder": 0}))
    assert found[at + 1] == ("hif_uvcontsub", {})
    told = translate(changed, "2019.10")
    assert "translated:hif_uvcontsub takes hif_uvcontfit before it" in told.caveats
    assert len({call.step for call in told.calls}) == len(told.calls)


def test_fit_that_is_there_gets_the_order_of_the_subtraction():
    changed = override(SEED, ["uvcontsub.fitorder=2"])
    found = calls(changed, "2019.10")
    assert ("hif_uvcontfit", {"fitorder": 2}) in found
    assert ("hif_uvcontsub", {}) in found


def test_optional_step_goes_with_what_needs_it():
    told = translate(TODAY, "2023.1")
    lists = [dict(c.arguments) for c in told.calls if c.task == "hif_makeimlist"]
    assert lists == [
        {"specmode": "mfs"},
        {"specmode": "cont"},
        {"specmode": "repBW"},
        {"specmode": "cube", "datatype": "best"},
    ]
    assert told.caveats == ("step-left-out:hif_selfcal",)


def test_step_that_is_switched_off_is_no_caveat():
    off = override(TODAY, ["selfcal.enabled=false"])
    told = translate(off, "2025.1")
    assert told.caveats == ()
    assert len(told.calls) == len(translate(TODAY, "2025.1").calls) - 1 - 6


def test_tasks_had_other_names():
    steps = (
        Step(id="import", task="hifa_restoredata", parameters={"copytoraw": False}),
        Step(id="list", task="hif_makeimlist", parameters={"specmode": "cube"}),
        Step(id="make", task="hif_makeimages", parameters={"tlimit": 4.0}),
        Step(id="export", task="hifa_exportdata"),
    )
    found = calls(replace(SEED, steps=steps), "r30986")
    assert found == [
        ("hif_restoredata", {"copytoraw": False}),
        ("hif_makecleanlist", {"mode": "frequency"}),
        ("hif_cleanlist", {"tlimit": 4.0}),
        ("hif_exportdata", {}),
    ]


def test_argument_without_influence_may_go():
    told = translate(TODAY, "2017.10")
    assert "translated:hif_makeimlist without datatype='best'" in told.caveats
    assert "translated:hifa_exportdata without imaging_products_only=True" in told.caveats


def test_size_in_pixels_is_a_number_for_the_pipeline():
    changed = override(TODAY, ["makeimlist-mfs.hm_imsize=512", "makeimlist-cube.hm_imsize=0.3pb"])
    sizes = [
        arguments["hm_imsize"]
        for _, arguments in calls(changed, "2025.1")
        if "hm_imsize" in arguments
    ]
    assert sizes == [512, "0.3pb"]


@pytest.mark.parametrize(
    ("changes", "version", "said"),
    [
        ([], "2016.04", "no hifa_flagtargets"),
        ([], "r34044", "no hif_mstransform"),
        (["makeimages.hm_cyclefactor=3"], "2019.10", "no hm_cyclefactor=3"),
        (["makeimlist-cont.specmode=repBW"], "2016.10", "no specmode='repBW'"),
        (["uvcontfit.solint=60s"], "2024.1", "no solint='60s'"),
        (["mstransform.chanbin=2"], "2018.10", "no chanbin=2"),
    ],
)
def test_what_cannot_be_said_is_an_error(changes, version, said):
    with pytest.raises(RecipeNotInDialect, match=said) as raised:
        translate(override(SEED, changes) if changes else SEED, version)
    assert raised.value.evidence["pipeline"]


eras = st.sampled_from([release.era for release in dialects().release])


@given(st.sampled_from(sorted(find_recipes())), eras)
def test_translation_says_everything_or_nothing(name, era):
    recipe = load_recipe(name)
    try:
        told = translate(recipe, era)
    except RecipeNotInDialect:
        return
    said = {step.id for step in recipe.steps}
    assert [call.step for call in told.calls if call.step in said] == [
        step.id for step in recipe.steps if step.id in {call.step for call in told.calls}
    ]
    missing = said - {call.step for call in told.calls}
    assert not missing or told.caveats


@pytest.mark.parametrize("era", [release.era for release in dialects().release])
def test_a_list_that_does_not_say_it_is_of_cubes(era):
    """The default of today is not what a pipeline of other years does by default."""

    def without(step):
        said = {k: v for k, v in step.parameters.items() if (k, v) != ("specmode", "cube")}
        return replace(step, parameters=said)

    bare = replace(CUBES, steps=tuple(map(without, CUBES.steps)))
    assert bare != CUBES
    assert calls(bare, era) == calls(CUBES, era)
