"""What a recipe means to the tasks engine's jobs."""

from __future__ import annotations

from reimage.recipes.load import load_recipe, override
from reimage.recipes.tasks import caveats, make_inputs, prepare_inputs, steps

FREE = {"nbins": "", "hm_cell": "", "hm_imsize": "", "uvtaper": ""}


def changed(*assignments: str):
    return override(load_recipe("hifatargets-2017"), assignments)


def test_defaults_of_the_pipeline():
    recipe = load_recipe("hifatargets-2017")
    assert prepare_inputs(recipe) == {
        "mstransform": {},
        "flagtargets": True,
        "robust": 0.5,
        "imageprecheck": False,
        "checkproductsize": None,
        "lists": [{"specmode": mode, **FREE} for mode in ("mfs", "cont", "cube")],
    }
    inputs = make_inputs(recipe)
    assert set(inputs["settings"]) == {"mfs", "cont", "cube"}
    assert inputs["settings"]["mfs"] == {
        "robust": None,
        "masking": "auto",
        "tlimit": 2.0,
        "nsigma": 0.0,
        "cyclefactor": None,
        "mask": {},
    }
    assert inputs["findcont"] == {"robust": 1.0}
    assert inputs["uvcontsub"] == {"fitorder": 1}
    assert inputs["contfile"] == ""


def test_averaging_needs_both_words_of_mstransform():
    inputs = prepare_inputs(changed("mstransform.chanbin=2", "mstransform.timebin=30s"))
    assert inputs["mstransform"] == {
        "chanaverage": True,
        "chanbin": 2,
        "timeaverage": True,
        "timebin": "30s",
    }


def test_each_specmode_has_the_settings_of_its_own_step():
    settings = make_inputs(
        changed(
            "makeimages-cube.hm_sidelobethreshold=3.0",
            "makeimages-cube.hm_cyclefactor=3",
            "makeimlist-mfs.robust=2.0",
        )
    )["settings"]
    assert settings["cube"]["mask"] == {"sidelobethreshold": 3.0}
    assert settings["cube"]["cyclefactor"] == 3
    assert settings["cont"]["mask"] == {}
    assert (settings["mfs"]["robust"], settings["cube"]["robust"]) == (2.0, None)


def test_given_continuum_file_is_passed_on():
    assert make_inputs(changed("makeimlist.contfile=/x/cont.dat"))["contfile"] == "/x/cont.dat"


def test_either_step_of_the_old_pair_sets_the_order_of_the_fit():
    assert make_inputs(changed("uvcontfit.fitorder=0"))["uvcontsub"] == {"fitorder": 0}
    assert make_inputs(changed("uvcontsub.fitorder=2"))["uvcontsub"] == {"fitorder": 2}


def test_todays_recipe_looks_before_it_images():
    inputs = prepare_inputs(load_recipe("hifa-image"))
    assert inputs["imageprecheck"] is True
    assert inputs["checkproductsize"] == {
        "maxcubesize": 40.0,
        "maxcubelimit": 60.0,
        "maxproductsize": 500.0,
    }
    assert [one["specmode"] for one in inputs["lists"]] == ["mfs", "cont", "repBW", "cube"]


def test_robust_that_is_set_is_that_of_its_own_list_only():
    recipe = override(load_recipe("hifa-image"), ["makeimlist-cube.robust=2.0"])
    inputs = prepare_inputs(recipe)
    assert (inputs["imageprecheck"], inputs["robust"]) == (True, 0.5)
    assert {one["specmode"]: one.get("robust") for one in inputs["lists"]} == {
        "mfs": None,
        "cont": None,
        "repBW": None,
        "cube": 2.0,
    }
    settings = make_inputs(recipe)["settings"]
    assert {mode: one["robust"] for mode, one in settings.items()} == {
        "mfs": None,
        "cont": None,
        "repBW": None,
        "cube": 2.0,
    }


def test_robust_that_every_list_sets_is_not_chosen_again():
    recipe = override(load_recipe("hifa-image"), ["makeimlist.robust=2.0"])
    inputs = prepare_inputs(recipe)
    assert (inputs["imageprecheck"], inputs["robust"]) == (False, 2.0)


def test_robust_of_one_list_is_not_that_of_the_others():
    """Their cells would be too large for their beams."""
    inputs = prepare_inputs(changed("makeimlist-mfs.robust=2.0"))
    assert inputs["robust"] == 0.5
    assert [one.get("robust") for one in inputs["lists"]] == [2.0, None, None]


def test_shape_of_the_images_goes_with_their_list():
    recipe = override(
        load_recipe("hifa-image"), ["makeimlist-cube.nbins=*:2", "makeimlist.hm_cell=3ppb"]
    )
    lists = {one["specmode"]: one for one in prepare_inputs(recipe)["lists"]}
    assert lists["cube"] == {"specmode": "cube", **FREE, "nbins": "*:2", "hm_cell": "3ppb"}
    assert lists["mfs"] == {"specmode": "mfs", **FREE, "hm_cell": "3ppb"}


def test_what_the_engine_leaves_out_is_a_caveat_unless_it_was_switched_off():
    today = load_recipe("hifa-image")
    assert caveats(today) == ("step-left-out:hif_selfcal",)
    assert caveats(override(today, ["selfcal.enabled=false"])) == ()
    assert not [step.id for step in steps(today) if "selfcal" in step.id]
    assert set(make_inputs(today)["settings"]) == {"mfs", "cont", "cube", "repBW"}
