"""What the readers print, as JSON and for people."""

from __future__ import annotations

from types import SimpleNamespace

import operating
import pytest

from reimage import document
from reimage.cli import db_shapes, holdings_shapes, inbox_shapes, log, run_shapes, site_shapes
from reimage.model import Stage
from reimage.run import Run

IMAGED, FAILED, REFUSED, PARTIAL = (f"uid://A001/X1/X{n}" for n in (1, 2, 3, 4))
RUN_KEYS = """
    run holding dataset state stage result error_class signature category recipe build
    products_made products_planned created_at attempts wall_s caveats
"""


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["status"], run_shapes.Runs),
        (["show", IMAGED], run_shapes.RunDetail),
        (["show", FAILED], run_shapes.RunDetail),
        (["log", IMAGED], run_shapes.Events),
        (["failures"], inbox_shapes.Failures),
        (["failures", "--by", "stage"], inbox_shapes.Failures),
        (["failures", "query", "hosts"], inbox_shapes.Answer),
        (["failures", "query", "--list"], inbox_shapes.SavedQuestions),
        (["products", IMAGED], run_shapes.Products),
        (["products", FAILED], run_shapes.Products),
        (["holdings", "list"], holdings_shapes.Datasets),
        (["holdings", "show", IMAGED], holdings_shapes.DatasetDetail),
        (["holdings", "stats"], holdings_shapes.HoldingStats),
        (["sweep", "status"], run_shapes.Sweeps),
        (["sweep", "launch", "demo", "--dry-run"], run_shapes.Launched),
        (["casa", "list"], site_shapes.Builds),
        (["casa", "list", "--installable"], site_shapes.InstallableBuilds),
        (["recipe", "list"], site_shapes.Declared),
        (["recipe", "show", "hifatargets-2017"], site_shapes.Declaration),
        (["category", "list"], site_shapes.Declared),
        (["category", "show", "demo"], site_shapes.Declaration),
        (["classes", "list"], site_shapes.Declared),
        (["classes", "show", "memory"], site_shapes.Declaration),
        (["fix", "list"], site_shapes.Declared),
        (["db", "current"], db_shapes.Revision),
        (["doctor"], site_shapes.Checkup),
    ],
)
def test_json_has_its_documented_shape(worked, arguments, shape):
    said = worked.call(*arguments, "--json")
    assert said.code == 0, said.err
    assert said.json["schema"] == 1
    loaded = document.load(shape, said.json)
    assert document.dump(loaded) == said.json


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["failures"],
        ["failures", "--by", "signature"],
        ["failures", "query", "reached-end"],
        ["products", IMAGED],
        ["holdings", "list"],
        ["holdings", "stats"],
        ["sweep", "status"],
        ["classes", "list"],
        ["casa", "list", "--installable"],
        ["fix", "list"],
    ],
)
def test_tables_keep_to_80_columns_and_one_line_a_row(worked, arguments):
    lines = worked.call(*arguments).out.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80


def test_a_beginning_of_several_runs_is_said_to_be_so(worked):
    runs = {run["run"] for run in worked.call("status", "--json").json["runs"]}
    said = worked.call("show", "2")
    assert said.code == 2
    assert "'2' begins the names of several runs: " in said.err
    assert any(run in said.err for run in runs)


def test_status_lists_what_came_of_the_runs(worked):
    said = worked.call("status", "--json").json
    assert {run["dataset"]: run["result"] for run in said["runs"]} == {
        IMAGED: "imaged",
        FAILED: "failed",
        REFUSED: "refused",
        PARTIAL: "partial",
    }
    assert all(set(RUN_KEYS.split()) <= set(run) for run in said["runs"])
    assert sum(count["n"] for count in said["counts"]) == 4
    partial = next(run for run in said["runs"] if run["dataset"] == PARTIAL)
    assert (partial["products_made"], partial["products_planned"]) == (1, 2)


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("--result", "failed", {FAILED}),
        ("--state", "queued", set()),
        ("--category", "demo", {IMAGED, FAILED, REFUSED, PARTIAL}),
        ("--category", "none", set()),
    ],
)
def test_status_filters(worked, option, value, found):
    said = worked.call("status", option, value, "--json").json
    assert {run["dataset"] for run in said["runs"]} == found


def test_show_tells_the_class_its_advice_and_where_the_evidence_is(worked):
    said = worked.call("show", FAILED)
    for part in ("archive-file-damaged", "advice", "a tar is cut", "evidence", "fetch"):
        assert part in said.out
    detail = worked.call("show", FAILED, "--json").json
    assert "{run}" not in detail["explanation"]["advice"]
    kept = detail["evidence"][0]["path"]
    assert (worked.settings.data / detail["run"]["directory"] / kept).is_file()


def test_show_tells_what_is_odd_and_what_is_doubtful(worked):
    detail = worked.call("show", IMAGED, "--json").json
    assert detail["notes"] == ["raw-missing: uid___A002_X1_X1"]
    assert detail["choice"]["doubtful"] is True
    said = worked.call("show", IMAGED).out
    assert "  raw-missing: uid___A002_X1_X1" in said.splitlines()
    assert "CASA: casa-test (asked for: 4.7.2), doubtful" in said


def test_show_takes_the_beginning_of_a_run(worked):
    run = worked.call("status", "--json").json["runs"][0]["run"]
    assert worked.call("show", run[:-1], "--json").json["run"]["run"] == run


def test_failures_keep_what_was_refused_apart(worked):
    said = worked.call("failures", "--json").json
    assert {group["key"]: group["share"] for group in said["failures"]} == {
        "archive-file-damaged": 0.5,
        "plan-incomplete": 0.5,
    }
    assert [group["key"] for group in said["refused"]] == ["nothing-to-restore"]
    example = said["failures"][0]["example"]
    assert worked.call("show", example).code == 0


def test_failures_since(worked):
    assert worked.call("failures", "--since", "2100-01-01", "--json").json["failures"] == []


def test_products_say_what_is_absent_and_why(worked):
    said = worked.call("products", PARTIAL)
    assert "absent" in said.out
    assert "no room" in said.out


def test_log_tells_the_journal_and_names_the_jobs_it_knows(worked):
    lines = worked.call("log", IMAGED, "--lines", 3).out.splitlines()
    assert len(lines) == 3
    assert "attempt.judged" in lines[-1]
    said = worked.call("log", IMAGED, "--job", "nonsense")
    assert said.code == 2
    assert "jobs: runner" in said.err


def test_log_prints_the_end_of_a_file(worked):
    run = worked.call("show", IMAGED, "--json").json
    log = worked.settings.data / run["run"]["directory"] / "attempts/1/runner.log"
    log.write_text("one\ntwo [not markup]\nthree\n")
    said = worked.call("log", IMAGED, "--job", "runner", "-n", 2)
    assert said.out == "two [not markup]\nthree\n"


def test_log_follows_until_the_run_is_done(monkeypatch, site):
    run = site.call("run", IMAGED, "--detach").out.strip()
    monkeypatch.setattr(log, "time", SimpleNamespace(sleep=lambda _: operating.work(site.settings)))
    said = site.call("log", run, "--follow")
    events = [line.split("  ")[2] for line in said.out.splitlines()]
    assert events[0] == "run.queued"
    assert events[-1] == "attempt.judged"
    assert len(events) == len(set(said.out.splitlines()))


def test_holdings_filter(worked):
    found = worked.call("holdings", "list", "--where", "bands = 6", "--limit", 2, "--json").json
    assert len(found["datasets"]) == 2
    assert worked.call("holdings", "list", "--where", "bands = 3", "--json").json["datasets"] == []


def test_sweep_status_of_one(worked):
    name = worked.call("sweep", "status", "--json").json["sweeps"][0]["sweep"]
    said = worked.call("sweep", "status", name, "--follow", "--json").json
    assert document.load(run_shapes.SweepDetail, said).sweep.sweep == name
    assert len(said["runs"]) == 4


def test_launching_twice_leaves_out_what_is_live(site):
    first = site.call("sweep", "launch", "demo", "--limit", 3, "--json").json
    second = site.call("sweep", "launch", "demo", "--json").json
    assert len(first["runs"]) == len(second["skipped"]) == 3
    assert len(second["runs"]) == 1


def test_a_sweep_stops_where_it_is_told_to(site):
    site.call("sweep", "launch", "demo", "--limit", 1, "--until", "choose")
    (frozen,) = site.settings.data.glob("runs/*/*/run.json")
    assert document.read(Run, frozen).until is Stage.CHOOSE


def test_rerun_is_a_new_run_that_names_the_old(worked):
    said = worked.call("rerun", FAILED, "--json")
    assert said.code == 1
    old = worked.call("status", "--json").json["runs"][-1]
    assert said.json["run"]["retry_of"] != said.json["run"]["run"]
    assert said.json["run"]["dataset"] == FAILED != old["run"]


def test_cancel_ends_what_is_queued(site):
    run = site.call("run", IMAGED, "--detach").out.strip()
    assert site.call("cancel", run, "--why", "a mistake").code == 0
    assert site.call("controller", "--once").code == 0
    detail = site.call("show", run, "--json").json
    assert detail["run"]["result"] == "cancelled"
    assert "a mistake" in [decision["reason"] for decision in detail["decisions"]]


def test_rebuild_finds_the_same_runs(worked, tmp_path):
    said = worked.call("db", "rebuild", "--into", tmp_path / "again.db")
    assert "4 runs, 1 sweep," in said.out
    (tmp_path / "reimage.toml").write_text('data = "data"\ndatabase = "sqlite:///again.db"\n')
    again = worked.call("status", "--json").json
    assert {run["result"] for run in again["runs"]} == {"imaged", "failed", "refused", "partial"}
