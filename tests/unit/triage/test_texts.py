"""Logs of any size and content: bounded time and memory, and nothing lost that can be read."""

from __future__ import annotations

import gzip
import hashlib
import time
import tracemalloc

import pytest

from reimage.triage import texts
from reimage.triage.catalogue import load_classes
from reimage.triage.clues import LAST_CLUES, MOST_CLUES
from reimage.triage.evidence import collect, of_path
from reimage.triage.judge import judge_text

OOM = b"terminate called after throwing an instance of 'std::bad_alloc'\n"
CLASSES = load_classes()
GIGABYTE = 2**30


@pytest.fixture
def job(tmp_path):
    directory = tmp_path / "image" / "make"
    directory.mkdir(parents=True)
    return directory


def noise(n_bytes):
    """Return bytes of no meaning, the same at every call."""
    blocks = (hashlib.sha256(b"%d" % number).digest() for number in range(n_bytes // 32))
    return b"".join(blocks)


def measured(do):
    """Return what comes of it, its CPU seconds and the largest memory in MB."""
    tracemalloc.start()
    began = time.process_time()
    found = do()
    spent = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return found, spent, peak


@pytest.mark.slow
def test_a_log_of_two_gigabytes_is_read_at_its_ends(tmp_path, job):
    with (job / "stderr.log").open("wb") as stream:
        stream.write(b"ERROR: the beginning\n")
        stream.truncate(2 * GIGABYTE)  # a hole: no disk is used
        stream.seek(0, 2)
        stream.write(b"\n" + OOM)
    evidence, spent, peak = measured(lambda: collect(tmp_path, 1, None, None))
    assert [clue.text for clue in evidence.clues][:1] == ["ERROR: the beginning"]
    assert "bad_alloc" in evidence.clues[-1].text
    assert evidence.tails["image/make/stderr.log"].endswith("'std::bad_alloc'")
    assert spent < 10
    assert peak < 50


@pytest.mark.slow
def test_a_log_without_any_newline_is_read(tmp_path, job):
    with (job / "stderr.log").open("wb") as stream:
        stream.write(OOM + b"x" * 20_000_000)
    evidence, spent, peak = measured(lambda: collect(tmp_path, 1, None, None))
    assert "bad_alloc" in evidence.clues[0].text
    assert spent < 10
    assert peak < 50


@pytest.mark.slow
def test_a_log_of_grave_lines_alone_is_bounded(tmp_path, job):
    line = "2026-11-20 06:16:19\tSEVERE\texportfits::::\tBlockIO: record {} of {:x} --\n"
    lines = "".join(line.format(n, n * 7919) for n in range(60_000))
    (job / "casa.log").write_text(lines)
    (job / "stderr.log").write_bytes(OOM)
    evidence, spent, peak = measured(lambda: collect(tmp_path, 1, None, None))
    assert len(evidence.clues) <= 2 * (MOST_CLUES + LAST_CLUES)
    assert any("bad_alloc" in clue.text for clue in evidence.clues)
    assert spent < 40
    assert peak < 50


@pytest.mark.slow
def test_a_binary_log_hides_nothing(tmp_path, job):
    nothing = noise(3_000_000)
    (job / "stderr.log").write_bytes(nothing + b"\n" + OOM + nothing)
    evidence, spent, _ = measured(lambda: collect(tmp_path, 1, None, None))
    assert judge_text(evidence, CLASSES).error_class == "memory"
    assert spent < 20


def test_letters_between_zeros_are_a_text(tmp_path):
    """Two bytes a letter, as some systems write; and the holes of a file that a crash left."""
    (tmp_path / "stderr.log").write_bytes(OOM.decode().encode("utf-16-le") + b"\0" * 5000)
    assert judge_text(of_path(tmp_path), CLASSES).error_class == "memory"


def test_a_compressed_log_is_a_log(tmp_path):
    (tmp_path / "stderr.log.gz").write_bytes(gzip.compress(OOM))
    assert judge_text(of_path(tmp_path), CLASSES).error_class == "memory"
    assert judge_text(of_path(tmp_path / "stderr.log.gz"), CLASSES).error_class == "memory"


def test_of_a_compressed_log_that_was_cut_off_the_beginning_is_read(tmp_path):
    path = tmp_path / "x.log.gz"
    whole = gzip.compress(OOM + noise(100_000))
    path.write_bytes(whole[: len(whole) // 2])
    assert judge_text(of_path(path), CLASSES).error_class == "memory"
    path.write_bytes(b"\x1f\x8b" + b"no gzip at all")
    assert of_path(path).clues == ()


@pytest.mark.slow
def test_a_compressed_log_that_swells_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "MOST_BYTES", 1_000_000)
    path = tmp_path / "x.log.gz"
    path.write_bytes(gzip.compress(OOM + b"\0" * 200_000_000))
    evidence, spent, peak = measured(lambda: of_path(path))
    assert evidence.clues
    assert spent < 2
    assert peak < 20


@pytest.mark.parametrize("name", ["gone.log", "directory.log"])
def test_what_cannot_be_read_is_empty(tmp_path, name):
    (tmp_path / "directory.log").mkdir()
    assert list(texts.lines(tmp_path / name)) == []
    assert texts.tail(tmp_path / name) == ""
    assert texts.json_object(tmp_path / name) == {}


def test_json_that_is_nested_without_end_is_none(tmp_path):
    path = tmp_path / "exit.json"
    path.write_text("[" * 200_000)
    assert texts.json_object(path) == {}
