"""`reimage failures audit`: judgements confirmed and refuted, and what follows for the rules."""

from __future__ import annotations

import json

import pytest

from reimage import document
from reimage.cli import failures_audit, judge_shapes

FAILED, PARTIAL = "uid://A001/X1/X2", "uid://A001/X1/X4"


def drawn(site, *options):
    said = site.call("failures", "audit", *options, "--json")
    assert said.code == 0, said.err
    loaded = document.load(judge_shapes.AuditSample, said.json)
    assert document.dump(loaded) == said.json
    return loaded


def report(site, *options):
    said = site.call("failures", "audit", "--report", *options, "--json")
    assert said.code == 0, said.err
    loaded = document.load(judge_shapes.AuditReport, said.json)
    assert document.dump(loaded) == said.json
    return loaded.quality


def answered(site, tmp_path, **answers):
    sample = site.call("failures", "audit", "--json").json
    for one in sample["questions"]:
        one["confirmed"] = answers.get(one["error_class"].replace("-", "_"))
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(sample))
    return site.call("failures", "audit", "--answers", path)


def test_a_sample_is_of_every_class_and_comes_again_by_its_seed(worked):
    sample = drawn(worked, "--seed", "5")
    assert {one.error_class for one in sample.questions} == {
        "archive-file-damaged",
        "plan-incomplete",
    }
    assert drawn(worked, "--seed", "5") == sample
    assert len(drawn(worked, "--n", "1").questions) == 1


def test_answers_of_a_file_count_once_and_are_not_asked_again(worked, tmp_path):
    said = answered(worked, tmp_path, archive_file_damaged=True, plan_incomplete=False)
    assert said.out.strip() == "2 answers recorded"
    assert "reimage failures classify" in said.err
    assert drawn(worked).questions == ()
    assert "nothing to audit" in worked.call("failures", "audit").out
    rules = {one.rule: one for one in report(worked).rules}
    good, bad = rules["archive-file-damaged@1"], rules["plan-incomplete@1"]
    assert (good.confirmed, good.refuted, good.precision) == (1, 0, 1.0)
    assert (bad.confirmed, bad.refuted, bad.precision) == (0, 1, 0.0)
    assert (good.low, good.high) == (pytest.approx(0.025), 1.0)
    text = worked.call("failures", "audit", "--report")
    assert "3% to 100%" in text.out
    assert max(map(len, text.out.splitlines())) <= 80


def test_what_was_not_answered_is_asked_again(worked, tmp_path):
    assert "1 answer recorded" in answered(worked, tmp_path, plan_incomplete=True).out
    assert [one.error_class for one in drawn(worked).questions] == ["archive-file-damaged"]


def test_answers_of_another_site_are_told(worked, tmp_path):
    sample = worked.call("failures", "audit", "--json").json
    sample["questions"][0].update(run="20200101T000000-ffffff", confirmed=True)
    (tmp_path / "answers.json").write_text(json.dumps(sample))
    said = worked.call("failures", "audit", "--answers", "answers.json")
    assert said.out.strip() == "0 answers recorded; 1 are of no failure here"


def test_answers_that_are_none_have_a_code(worked, tmp_path):
    (tmp_path / "answers.json").write_text('{"questions": 7}')
    said = worked.call("failures", "audit", "--answers", "answers.json")
    assert (said.code, "error[answers-unreadable]" in said.err) == (2, True)


def test_what_a_person_overruled_counts_against_the_rule_once(worked, tmp_path):
    run = next(r for r in worked.call("status", "--json").json["runs"] if r["dataset"] == FAILED)
    answered(worked, tmp_path, archive_file_damaged=False)
    worked.call("failures", "classify", run["run"], "--as", "memory", "--why", "it was")
    (rule,) = report(worked).rules
    assert (rule.refuted, rule.overruled, rule.greedy) == (1, 0, False)
    other = next(r for r in worked.call("status", "--json").json["runs"] if r["dataset"] == PARTIAL)
    worked.call("failures", "classify", other["run"], "--as", "memory", "--why", "it was")
    rules = {one.rule: one for one in report(worked).rules}
    assert rules["plan-incomplete@1"].overruled == 1


def test_a_report_tells_dead_rules_and_what_is_unclassified(worked):
    quality = report(worked)
    assert (quality.failed_runs, quality.unclassified) == (2, 0)
    dead = {one.error_class: one.last_at for one in quality.dead}
    assert dead["memory"] is None
    assert "archive-file-damaged" not in dead
    assert "nobody has audited" in worked.call("failures", "audit", "--report").out


def test_a_person_is_asked_one_by_one_until_he_leaves(worked, capsys):
    questions = drawn(worked, "--seed", "1").questions
    said = iter(["what?", "N", "quit"])
    asked = list(failures_audit.asked(questions, lambda _: next(said)))
    assert [one.confirmed for one in asked] == [False]
    assert "1 of 2: " in capsys.readouterr().out

    def gone(_):
        raise EOFError

    assert list(failures_audit.asked(questions, gone)) == []
