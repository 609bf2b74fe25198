"""Notes of what was fetched: whatever stands in them, a file is believed only by its own sum."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import noted
from reimage.archive.faults import ArchiveNameHostile
from reimage.archive.listing import NOTES, plain_name

SUM, OTHER = "a" * 64, "b" * 64


def lines(folder):
    return (folder / NOTES).read_text().splitlines()


def test_the_last_word_counts_and_a_name_is_no_end_of_another(tmp_path):
    for name, sha256 in (("x.tar", SUM), ("my  x.tar", OTHER), ("x.tar", OTHER)):
        noted.note(tmp_path / name, sha256)
    assert noted.noted(tmp_path / "x.tar") == OTHER
    assert noted.noted(tmp_path / "my  x.tar") == OTHER
    assert noted.noted(tmp_path / "tar") is None
    (tmp_path / NOTES).write_text(f"{SUM}  my  x.tar\n")
    assert noted.noted(tmp_path / "x.tar") is None


def test_a_file_is_here_if_it_is_what_came(tmp_path):
    place = tmp_path / "x.tar"
    place.write_bytes(b"12345")
    assert noted.here(place, 5) is None
    noted.note(place, hashlib.sha256(b"12345").hexdigest())
    assert noted.here(place, 5) == hashlib.sha256(b"12345").hexdigest()
    assert noted.here(place, 4) is None
    place.write_bytes(b"12346")
    assert noted.here(place, 5) is None


def test_sweeping_leaves_one_line_a_file_and_none_where_nothing_is(tmp_path):
    with noted.swept(tmp_path):
        for name in ("b", "a", "gone", "b"):
            (tmp_path / name).touch()
            noted.note(tmp_path / name, SUM)
        noted.note(tmp_path / "b", OTHER)
        (tmp_path / "gone").unlink()
    assert lines(tmp_path) == [f"{SUM}  a", f"{OTHER}  b"]
    (tmp_path / "a").unlink()
    (tmp_path / "b").unlink()
    with noted.swept(tmp_path):
        pass
    assert not (tmp_path / NOTES).exists()
    with noted.swept(tmp_path / "absent"):
        pass


@given(said=st.binary(max_size=300), cut=st.integers(0, 80))
def test_notes_that_are_anything_are_no_harm(tmp_path_factory, said, cut):
    folder = tmp_path_factory.mktemp("n")
    line = f"{SUM}  x\n".encode()
    (folder / NOTES).write_bytes(said + line[cut:])
    (folder / "x").touch()
    before = noted.noted(folder / "x")
    assert before in ({SUM} if cut == 0 and said.endswith(b"\n") else {None, SUM})
    with noted.swept(folder):
        pass
    assert noted.noted(folder / "x") == before


def test_no_file_of_the_archive_is_called_so():
    with pytest.raises(ArchiveNameHostile):
        plain_name(NOTES)
