"""The decisive lines in their log: of its time if possible, in any state of the file, never outside the run."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.desk import context
from reimage.triage.clues import Clue

AT = datetime(2026, 11, 20, 18, 4, 7, tzinfo=UTC)
SAID = "RuntimeError: table /a/b.ms does not exist"
LINE = (
    "2026-11-20 18:04:07\tSEVERE\tsplit::::casa\tTask split raised an exception of class RuntimeError "
    "with the following message: table /a/b.ms does not exist"
)
LOG = [*(f"2026-11-20 18:04:0{n}\tINFO\tx\tline {n}" for n in range(7)), LINE, *"abcdefgh"]


def clue(text=SAID, source="restore/casa.log", at=AT):
    return Clue(source=source, text=text, at=at, severity="SEVERE")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "restore").mkdir()
    (tmp_path / "restore/casa.log").write_text("\n".join(LOG))
    return tmp_path


def test_lines_around_the_one_that_casa_wrapped(place):
    found = context.around(place, clue(), {})
    assert found.first_line == 5
    assert found.decisive == 3
    assert found.lines[found.decisive].endswith("table /a/b.ms does not exist")
    assert found.lines[-1] == "e"


def test_the_line_of_its_time_is_taken_before_an_earlier_one(place):
    earlier = LINE.replace("18:04:07", "17:00:00")
    (place / "restore/casa.log").write_text("\n".join([earlier, *LOG]))
    assert context.around(place, clue(), {}).first_line == 6
    assert context.around(place, clue(at=None), {}).decisive == 0


def test_a_compressed_log_is_read(place):
    log = place / "restore/casa.log"
    (place / "restore/casa.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    assert context.around(place, clue(), {}).first_line == 5


def test_of_a_log_that_is_gone_the_end_was_kept(tmp_path):
    found = context.around(tmp_path, clue(), {"restore/casa.log": "\n".join(LOG[-10:])})
    assert (found.first_line, found.decisive) == (None, 1)
    assert context.around(tmp_path, clue(), {}) is None


def test_a_source_outside_the_run_is_not_read(tmp_path):
    (tmp_path / "secret").write_text(SAID)
    run = tmp_path / "run"
    run.mkdir()
    (run / "link.log").symlink_to(tmp_path / "secret")
    for source in ("../secret", str(tmp_path / "secret"), "link.log"):
        assert context.around(run, clue(source=source, at=None), {}) is None


def test_binary_and_endless_lines_are_harmless(place):
    (place / "restore/casa.log").write_bytes(b"\x00\xff\x1b[2J" * 5000 + b"\n" + LINE.encode())
    found = context.around(place, clue(), {})
    assert max(map(len, found.lines)) <= context.MOST_CHARACTERS
    assert all(line.isprintable() for line in found.lines)


def test_what_is_no_line_is_looked_for_nowhere(place):
    assert context.around(place, clue(text=""), {}) is None
    assert context.around(place, clue(text="line"), {}) is None


@given(st.text(min_size=8, max_size=60), st.integers(0, 20))
def test_what_a_log_says_is_found(text, before):
    said = clue(text=text, at=None)
    needles = context.needles(said)
    if needles and needles[0].isprintable():
        log = "\n".join([*("~" * before), f"\t{needles[0]}"])
        found = context.around(context.Path("/nowhere"), said, {said.source: log})
        assert needles[0].strip() in found.lines[found.decisive]
