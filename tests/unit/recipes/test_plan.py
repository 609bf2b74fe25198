"""The imaging plan: a pure function of what was observed and of the recipe."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.recipes.load import load_recipe, override
from reimage.recipes.plan import (
    ImagingFacts,
    PlanEmpty,
    SpwFacts,
    TargetFacts,
    file_names,
    plan,
)

RECIPE = load_recipe("hifatargets-2017")
MOUS = "uid://A001/X11a/X2d"


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
