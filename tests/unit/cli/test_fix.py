"""``reimage fix``: what is known, and what a dataset needs."""

from __future__ import annotations

import operating
import pytest
from making import EB, MEMBER, make_run, make_tree

from reimage import document
from reimage.cli import site_shapes
from reimage.model import CalibratedMs, Stage
from reimage.stages.context import PROVEN
from reimage.stages.values import RestoreValue

SCRIPT = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
ILL = "from recipes.almahelpers import fixsyscaltimes # SACM/JAO - Fixes\n"
FACT = {
    "fields": [{"id": 0, "name": "Mars", "ra_rad": 0.0, "dec_rad": 0.0, "pointing": [1.0, -0.3]}],
    "target_fields": [0],
    "spws": [],
    "observing_start_mjd": 58000.0,
    "flag_row_sound": False,
}


@pytest.fixture
def alone(tmp_path, capsys):
    """Nothing but settings: no run database, no runs."""
    return operating.Site(operating.settings_of(tmp_path), capsys)


def make_run_directory(root):
    make_tree(root / "fetch/delivery", {SCRIPT: "x = 1\n"})
    document.write(root / "run.json", make_run(root))
    name = f"restore/calibrated/{EB}.ms"
    value = RestoreValue(
        ms=(CalibratedMs(eb=EB, path=name, column="corrected", rows=1, promised_rows=1),),
        method="scriptForPI",
        facts={name: FACT},
    )
    (root / "restore").mkdir()
    document.write(root / "restore" / PROVEN, {"value": document.dump(value)})
    return root


def ids(said):
    return [one["fix"] for one in said.json["applicable"]]


def test_a_delivery_tells_the_fixes_of_its_files(alone, tmp_path):
    make_tree(tmp_path / "d", {SCRIPT: ILL})
    said = alone.call("fix", "applicable", tmp_path / "d", "--json")
    assert said.code == 0
    found = document.load(site_shapes.Applicable, said.json)
    assert [one.fix for one in found.applicable] == ["recipes-almahelpers"]
    assert EB in found.applicable[0].because
    assert "field-coordinates-zero" in found.unasked
    text = " ".join(alone.call("fix", "applicable", tmp_path / "d").out.split())
    reason = " ".join(found.applicable[0].because.split())
    assert text == f"recipes-almahelpers before restore, mends: {reason}"


def test_a_well_delivery_needs_none(alone, tmp_path):
    make_tree(tmp_path / "d", {SCRIPT: "x = 1\n"})
    said = alone.call("fix", "applicable", tmp_path / "d")
    assert "no fix is needed" in said.out + said.err


def test_a_run_tells_those_of_its_ms_too(alone, tmp_path):
    run = make_run_directory(tmp_path / "run")
    said = alone.call("fix", "applicable", run, "--json")
    assert ids(said) == ["field-coordinates-zero", "flag-row-damaged"]
    assert [one["reports"] for one in said.json["applicable"]] == [False, True]
    assert said.json["unasked"] == []
    assert said.json["ms"] == [f"restore/calibrated/{EB}.ms"]


def test_what_was_fetched_is_enough(alone, tmp_path):
    run = make_run_directory(tmp_path / "run")
    (run / "restore" / PROVEN).unlink()
    assert ids(alone.call("fix", "applicable", run, "--json")) == []


@pytest.mark.parametrize("target", ["nowhere", "uid://A001/X1"])
def test_what_is_not_there_is_coded(alone, target):
    assert alone.call("fix", "applicable", target).code == 2


def test_a_run_that_has_fetched_nothing_is_coded(worked):
    said = worked.call("fix", "applicable", "uid://A001/X1/X1")
    assert said.code == 2
    assert "has fetched nothing" in said.err


def test_fixes_is_another_word_for_fix(alone):
    assert alone.call("fixes", "list", "--json").json == alone.call("fix", "list", "--json").json


def test_the_list_tells_which_only_report(alone):
    rows = {row["id"]: row for row in alone.call("fix", "list", "--json").json["declared"]}
    assert rows["weights-before-43"]["reports"]
    assert not rows["field-coordinates-zero"]["reports"]
    assert {row["before"] for row in rows.values()} == {Stage.RESTORE, Stage.IMAGE}


def test_what_is_offered_is_said_with_the_command_that_takes_it(alone, tmp_path):
    rows = {row["id"]: row for row in alone.call("fix", "list", "--json").json["declared"]}
    assert [id_ for id_, row in rows.items() if row["offered"]] == ["python2-port"]
    assert "offered: port" in alone.call("fix", "list").out
    make_tree(tmp_path / "d", {SCRIPT: "print 'x'\n"})
    (one,) = alone.call("fix", "applicable", tmp_path / "d", "--json").json["applicable"]
    assert (one["fix"], one["offered"], one["obstacles"]) == ("python2-port", True, [])
    said = alone.call("fix", "applicable", tmp_path / "d")
    assert "offered" in said.out
    assert "--fix python2-port" in said.err


@pytest.mark.parametrize("verb", ["run", "rerun"])
def test_a_run_takes_the_fix_that_is_named(site, verb):
    dataset = "uid://A001/X1/X1"
    if verb == "rerun":
        site.call("run", dataset, "--detach")
        (row,) = site.call("status", "--json").json["runs"]
        site.call("cancel", row["run"])
        site.call("controller", "--once")
    said = site.call(verb, dataset, "--detach", "--json", "--fix", "python2-port")
    assert said.code == 0, said.err
    run = document.read_json(site.settings.data / said.json["run"]["directory"] / "run.json")
    assert "python2-port" in [one["id"] for one in run["fixes"]]
    unknown = site.call(verb, dataset, "--detach", "--fix", "no-such")
    assert unknown.code == 2
    assert "no-such" in unknown.err


def test_what_is_not_safe_is_said_line_by_line(alone, tmp_path):
    make_tree(tmp_path / "d", {SCRIPT: "print 'x'\nclean(vis='a')\nm = 1\nn = m / 2\n"})
    (one,) = alone.call("fix", "applicable", tmp_path / "d", "--json").json["applicable"]
    assert len(one["obstacles"]) == 2
    said = alone.call("fix", "applicable", tmp_path / "d")
    assert "line 2: clean" in said.err
    assert "--fix" not in said.err


@pytest.mark.parametrize("target", ["~nobody-at-all/place", "x" * 300])
def test_what_no_directory_can_be_called_is_told(alone, target):
    shown = alone.call("fix", "applicable", target)
    assert (shown.code, "error[delivery-not-here]" in shown.err) == (2, True)
