"""The script of a recipe, run against a pipeline that only writes down what it is asked for."""

from __future__ import annotations

import ast
import re
import sys
import types

import pytest

from reimage.recipes.load import find_recipes, load_recipe, override
from reimage.recipes.releases import dialects, era_of
from reimage.recipes.script import as_script
from reimage.recipes.translate import RecipeNotInDialect, translate


def run(text, monkeypatch, *, fails=None, arguments=("/data/x.ms",)):
    """Run a script where every task is there; return the calls, and the exit code."""
    made: list[tuple[str, dict]] = []

    def task(name):
        def call(**said):
            made.append((name, said))
            if name == fails:
                raise RuntimeError(f"{name} failed")

        return call

    class Anything(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return task(name.removesuffix("_cli"))

    wanted = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    for module in {"casatasks", "pipeline", *wanted, *(name.rpartition(".")[0] for name in wanted)}:
        if module:
            monkeypatch.setitem(sys.modules, module, Anything(module))
    monkeypatch.setattr(sys, "argv", ["hifatargets.py", *arguments])
    shell = {name: task(name) for name in _tasks(text)} if not wanted else {}
    code = 0
    try:
        exec(compile(text, "hifatargets.py", "exec"), {"__name__": "__main__", **shell})  # noqa: S102 -- a script is to be run
    except SystemExit as error:
        code = error.code
    return made, code


def _tasks(text):
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return {f.id for f in calls if isinstance(f, ast.Name) and f.id.startswith("h")} - {
        "hifatargets"
    }


@pytest.mark.parametrize("era", [release.era for release in dialects().release])
@pytest.mark.parametrize("name", sorted(find_recipes()))
def test_script_makes_the_calls_of_the_translation(name, era, monkeypatch):
    recipe = load_recipe(name)
    try:
        told = translate(recipe, era)
    except RecipeNotInDialect:
        assert era_of(era) < (2017, 10)
        return
    made, code = run(as_script(recipe, era), monkeypatch)
    wanted = [(call.task, dict(call.arguments)) for call in told.calls]
    wanted[0][1]["vis"] = ["/data/x.ms"]
    assert made == [("h_init", {}), *wanted, ("h_save", {})]
    assert code == 0


def test_what_a_task_raises_is_told_and_the_context_saved(monkeypatch, capsys):
    made, code = run(
        as_script(load_recipe("hifa-image"), "2025.1"), monkeypatch, fails="hif_findcont"
    )
    assert [task for task, _ in made][-2:] == ["hif_findcont", "h_save"]
    assert code == 1
    assert "hif_findcont failed" in capsys.readouterr().out


def test_given_mss_are_the_default(monkeypatch):
    text = as_script(load_recipe("hifatargets-2017"), "2025.1", ["/a.ms", "/b.ms"])
    made, _ = run(text, monkeypatch, arguments=())
    assert made[1][1]["vis"] == ["/a.ms", "/b.ms"]


def test_import_only_stops_after_the_import(monkeypatch):
    text = as_script(load_recipe("hifatargets-2017"), "2025.1").partition("if __name__")[0]
    made, _ = run(text + "\nhifatargets(['x.ms'], importonly=True)\n", monkeypatch)
    assert [task for task, _ in made] == ["h_init", "hifa_importdata", "h_save"]


def test_changes_are_told_and_written():
    recipe = override(load_recipe("hifa-image"), ["makeimages.hm_cyclefactor=3"])
    text = as_script(recipe, "2025.1")
    assert "--set makeimages.hm_cyclefactor=3" in text
    assert text.count("hif_makeimages(hm_cyclefactor=3.0)") == 7


@pytest.mark.parametrize("field", ["a\\N b", 'x""" + """y', "end\\"])
def test_changes_cannot_break_out_of_the_script(field, monkeypatch):
    recipe = override(load_recipe("hifa-image"), [f"makeimlist-mfs.field='{field}'"])
    made, _ = run(as_script(recipe, "2025.1"), monkeypatch)
    fields = [said["field"] for task, said in made if "field" in said]
    assert fields == [field]


def test_the_python_2_of_older_casas_is_told_how_letters_are_written():
    """Else one that is not ASCII, in a title or a file's name, is a SyntaxError there (PEP 263)."""
    text = as_script(load_recipe("hifatargets-2017"), "2016.10", ["/data/été.ms"])
    assert "été" in text
    assert re.match(r"[ \t\f]*#.*?coding[:=][ \t]*utf-8", text)
    assert ast.get_docstring(ast.parse(text))


def test_title_cannot_break_out_of_the_script():
    recipe = load_recipe("hifa-image")
    object.__setattr__(recipe, "title", 'Mine """ + \\ {title}')
    compile(as_script(recipe, "2025.1"), "hifatargets.py", "exec")
