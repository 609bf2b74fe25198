"""Whatever a recipe's file says: it is read, or a coded error says what is wrong; nothing crashes."""

from __future__ import annotations

import copy
import tomllib
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.errors import RecipeError
from reimage.recipes import load, plan, script, tasks

TEXTS = {name: path.read_text() for name, path in load.find_recipes().items()}
WORDS = (
    "hif_findcont",
    "hif_selfcal",
    "mfs",
    "cube",
    "hifa-image",
    "pipeline",
    "restore",
    "findcont",
)
KEYS = ("optional", "enabled", "after", "before", "remove", "extends", "datatype", "id", "task")
FACTS = plan.ImagingFacts(
    targets=(plan.TargetFacts(name="A", spws=(0,), flagged=()),),
    spws=(plan.SpwFacts(id=0, low_hz=1.0e11, high_hz=1.1e11),),
)
parse = tomllib.loads
values = st.one_of(
    st.integers(-3, 3000),
    st.floats(),
    st.booleans(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.builds(dict),
    st.builds(lambda: {"id": "findcont"}),
    st.sampled_from(WORDS),
)


def places(value, path=()):
    """Yield the path of everything within a table."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        yield (*path, key)
        if isinstance(below, dict | list):
            yield from places(below, (*path, key))


@st.composite
def spoilt(draw):
    """Return a recipe's id and what its file says, with some of it changed, gone, added or doubled."""
    name = draw(st.sampled_from(sorted(TEXTS)))
    table = parse(TEXTS[name])
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(sorted(places(table), key=str)))
        at = table
        for key in way:
            at = at[key]
        match draw(st.sampled_from(["change", "remove", "add"])):
            case "change":
                at[last] = draw(values)
            case "remove":
                del at[last]
            case "add" if isinstance(at, dict):
                at[draw(st.sampled_from(KEYS))] = draw(values)
            case "add":
                at.append(copy.deepcopy(at[last]))
    return name, table


@settings(max_examples=200)
@given(spoilt())
def test_recipe_is_read_or_refused(case):
    name, table = case

    def loads(text):
        return copy.deepcopy(table) if text == TEXTS[name] else parse(text)

    try:
        with mock.patch.object(tomllib, "loads", loads):
            recipe = load.load_recipe(name)
        if recipe.engine == "tasks":
            tasks.prepare_inputs(recipe)
            tasks.make_inputs(recipe)
            plan.plan(FACTS, recipe, "uid://A001/X1/X2")
        compile(script.as_script(recipe, "2019.10"), "hifatargets.py", "exec")
    except RecipeError as error:
        assert error.message  # noqa: PT017 -- either way is well
