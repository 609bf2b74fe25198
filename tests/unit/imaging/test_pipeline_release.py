"""What is asked of a release of the ALMA pipeline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from making import make_build

from reimage.casa import imaging
from reimage.imaging import pipeline_release
from reimage.recipes.load import load_recipe

RECIPE = load_recipe("hifatargets-2017")


def ask(version, casa="6.6.6.17", recipe=RECIPE):
    return pipeline_release.ask(recipe, make_build(version=casa, pipeline=version))


@pytest.mark.parametrize(
    ("pipeline", "casa", "official"),
    [
        ("2025.1.0.35", "6.6.6.17", None),
        ("2025.1.0.35+dirty", "6.6.5.31", "6.6.6"),
        ("2024.1.1.22", "6.6.1.17", None),
        ("2023.1.0.124", "6.6.1.17", "6.5.4"),
        ("unknown", "6.6.1.17", None),
    ],
)
def test_a_pipeline_in_another_casa_than_its_own_is_said(pipeline, casa, official):
    found = pipeline_release.pairing(pipeline, casa)
    assert [official in one for one in found] == ([True] if official else [])


def test_an_unknown_version_is_said():
    assert any(one.startswith("pipeline-version-unknown") for one in ask("unknown").caveats)


def test_steps_are_in_the_words_of_the_release():
    assert "hif_uvcontfit" in [step["task"] for step in ask("2022.2.0.64", "6.4.1").steps]
    today = ask("2025.1.0.35")
    assert "hif_uvcontfit" not in [step["task"] for step in today.steps]
    assert today.has_data_types
    assert not ask("r42866", "5.6.1").has_data_types


def test_a_recipe_that_exports_nothing_gets_an_export():
    steps = tuple(step for step in RECIPE.steps if step.task != "hifa_exportdata")
    asked = ask("2025.1.0.35", recipe=replace(RECIPE, steps=steps))
    assert asked.steps[-1] == {
        "id": "exportdata",
        "task": "hifa_exportdata",
        "arguments": {"imaging_products_only": True},
    }


def test_the_build_with_a_pipeline_is_taken():
    plain = make_build(version="6.7.0.31")
    older, newer = (make_build(version=v, id=v, pipeline="p") for v in ("6.5.4.9", "6.6.6.17"))
    shell = replace(newer, id="shell", version="4.7.2", python=None, casa="/opt/casa")
    other = replace(shell, id="other", version="6.9", casa=None)
    assert imaging.pipeline_build(older, (plain, older, newer)) == older
    assert imaging.pipeline_build(plain, (plain, older, newer, shell, other)) == newer
    assert imaging.pipeline_build(plain, (plain, shell)) == shell
    with pytest.raises(imaging.PipelineNotInBuild):
        imaging.pipeline_build(plain, (plain, other))
