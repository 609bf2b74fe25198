"""Every recipe that is shipped can be carried out as it is."""

from __future__ import annotations

import pytest

from reimage import document
from reimage.recipes.dialect import CARRIED, TASKS
from reimage.recipes.load import find_recipes, load_recipe
from reimage.recipes.tasks import make_inputs, prepare_inputs


@pytest.fixture(params=sorted(find_recipes()))
def recipe(request):
    return load_recipe(request.param)


def test_it_is_read_and_has_a_title(recipe):
    assert recipe.title
    assert recipe.stages
    assert len(document.digest(recipe)) == 64


def test_the_engine_understands_it(recipe):
    assert prepare_inputs(recipe)["robust"] >= -2
    assert make_inputs(recipe)["settings"]


def test_what_is_carried_out_is_known():
    assert set(CARRIED) == set(TASKS)
    for task, names in CARRIED.items():
        assert names <= set(TASKS[task])
