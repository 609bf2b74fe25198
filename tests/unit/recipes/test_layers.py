"""Recipes that extend others: merged once, checked like any other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage import document
from reimage.recipes.layers import RecipeLayersUnusable, resolve
from reimage.recipes.load import RecipeUnknown, RecipeUnreadable, load_recipe, read_recipe

BASE = load_recipe("hifa-image")


@pytest.fixture
def site(tmp_path):
    """Write recipes of the site; returns its folder."""

    def write(**texts: str):
        for name, text in texts.items():
            (tmp_path / f"{name}.toml").write_text(f"schema = 1\n{text}")
        return tmp_path

    return write


def test_recipe_of_2018_is_that_of_2017_and_more():
    tasks = [step.id for step in load_recipe("hifa-image-2018").steps]
    assert tasks == [
        "importdata",
        "mstransform",
        "flagtargets",
        "imageprecheck",
        "checkproductsize",
        "makeimlist-mfs",
        "findcont",
        "uvcontfit",
        "uvcontsub",
        "makeimages-mfs",
        "makeimlist-cont",
        "makeimages-cont",
        "makeimlist-cube",
        "makeimages-cube",
        "makeimlist-repBW",
        "makeimages-repBW",
        "exportdata",
    ]


def test_only_what_differs_is_said(site):
    folder = site(
        mine='extends = "hifa-image"\ntitle = "Mine"\nnaming = 2018\n'
        '[[step]]\nid = "selfcal"\nremove = true\n'
        '[[step]]\nid = "makeimages-cube"\nparameters = { tlimit = 4.0 }\n'
        '[[step]]\nid = "checkproductsize"\nparameters = { maxcubesize = 10.0 }\n'
        '[[step]]\nbefore = "exportdata"\nid = "fast"\ntask = "hif_makeimlist"\n'
        'parameters = { spw = "0" }\n'
        '[[step]]\nafter = "fast"\nid = "images"\ntask = "hif_makeimages"\nparameters = { tlimit = 4 }\n'
    )
    mine = load_recipe("mine", [folder])
    steps = {step.id: step for step in mine.steps}
    assert (mine.title, mine.naming, mine.engine) == ("Mine", 2018, BASE.engine)
    assert "selfcal" not in steps
    assert steps["makeimages-cube"].parameters == {"tlimit": 4.0}
    assert steps["checkproductsize"].parameters == {
        "maxcubesize": 10.0,
        "maxcubelimit": 60.0,
        "maxproductsize": 500.0,
    }
    assert [step.id for step in mine.steps][-3:] == ["fast", "images", "exportdata"]


def test_layers_upon_layers(site):
    folder = site(
        one='extends = "hifatargets-2017"\n[[step]]\nid = "findcont"\nremove = true\n',
        two='extends = "one"\n[[step]]\nafter = "flagtargets"\nid = "again"\ntask = "hif_findcont"\n',
    )
    ids = [step.id for step in load_recipe("two", [folder]).steps]
    assert ids[:4] == ["importdata", "mstransform", "flagtargets", "again"]
    assert "findcont" not in ids


def test_file_is_read_with_what_lies_beside_it(site):
    folder = site(one='extends = "hifa-image"\n', two='extends = "one"\nnaming = 2030\n')
    assert read_recipe(folder / "two.toml").naming == 2030


@pytest.mark.parametrize(
    ("text", "error", "said", "hint"),
    [
        ('extends = "mine"', RecipeLayersUnusable, "circle: mine -> mine", ""),
        ('extends = "other"', RecipeLayersUnusable, "circle: mine -> other -> mine", ""),
        ('extends = "hifa-imag"', RecipeUnknown, "mine extends it", "Did you mean hifa-image?"),
        ("extends = 3", RecipeUnreadable, "extends is an id", ""),
        ('extends = "hifa-image"\nstep = 3', RecipeUnreadable, "steps are tables", ""),
        (
            'extends = "hifa-image"\n[[step]]\nid = "findcon"\nremove = true',
            RecipeLayersUnusable,
            "no step 'findcon'",
            "Did you mean findcont?",
        ),
        (
            'extends = "hifa-image"\n[[step]]\ntask = "hif_uvcontfit"',
            RecipeLayersUnusable,
            "no step 'uvcontfit'",
            "says `after` or `before`",
        ),
        (
            'extends = "hifa-image"\n[[step]]\nid = "findcont"\ntask = "hif_findroi"',
            RecipeLayersUnusable,
            "findcont is hif_findcont, not hif_findroi",
            "Remove",
        ),
        (
            'extends = "hifa-image"\n[[step]]\nid = "x"\nafter = "findcont"\nbefore = "findcont"',
            RecipeLayersUnusable,
            "one of after, before, remove",
            "",
        ),
        (
            'extends = "hifa-image"\n[[step]]\nid = "findcont"\nafter = "mstransform"\ntask = "hif_findcont"',
            RecipeUnreadable,
            "several steps are called 'findcont'",
            "",
        ),
        (
            'extends = "hifa-image"\n[[step]]\nid = "findcont"\nparameters = 3',
            RecipeUnreadable,
            "are tables",
            "",
        ),
        ('title = "Mine"\n[[step]]\nremove = true\nid = "x"', RecipeUnreadable, "'remove'", ""),
        ('extends = "hifa-image"\n[[step]]\nremove = true', RecipeUnreadable, "neither id", ""),
    ],
)
def test_what_cannot_be_is_an_error(site, text, error, said, hint):
    folder = site(mine=text, other='extends = "mine"')
    with pytest.raises(error, match=re.escape(said)) as raised:
        load_recipe("mine", [folder])
    assert hint in raised.value.hint


changes = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["A", "B"]),
        "naming": st.sampled_from([2017, 2024]),
        "findcont": st.booleans(),
        "tlimit": st.sampled_from([2.0, 3.0]),
    },
)


def merged(said: dict) -> dict:
    """Return the tables of a recipe that says this on top of a small one."""
    steps = []
    if "tlimit" in said:
        steps.append({"id": "makeimages", "parameters": {"tlimit": said["tlimit"]}})
    if said.get("findcont"):
        steps.append({"id": "findcont", "remove": True})
    keys = {key: said[key] for key in ("title", "naming") if key in said}
    files = {
        "below": {
            "title": "A",
            "naming": 2017,
            "step": [
                {"id": "findcont", "task": "hif_findcont"},
                {"id": "makeimages", "task": "hif_makeimages", "parameters": {"tlimit": 2.0}},
            ],
        },
        "mine": {"extends": "below", **keys, "step": steps},
    }
    before = document.digest(files)
    found = resolve("mine", files.__getitem__)
    assert document.digest(files) == before, "what was read is not changed"
    return found


@given(one=changes, other=changes)
def test_digest_differs_if_and_only_if_the_merged_value_does(one, other):
    filled = [
        {"title": "A", "naming": 2017, "findcont": False, "tlimit": 2.0, **s} for s in (one, other)
    ]
    same = document.digest(merged(one)) == document.digest(merged(other))
    assert same == (filled[0] == filled[1])
