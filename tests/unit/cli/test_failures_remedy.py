"""`reimage failures remedy`: what is left to a person, and runs that follow others."""

from __future__ import annotations

from functools import partial

import fake_runner
import needy_runner
import operating
import pytest
from making import make_build
from operating import FACTS, NOW

from reimage import document, ledger, queueing
from reimage.cli import remedy_shapes
from reimage.run import Run
from reimage.store import datasets

GOOD, FAILED, REFUSED, PARTIAL = (f"uid://A001/X1/X{n}" for n in (1, 2, 3, 4))


def newest(site, dataset):
    rows = site.call("status", "--json").json["runs"]
    return next(row for row in rows if row["dataset"] == dataset)


def say(site, dataset, error_class):
    said = site.call(
        "failures", "classify", newest(site, dataset)["run"], "--as", error_class, "--why", "so"
    )
    assert said.code == 0, said.err


def heal(site, *keys, **facts):
    """Let runs of these datasets end well, or as other facts say."""
    with operating.opened(site.settings.database_url) as database, database.write() as session:
        rows = [(key, {**FACTS, "mous": key, **facts}) for key in keys]
        datasets.sync(session, "alma", rows, at=NOW)


def frozen(site, run):
    row = site.call("show", run, "--json").json["run"]
    return document.read(Run, site.settings.data / row["directory"] / "run.json")


def test_a_dry_run_tells_and_changes_nothing(worked):
    say(worked, FAILED, "memory")
    say(worked, PARTIAL, "memory")
    before = worked.call("status", "--json").json
    said = worked.call("failures", "remedy", "memory", "--dry-run")
    assert said.code == 0, said.err
    assert "memory 8000 -> 12000 MB (peak" in said.out
    assert "2 new runs: more memory" in said.out
    assert "category demo: 2 of 4 datasets ran out of memory" in said.out
    shape = worked.call("failures", "remedy", "memory", "--dry-run", "--json").json
    assert document.load(remedy_shapes.Remedies, shape).dry_run
    reasons = {one["reason"] for one in shape["planned"]}
    assert reasons == {"memory: memory 8000 -> 12000 MB (peak 123 MB)"}
    changes = {one["dataset"]: one["change"] for one in shape["planned"]}
    assert changes[FAILED]["memory_mb"] == 12000
    assert changes[PARTIAL]["keeps_images"]
    assert worked.call("status", "--json").json == before


def test_it_queues_and_says_which_follows_which(worked):
    say(worked, FAILED, "memory")
    first = newest(worked, FAILED)["run"]
    said = worked.call("failures", "remedy", "memory", "--yes", "--why", "ticket 77", "--json").json
    (done,) = said["queued"]
    assert done["follows"] == first
    run = frozen(worked, done["run"])
    assert (run.limits.memory_mb, run.retry_of, run.category) == (12000, first, "demo")
    assert not run.remedy.automatic
    assert f"followed by {done['run']}" in " ".join(worked.call("show", first).out.split())
    told = worked.call("show", done["run"]).out
    assert "before it began: remedy, memory: memory 8000 -> 12000 MB" in told
    (act,) = [e for e in ledger.read(worked.settings.data, "desk") if e.event == "remedies.asked"]
    assert (act.data["subject"], act.data["reason"]) == ("memory", "ticket 77")
    assert [one["run"] for one in act.data["runs"]] == [first]
    again = worked.call("failures", "remedy", "memory", "--yes", "--json").json
    assert again["queued"] == [], "it is under way"


def test_canaries_that_fail_hold_the_others_back(worked):
    for dataset in (FAILED, PARTIAL):
        say(worked, dataset, "memory")
    said = worked.call("failures", "remedy", "memory", "--yes", "--canary", "1", "--json")
    assert said.code == 1
    assert said.json["stopped"]
    assert len(said.json["queued"]) == len(said.json["canaries"]) == 1


def test_canaries_that_cannot_be_queued_hold_the_others_back(worked, monkeypatch):
    def follow(settings, database, row, change, remedy):
        raise queueing.MissingUnlike("not this one")

    for dataset in (FAILED, PARTIAL):
        say(worked, dataset, "memory")
    monkeypatch.setattr("reimage.following.follow", follow)
    said = worked.call("failures", "remedy", "memory", "--yes", "--canary", "1", "--json")
    assert said.code == 1
    assert said.json["stopped"]
    assert [one["run"] for one in said.json["queued"]] == [None]


def test_canaries_that_are_imaged_let_the_others_go(worked):
    heal(worked, FAILED, PARTIAL)
    for dataset in (FAILED, PARTIAL):
        say(worked, dataset, "memory")
    said = worked.call("failures", "remedy", "memory", "--yes", "--canary", "1")
    assert said.code == 0, said.err
    assert "tried first" in said.out
    assert "2 runs queued" in said.out
    operating.work(worked.settings)
    assert {newest(worked, key)["result"] for key in (FAILED, PARTIAL)} == {"imaged"}


def test_one_run_and_a_limit(worked):
    for dataset in (FAILED, PARTIAL):
        say(worked, dataset, "memory")
    run = newest(worked, PARTIAL)["run"]
    said = worked.call("failures", "remedy", run, "--dry-run", "--json").json
    assert [one["run"] for one in said["planned"]] == [run]
    said = worked.call("failures", "remedy", "memory", "--limit", "1", "--dry-run")
    assert "1 dataset beyond the limit" in said.out
    said = worked.call("failures", "remedy", "memory", "--limit", "1", "--yes", "--json").json
    assert len(said["queued"]) == 1


def test_a_dataset_and_the_beginning_of_a_signature_will_do(worked):
    run = newest(worked, FAILED)
    for name in (FAILED, FAILED.replace("uid://", "uid___").replace("/", "_")):
        said = worked.call("failures", "remedy", name, "--dry-run", "--json").json
        assert [one["run"] for one in said["left"]] == [run["run"]]
    said = worked.call("failures", "remedy", run["signature"][:-2], "--dry-run", "--json").json
    assert [one["run"] for one in said["left"]] == [run["run"]]


def test_what_has_no_remedy_is_left_and_says_why(worked):
    said = worked.call("failures", "remedy", "archive-file-damaged", "--yes")
    assert said.code == 0
    assert "1 dataset left" in said.out
    assert (
        worked.call("failures", "remedy", "disk-full", "--yes").out
        == "disk-full blocks nothing now\n"
    )
    signature = newest(worked, FAILED)["signature"]
    said = worked.call("failures", "remedy", signature, "--dry-run", "--json").json
    assert [one["dataset"] for one in said["left"]] == [FAILED]


def test_evidence_that_is_gone_is_told_and_the_others_go_on(worked):
    for dataset in (FAILED, PARTIAL):
        say(worked, dataset, "memory")
    where = worked.settings.data / newest(worked, FAILED)["directory"] / "evidence"
    (where / "attempt-1.json").unlink()
    said = worked.call("failures", "remedy", "memory", "--dry-run", "--json").json
    assert [one["dataset"] for one in said["planned"]] == [PARTIAL]
    assert "no evidence to decide on" in said["left"][0]["reason"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("memry", "error-class-unknown"),
        ("20200101T000000-abcdef", "run-unknown"),
        ("sv1:000000000000", "group-unknown"),
        ("uid://A001/X9/X9", "run-unknown"),
        ("#4711", "failure-unknown"),
    ],
)
def test_names_of_nothing(worked, name, code):
    said = worked.call("failures", "remedy", name)
    assert said.code == 2
    assert f"error[{code}]" in said.err


def test_a_run_that_blocks_nothing_and_nobody_to_ask(worked):
    said = worked.call("failures", "remedy", newest(worked, REFUSED)["run"])
    assert "error[run-not-blocking]" in said.err
    say(worked, FAILED, "memory")
    said = worked.call("failures", "remedy", "memory")
    assert "error[nobody-to-ask]" in said.err


@pytest.fixture
def needy(site, monkeypatch):
    """A site with two builds, where the first is the wrong one for a dataset."""
    site.settings.builds_dir.mkdir(parents=True)
    for name in ("a", "b"):
        document.write(
            site.settings.builds_dir / f"{name}.json", make_build(id=name, probed_at=NOW)
        )
    heal(site, GOOD, act="need build", act_at="restore", ranked=["a", "b"], good="b")
    play = fake_runner.play

    def played(directory, attempt):
        run = document.read(Run, directory / "run.json")
        monkeypatch.setattr(fake_runner, "act", partial(needy_runner.act, run, directory))
        play(directory, attempt)

    monkeypatch.setattr(fake_runner, "play", played)
    return site


def test_a_run_in_the_foreground_stays_for_those_that_follow(needy):
    said = needy.call("run", GOOD, "--json")
    assert said.code == 0, said.err
    assert "follows: script-of-other-casa: build b (tried: a)" in said.err
    assert "(a new run follows: script-of-other-casa: build b (tried: a))" in said.err
    (first,) = said.json["earlier"]
    assert (first["result"], said.json["run"]["result"]) == ("failed", "imaged")
    assert said.json["run"]["retry_of"] == first["run"]
    detail = needy.call("show", first["run"], "--json").json
    assert detail["followed_by"] == [said.json["run"]["run"]]


def test_as_a_table_both_are_told(needy):
    said = needy.call("run", GOOD)
    assert said.code == 0, said.err
    assert said.out.count("uid___A001_X1_X1") == 2
