"""`reimage triage`: what somebody brings is judged, whatever it is."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from reimage import document
from reimage.cli import judge_shapes
from reimage.cli.codes import UNCLASSIFIED

CORPUS = Path(__file__).parents[2] / "corpus"
MEMORY = "terminate called after throwing an instance of 'std::bad_alloc'\n"
UNKNOWN = "RuntimeError: the frobnicator of uid___A002_Xc0ffee_X1.ms is out of tune\n"


def judged(said):
    loaded = document.load(judge_shapes.Triage, said.json)
    assert document.dump(loaded) == said.json
    return loaded


def test_a_log_is_judged_without_any_database(site, tmp_path):
    shutil.rmtree(tmp_path / "data")
    said = site.call("triage", CORPUS / "oom-tclean-2g.log", "--json")
    assert said.code == 0, said.err
    found = judged(said)
    one = found.judged[0]
    assert (one.error_class, one.family, one.remedy) == ("memory", "resources", "more memory")
    assert one.root.error_class == "memory"
    assert "bad_alloc" in one.root.text
    assert one.signature.startswith("sv1:")
    assert one.advice.startswith("Peak of")
    assert one == found.together
    assert not (tmp_path / "data").exists()


def test_unclassified_is_an_honest_answer_with_a_code_of_its_own(site, tmp_path):
    (tmp_path / "odd.log").write_text(UNKNOWN)
    said = site.call("triage", "odd.log", "--json")
    assert said.code == UNCLASSIFIED == 5
    one = judged(said).judged[0]
    assert (one.error_class, one.root, one.advice) == ("unclassified", None, "")
    assert one.masked == "RuntimeError: the frobnicator of <path> is out of tune"
    text = site.call("triage", "odd.log")
    assert text.code == UNCLASSIFIED
    assert "masked" in text.out


def test_nothing_wrong_is_said_to_be_so(site, tmp_path):
    (tmp_path / "fine.log").write_text("2026-11-20 06:12:02\tINFO\tcasa\tall is well\n")
    said = site.call("triage", "fine.log", "--json")
    assert said.code == UNCLASSIFIED
    assert judged(said).judged[0].notes == ("nothing in it speaks of trouble",)


def test_a_log_of_warnings_alone_may_have_ended_well(site, tmp_path):
    """A pipeline that ends well warns of this and that; what a warning means is no failure by itself."""
    warning = "2026-11-20 06:34:00\tWARN\tpipeline::qa::casa\tNo images were exported\n"
    (tmp_path / "fine.log").write_text(warning)
    one = judged(site.call("triage", "fine.log", "--json")).judged[0]
    assert one.error_class == "nothing-to-image"
    assert one.notes == ("it holds warnings alone: what wrote it may have ended well",)
    assert "may have ended well" in site.call("triage", "fine.log").out
    (tmp_path / "bad.log").write_text(warning + UNKNOWN)
    assert judged(site.call("triage", "bad.log", "--json")).judged[0].notes == ()


def test_several_are_judged_each_and_together_in_order_of_time(site, tmp_path):
    late = "2026-11-20 06:30:00\tSEVERE\tsplit\tTable x.ms/FIELD does not exist\n"
    early = "2026-11-20 06:10:00\tSEVERE\ttclean\tException (std): std::bad_alloc\n"
    (tmp_path / "a.log").write_text(late)
    (tmp_path / "b.log").write_text(early)
    found = judged(site.call("triage", "a.log", "b.log", "--json"))
    assert [one.error_class for one in found.judged] == ["corrupt-table", "memory"]
    assert found.together.kind == "together"
    assert found.together.error_class == "memory"
    assert [seen.error_class for seen in found.together.symptoms] == ["corrupt-table"]
    directory = judged(site.call("triage", ".", "--json")).judged[0]
    assert (directory.kind, directory.error_class) == ("logs", "memory")


def test_compressed_logs_and_standard_input(site, tmp_path, monkeypatch):
    packed = gzip.compress(MEMORY.encode() * 50)
    (tmp_path / "casa.log.gz").write_bytes(packed)
    assert judged(site.call("triage", "casa.log.gz", "--json")).together.error_class == "memory"
    (tmp_path / "cut.log.gz").write_bytes(packed[: len(packed) - 9])
    assert judged(site.call("triage", "cut.log.gz", "--json")).together.error_class == "memory"
    for given in (MEMORY.encode(), packed):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(given)))
        one = judged(site.call("triage", "-", "--json")).together
        assert (one.error_class, one.root.source) == ("memory", "standard input")


@pytest.mark.parametrize("name", ["nowhere.log", "x" * 5000, "a\0b"])
def test_what_is_not_there_has_a_code(site, name):
    said = site.call("triage", name)
    assert said.code == 2
    assert "error[nothing-to-judge]" in said.err


def test_a_directory_without_logs_has_a_code(site, tmp_path):
    (tmp_path / "empty").mkdir()
    said = site.call("triage", "empty")
    assert (said.code, "no log is below" in said.err) == (2, True)


def test_of_very_many_logs_it_is_told_how_many_were_read(site, tmp_path, monkeypatch):
    monkeypatch.setattr("reimage.triage.evidence.MOST_LOGS", 2)
    for number in range(3):
        (tmp_path / f"{number}.log").write_text(MEMORY)
    one = judged(site.call("triage", ".", "--json")).together
    assert one.notes == ("only 2 of 3 logs were read",)


def test_a_file_of_json_that_is_no_evidence_has_a_code(site, tmp_path):
    (tmp_path / "torn.json").write_text('{"run": "r", "att')
    said = site.call("triage", "torn.json")
    assert said.code == 1
    assert "error[document-unreadable]" in said.err


@pytest.mark.slow
def test_a_huge_sparse_log_is_read_at_both_ends(site, tmp_path):
    with (tmp_path / "huge.log").open("wb") as stream:
        stream.write(UNKNOWN.encode())
        stream.seek(2_000_000_000)
        stream.write(b"\n" + MEMORY.encode())
    assert judged(site.call("triage", "huge.log", "--json")).together.error_class == "memory"


def test_a_binary_file_is_no_disaster(site, tmp_path):
    (tmp_path / "table.log").write_bytes(os.urandom(300_000))
    assert site.call("triage", "table.log").code in {0, UNCLASSIFIED}


def run_of(site, dataset):
    said = site.call("status", "--json").json
    run = next(run for run in said["runs"] if run["dataset"] == dataset)
    return site.settings.data / run["directory"]


@pytest.mark.parametrize(
    ("dataset", "result", "error_class", "code"),
    [
        ("uid://A001/X1/X1", "imaged", None, 0),
        ("uid://A001/X1/X2", "failed", "archive-file-damaged", 0),
        ("uid://A001/X1/X3", "refused", "nothing-to-restore", 0),
        ("uid://A001/X1/X4", "partial", "plan-incomplete", 0),
    ],
)
def test_a_run_directory_is_judged_as_the_controller_did(
    worked, dataset, result, error_class, code
):
    place = run_of(worked, dataset)
    before = sorted(place.rglob("*"))
    for _ in range(2):
        said = worked.call("triage", place, "--json")
        assert said.code == code, said.err
        one = judged(said).together
        assert (one.kind, one.result, one.error_class) == ("run", result, error_class)
        shutil.rmtree(place / "evidence", ignore_errors=True)  # then from the directory as it is
    assert sorted(place.rglob("*")) == [path for path in before if "evidence" not in path.parts]
    assert worked.call("triage", place).code == code


def test_kept_evidence_is_judged_alone_and_in_its_directory(worked):
    place = run_of(worked, "uid://A001/X1/X2") / "evidence"
    one = judged(worked.call("triage", place / "attempt-1.json", "--json")).together
    assert (one.kind, one.error_class) == ("evidence", "archive-file-damaged")
    assert judged(worked.call("triage", place, "--json")).judged[0].kind == "evidence"


def test_facts_without_a_line_count_in_the_judgement_of_all(worked, tmp_path):
    (tmp_path / "casa.log").write_text("2026-11-20 06:10:00\tWARN\ttclean\tnothing of weight\n")
    place = run_of(worked, "uid://A001/X1/X2") / "evidence" / "attempt-1.json"
    found = judged(worked.call("triage", place, "casa.log", "--json"))
    assert found.together.error_class == "archive-file-damaged"


def test_the_text_says_all_that_is_known(site):
    said = site.call("triage", CORPUS / "oom-tclean-2g.log", CORPUS / "missing-caltable.log")
    assert json.dumps(said.out).count("advice") == 3
    assert "all 2 together" in said.out
