from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.archive.cache import Cache, make_own
from reimage.archive.listing import ArchiveFile

DATASET, VERSION = "uid://A001/X1/X2", "2025-07-01"


def listed(name="a.tar", n_bytes=5):
    return ArchiveFile(name=name, semantics="#auxiliary", content_type="", n_bytes=n_bytes)


def put(cache, folder, name, content, version=VERSION):
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / name
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    cache.put(DATASET, version, listed(name, len(content)), sha256, source)
    return source


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache", 1000)


def contents(cache):
    return sorted(cache._root.glob("sha256/??/*"))


def test_what_was_put_is_taken_as_the_same_file_on_disk(cache, tmp_path):
    source = put(cache, tmp_path / "run1", "a.tar", b"12345")
    target = tmp_path / "a.tar"
    entry = cache.take(DATASET, VERSION, listed(), target)
    assert entry is not None
    assert (entry.sha256, entry.n_bytes) == (hashlib.sha256(b"12345").hexdigest(), 5)
    assert target.samefile(source)


def test_what_is_taken_replaces_what_is_there(cache, tmp_path):
    put(cache, tmp_path / "run1", "a.tar", b"12345")
    (tmp_path / "a.tar").write_bytes(b"bad")
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == b"12345"


@pytest.mark.parametrize(
    ("dataset", "version", "file"),
    [
        ("uid://A001/X1/X3", VERSION, listed()),
        (DATASET, "2026", listed()),
        (DATASET, VERSION, listed("b.tar")),
        (DATASET, VERSION, listed(n_bytes=6)),
        (DATASET, VERSION, listed(n_bytes=None)),
    ],
)
def test_another_dataset_delivery_name_or_length_is_another_file(
    cache, tmp_path, dataset, version, file
):
    put(cache, tmp_path, "a.tar", b"12345")
    assert cache.take(dataset, version, file, tmp_path / "x") is None


def test_another_archive_has_other_files(tmp_path):
    one, other = (Cache(tmp_path / "cache", 1000, home) for home in ("https://a", "https://b"))
    put(one, tmp_path, "a.tar", b"12345")
    assert one.take(DATASET, VERSION, listed(), tmp_path / "x")
    assert other.take(DATASET, VERSION, listed(), tmp_path / "x") is None


def test_of_another_user_it_is_taken_too(cache, tmp_path, monkeypatch):
    put(cache, tmp_path / "run1", "a.tar", b"12345")

    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("reimage.archive.cache.os.utime", refuse)
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "a.tar")


def test_what_cannot_be_linked_nor_copied_is_not_there(cache, tmp_path, monkeypatch):
    put(cache, tmp_path / "run1", "a.tar", b"12345")

    def fail(number):
        def link(*_):
            raise OSError(number, "no")

        return link

    monkeypatch.setattr("reimage.archive.cache._link", fail(errno.EACCES))
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "a.tar") is None
    monkeypatch.setattr("reimage.archive.cache._link", fail(errno.ENOSPC))
    with pytest.raises(OSError, match="no"):
        cache.take(DATASET, VERSION, listed(), tmp_path / "a.tar")


def test_taking_leaves_the_times_of_the_content(cache, tmp_path):
    """They tell that somebody wrote into it: set back, changed bytes would be believed for ever."""
    source = put(cache, tmp_path / "run1", "a.tar", b"12345")
    before = source.stat()
    cache.take(DATASET, VERSION, listed(), tmp_path / "b.tar")
    after = source.stat()
    assert (before.st_mtime_ns, before.st_atime_ns) == (after.st_mtime_ns, after.st_atime_ns)


def test_a_file_of_ones_own_is_no_longer_the_caches(cache, tmp_path):
    source = put(cache, tmp_path / "run1", "a.tar", b"12345")
    make_own(source)
    source.write_bytes(b"XXXXX")
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == b"12345"
    assert [path.name for path in source.parent.iterdir()] == ["a.tar"]


def test_equal_content_is_kept_once(cache, tmp_path):
    for number in range(3):
        put(cache, tmp_path / str(number), f"{number}.tar", b"12345")
    assert len(contents(cache)) == 1
    for number in range(3):
        assert cache.take(DATASET, VERSION, listed(f"{number}.tar"), tmp_path / "x")


def test_a_content_of_another_length_is_dropped(cache, tmp_path):
    put(cache, tmp_path, "a.tar", b"12345").unlink()
    contents(cache)[0].write_bytes(b"1234")
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x") is None
    assert not contents(cache)
    assert not (tmp_path / "x").exists()


def test_a_content_that_was_changed_in_place_is_hashed_and_dropped(cache, tmp_path):
    source = put(cache, tmp_path, "a.tar", b"12345")
    with source.open("r+b") as stream:
        stream.write(b"x")
    os.utime(source, ns=(0, 1))  # as an editor would leave it, whatever the clock's grain
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x") is None
    assert not contents(cache)


def test_a_content_that_was_only_touched_is_hashed_once_and_taken(cache, tmp_path, monkeypatch):
    source = put(cache, tmp_path, "a.tar", b"12345")
    os.utime(source, ns=(0, 1))
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x")
    monkeypatch.setattr("reimage.archive.cache.sha256_of", lambda _: pytest.fail("hashed again"))
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sha256": "x"}', "\x00"])
def test_an_index_that_cannot_be_read_is_no_entry(cache, tmp_path, text):
    put(cache, tmp_path, "a.tar", b"12345")
    (place,) = cache._root.glob("index/??/*.json")
    place.write_text(text)
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x") is None
    put(cache, tmp_path, "a.tar", b"12345")
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x")


def test_the_least_recently_used_goes_first(tmp_path):
    cache = Cache(tmp_path / "cache", 250)
    for number, name in enumerate("abc"):
        seen = set(cache._root.glob("index/??/*.json"))
        put(cache, tmp_path, name, name.encode() * 100).unlink()
        (place,) = set(cache._root.glob("index/??/*.json")) - seen
        os.utime(place, ns=(number, number))
    assert cache.take(DATASET, VERSION, listed("a", 100), tmp_path / "x")  # used last now
    (tmp_path / "x").unlink()
    assert cache.trim() == 100
    have = [name for name in "abc" if cache.known(DATASET, VERSION, listed(name, 100))]
    assert have == ["a", "c"]
    assert len(list(cache._root.glob("index/??/*.json"))) == 2


def test_what_a_run_has_too_stays_and_does_not_count(tmp_path):
    cache = Cache(tmp_path / "cache", 150)
    source = put(cache, tmp_path, "a", b"a" * 100)
    put(cache, tmp_path, "b", b"b" * 100).unlink()
    assert cache.trim() == 0
    source.unlink()
    assert cache.trim() == 100


def test_room_can_be_asked_for(tmp_path):
    cache = Cache(tmp_path / "cache", 250)
    put(cache, tmp_path, "a", b"a" * 100).unlink()
    put(cache, tmp_path, "b", b"b" * 100).unlink()
    assert cache.trim() == 0
    assert cache.reclaimable() == 200
    assert cache.make_room(0) == 0
    assert cache.make_room(1) == 100  # far below its limit: the disk is what is full
    assert cache.reclaimable() == 100
    assert cache.make_room(1000) == 100


def test_what_is_wanted_now_makes_no_room(tmp_path):
    cache = Cache(tmp_path / "cache", 250)
    put(cache, tmp_path, "a", b"a" * 100).unlink()
    put(cache, tmp_path, "b", b"b" * 100).unlink()
    wanted = cache.known(DATASET, VERSION, listed("a", 100)).sha256
    assert cache.reclaimable({wanted}) == 100
    assert cache.make_room(200, {wanted}) == 100
    assert cache.take(DATASET, VERSION, listed("a", 100), tmp_path / "x")


def test_what_is_larger_than_the_cache_is_not_kept(tmp_path):
    cache = Cache(tmp_path / "cache", 50)
    put(cache, tmp_path, "a", b"a" * 100)
    assert not contents(cache)


def test_what_turned_out_bad_is_forgotten(cache, tmp_path):
    put(cache, tmp_path, "a.tar", b"12345")
    cache.forget(DATASET, VERSION, listed())
    cache.forget(DATASET, VERSION, listed())
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x") is None
    assert not contents(cache)


def test_where_links_cannot_be_it_is_copied(cache, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    source = put(cache, tmp_path, "a.tar", b"12345")
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"12345"
    assert not (tmp_path / "x").samefile(source)


def test_a_cache_that_cannot_be_written_harms_nobody(tmp_path):
    (tmp_path / "cache").write_text("a file")
    cache = Cache(tmp_path / "cache", 1000)
    put(cache, tmp_path, "a.tar", b"12345")
    assert cache.take(DATASET, VERSION, listed(), tmp_path / "x") is None
    assert cache.trim() == 0
    cache.forget(DATASET, VERSION, listed())


def test_drafts_of_killed_processes_are_swept(tmp_path):
    cache = Cache(tmp_path / "cache", 50)
    put(cache, tmp_path, "a", b"a" * 40).unlink()
    put(cache, tmp_path, "b", b"b" * 40).unlink()
    folder = contents(cache)[0].parent
    (folder / ".new-1").write_bytes(b"0" * 40)
    (folder / ".new-2").write_bytes(b"0" * 40)
    os.utime(folder / ".new-1", ns=(0, 0))
    assert cache.trim() == 40
    assert [path.name for path in cache._root.glob("sha256/??/.new-*")] == [".new-2"]


def use(root, seed):
    """Put, take and trim in a process of its own; leave what went wrong."""
    cache, place = Cache(root / "cache", 300), root / f"p{seed}"
    wrong = []
    for number in range(60):
        name = f"f{(number * seed) % 7}"
        content = name.encode() * 50
        target = place / f"t{number % 3}"
        place.mkdir(exist_ok=True)
        taken = cache.take(DATASET, VERSION, listed(name, 100), target)
        if taken and target.read_bytes() != content:
            wrong.append(name)
        if not taken:
            put(cache, place, name, content).unlink()
        target.unlink(missing_ok=True)
        cache.trim()
    (root / f"wrong{seed}.json").write_text(json.dumps(wrong))


def test_processes_share_it(tmp_path):
    context = multiprocessing.get_context("fork" if os.name == "posix" else None)
    processes = [context.Process(target=use, args=(tmp_path, seed)) for seed in (1, 2, 3, 5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert [json.loads(path.read_text()) for path in tmp_path.glob("wrong*.json")] == [[]] * 4
    cache = Cache(tmp_path / "cache", 300)
    cache.trim()
    assert sum(path.stat().st_size for path in contents(cache)) <= 300


@settings(max_examples=40, deadline=None)
@given(
    limit=st.integers(0, 500),
    actions=st.lists(
        st.tuples(st.sampled_from(["put", "take", "drop", "trim"]), st.integers(0, 4)), max_size=20
    ),
)
def test_what_is_taken_is_what_was_put_and_the_limit_holds(tmp_path_factory, limit, actions):
    root = tmp_path_factory.mktemp("cache")
    cache = Cache(root / "cache", limit)
    for action, number in actions:
        name, content = f"f{number}", bytes([number]) * 100
        if action == "put":
            put(cache, root / "run", name, content)
        elif action == "take":
            if cache.take(DATASET, VERSION, listed(name, 100), root / "x"):
                assert (root / "x").read_bytes() == content
        elif action == "drop":
            (root / "run" / name).unlink(missing_ok=True)
            (root / "x").unlink(missing_ok=True)
        else:
            cache.trim()
            alone = [one for one in contents(cache) if one.stat().st_nlink == 1]
            assert sum(one.stat().st_size for one in alone) <= limit
    shutil.rmtree(root)
