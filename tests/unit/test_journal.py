from __future__ import annotations

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
