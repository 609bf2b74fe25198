"""What the weblog says of each step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from making_accounts import FACTS, make_imaged, make_request

from reimage.imaging import weblog_steps
from reimage.imaging.account import account


@pytest.fixture
def told(tmp_path):
    request = make_request(tmp_path)
    (target,) = FACTS["targets"]
    own = {"cube": {"geometry": {"cell_arcsec": 0.777}}}
    facts = {**FACTS, "targets": [{**target, "own": own}]}
    return account(request, make_imaged(request), facts)


@pytest.mark.parametrize(("said", "cell"), [({}, "0.777"), ({"specmode": "mfs"}, "0.2")])
def test_a_list_that_does_not_say_it_is_of_cubes(told, said, cell):
    listed = next(step for step in told.recipe.steps if step.id == "makeimlist-cube")
    bare = replace(listed, parameters=said)
    steps = tuple(bare if step is listed else step for step in told.recipe.steps)
    recipe = replace(told.recipe, steps=steps)
    told = replace(told, request=replace(told.request, recipe=recipe))
    assert f"<td>{cell}″</td>" in weblog_steps.result(told, bare, {})
