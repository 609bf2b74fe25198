from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from making import make_tar

from reimage.delivery import unpack

FILES = {f"p/f{n}": bytes([n]) * 700 for n in range(4)}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_whole_tar_is_unpacked_twice_the_same(tmp_path, mode):
    tar = make_tar(tmp_path / "a.tar", FILES, mode)
    for _ in range(2):
        assert set(unpack.unpack(tar, tmp_path / "out")) == set(FILES)
    assert (tmp_path / "out/p/f3").read_bytes() == FILES["p/f3"]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@profile(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(min_value=0, max_value=0.999))
def test_a_tar_cut_off_loses_nothing_in_silence(tmp_path, mode, share):
    whole = make_tar(tmp_path / "a.tar", FILES, mode).read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: int(share * len(whole))])
    try:
        unpacked = unpack.unpack(cut, tmp_path / "out")
    except unpack.ArchiveFileDamaged:
        return
    assert set(unpacked) == set(FILES)  # only the closing zero blocks were lost


def test_a_web_page_is_not_a_tar(tmp_path):
    page = tmp_path / "a.tar"
    page.write_text("<html><body>HTTP Status 500</body></html>")
    with pytest.raises(unpack.ArchiveFileDamaged, match="web page"):
        unpack.check(page)


def hostile(tmp_path, **fields):
    info = tarfile.TarInfo("x")
    for key, value in fields.items():
        setattr(info, key, value)
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(info)
    return path


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "../out"},
        {"name": "/etc/out"},
        {"name": "a/../../out"},
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.SYMTYPE, "linkname": "../../etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "../x"},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.FIFOTYPE},
    ],
    ids=str,
)
def test_hostile_members_stop_it_before_anything_is_written(tmp_path, fields):
    with pytest.raises(unpack.ArchiveFileHostile):
        unpack.unpack(hostile(tmp_path, **fields), tmp_path / "target")
    assert not (tmp_path / "target").exists()
    assert not (tmp_path / "out").exists()


def test_links_inside_are_kept(tmp_path):
    path = hostile(tmp_path, name="d/link", type=tarfile.SYMTYPE, linkname="../x")
    unpack.unpack(path, tmp_path / "target")
    assert (tmp_path / "target/d/link").is_symlink()


def test_no_chain_of_inner_links_leads_out(tmp_path):
    """x/l is the root itself, so ``x/l/..`` is outside although no name says so."""
    path = tmp_path / "chain.tar"
    with tarfile.open(path, "w") as tar:
        for name, link in (("x/l", ".."), ("out", "x/l/..")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
        info = tarfile.TarInfo("out/escaped")
        tar.addfile(info)
    with pytest.raises(unpack.ArchiveFileHostile):
        unpack.unpack(path, tmp_path / "target")
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize(
    "names", [("a/x", "a"), ("a", "a/x"), ("n" * 300,)], ids=["file", "folder", "long"]
)
def test_members_that_contradict_each_other_are_coded(tmp_path, names):
    tar = make_tar(tmp_path / "a.tar", dict.fromkeys(names, b"x"))
    with pytest.raises(unpack.ArchiveFileHostile, match="cannot be unpacked"):
        unpack.unpack(tar, tmp_path / "target")


def test_hard_links_and_names_given_twice(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for data in (b"first", b"second"):
            info = tarfile.TarInfo("d/x")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo("y")
        info.type, info.linkname = tarfile.LNKTYPE, "d/x"
        tar.addfile(info)
    unpack.unpack(path, tmp_path / "target")
    assert (tmp_path / "target/y").read_bytes() == b"second"


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)
    with pytest.raises(unpack.ArchiveFileHostile, match="more than 3 files"):
        unpack.check(make_tar(tmp_path / "a.tar", FILES))
