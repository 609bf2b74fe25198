"""The worked examples of the contributor's guide, as they stand there: found, listed, doing what they say."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from making import EB, MEMBER, make_archive, make_row, make_tree, tar_bytes

from reimage import category, document, fix, settings, sweeps
from reimage.cli import main
from reimage.delivery import layout
from reimage.recipes.load import load_recipe
from reimage.recipes.plan import lists
from reimage.recipes.tasks import make_inputs, prepare_inputs
from reimage.run import Run
from reimage.settings import shipped
from reimage.store import migrate
from reimage.triage import catalogue, rules
from reimage.triage.evidence import of_text

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "ops" / "guide" / "contributor.md"
BLOCK = re.compile(
    r"^```(?:python|toml)\n# (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FIX, CLASS = "site/fixes/globals_has_key.py", "site/classes/calibration/syscal-scan-missing.toml"
CATEGORY, RECIPE = "site/categories/band6-continuum.toml", "site/recipes/continuum-quick.toml"
TEST = "site/tests/test_globals_has_key.py"
TWELVE, SEVEN = "uid://A001/X1/X12", "uid://A001/X1/X7"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Write every example where it says it belongs; the settings are the page's own, too."""
    for name, text in BLOCK.findall(PAGE.read_text()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def loaded(site):
    return settings.load(site / "reimage.toml", environ={}, cwd=site)


@pytest.fixture
def said(site, capsys):
    """Give a function that returns what a command line says as JSON."""

    def said(*words):
        assert main(["--config", str(site / "reimage.toml"), *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return said


@pytest.fixture
def holdings(site, said, monkeypatch, capsys):
    """Give an archive with a dataset of the category, and others that miss it by one condition each."""
    rows = [
        make_row(member_ous_uid=TWELVE),
        make_row(member_ous_uid=SEVEN, antenna_arrays="A001:CM01"),
        make_row(member_ous_uid="uid://A001/X1/X3", band_list="3"),
        make_row(member_ous_uid="uid://A001/X1/X4", qa2_passed="F"),
    ]
    auxiliary = ("#auxiliary", tar_bytes({f"{MEMBER}/script/x.scriptForPI.py": b""}))
    make_archive(site / "archive", {"x_auxiliary.tar": auxiliary}, rows)
    monkeypatch.setenv("REIMAGE_ARCHIVE", str(site / "archive"))
    assert main(["--config", str(site / "reimage.toml"), "db", "upgrade"]) == 0
    capsys.readouterr()
    assert said("holdings", "sync")["counts"]["added"] == len(rows)


def test_the_page_has_the_examples(site):
    found = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert found == {"reimage.toml", FIX, TEST, CLASS, CATEGORY, RECIPE}


# --- the fix ------------------------------------------------------------------------------------------


def test_the_fix_is_found_and_listed(site, loaded, said):
    folders = (shipped("fixes"), *loaded.fixes)
    assert "globals-has-key" in [one.id for one in fix.discover(folders)]
    (listed,) = [one for one in said("fix", "list")["declared"] if one["id"] == "globals-has-key"]
    assert listed["path"] == str(site / FIX)
    assert listed["before"] == "restore"


def test_the_fix_is_of_the_shape_that_the_contract_asks_for(site):
    tree = ast.parse((site / FIX).read_text())
    told = ast.get_docstring(tree) or ""
    assert all(word in told for word in ("Symptom:", "Cause:", "Remedy:", "Source:"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in imported if name and name.startswith("reimage")}
    assert ours <= {"reimage.fix", "reimage.model", "reimage.errors"}


def test_the_fix_mends_its_own_issue_and_no_other_fix_does(site, tmp_path):
    script = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
    text = "if globals().has_key('applyonly') and globals().has_key( \"steps\" ): pass\n"
    ill = layout.read_layout(make_tree(tmp_path / "ill", {script: text}))
    folders = (shipped("fixes"), site / "site" / "fixes")
    known = [fix.read(Path(one.path)) for one in fix.discover(folders)]
    assert [one.id for one in known if one.applies(ill, {})] == ["globals-has-key"]
    (patch,) = fix.read(site / FIX).apply(ill, {})
    assert patch.text == "if ('applyonly' in globals()) and (\"steps\" in globals()): pass\n"


def test_its_test_passes_and_can_fail(site):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(site / TEST)]
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(site)]
    good = subprocess.run(
        [*command, *options], cwd=site, check=False, capture_output=True, text=True
    )
    assert good.returncode == 0, good.stdout
    assert "3 passed" in good.stdout
    (site / FIX).write_text((site / FIX).read_text().replace("_HAS_KEY.sub(", "str.strip("))
    bad = subprocess.run(
        [*command, *options], cwd=site, check=False, capture_output=True, text=True
    )
    assert bad.returncode == 1, bad.stdout


# --- the error class ----------------------------------------------------------------------------------


def test_the_class_is_found_and_listed(loaded, said):
    assert "syscal-scan-missing" in [one.id for one in catalogue.load_classes(loaded.classes)]
    assert "syscal-scan-missing" in [one["id"] for one in said("classes", "list")["declared"]]
    shown = said("classes", "show", "syscal-scan-missing")["declaration"]
    assert (shown["family"], shown["fault"]) == ("calibration", "delivery")


def test_the_class_matches_its_examples_and_nothing_else_does(loaded):
    classes = catalogue.load_classes(loaded.classes)
    one = next(one for one in classes if one.id == "syscal-scan-missing")
    for example in one.evidence.examples:
        found = rules.find(of_text(example).clues, classes)
        assert {finding.error_class for finding in found} == {one.id}
    for example in one.evidence.counterexamples:
        assert of_text(example).clues
        assert one.id not in {f.error_class for f in rules.find(of_text(example).clues, classes)}
    shipped_examples = [
        example
        for other in catalogue.load_classes()
        for example in other.evidence.examples
        if isinstance(example, str)
    ]
    clues = [clue for example in shipped_examples for clue in of_text(example).clues]
    assert one.id not in {found.error_class for found in rules.find(clues, classes)}


# --- the category -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("holdings")
def test_the_category_has_the_members_that_it_asks_for(loaded, said):
    one = category.find_category("band6-continuum", sweeps.folders(loaded))
    database = migrate.open_database(loaded.database_url)
    assert sweeps.find_members(database, one) == (TWELVE,)
    database.close()
    listed = said("holdings", "list", "--where", one.criteria)["datasets"]
    assert [row["dataset"] for row in listed] == [TWELVE]
    assert "band6-continuum" in [one["id"] for one in said("category", "list")["declared"]]
    planned = said("sweep", "launch", "band6-continuum", "--pilot", "--dry-run")
    assert (planned["sweep"], planned["datasets"]) == (None, [TWELVE])


# --- the recipe ---------------------------------------------------------------------------------------


def test_the_recipe_is_found_and_the_engine_understands_it(loaded, said):
    recipe = load_recipe("continuum-quick", loaded.recipes)
    assert [step.parameters["specmode"] for step in lists(recipe)] == ["cont"]
    assert prepare_inputs(recipe)["robust"] == 0.5
    assert make_inputs(recipe)["settings"]["cont"]["tlimit"] == 3.0
    assert "continuum-quick" in [one["id"] for one in said("recipe", "list")["declared"]]
    words = ("recipe", "show", "continuum-quick", "--set", "makeimages.tlimit=4.0")
    steps = {step["task"]: step["parameters"] for step in said(*words)["declaration"]["steps"]}
    assert steps["hif_makeimages"]["tlimit"] == 4.0


@pytest.mark.usefixtures("holdings")
def test_a_run_is_frozen_with_the_recipe_and_the_fix(site, said):
    queued = said("run", SEVEN, "--recipe", "continuum-quick", "--detach", "--no-preflight")["run"]
    run = document.read(
        Run, site / "data" / "runs" / "uid___A001_X1_X7" / queued["run"] / "run.json"
    )
    assert run.recipe["id"] == "continuum-quick"
    assert "globals-has-key" in [one.id for one in run.fixes]
