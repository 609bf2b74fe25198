"""The imaging plan: a pure function of what was observed and of the recipe."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage import document
from reimage.recipes.load import load_recipe, override
from reimage.recipes.plan import (
    DroppedFacts,
    ImagingFacts,
    MitigationFacts,
    PlanEmpty,
    PlanRepeats,
    RepBwFacts,
    SpwFacts,
    TargetFacts,
    caveats,
    file_names,
    plan,
)

RECIPE = load_recipe("hifatargets-2017")
MOUS = "uid://A001/X11a/X2d"
LIST = "makeimlist-mfs"


def make_facts(*targets: str, edges=((226.4e9, 226.9e9), (243e9, 245e9)), flagged=()):
    spws = tuple(SpwFacts(id=n, low_hz=low, high_hz=high) for n, (low, high) in enumerate(edges))
    ids = tuple(spw.id for spw in spws)
    return ImagingFacts(
        targets=tuple(TargetFacts(name=name, spws=ids, flagged=flagged) for name in targets),
        spws=spws,
    )


@pytest.fixture
def recipe():
    return RECIPE


def test_images_in_the_order_in_which_they_are_made(recipe):
    images = plan(make_facts("NGC_1614"), recipe, MOUS)
    assert [image.id for image in images] == [
        "NGC_1614.spw0.mfs",
        "NGC_1614.spw1.mfs",
        "NGC_1614.spw0_1.cont",
        "NGC_1614.spw0.cube",
        "NGC_1614.spw1.cube",
    ]


def test_names_of_2017(recipe):
    first = plan(make_facts("NGC_1614"), recipe, MOUS)[0]
    assert first.files == {
        "pbcor": "uid___A001_X11a_X2d.NGC_1614_sci.spw0.mfs.I.pbcor.fits",
        "pb": "uid___A001_X11a_X2d.NGC_1614_sci.spw0.mfs.I.pb.fits",
    }


def test_names_since_2023_say_which_calibration(recipe):
    cube = plan(make_facts("NGC_1614"), replace(recipe, naming=2023), MOUS)[-1]
    assert cube.files["pbcor"].endswith("NGC_1614_sci.spw1.cube.regcal.I.pbcor.fits")


def test_wide_continuum_has_two_terms(recipe):
    facts = make_facts("T", edges=((129.2e9, 129.5e9), (130.8e9, 132.8e9), (146.7e9, 147.1e9)))
    cont = next(i for i in plan(facts, recipe, MOUS) if i.specmode == "cont")
    assert cont.nterms == 2
    assert set(cont.files) == {"tt0.pbcor", "tt1.pbcor", "alpha", "alpha.error", "pb.tt0"}
    assert cont.files["pb.tt0"].endswith("T_sci.spw0_1_2.cont.I.pb.tt0.fits")


@pytest.mark.parametrize(("high", "nterms"), [(221.0e9, 1), (221.2e9, 2)])
def test_two_terms_above_a_tenth(recipe, high, nterms):
    facts = make_facts("T", edges=((200e9, 201e9), (high - 1e9, high)))
    cont = next(i for i in plan(facts, recipe, MOUS) if i.specmode == "cont")
    assert cont.nterms == nterms


def test_flagged_spw_is_planned_alone_and_left_out_of_the_continuum(recipe):
    images = plan(make_facts("T", flagged=(0,)), recipe, MOUS)
    assert [image.id for image in images] == [
        "T.spw0.mfs",
        "T.spw1.mfs",
        "T.spw1.cont",
        "T.spw0.cube",
        "T.spw1.cube",
    ]


def test_recipe_chooses_fields_and_spws(recipe):
    chosen = override(recipe, ["makeimlist.field=B", 'makeimlist.spw="1"'])
    images = plan(make_facts("A", "B"), chosen, MOUS)
    assert {(image.target, image.spws) for image in images} == {("B", (1,))}


def test_nothing_to_image_is_an_error(recipe):
    with pytest.raises(PlanEmpty):
        plan(make_facts("A"), override(recipe, ["makeimlist.field=B"]), MOUS)


def test_what_is_named_and_not_there_is_a_caveat(recipe):
    facts = make_facts("A", "B")
    chosen = override(recipe, ["makeimlist.field=B, C", 'makeimlist-cube.spw="1,7"'])
    assert {image.target for image in plan(facts, chosen, MOUS)} == {"B"}
    assert caveats(facts, chosen) == ("selection-not-found:field=C", "selection-not-found:spw=7")
    assert caveats(facts, recipe) == ()


def test_spw_of_another_target_is_not_there(recipe):
    facts = make_facts("A", "B")
    facts = replace(facts, targets=(facts.targets[0], replace(facts.targets[1], spws=(0,))))
    one = override(recipe, ["makeimlist-mfs.field=B", 'makeimlist-mfs.spw="0,1"'])
    assert caveats(facts, one) == ("selection-not-found:spw=1",)
    both = override(recipe, ['makeimlist-mfs.spw="0,1"'])
    assert caveats(facts, both) == ()


def test_nothing_to_image_says_what_is_not_there(recipe):
    facts = make_facts("A")
    with pytest.raises(PlanEmpty, match=r"there is no field=B$") as raised:
        plan(facts, override(recipe, ["makeimlist.field=B", 'makeimlist.spw="0"']), MOUS)
    assert raised.value.evidence == {"targets": ["A"], "spws": [0, 1]}


@given(
    there=st.dictionaries(
        st.sampled_from("ABCD"), st.sets(st.integers(0, 4), min_size=1), min_size=1
    ),
    field=st.lists(st.sampled_from("ABCDE")),
    spw=st.lists(st.integers(0, 6)),
)
def test_what_is_named_is_imaged_or_told(there, field, spw):
    """By a list of images per spw, whatever it says."""
    facts = ImagingFacts(
        targets=tuple(TargetFacts(name=n, spws=tuple(s), flagged=()) for n, s in there.items()),
        spws=tuple(SpwFacts(id=n, low_hz=1e11, high_hz=1.01e11) for n in range(7)),
    )
    said = {"specmode": "mfs", "field": ",".join(field), "spw": ",".join(map(str, spw))}
    steps = tuple(replace(step, parameters=said) for step in RECIPE.steps if step.id == LIST)
    maker = tuple(step for step in RECIPE.steps if step.id == "makeimages-mfs")
    one = replace(RECIPE, steps=(*steps, *maker))
    try:
        images = plan(facts, one, MOUS)
    except PlanEmpty:
        images = ()
    told = {caveat.removeprefix("selection-not-found:") for caveat in caveats(facts, one)}
    made = {f"field={image.target}" for image in images}
    made |= {f"spw={number}" for image in images for number in image.spws}
    named = {f"field={name}" for name in field} | {f"spw={number}" for number in spw}
    assert not told & made
    assert told <= named
    if images:
        assert {one for one in named if one.startswith("spw=")} <= told | made


def test_list_that_does_not_say_is_of_cubes(recipe):
    """So is the pipeline's, of science targets."""
    silent = [
        replace(step, parameters={}) if step.id == "makeimlist-cube" else step
        for step in recipe.steps
    ]
    facts = make_facts("A")
    assert plan(facts, replace(recipe, steps=tuple(silent)), MOUS) == plan(facts, recipe, MOUS)


def test_same_image_twice_is_an_error(recipe):
    twice = [replace(step, id=f"{step.id}-again") for step in recipe.steps if "cube" in step.id]
    with pytest.raises(PlanRepeats, match=r"makes A\.spw0\.cube twice"):
        plan(make_facts("A"), replace(recipe, steps=(*recipe.steps, *twice)), MOUS)


TODAY = load_recipe("hifa-image")


def test_representative_bandwidth_has_a_cube_of_its_own_when_it_is_wide():
    facts = make_facts("A", "B")
    assert not [i for i in plan(facts, TODAY, MOUS) if i.specmode == "repBW"]
    wide = replace(facts, repbw=RepBwFacts(target="B", spw=1, nbin=9))
    (image,) = [i for i in plan(wide, TODAY, MOUS) if i.specmode == "repBW"]
    assert image.id == "B.spw1.repBW"
    assert image.files["pbcor"] == "uid___A001_X11a_X2d.B_sci.spw1.repBW.regcal.I.pbcor.fits"


def test_without_self_calibration_each_image_is_made_once():
    ids = [image.id for image in plan(make_facts("A"), TODAY, MOUS)]
    assert ids == ["A.spw0.mfs", "A.spw1.mfs", "A.spw0_1.cont", "A.spw0.cube", "A.spw1.cube"]


def test_mitigation_is_told_of_the_images_that_it_changes():
    limits = MitigationFacts(
        steps=("nbin", "field", "cell"), nbin={1: 2}, pb_level=0.43, pixels_per_beam=3.25
    )
    images = plan(replace(make_facts("A"), mitigation=limits), TODAY, MOUS)
    said = {image.id: image.mitigation for image in images}
    both = "field of view to primary beam 0.43, 3.25 pixels per beam"
    assert said["A.spw0.cube"] == said["A.spw1.mfs"] == said["A.spw0_1.cont"] == both
    assert said["A.spw1.cube"] == f"2 channels in one, {both}"
    assert not [image for image in images if image.dropped]


def test_mosaic_keeps_its_field():
    facts = make_facts("A")
    mosaic = replace(
        facts,
        targets=(replace(facts.targets[0], pointings=3),),
        mitigation=MitigationFacts(steps=("field", "cell"), pb_level=0.43, pixels_per_beam=3.0),
    )
    assert {i.mitigation for i in plan(mosaic, TODAY, MOUS)} == {"3 pixels per beam"}


def test_rung_that_changed_nothing_is_not_told():
    """The ladder tried a smaller field, and no image became smaller."""
    limits = MitigationFacts(steps=("nbin",), pb_level=0.5)
    images = plan(replace(make_facts("A"), mitigation=limits), TODAY, MOUS)
    assert {image.mitigation for image in images} == {None}


def test_nothing_mitigated_nothing_told():
    images = plan(replace(make_facts("A"), mitigation=MitigationFacts()), TODAY, MOUS)
    assert not [image for image in images if image.mitigation or image.dropped]


def test_what_is_dropped_is_planned_with_its_reason():
    dropped = (
        DroppedFacts(target="B", spw=None, specmode=None, reason="target left out"),
        DroppedFacts(target="A", spw=1, specmode="cube", reason="cube left out"),
    )
    facts = replace(make_facts("A", "B"), mitigation=MitigationFacts(dropped=dropped))
    said = {image.id: image.dropped for image in plan(facts, TODAY, MOUS)}
    assert {name for name, why in said.items() if why == "target left out"} == {
        name for name in said if name.startswith("B.")
    }
    assert [name for name, why in said.items() if why == "cube left out"] == ["A.spw1.cube"]


def test_sizes_that_nothing_helps_leave_no_image():
    limits = MitigationFacts(error="the largest cube has 70 GB")
    images = plan(replace(make_facts("A"), mitigation=limits), TODAY, MOUS)
    assert {i.dropped for i in images} == {"product-size-unmitigable: the largest cube has 70 GB"}


def test_facts_come_as_the_job_writes_them():
    facts = document.load(
        ImagingFacts,
        {
            "targets": [{"name": "A", "spws": [0], "flagged": [], "geometry": {}}],
            "spws": [{"id": 0, "low_hz": 1e11, "high_hz": 1.01e11, "name": "x"}],
            "repbw": {"target": "A", "spw": 0, "nbin": 3, "bandwidth_hz": 1.0},
            "mitigation": {
                "steps": ["nbin"],
                "nbin": {"0": 2},
                "pb_level": 0.2,
                "pixels_per_beam": 5.0,
                "targets": ["A"],
                "spws": [0],
                "dropped": [{"target": "A", "spw": 0, "specmode": "cube", "reason": "r"}],
                "error": None,
                "sizes_gb": {},
            },
        },
    )
    images = {image.specmode: image for image in plan(facts, TODAY, MOUS)}
    assert images["cube"].mitigation == "2 channels in one"
    assert images["cube"].dropped == "r"
    assert images["repBW"].mitigation is None


@pytest.mark.parametrize(
    ("target", "written"),
    [
        ("NGC 1614", "NGC_1614"),
        ("J0423-0120", "J0423-0120"),
        ('"W51"', "_W51_"),
        ("G9.6+0.2", "G9.6+0.2"),
    ],
)
def test_names_of_targets(target, written):
    assert file_names([target]) == [written]


names = st.text(alphabet=string.ascii_letters + " _/*", min_size=1, max_size=3)


@given(st.lists(names, min_size=1, max_size=5, unique=True))
def test_ids_and_file_names_are_unique(targets):
    images = plan(make_facts(*targets), RECIPE, MOUS)
    files = [name for image in images for name in image.files.values()]
    assert len({image.id for image in images}) == len(images)
    assert len(set(files)) == len(files)
    assert all("/" not in name and "*" not in name for name in files)
