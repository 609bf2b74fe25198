from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive.backoff import LONGEST_S
from reimage.archive.failed import Absent, Away, Stopped, Wrong
from reimage.archive.faults import (
    ArchiveFileMissing,
    ArchiveFileSize,
    ArchiveNotPublic,
    ArchiveStalled,
    ArchiveUnavailable,
)
from reimage.archive.part import Version
from reimage.archive.patience import TRIES, Patience
from reimage.errors import ReimageError

HOME, MIRROR = "http://home/a", "http://mirror/a"
AWAY = Away(ArchiveUnavailable("away"))
WRONG = Wrong(ArchiveFileSize("short"))
ABSENT = Absent(ArchiveFileMissing("gone"))


LATER = Away(ArchiveUnavailable("later"), wait_s=1000)


class FakePart:
    """What patience asks of a part."""

    def __init__(self):
        self.n_bytes, self.version, self.target = 0, None, Path("a.tar")


class World:
    """A clock that only waiting moves, and hosts that answer by a script."""

    def __init__(self, *script, urls=(HOME,), patience_s=100.0, stops_at=None):
        self.now, self.asked, self.waits = 0.0, [], []
        self.script, self.part, self.stops_at = list(script), FakePart(), stops_at
        self.patience = Patience(
            urls, patience_s, self.wait, clock=lambda: self.now, jitter=lambda: 1.0
        )

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        return self.stops_at is not None and self.now >= self.stops_at

    def attempt(self, url):
        self.asked.append(url)
        self.now += 0.1
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, dict):
            step = step[url]
        if isinstance(step, tuple):
            step, self.part.n_bytes, self.part.version = step
        if step is not None:
            raise step

    def go(self):
        return self.patience.persist(self.attempt, self.part)


def test_an_error_of_the_server_is_gone_the_second_time():
    world = World(AWAY, None)
    assert world.go() == HOME
    assert world.waits == [1.0]


def test_what_is_waited_for_others_of_ours_uses_up_no_patience():
    """A slot of the machine's may be an hour away: the archive is not to blame."""
    world = World(AWAY, AWAY, None, patience_s=100)

    def after_an_hour(url):
        world.now += 3600
        world.patience.excuse(3600)
        world.attempt(url)

    assert world.patience.persist(after_an_hour, world.part) == HOME
    assert world.asked == [HOME] * 3
    with pytest.raises(ArchiveUnavailable):
        World(AWAY, patience_s=100).go()


def test_waits_double_up_to_a_cap_until_patience_is_over():
    world = World(AWAY, patience_s=400)
    with pytest.raises(ArchiveUnavailable) as caught:
        world.go()
    assert world.waits[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert max(world.waits) == LONGEST_S
    assert 400 <= world.now <= 402
    assert caught.value.evidence["attempts"] == len(world.asked)
    assert caught.value.evidence["waited_s"] >= 400


def test_an_archive_that_is_away_for_a_minute_is_waited_for():
    world = World(AWAY, patience_s=900)
    world.attempt = lambda url, ask=world.attempt: None if world.now > 60 else ask(url)
    assert world.go() == HOME
    assert 60 <= world.now < 130


def test_what_is_not_public_is_not_asked_for_again():
    world = World(ArchiveNotPublic("no"), urls=(HOME, MIRROR))
    with pytest.raises(ArchiveNotPublic):
        world.go()
    assert world.asked == [HOME]


def test_mirrors_come_in_order_after_the_second_failure():
    world = World({HOME: AWAY, MIRROR: None}, urls=(HOME, MIRROR))
    assert world.go() == MIRROR
    assert world.asked == [HOME, HOME, MIRROR]
    assert world.waits == [1.0, 0.0]


def test_a_file_that_is_missing_is_looked_for_on_the_next_mirror_at_once():
    world = World({HOME: ABSENT, MIRROR: None}, urls=(HOME, MIRROR))
    assert world.go() == MIRROR
    assert (world.asked, world.waits) == ([HOME, MIRROR], [0.0])


def test_a_file_that_nobody_has_is_missing():
    world = World(ABSENT, urls=(HOME, MIRROR))
    with pytest.raises(ArchiveFileMissing) as caught:
        world.go()
    assert world.asked == [HOME, MIRROR]
    assert len(caught.value.evidence["hosts"]) == 2


def test_what_is_wrong_is_asked_for_a_few_times_on_each_host():
    world = World(WRONG, urls=(HOME, MIRROR), patience_s=10_000)
    with pytest.raises(ArchiveFileSize):
        world.go()
    assert (world.asked.count(HOME), world.asked.count(MIRROR)) == (TRIES, TRIES)


def test_a_home_that_is_away_is_waited_for_though_the_mirror_has_no_file():
    world = World({HOME: AWAY, MIRROR: ABSENT}, urls=(HOME, MIRROR), patience_s=50)
    with pytest.raises(ArchiveUnavailable):
        world.go()
    assert world.asked.count(MIRROR) == 1
    assert world.now >= 50


def test_retry_after_is_kept_to():
    world = World(Away(ArchiveUnavailable("busy"), wait_s=30), None)
    world.go()
    assert world.waits == [30]


def test_retry_after_beyond_all_patience_ends_at_once():
    world = World(Away(ArchiveUnavailable("busy"), wait_s=3600))
    with pytest.raises(ArchiveUnavailable):
        world.go()
    assert world.waits == []


def test_meanwhile_a_mirror_is_asked():
    busy = Away(ArchiveUnavailable("busy"), wait_s=3600)
    world = World({HOME: busy, MIRROR: None}, urls=(HOME, MIRROR))
    assert world.go() == MIRROR
    assert world.now < 1


def test_progress_renews_patience_and_tries():
    steps = [(WRONG, n << 20, None) for n in range(1, 40)]
    world = World(*steps, None, patience_s=5)
    assert world.go() == HOME
    assert len(world.asked) == 40


def test_a_drip_is_no_progress():
    steps = [(Away(ArchiveStalled("drip")), 100 * n, None) for n in range(1, 1000)]
    world = World(*steps, patience_s=100)
    with pytest.raises(ArchiveStalled):
        world.go()
    assert world.now < 110


def test_who_has_the_rest_is_waited_for_before_a_mirror_begins_at_0():
    held = Version(origin="http://home", etag="x", n_bytes=1 << 40)
    world = World(
        (AWAY, 1 << 30, held), {HOME: AWAY, MIRROR: None}, urls=(HOME, MIRROR), patience_s=100
    )
    assert world.go() == MIRROR
    assert 50 <= world.now < 100


def test_who_was_waited_for_in_vain_is_asked_once():
    world = World(AWAY, urls=(HOME, MIRROR), patience_s=0)
    with pytest.raises(ArchiveUnavailable):
        world.go()
    assert world.asked == [HOME, HOME, MIRROR]
    assert sum(world.waits) == 0


def test_nobody_waits_for_what_nobody_wants():
    with pytest.raises(Stopped):
        World(AWAY, stops_at=5).go()


FAILURES = st.sampled_from([AWAY, WRONG, ABSENT, Away(ArchiveUnavailable("busy"), wait_s=7.0)])


@given(
    script=st.lists(FAILURES | st.none(), min_size=1, max_size=30),
    n_urls=st.integers(1, 3),
    patience_s=st.floats(0, 1000),
)
def test_it_always_ends_in_time_with_the_file_or_an_error(script, n_urls, patience_s):
    urls = tuple(f"http://h{number}/a" for number in range(n_urls))
    world = World(*script, urls=urls, patience_s=patience_s)
    with suppress(ReimageError):
        assert world.go() in urls
    assert world.now <= patience_s + 0.1 * len(world.asked) + 1e-6
    assert len(world.asked) < 3 + 20 * n_urls + patience_s


def test_who_is_not_waited_for_is_asked_so_often_at_least():
    world = World(AWAY, None, patience_s=0.0)
    world.patience.least = 2
    assert world.go() == HOME
    world = World(AWAY, patience_s=0.0)
    world.patience.least = 2
    with pytest.raises(ArchiveUnavailable):
        world.go()
    assert len(world.asked) == 2
    assert sum(world.waits) == 0


def test_who_asks_us_to_stay_away_is_asked_once():
    world = World(LATER, patience_s=0.0)
    world.patience.least = 2
    with pytest.raises(ArchiveUnavailable):
        world.go()
    assert len(world.asked) == 1
