from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive.part import WORTH_RESUMING, Part, Version

WHOLE = bytes(range(256)) * (WORTH_RESUMING // 128)
URL = "https://host.org/a"
VERSION = Version(origin="https://host.org", etag='"e"', last_modified="Mon", n_bytes=len(WHOLE))


def part(tmp_path):
    return Part(tmp_path / "a.tar", lambda _: False)


def leave(tmp_path, data=WHOLE[:-10], version=VERSION):
    (tmp_path / "a.tar.part").write_bytes(data)
    (tmp_path / "a.tar.part.json").write_text(json.dumps(asdict(version)))


def names(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_it_becomes_the_file_with_its_checksum(tmp_path):
    with part(tmp_path) as one:
        one.restart(VERSION)
        for begin in range(0, len(WHOLE), 1000):
            one.write(WHOLE[begin : begin + 1000])
        assert one.is_whole
        assert one.finish() == hashlib.sha256(WHOLE).hexdigest()
    assert names(tmp_path) == ["a.tar"]
    assert (tmp_path / "a.tar").read_bytes() == WHOLE


def test_what_was_left_is_gone_on_with(tmp_path):
    leave(tmp_path)
    with part(tmp_path) as one:
        assert one.request == {"Range": f"bytes={len(WHOLE) - 10}-", "If-Range": '"e"'}
        one.write(WHOLE[-10:])
        assert one.finish() == hashlib.sha256(WHOLE).hexdigest()
    assert names(tmp_path) == ["a.tar"]


def test_a_note_is_written_as_soon_as_resuming_is_worth_it(tmp_path):
    with part(tmp_path) as one:
        one.restart(VERSION)
        one.write(WHOLE[: WORTH_RESUMING - 1])
        assert names(tmp_path) == ["a.tar.part"]
        one.write(b"x")
        assert names(tmp_path) == ["a.tar.part", "a.tar.part.json"]
    with part(tmp_path) as one:
        assert one.version == VERSION
        one.restart(replace(VERSION, etag='"f"'))
        assert names(tmp_path) == ["a.tar.part"]


def test_nothing_is_left_of_nothing(tmp_path):
    with part(tmp_path):
        assert names(tmp_path) == ["a.tar.part"]
    assert names(tmp_path) == []


def test_an_empty_file_is_a_file(tmp_path):
    with part(tmp_path) as one:
        one.restart(replace(VERSION, n_bytes=0))
        assert one.finish() == hashlib.sha256(b"").hexdigest()
    assert names(tmp_path) == ["a.tar"]


@pytest.mark.parametrize(
    "version",
    [replace(VERSION, etag="", last_modified=""), replace(VERSION, n_bytes=len(WHOLE) - 11)],
)
def test_what_cannot_be_proven_is_not_asked_for(tmp_path, version):
    leave(tmp_path, version=version)
    with part(tmp_path) as one:
        assert one.request == {}


def test_a_short_beginning_is_not_worth_a_range(tmp_path):
    leave(tmp_path, b"x" * (WORTH_RESUMING - 1))
    with part(tmp_path) as one:
        assert one.request == {}


def test_versions_of_answers():
    made = Version.of(URL, {"ETag": 'W/"e"', "Last-Modified": "Mon"}, 5)
    assert made == Version(origin="https://host.org", last_modified="Mon", n_bytes=5)
    assert made.condition == "Mon"
    assert Version.of(URL, {"ETag": '"e"'}, None).condition == '"e"'


@pytest.mark.parametrize(
    ("other", "is_proven"),
    [
        (VERSION, True),
        (replace(VERSION, origin="https://mirror.org", last_modified="Tue"), True),
        (replace(VERSION, etag='"f"'), False),
        (replace(VERSION, etag=""), False),
        (replace(VERSION, n_bytes=1), False),
        (replace(VERSION, n_bytes=None), False),
    ],
)
def test_an_equal_etag_and_length_prove_it(other, is_proven):
    assert VERSION.is_proven_by(other) is is_proven


@pytest.mark.parametrize(
    ("change", "is_proven"),
    [
        ({}, True),
        ({"last_modified": "Tue"}, False),
        ({"last_modified": ""}, False),
        ({"origin": "https://mirror.org"}, False),
    ],
)
def test_without_etags_a_time_proves_it_on_one_host(change, is_proven):
    mine = replace(VERSION, etag="")
    assert mine.is_proven_by(replace(mine, **change)) is is_proven


def test_without_anything_nothing_is_proven():
    mine = replace(VERSION, etag="", last_modified="")
    assert not mine.is_proven_by(mine)


@given(cuts=st.lists(st.integers(1, 400_000), max_size=8))
def test_however_often_it_is_broken_off_the_sum_is_right(tmp_path_factory, cuts):
    place = tmp_path_factory.mktemp("part")
    for cut in cuts:
        with part(place) as one:
            if not one.n_bytes or not one.request:
                one.restart(VERSION)
            one.write(WHOLE[one.n_bytes : one.n_bytes + cut])
    with part(place) as one:
        if not one.is_whole and not one.request:
            one.restart(VERSION)
        one.write(WHOLE[one.n_bytes :])
        assert one.finish() == hashlib.sha256(WHOLE).hexdigest()


@pytest.mark.parametrize("note", ['{"origin": "x"}', "garbage", json.dumps(asdict(VERSION))])
@pytest.mark.parametrize("data", [None, b""])
def test_a_note_without_bytes_says_nothing_of_those_that_come(tmp_path, note, data):
    """Killed between the two: else a later beginning would be taken for the old version's."""
    if data is not None:
        (tmp_path / "a.tar.part").write_bytes(data)
    (tmp_path / "a.tar.part.json").write_text(note)
    with part(tmp_path) as one:
        assert names(tmp_path) == ["a.tar.part"]
        assert (one.version, one.n_bytes, one.request) == (None, 0, {})


def test_a_note_that_cannot_be_read_goes(tmp_path):
    (tmp_path / "a.tar.part").write_bytes(WHOLE)
    (tmp_path / "a.tar.part.json").write_text("{")
    with part(tmp_path) as one:
        assert (one.n_bytes, one.request) == (0, {})
    assert names(tmp_path) == []


def test_the_note_goes_before_the_bytes_that_it_is_of(tmp_path, monkeypatch):
    leave(tmp_path)
    with part(tmp_path) as one:
        monkeypatch.setattr("reimage.archive.part.os.ftruncate", killed)
        with pytest.raises(KeyboardInterrupt):
            one.restart(None)
        assert names(tmp_path) == ["a.tar.part"]


def killed(*_):
    raise KeyboardInterrupt


def test_a_system_that_writes_less_than_it_is_given_is_given_the_rest(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(
        "reimage.archive.part.os.write", lambda handle, piece: write(handle, piece[:1000])
    )
    with part(tmp_path) as one:
        one.restart(VERSION)
        one.write(memoryview(WHOLE))
        assert one.finish() == hashlib.sha256(WHOLE).hexdigest()
    assert (tmp_path / "a.tar").read_bytes() == WHOLE
