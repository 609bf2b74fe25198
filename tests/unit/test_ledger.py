"""The ledger: appended to by many, read in order."""

from __future__ import annotations

import threading

from making import WHEN

from reimage import ledger


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
