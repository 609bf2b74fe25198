"""What the first user of the failure desk stumbled over: each is told, and told right."""

from __future__ import annotations

import json

import pytest

IMAGED, FAILED, REFUSED, PARTIAL = (f"uid://A001/X1/X{n}" for n in (1, 2, 3, 4))
OWN = """
title = "The frobnicator is out of tune"
family = "calibration"
fault = "site"
remedy = "retry"
meaning = "Made for a test, it means nothing at all."
advice = "Tune the frobnicator and do it again."
[[match]]
message = 'frobnicator of antenna \\S+ is out of tune'
[evidence]
source = "the night log of our site, 2026-11-20"
examples = ["RuntimeError: the frobnicator of antenna DV02 is out of tune at scan 3"]
"""


def run_of(site, dataset):
    return next(
        run for run in site.call("status", "--json").json["runs"] if run["dataset"] == dataset
    )


def evidence_of(site, dataset):
    return site.settings.data / run_of(site, dataset)["directory"] / "evidence" / "attempt-1.json"


def own_class(tmp_path, text=OWN):
    folder = tmp_path / "own" / "calibration"
    folder.mkdir(parents=True)
    (folder / "frobnicator.toml").write_text(text)
    settings = tmp_path / "reimage.toml"
    settings.write_text(settings.read_text() + 'classes = ["own"]\n')


def line_of(site, key):
    found = site.call("failures", "--json", "--all").json
    return next(one for one in (*found["failures"], *found["refused"]) if one["key"] == key)


# --- classes that no controller has seen yet ---------------------------------------------------------


def test_a_class_given_by_hand_has_its_title_at_once(worked, tmp_path):
    own_class(tmp_path)
    said = worked.call("failures", "classify", FAILED, "--as", "frobnicator", "--why", "seen")
    assert said.code == 0, said.err
    line = line_of(worked, "frobnicator")
    assert (line["title"], line["family"]) == ("The frobnicator is out of tune", "calibration")
    assert (line["remedy"], line["fault"]) == ("retry", "site")


def test_a_class_given_by_reclassify_has_its_family_at_once(worked, tmp_path):
    path = evidence_of(worked, FAILED)
    found = json.loads(path.read_bytes())
    found["fault"].update(code="casa-task-failed", message="a task failed")
    text = "RuntimeError: the frobnicator of antenna DV02 is out of tune at scan 3"
    clue = {"source": "fetch/job/casa.log", "severity": "EXCEPTION", "text": text}
    found["clues"] = [{**clue, "stage": found["stage"]}]
    path.write_text(json.dumps(found))
    own_class(tmp_path)
    assert worked.call("failures", "reclassify", "--yes").code == 0
    by_family = worked.call("failures", "--by", "family", "--json").json["failures"]
    assert "calibration" in {one["key"] for one in by_family}


def test_a_rebuilt_database_knows_its_classes(worked, tmp_path):
    before = line_of(worked, "archive-file-damaged")
    again = tmp_path / "again.db"
    assert worked.call("db", "rebuild", "--into", again).code == 0
    settings = tmp_path / "reimage.toml"
    settings.write_text(settings.read_text() + f'database = "sqlite:///{again}"\n')
    after = line_of(worked, "archive-file-damaged")
    for name in ("title", "family", "remedy", "fault"):
        assert before[name]
        assert after[name] == before[name]


# --- the inbox ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [100, 110])
def test_an_inbox_of_100_columns_has_what_decides(worked, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    head = worked.call("failures").out.splitlines()[0]
    for title in ("datasets", "recovers", "runs", "last (UTC)", "state", "remedy"):
        assert title in head


def test_signatures_have_words_beside_them_on_80_columns(worked):
    said = worked.call("failures", "--by", "signature")
    lines = said.out.splitlines()
    assert "meaning" in lines[0]
    assert all(len(line) <= 80 for line in lines)
    place = lines[0].index("meaning")
    assert all(len(line[place:].strip()) >= 10 for line in lines[1:3])


def test_how_to_go_on_is_said_and_works(worked):
    said = worked.call("failures")
    number = worked.call("failures", "--json").json["failures"][0]["example_failure"]
    assert f"`reimage failures show '#{number}'`" in said.err
    assert worked.call("failures", "show", f"#{number}").code == 0


def test_a_ticket_is_seen_in_the_inbox(worked, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    worked.call("failures", "link", "archive-file-damaged", "https://t.example.org/browse/CAS-7")
    assert "CAS-7" in worked.call("failures").out


def test_an_unknown_sweep_is_no_good_news(worked):
    said = worked.call("failures", "--sweep", "nonesuch")
    assert said.code == 2
    assert "error[sweep-unknown]" in said.err


def test_a_refusal_counts_the_same_by_day_and_has_no_state(worked):
    (by_class,) = worked.call("failures", "--json").json["refused"]
    (by_day,) = worked.call("failures", "--by", "day", "--json").json["refused"]
    assert by_day["datasets"] == by_class["datasets"] == 1
    refused = worked.call("failures").out.partition("refused by class")[2]
    assert "state" not in refused.splitlines()[0]
    assert "quiet" not in worked.call("failures", "--by", "day").out


# --- what is shown of one ------------------------------------------------------------------------------


def test_what_a_person_said_stands_and_show_says_so(worked):
    worked.call("failures", "classify", FAILED, "--as", "memory", "--why", "the node swapped")
    said = worked.call("failures", "show", FAILED)
    assert "today's classes take it for archive-file-damaged" in said.err
    assert "--also-people" in said.err
    assert "--dry-run" not in said.err
    assert said.out.count("the node swapped") == 2  # on the timeline, and among the judgements
    assert "failures.judged" not in said.out


def test_what_no_class_knows_leads_to_a_new_one(worked):
    path = evidence_of(worked, FAILED)
    found = json.loads(path.read_bytes())
    found["fault"].update(code="casa-task-failed", message="the oscillator oscillates backwards")
    path.write_text(json.dumps(found))
    assert worked.call("failures", "reclassify", "--yes").code == 0
    assert line_of(worked, "unclassified")["runs"] == 1
    said = worked.call("failures", "show", FAILED)
    number = worked.call("failures", "show", FAILED, "--json").json["failure"]["failure"]["id"]
    assert f"`reimage failures new-class '#{number}'`" in said.err


def test_stages_that_took_no_time_are_one_line(worked, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    out = worked.call("failures", "show", PARTIAL).out
    assert out.count("proven after 0 s") == 1
    assert worked.call("failures", "show", PARTIAL, "--all").out.count("proven after 0 s") > 1


def test_a_sites_own_class_does_not_say_it_was_seen_in_our_corpus(worked, tmp_path):
    own_class(tmp_path)
    out = worked.call("classes", "show", "frobnicator").out
    assert "tests/corpus" not in out
    assert "the night log of our site" in " ".join(out.split())
    assert "tests/corpus" in worked.call("classes", "show", "missing-caltable").out


@pytest.mark.parametrize("name", ["archive-file-damaged", "casa-build-missing"])
def test_advice_has_no_holes_and_no_raw_names(worked, name):
    for verb in (("classes", "show"), ("failures", "show")):
        out = worked.call(*verb, name).out
        advice = out.partition("advice")[2].partition("who acts")[0]
        assert "(?)" not in advice
        assert "{" not in advice


# --- acting --------------------------------------------------------------------------------------------


def test_a_dataset_stands_for_its_newest_run(worked):
    said = worked.call("failures", "classify", FAILED, "--as", "memory", "--why", "so")
    assert said.code == 0, said.err
    assert "others like it: `reimage failures show sv1:" in said.err
    assert "class-draft-impossible" in worked.call("failures", "new-class", PARTIAL).err  # found
    assert worked.call("failures", "remedy", FAILED, "--dry-run").code == 0
    unknown = worked.call(
        "failures", "classify", "uid://A001/X9/X9", "--as", "memory", "--why", "s"
    )
    assert (unknown.code, "error[run-unknown]" in unknown.err) == (2, True)


def test_hints_are_of_the_verb(worked):
    assert "--remove" not in worked.call("failures", "annotate", "--text", "x").err
    assert "--where" not in worked.call("failures", "link", "memory").err


def test_an_annotation_says_what_it_would_do(worked):
    said = worked.call("failures", "annotate", FAILED, "--text", "x", "--dry-run")
    assert "would note of 1 dataset:" in said.out
    assert "noted of 1 dataset" in worked.call("failures", "annotate", FAILED, "--text", "x").out


def test_rules_that_were_never_met_are_counted_and_not_dead(worked):
    out = worked.call("failures", "audit", "--report").out
    assert "without a hit" not in out
    assert "never met" in out


@pytest.mark.parametrize("text", [None, "", "not json", '{"questions": 7}'])
def test_a_file_of_answers_that_is_none_is_the_callers_mistake(worked, tmp_path, text):
    if text is not None:
        (tmp_path / "answers.json").write_text(text)
    said = worked.call("failures", "audit", "--answers", "answers.json")
    assert (said.code, "error[answers-unreadable]" in said.err) == (2, True)


def test_a_remedy_that_is_none_leads_to_the_advice(worked):
    said = worked.call("failures", "remedy", "archive-file-damaged", "--dry-run")
    assert "`reimage classes show archive-file-damaged`" in said.err


def test_a_rebuild_counts_in_words(worked, tmp_path):
    said = worked.call("db", "rebuild", "--into", tmp_path / "again.db")
    assert "4 runs, 1 sweep, 0 acts of the desk" in said.out


def test_questions_tell_what_they_take_on_80_columns(worked):
    out = worked.call("failures", "query").out
    assert "days=" in out
    heads = [line.split()[0] for line in out.splitlines() if "asks" in line.split()]
    assert heads == ["runs", "failures", "desk", "time"]


def test_the_signature_of_a_log_is_told_as_that(worked, tmp_path):
    (tmp_path / "casa.log").write_text(
        "2026-11-20 08:23:01\tSEVERE\tgaincal::::casa\tthe oscillator oscillates backwards\n"
    )
    out = worked.call("triage", "casa.log").out
    assert "of logs alone" in out
    assert "of logs alone" not in worked.call("triage", evidence_of(worked, FAILED)).out
