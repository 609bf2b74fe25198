"""``reimage recipe`` as a person and as a program reads it."""

from __future__ import annotations

import json
import re

import pytest

from reimage import cli, document
from reimage.cli import codes, site_shapes
from reimage.recipes.load import load_recipe
from reimage.recipes.script import as_script


@pytest.fixture
def say(capsys):
    """Run ``reimage recipe``; return what it prints."""

    def call(*words, code=codes.DONE):
        assert cli.main(["recipe", *words]) == code
        said = capsys.readouterr()
        return said.out if code == codes.DONE else said.err

    return call


def test_list_has_every_recipe(say):
    rows = document.load(site_shapes.Declared, json.loads(say("list", "--json"))).declared
    assert [row["id"] for row in rows] == ["hifa-image", "hifa-image-2018", "hifatargets-2017"]
    assert all(row["naming"] and row["heuristics"] for row in rows)


def test_show_marks_what_the_engine_leaves_out(say):
    text = say("show", "hifa-image")
    assert "14. selfcal: hif_selfcal() [optional] [left out]" in text
    assert text.count("[left out]") == 7
    assert "[left out]" not in say("show", "hifa-image", "--set", "engine=pipeline")


def test_show_says_that_the_pipeline_is_one_process(say):
    assert "one CASA process" not in say("show", "hifa-image")
    assert "one CASA process" in say("show", "hifa-image", "--set", "engine=pipeline")


def test_script_is_printed_as_it_is(say):
    wanted = as_script(load_recipe("hifatargets-2017"), "2016.10")
    assert say("show", "hifatargets-2017", "--as-script", "--pipeline", "r38377") == wanted
    newest = say("show", "hifatargets-2017", "--as-script")
    assert "for the ALMA pipeline 2026.0" in newest


def test_script_as_json_tells_what_was_translated(say):
    text = say("show", "hifa-image", "--as-script", "--pipeline", "2019.10", "--json")
    told = document.load(site_shapes.RecipeScript, json.loads(text))
    assert told.pipeline == "2019.10"
    assert "step-left-out:hif_selfcal" in told.caveats
    assert told.script == as_script(load_recipe("hifa-image"), "2019.10")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "hifa-image", "--as-script", "--pipeline", "trunk"], "pipeline-version-unknown"),
        (["show", "hifa-image", "--as-script", "--pipeline", "2015.08"], "recipe-not-in-dialect"),
        (["show", "hifa-imag"], "recipe-unknown"),
        (["diff", "hifa-image"], "recipe-diff-of-nothing"),
        (["diff", "hifa-image", "--set", "makeimages.tlimt=3"], "recipe-override-unusable"),
        (["show", "hifa-image", "--set", "heuristics=2019"], "recipe-year-unknown"),
    ],
)
def test_bad_words_have_a_code_and_a_hint(say, words, code):
    text = say(*words, code=codes.USAGE)
    assert text.startswith(f"error[{code}]: ")
    assert "hint: " in text


def test_diff_reads_like_a_diff(say):
    text = say("diff", "hifatargets-2017", "hifa-image-2018")
    assert text.startswith("--- hifatargets-2017\n+++ hifa-image-2018\n")
    assert "\n-naming = 2017\n+naming = 2018\n" in text
    assert "\n flagtargets: hifa_flagtargets()\n+imageprecheck: hifa_imageprecheck()\n" in text
    assert text.endswith(
        "-exportdata: hifa_exportdata()\n+exportdata: hifa_exportdata(imaging_products_only=True)\n"
    )


def test_diff_with_a_change_of_the_same_recipe(say):
    text = say("diff", "hifa-image", "--set", "makeimages-cube.tlimit=3")
    assert [line for line in text.splitlines() if re.match(r"[-+]\w", line)] == [
        "-makeimages-cube: hif_makeimages()",
        "+makeimages-cube: hif_makeimages(tlimit=3.0)",
    ]


def test_diff_as_json_has_only_what_differs(say):
    text = say("diff", "hifatargets-2017", "hifa-image-2018", "--json")
    told = document.load(site_shapes.RecipeDiff, json.loads(text))
    assert not told.same
    assert {one.kind for one in told.differences} == {"key", "added", "changed"}
    same = json.loads(say("diff", "hifa-image", "hifa-image", "--json"))
    assert (same["same"], same["differences"]) == (True, [])
