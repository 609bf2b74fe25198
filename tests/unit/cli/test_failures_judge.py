"""`reimage failures classify | reclassify | new-class`: judged by people, and again by today's classes."""

from __future__ import annotations

import json
import tomllib

import operating
import pytest

from reimage import document
from reimage.cli import judge_shapes
from reimage.desk import acts, judging
from reimage.store import tallies

FAILED, REFUSED, PARTIAL = (f"uid://A001/X1/X{n}" for n in (2, 3, 4))
ODD = "RuntimeError: the frobnicator of antenna DA41 is out of tune at scan 17"
OWN_CLASS = """
title = "The frobnicator is out of tune"
family = "calibration"
fault = "site"
meaning = "Made for a test, it means nothing at all."
advice = "Tune the frobnicator and do it again."
[[match]]
message = 'frobnicator of antenna \\S+ is out of tune'
[evidence]
examples = ["RuntimeError: the frobnicator of antenna DV02 is out of tune at scan 3"]
"""


def run_of(site, dataset):
    runs = site.call("status", "--json").json["runs"]
    return next(run for run in runs if run["dataset"] == dataset)


def evidence_of(site, dataset):
    return site.settings.data / run_of(site, dataset)["directory"] / "evidence" / "attempt-1.json"


def say(site, dataset, text, code="casa-task-failed"):
    """Let the evidence of a run hold another line than it did."""
    path = evidence_of(site, dataset)
    found = json.loads(path.read_bytes())
    if found["fault"]:
        found["fault"].update(code=code, message="a task failed")
    found["absent"] = [{"name": "a", "image": "a", "reason": text}] if found["absent"] else []
    clue = {"source": "fetch/job/casa.log", "severity": "EXCEPTION", "text": text}
    found["clues"] = [{**clue, "stage": found["stage"]}]
    path.write_text(json.dumps(found))


def own_classes(site, tmp_path, text=OWN_CLASS, name="frobnicator"):
    folder = tmp_path / "own" / "calibration"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text)
    settings = tmp_path / "reimage.toml"
    settings.write_text(settings.read_text() + 'classes = ["own"]\n')


def classes_now(site):
    return {
        run["dataset"]: run["error_class"] for run in site.call("status", "--json").json["runs"]
    }


def judgements(site, dataset):
    said = site.call("show", dataset, "--json").json
    return [(one["error_class"], one["author"]) for one in said["classifications"]]


def again(site, *options):
    said = site.call("failures", "reclassify", *options, "--json")
    assert said.code == 0, said.err
    loaded = document.load(judge_shapes.Reclassified, said.json)
    assert document.dump(loaded) == said.json
    return loaded


def sums_are_right(site):
    with operating.opened(site.settings.database_url) as database, database.read() as session:
        return tallies.differences(session) == []


# --- by a person -----------------------------------------------------------------------------------


def test_a_person_says_what_it_is_and_is_not_taken_back(worked):
    run = run_of(worked, FAILED)
    said = worked.call(
        "failures", "classify", run["run"], "--as", "memory", "--why", "the node swapped"
    )
    assert said.code == 0, said.err
    assert "archive-file-damaged -> memory" in said.out
    assert classes_now(worked)[FAILED] == "memory"
    assert run_of(worked, FAILED)["result"] == "failed"
    first, second = judgements(worked, FAILED)
    assert first == ("archive-file-damaged", "archive-file-damaged@1")
    assert second[0] == "memory"
    found = again(worked, "--yes")
    assert (found.by_people, found.recorded) == (1, 0)
    assert classes_now(worked)[FAILED] == "memory"
    found = again(worked, "--also-people", "--yes")
    assert (found.by_people, found.recorded) == (0, 1)
    assert classes_now(worked)[FAILED] == "archive-file-damaged"
    assert len(judgements(worked, FAILED)) == 3
    assert sums_are_right(worked)


def test_a_failure_is_named_by_its_number_too(worked):
    said = worked.call("show", FAILED, "--json").json
    number = said["failures"][0]["id"]
    done = worked.call(
        "failures", "classify", f"#{number}", "--as", "hang", "--why", "seen", "--json"
    ).json
    assert done["classified"]["run"] == said["run"]["run"]
    assert done["classified"]["after"] == "hang"


@pytest.mark.parametrize(
    ("which", "as_class", "code", "words"),
    [
        ("#4711", "memory", "failure-unknown", "no failure #4711"),
        ("nothing", "memory", "run-unknown", "no run 'nothing'"),
        (None, "memory", "failure-unknown", "has no failure"),
        (FAILED, "memry", "error-class-unknown", "near it: memory"),
        (FAILED, "unclassified", "error-class-unknown", "no error class 'unclassified'"),
    ],
)
def test_what_cannot_be_classified_has_a_code(worked, which, as_class, code, words):
    dataset = which if which and which.startswith("uid") else "uid://A001/X1/X1"
    name = run_of(worked, dataset)["run"] if which is None or which == FAILED else which
    said = worked.call("failures", "classify", name, "--as", as_class, "--why", "x")
    assert said.code == 2
    assert f"error[{code}]" in said.err
    assert words in said.err


@pytest.mark.parametrize("why", ["", "  "])
def test_a_person_says_why(worked, why):
    run = run_of(worked, FAILED)["run"]
    said = worked.call("failures", "classify", run, "--as", "memory", "--why", why)
    assert (said.code, "error[reason-missing]" in said.err) == (2, True)
    long = worked.call("failures", "classify", run, "--as", "memory", "--why", "long " * 900)
    assert long.code == 0, long.err


# --- by today's classes ----------------------------------------------------------------------------


def test_today_is_as_it_was(worked):
    found = again(worked, "--dry-run")
    assert (found.judged, found.same, found.changes) == (3, 3, ())


def test_a_new_class_takes_its_failures_and_says_so_first(worked, tmp_path):
    say(worked, FAILED, ODD)
    assert again(worked, "--yes").changes[0].after == "unclassified"
    own_classes(worked, tmp_path)
    said = worked.call("failures", "reclassify", "--dry-run")
    assert "1 run: unclassified -> frobnicator (1 dataset blocked)" in said.out
    assert classes_now(worked)[FAILED] == "unclassified"
    refused = worked.call("failures", "reclassify")
    assert (refused.code, "error[nobody-to-ask]" in refused.err) == (2, True)
    found = again(worked, "--yes")
    assert found.recorded == 1
    assert (found.changes[0].runs, found.changes[0].datasets) == (1, 1)
    assert classes_now(worked)[FAILED] == "frobnicator"
    assert judgements(worked, FAILED)[-1] == ("frobnicator", "frobnicator@1")
    assert run_of(worked, FAILED)["result"] == "failed"
    assert sums_are_right(worked)
    assert again(worked, "--yes").recorded == 0


def test_only_what_is_chosen_is_judged(worked):
    say(worked, FAILED, ODD)
    say(worked, PARTIAL, ODD)
    assert again(worked, "--dry-run", "--class", "archive-file-damaged").judged == 1
    signature = run_of(worked, PARTIAL)["signature"]
    assert again(worked, "--dry-run", "--signature", signature).judged == 1
    assert again(worked, "--dry-run", "--since", "2100-01-01").judged == 0
    assert again(worked, "--dry-run", "--since", "1d").judged == 3
    said = worked.call("failures", "reclassify", "--class", "memry", "--dry-run")
    assert "near it: memory" in said.err
    said = worked.call("failures", "reclassify", "--all", "--class", "memory", "--dry-run")
    assert "error[selection-contradicts]" in said.err
    assert again(worked, "--dry-run", "--class", "memory").judged == 0


def test_evidence_that_is_gone_is_told_and_left(worked):
    say(worked, FAILED, ODD)
    evidence_of(worked, REFUSED).unlink()
    evidence_of(worked, PARTIAL).write_text('{"run": "torn')
    found = again(worked, "--yes")
    assert (found.judged, found.unreadable, found.recorded) == (1, 2, 1)
    runs = {one.run for one in found.unreadable_ones}
    assert runs == {run_of(worked, dataset)["run"] for dataset in (REFUSED, PARTIAL)}
    assert classes_now(worked)[REFUSED] == "nothing-to-restore"
    text = worked.call("failures", "reclassify", "--dry-run").out
    assert "2 without evidence that can be read: left" in text


def test_another_result_is_told_and_never_recorded(worked):
    path = evidence_of(worked, PARTIAL)
    found = json.loads(path.read_bytes())
    path.write_text(json.dumps({**found, "n_made": 0}))
    assert again(worked, "--yes").other_result == 1
    assert run_of(worked, PARTIAL)["result"] == "partial"


def test_interrupted_it_goes_on_where_it_was(worked, monkeypatch):
    say(worked, FAILED, ODD)
    say(worked, REFUSED, ODD)
    monkeypatch.setattr(judging, "BATCH", 1)
    record, calls = acts.record, []

    def killed_at_the_second(*arguments, **facts):
        calls.append(facts)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return record(*arguments, **facts)

    monkeypatch.setattr(acts, "record", killed_at_the_second)
    assert worked.call("failures", "reclassify", "--yes").code == 130
    assert sorted(classes_now(worked).values(), key=str).count("unclassified") == 1
    found = again(worked, "--yes")
    assert found.recorded == 1
    assert [len(call["judgements"]) for call in calls] == [1, 1, 1]
    assert sums_are_right(worked)


def test_several_processes_judge_as_one(worked, monkeypatch):
    say(worked, FAILED, ODD)
    alone = again(worked, "--dry-run")
    monkeypatch.setattr("reimage.desk.judges.WORTH_A_PROCESS", 1)
    assert again(worked, "--dry-run") == alone


# --- a new class -----------------------------------------------------------------------------------


def draft(site, *options):
    run = run_of(site, FAILED)["run"]
    said = site.call("failures", "new-class", run, *options, "--json")
    assert said.code == 0, said.err
    loaded = document.load(judge_shapes.DraftedClass, said.json)
    assert document.dump(loaded) == said.json
    return loaded


def test_a_draft_shows_what_it_would_match_before_it_is_saved(worked, tmp_path):
    say(worked, FAILED, ODD)
    again(worked, "--yes")
    say(worked, PARTIAL, ODD)
    found = draft(worked)
    assert found.file is None
    assert found.pattern == r"the frobnicator of antenna \S+ is out of tune at scan"
    assert found.family == "fetch"
    assert [line.number for line in found.lines if line.chosen] == [2]
    assert {one.error_class: (one.failures, one.moved) for one in found.taken} == {
        "unclassified": (1, 1),
        "plan-incomplete": (1, 1),
    }
    assert (found.looked, found.of, found.unreadable) == (3, 3, 0)
    assert tomllib.loads(found.text)["mode"] == "passive"
    assert list(tmp_path.glob("own/**/*.toml")) == []
    assert draft(worked, "--history", "1").looked == 1


def test_a_saved_draft_is_a_class_at_once(worked, tmp_path):
    say(worked, FAILED, ODD)
    (tmp_path / "own").mkdir()
    settings = tmp_path / "reimage.toml"
    settings.write_text(settings.read_text() + 'classes = ["own"]\n')
    found = draft(worked, "--save", "--id", "frobnicator", "--family", "calibration")
    assert found.file == str(tmp_path / "own" / "calibration" / "frobnicator.toml")
    assert worked.call("classes", "show", "frobnicator").code == 0
    assert again(worked, "--yes").changes[0].after == "frobnicator"
    run = run_of(worked, FAILED)["run"]
    taken = worked.call("failures", "new-class", run, "--id", "frobnicator")
    assert "error[class-draft-taken]" in taken.err
    known = worked.call("failures", "new-class", run, "--id", "another")
    assert "error[class-draft-ambiguous]" in known.err
    assert "frobnicator" in known.err


@pytest.mark.parametrize(
    ("line", "options", "code"),
    [
        (ODD, ("--save",), "class-draft-nowhere"),
        (ODD, ("--line", "9"), "class-draft-impossible"),
        (ODD, ("--id", "Bad Id"), "class-draft-impossible"),
        (ODD, ("--id", "memory"), "class-draft-taken"),
        ("RuntimeError: 1234", (), "class-draft-impossible"),
        ("RuntimeError: std::bad_alloc of something", (), "class-draft-ambiguous"),
        ("RuntimeError: Table x.ms/odd does not exist", (), "class-draft-ambiguous"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_refused(worked, line, options, code):
    say(worked, FAILED, line)
    run = run_of(worked, FAILED)["run"]
    said = worked.call("failures", "new-class", run, *options)
    assert said.code == 2, said.out
    assert f"error[{code}]" in said.err
    if code in {"class-draft-ambiguous", "class-draft-impossible"}:  # the lines to choose from
        assert f"  2 {line}" in said.err


def test_no_draft_without_evidence(worked):
    evidence_of(worked, FAILED).unlink()
    said = worked.call("failures", "new-class", run_of(worked, FAILED)["run"])
    assert (said.code, "error[document-unreadable]" in said.err) == (1, True)


def test_a_draft_reads_well_in_a_terminal(worked):
    say(worked, FAILED, ODD)
    said = worked.call("failures", "new-class", run_of(worked, FAILED)["run"])
    assert "* " in said.out
    assert "[[match]]" in said.out
    assert "found in failures of" in said.out
    assert "not saved" in said.err
