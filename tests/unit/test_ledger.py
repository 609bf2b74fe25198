"""The ledger: appended to by many, read in order."""

from __future__ import annotations

import errno
import threading

import pytest
from making import WHEN

from reimage import journal, ledger
from reimage.errors import DiskFull
from reimage.ledger import LedgerUnwritable


def test_many_writers(tmp_path):
    def write(author):
        for number in range(10):
            ledger.append(tmp_path, "sweeps", "thing.done", WHEN, author=author, number=number)

    threads = [threading.Thread(target=write, args=(author,)) for author in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = list(ledger.read(tmp_path, "sweeps"))
    assert [event.seq for event in events] == list(range(1, 41))
    assert {event.at for event in events} == {WHEN}
    for author in range(4):
        own = [event.data["number"] for event in events if event.data["author"] == author]
        assert own == list(range(10))


def test_none_yet(tmp_path):
    assert list(ledger.read(tmp_path, "sweeps")) == []


def test_a_long_ledger_is_not_counted_again_by_every_writer(tmp_path, monkeypatch):
    read = []
    real = journal._measure
    monkeypatch.setattr(
        journal, "_measure", lambda path, *known: read.append(known) or real(path, *known)
    )
    for _ in range(3):
        ledger.append(tmp_path, "desk", "a.b", WHEN)
    size = (tmp_path / "ledger" / "desk.jsonl").stat().st_size
    assert read == [(0, 0), (1, size // 3), (2, size // 3 * 2)]


@pytest.mark.parametrize("kept", ["", "nonsense", "7 9999999", "7 3", "-1 -1", "0 0"])
def test_what_the_last_writer_left_is_trusted_only_where_it_can_be(tmp_path, kept):
    for _ in range(2):
        ledger.append(tmp_path, "desk", "a.b", WHEN)
    with (tmp_path / "ledger" / "desk.jsonl").open("ab") as stream:
        stream.write(b"garbage\n{torn")
    (tmp_path / "ledger" / "desk.lock").write_text(kept)
    assert ledger.append(tmp_path, "desk", "a.b", WHEN) == 4
    assert ledger.append(tmp_path, "desk", "a.b", WHEN) == 5
    assert [event.seq for event in ledger.read(tmp_path, "desk")] == [1, 2, 4, 5]


def test_where_nothing_can_be_written_nothing_is_done(tmp_path):
    """A folder that is read-only (or a file in its place: root may write anywhere)."""
    (tmp_path / "ledger").write_text("")
    with pytest.raises(LedgerUnwritable, match="cannot write the ledger desk below"):
        ledger.append(tmp_path, "desk", "a.b", WHEN)


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(path, *_):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(journal, "_measure", full)
    with pytest.raises(DiskFull):
        ledger.append(tmp_path, "desk", "a.b", WHEN)
