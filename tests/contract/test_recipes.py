"""Every recipe that is shipped can be carried out as it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from reimage import document
from reimage.recipes.dialect import CARRIED, TASKS
from reimage.recipes.load import find_recipes, load_recipe, override
from reimage.recipes.releases import TABLE, dialects, era_of
from reimage.recipes.tasks import make_inputs, prepare_inputs
from reimage.recipes.translate import translate

GIVEN_BY_THE_ENGINE = {"datacolumns"}
"""Arguments of the import that depend on the MS."""


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
    assert set(CARRIED) < set(TASKS)
    for task, names in CARRIED.items():
        assert names <= set(TASKS[task])


def test_it_can_be_said_to_the_pipeline_of_its_year(recipe):
    """A recipe of before 2020 is one of a pipeline's October release."""
    era = f"{recipe.naming}.{'10' if recipe.naming < 2020 else '1'}"
    assert translate(recipe, era).calls


def test_dialects_know_the_same_words_as_recipes():
    table = dialects()
    assert set(table.task) == set(TASKS)
    for task, rule in table.task.items():
        known = {*TASKS[task], *GIVEN_BY_THE_ENGINE}
        assert set(rule.arguments) <= known
        assert set(rule.values) <= known
        assert rule.merged_into is None or rule.merged_into in TASKS
    for one in table.respelling:
        assert set(one.said) <= set(TASKS[one.task])


def test_releases_follow_each_other():
    releases = dialects().release
    eras = [era_of(release.era) for release in releases]
    assert eras == sorted(set(eras))
    revisions = [release.revision for release in releases if release.revision]
    assert revisions == sorted(revisions)
    assert [release.revision is None for release in releases] == [era >= (2020, 1) for era in eras]


def test_every_release_has_one_form_of_script():
    for release in dialects().release:
        forms = [one for one in dialects().script if one.holds(era_of(release.era))]
        assert len(forms) == 1


def test_examples_of_the_guide_are_recipes(tmp_path):
    text = (Path(__file__).parents[2] / "ops" / "guide" / "recipes.md").read_text()
    examples = re.findall(r"^```toml\n# \S+/(\S+)\.toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for name, example in examples:
        (tmp_path / f"{name}.toml").write_text(example)
    assert [load_recipe(name, [tmp_path]).id for name, _ in examples] == ["coarse"]


def test_changes_of_the_guide_are_changes():
    text = (Path(__file__).parents[2] / "ops" / "guide" / "recipes.md").read_text()
    table = text.partition("| written | means |")[2].partition("\n\n")[0]
    written = re.findall(r"`([\w.-]+=[^`]+)`", table)
    assert len(written) > 8
    for one in written:
        override(load_recipe("hifa-image"), [one])


def test_guide_names_every_recipe():
    text = (Path(__file__).parents[2] / "ops" / "guide" / "recipes.md").read_text()
    assert [name for name in find_recipes() if f"| `{name}` |" not in text] == []


def test_every_key_of_the_table_of_dialects_is_read():
    """One that nobody reads is a typing error."""
    said = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    assert list(_unread(said, document.dump(dialects()))) == []


def _unread(said, read, where=""):
    if isinstance(said, dict):
        for key, value in said.items():
            if key not in read:
                yield f"{where}.{key}"
            else:
                yield from _unread(value, read[key], f"{where}.{key}")
    elif isinstance(said, list):
        for number, (value, theirs) in enumerate(zip(said, read, strict=True)):
            yield from _unread(value, theirs, f"{where}[{number}]")
