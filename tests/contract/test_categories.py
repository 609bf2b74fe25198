"""Every shipped category can be used: it loads, its filter is one, its recipe exists."""

from __future__ import annotations

import pytest

from reimage import category
from reimage.recipes.load import load_recipe
from reimage.settings import shipped
from reimage.store import datasets, filters

CATEGORIES = category.load_categories([shipped("categories")])


def test_there_is_a_demonstration():
    assert "demo" in [declared.id for declared in CATEGORIES]


@pytest.mark.parametrize("declared", CATEGORIES, ids=lambda declared: declared.id)
def test_a_category_can_be_used(declared):
    filters.parse(declared.criteria, datasets.columns(declared.holding))
    if declared.recipe is not None:
        assert load_recipe(declared.recipe).holding == declared.holding
