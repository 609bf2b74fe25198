"""The parts of transfers that need no server."""

from __future__ import annotations

import errno
import threading
import time
from collections import namedtuple
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reimage.archive import room
from reimage.archive.cache import Cache
from reimage.archive.crew import Crew
from reimage.archive.download import MOST_THREADS, Transfers
from reimage.archive.failed import Stopped
from reimage.archive.faults import ArchiveAnswerMalformed, ArchiveFileSize, ArchiveNameHostile
from reimage.archive.listing import ArchiveFile
from reimage.archive.rate import Gates, Rate
from reimage.archive.requesting import retry_after_s
from reimage.credentials import Secrets
from reimage.errors import DiskFull
from reimage.run import Transfer

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 -- as shutil has it


def listed(name, n_bytes=100):
    return ArchiveFile(
        name=name, semantics="", content_type="", n_bytes=n_bytes, url="http://[::1]:9/x"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("7", 7),
        (" 7 ", 7),
        ("-7", 0),
        ("soon", 0),
        ("7.5", 0),
        ("\xb2", 0),
        ("9" * 5000, 0),
        ("Mon, 01 Jan 0001 00:00:00 -2359", 0),
    ],
)
def test_retry_after_in_seconds(text, seconds):
    assert retry_after_s(text) == seconds


def test_retry_after_as_a_date():
    then = datetime.now(UTC) + timedelta(seconds=100)
    assert retry_after_s(format_datetime(then)) == pytest.approx(100, abs=2)
    assert retry_after_s(format_datetime(then - timedelta(days=1))) == 0
    assert retry_after_s("Mon, 99 Foo 2026 99:99:99 GMT") == 0


def test_the_rate_is_what_all_threads_make_together():
    slept = []
    rate = Rate(1000, lambda seconds: bool(slept.append(seconds)), clock=lambda: 10.0)
    for _ in range(4):
        rate.spend(500)
    assert slept == [0.5, 1.0, 1.5, 2.0]


def test_idleness_is_not_saved_up():
    now, slept = [0.0], []
    rate = Rate(1000, lambda seconds: bool(slept.append(seconds)), clock=lambda: now[0])
    rate.spend(1000)
    now[0] = 100.0
    rate.spend(1000)
    assert slept == [1.0, 1.0]


def test_no_rate_is_no_wait():
    Rate(0, lambda _: pytest.fail("waited")).spend(1 << 40)


def test_gates_are_of_hosts():
    gates = Gates(1, lambda _: True)
    with (
        gates.inside("http://a/x"),
        gates.inside("http://b/x"),
        pytest.raises(Stopped),
        gates.inside("http://a/y"),
    ):
        pytest.fail("two were inside")
    with gates.inside("http://a/y"):
        pass


def test_what_is_said_comes_out_in_the_callers_thread_and_bugs_too():
    def work(items, say):
        for item in items:
            say(item)
            if item == 3:
                raise ZeroDivisionError

    heard, stop = [], threading.Event()
    with pytest.raises(ZeroDivisionError):
        heard.extend(Crew(work, 1, stop).run([1, 2, 3, 4]))
    assert heard == [1, 2, 3]
    assert stop.is_set()


def test_every_item_is_done_once():
    def work(items, say):
        for item in items:
            time.sleep(0.001)
            say(item)

    assert sorted(Crew(work, 5, threading.Event()).run(range(100))) == list(range(100))


def test_room_counts_only_what_is_missing(tmp_path):
    files = [listed("a"), listed("b"), listed("c"), listed("d", None)]
    (tmp_path / "a").write_bytes(bytes(100))
    (tmp_path / "b.part").write_bytes(bytes(30))
    assert room.missing_bytes(files, tmp_path) == 170


def contents(tmp_path):
    return list((tmp_path / "cache").glob("sha256/??/*"))


def test_what_only_the_cache_needs_goes_before_a_disk_is_full(tmp_path, monkeypatch):
    cache = Cache(tmp_path / "cache", 10**6)  # its own limit is far away
    source = tmp_path / "old"
    source.write_bytes(bytes(500))
    cache.put("other", "", listed("old", 500), "ab" * 32, source)
    source.unlink()
    monkeypatch.setattr(
        room.shutil, "disk_usage", lambda _: Usage(0, 0, 600 - 500 * len(contents(tmp_path)))
    )
    transfer = Transfer(cache=str(tmp_path / "cache"), cache_bytes=10**6, patience_s=0)
    transfers = Transfers(transfer, Secrets())
    fetching = transfers.fetch_all([listed("a", 550)], tmp_path / "x", lambda *_: None, dataset="d")
    fetching.close()  # not begun: nothing happened
    with pytest.raises(DiskFull):  # more than it can free: it is not emptied in vain
        list(transfers.fetch_all([listed("a", 700)], tmp_path / "x", print, dataset="d"))
    assert contents(tmp_path)
    monkeypatch.setattr("reimage.archive.download.Crew.run", lambda *_: (_ for _ in ()))
    assert not list(
        transfers.fetch_all([listed("a", 550)], tmp_path / "x", lambda *_: None, dataset="d")
    )
    assert not contents(tmp_path)


def test_a_disk_that_is_full_meanwhile_is_told_with_numbers(tmp_path):
    with pytest.raises(DiskFull) as caught, room.told(listed("a"), tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.evidence["n_bytes"] == 100
    with pytest.raises(OSError, match="broken"), room.told(listed("a"), tmp_path):
        raise OSError(errno.EIO, "broken")


def test_a_path_in_a_listing_is_refused_before_anything(tmp_path):
    transfers = Transfers(Transfer(), Secrets())
    with pytest.raises(ArchiveNameHostile):
        list(transfers.fetch_all([listed("../a")], tmp_path / "x", lambda *_: None, dataset="d"))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("url", ["http://[h/x", "http://h:99999/x", "http://h:abc/x"])
def test_an_address_that_is_none_is_refused_before_anything(tmp_path, url):
    file = replace(listed("a"), url=url)
    with pytest.raises(ArchiveAnswerMalformed):
        list(Transfers(Transfer(), Secrets()).fetch_all([file], tmp_path / "x", print, dataset="d"))
    assert not (tmp_path / "x").exists()


def test_many_hosts_are_not_many_threads(tmp_path, monkeypatch):
    asked = []

    class Spy:
        def __class_getitem__(cls, _):
            return cls

        def __init__(self, _, n_threads, __):
            asked.append(n_threads)

        def run(self, _):
            yield from ()

    monkeypatch.setattr("reimage.archive.download.Crew", Spy)
    files = [replace(listed(f"f{n}"), url=f"http://h{n}.invalid/f") for n in range(300)]
    assert not list(Transfers(Transfer(), Secrets()).fetch_all(files, tmp_path, print, dataset="d"))
    assert asked == [MOST_THREADS]


def test_errors_are_not_shared_between_files():
    one, other = ArchiveFileSize("a"), ArchiveFileSize("b")
    one.evidence["x"] = 1
    assert not other.evidence
