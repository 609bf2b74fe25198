from __future__ import annotations

import subprocess
import sys

from making import WHEN

from reimage import journal


def test_events_read_back_from_an_offset(tmp_path):
    path = tmp_path / "journal.jsonl"
    writer = journal.Journal(path, 1, clock=lambda: WHEN)
    writer.emit("stage.started", stage="fetch")
    first = path.stat().st_size
    writer.emit("stage.proven", stage="fetch", n=3)
    writer.close()
    events = [event for event, _ in journal.read(path)]
    assert [e.seq for e in events] == [1, 2]
    assert events[1].data == {"stage": "fetch", "n": 3}
    assert events[1].at == WHEN
    assert [e.event for e, _ in journal.read(path, first)] == ["stage.proven"]


def test_a_torn_line_waits_and_is_dropped_by_the_next_writer(tmp_path):
    path = tmp_path / "journal.jsonl"
    writer = journal.Journal(path, 1)
    writer.emit("a.b")
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(list(journal.read(path))) == 1
    again = journal.Journal(path, 1)
    again.emit("c.d")
    again.close()
    assert [(e.seq, e.event) for e, _ in journal.read(path)] == [(1, "a.b"), (2, "c.d")]


def test_an_absent_journal_is_empty(tmp_path):
    assert list(journal.read(tmp_path / "none.jsonl")) == []


FILLS_UP = """
import resource, signal, sys
from pathlib import Path
from reimage.journal import Journal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = Journal(Path(sys.argv[1]), 1)
writer.emit("a.b")
room = Path(sys.argv[1]).stat().st_size + 20
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
try:
    writer.emit("c.d")
except OSError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(writer.emit("e.f"))
"""


def test_a_line_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path):
    """The system takes the part that fits without a word, and refuses only the rest."""
    path = tmp_path / "journal.jsonl"
    done = subprocess.run([sys.executable, "-c", FILLS_UP, path], capture_output=True, check=True)
    assert done.stdout.split() == [b"2"]
    assert [(e.seq, e.event) for e, _ in journal.read(path)] == [(1, "a.b"), (2, "e.f")]


def test_a_whole_line_that_is_no_event_is_passed_over(tmp_path):
    """A disk that was full for a moment leaves half a line, then whole ones."""
    path = tmp_path / "journal.jsonl"
    writer = journal.Journal(path, 1)
    writer.emit("a.b")
    with path.open("ab") as stream:
        stream.write(b'{"v": 1, "att{"v": 1}\n[]\n\xff\n')
    writer.emit("c.d")
    writer.close()
    assert [e.event for e, _ in journal.read(path)] == ["a.b", "c.d"]
    assert [offset for _, offset in journal.read(path)][-1] == path.stat().st_size


def test_what_was_passed_over_is_told(tmp_path):
    path = tmp_path / "journal.jsonl"
    writer = journal.Journal(path, 1, clock=lambda: WHEN)
    assert writer.emit("a.b") == 1
    first = path.stat().st_size
    with path.open("ab") as stream:
        stream.write(b"nonsense\n")
    writer.emit("c.d")
    writer.close()
    told = []
    list(journal.read(path, passed_over=lambda offset, line: told.append((offset, line))))
    assert told == [(first, b"nonsense\n")]


def test_new_events_are_those_of_the_attempt_that_were_not_there(tmp_path):
    path = tmp_path / "journal.jsonl"
    writer = journal.Journal(path, 2)
    for name in ("a", "b", "c"):
        writer.emit(name)
    writer.close()
    ends = [offset for _, offset in journal.read(path)]

    def new(offset, **bounds):
        given = {"attempt": 2, "last": 0, "passed_over": lambda *_: None, **bounds}
        found, after = journal.read_new(path, offset, **given)
        return [event.event for event in found], after

    assert new(0) == (["a", "b", "c"], ends[2])
    assert new(0, until=ends[1]) == (["a", "b"], ends[1])
    assert new(0, until=ends[1] + 1) == (["a", "b"], ends[1])
    assert new(ends[0], last=2) == (["c"], ends[2])
    assert new(0, attempt=1) == ([], ends[2])
    assert new(ends[2]) == ([], ends[2])


def test_a_long_file_is_measured_block_by_block(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    for size in (1, 7, 64, 1 << 20):
        monkeypatch.setattr(journal, "BLOCK", size)
        path.unlink(missing_ok=True)
        for n in range(4):
            writer = journal.Journal(path, 1)
            assert writer.emit("a.b", text="x" * 30) == n + 1
            writer.close()
            with path.open("ab") as stream:
                stream.write(b'{"torn": ')
        assert len(list(journal.read(path))) == 4
