"""What arrived is sent to the disk step by step, each byte once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import writeback
from reimage.archive.writeback import _WRITE, STEP, Writeback


def sent(sizes):
    """Return what the system is asked for while a file grows by so many bytes at a time."""
    asked, n_bytes = [], 0
    call = writeback._SYNC_FILE_RANGE
    writeback._SYNC_FILE_RANGE = lambda *said: asked.append(said)
    try:
        one = Writeback(7)
        for size in sizes:
            n_bytes += size
            one.reached(n_bytes)
    finally:
        writeback._SYNC_FILE_RANGE = call
    return asked, n_bytes


@given(sizes=st.lists(st.integers(1, 2 * STEP), max_size=30))
def test_steps_follow_each_other_and_little_is_left(sizes):
    asked, n_bytes = sent(sizes)
    at = 0
    for handle, begin, length, flags in asked:
        assert (handle, begin, flags) == (7, at, _WRITE)
        assert length >= STEP
        at += length
    assert n_bytes - at < STEP


def test_a_file_that_is_begun_again_is_sent_from_its_beginning():
    asked, _ = sent([STEP, -STEP, STEP])
    assert [one[1] for one in asked] == [0, 0]


def test_the_system_takes_it(tmp_path):
    """The call is the system's: a wrong number of it would be refused."""
    with (tmp_path / "a").open("wb", buffering=0) as stream:
        stream.write(bytes(10_000))
        assert writeback._SYNC_FILE_RANGE(stream.fileno(), 0, 10_000, _WRITE) == 0
        Writeback(stream.fileno()).finish()


def test_without_the_call_the_end_does_it_all(tmp_path, monkeypatch):
    monkeypatch.setattr(writeback, "_SYNC_FILE_RANGE", None)
    with (tmp_path / "a").open("wb") as stream:
        one = Writeback(stream.fileno())
        one.reached(2 * STEP)
        one.finish()
