from __future__ import annotations

import tarfile

import pytest

from reimage.delivery import unpack
from reimage.delivery.layout import read_layout
from reimage.delivery.versions import find_statements
from reimage.demo import delivery, packing
from reimage.demo.plan import Shell

PARTS = {"calibration", "script", "qa", "log", "raw", "product", "calibrated", "README"}


@pytest.fixture
def portal(tmp_path):
    path = tmp_path / "dataPortal"
    path.mkdir()
    return path


@pytest.fixture
def files(dataset, made, portal):
    return delivery.deliver(dataset, made, portal)


@pytest.fixture
def unpacked(dataset, files, portal, tmp_path):
    """Everything but a tar that was cut off, unpacked as fetch does it."""
    for file in files:
        cut = dataset.cut_raw and file.semantics == "#progenitor"
        if file.name.endswith(".tar") and not cut:
            unpack.unpack(portal / file.name, tmp_path / "delivery")
    return read_layout(tmp_path / "delivery")


def test_the_listing_is_what_lies_there(files, portal):
    assert {file.name: file.n_bytes for file in files} == {
        path.name: path.stat().st_size for path in portal.iterdir()
    }


def test_names_are_the_archives(dataset, files):
    by_kind = {}
    for file in files:
        by_kind.setdefault(file.semantics, []).append(file.name)
    stem = f"{dataset.project}_{dataset.mous.name}"
    if dataset.shell is Shell.CYCLE0:
        assert by_kind == {"#this": ["2011.0.00432.S_2012-11-08_001_of_001.tar"]}
        return
    assert by_kind["#documentation"] == [f"member.{dataset.mous.name}.README.txt"]
    assert by_kind["#auxiliary"] == [f"{stem}_auxiliary.tar"]
    assert by_kind.get("#this", []) == ([f"{stem}_001_of_001.tar"] if dataset.product else [])
    assert by_kind["#progenitor"] == [
        f"{dataset.project}_{block.eb.name}.asdm.sdm.tar" for block in dataset.blocks
    ]


def test_our_own_reader_finds_what_was_packed(dataset, unpacked):
    assert unpacked.calibration is dataset.calibration
    assert unpacked.project == dataset.project
    if dataset.shell is not Shell.CYCLE0:
        assert unpacked.dataset == str(dataset.mous)
    if not dataset.cut_raw:
        assert unpacked.ebs == tuple(block.eb.name for block in dataset.blocks)


def test_a_member_holds_nothing_but_the_known_parts(dataset, unpacked, tmp_path):
    member = tmp_path / "delivery" / unpacked.member
    assert {path.name for path in member.iterdir()} <= PARTS
    expected = "sg_ouss_id" if dataset.shell is Shell.CYCLE0 else "science_goal.uid___"
    assert unpacked.member.split("/")[1].startswith(expected)


def test_what_says_a_version_says_the_same(dataset, unpacked):
    statements = find_statements(unpacked)
    said = {statement.version.replace("-", ".") for statement in statements}
    assert said <= {dataset.casa.replace("-", ".")}
    assert said or dataset.shell is Shell.SEMIPASS


def test_a_cut_tar_is_damaged_and_its_size_is_listed_as_it_is(dataset, files, portal):
    raw = [file for file in files if file.semantics == "#progenitor"]
    if not dataset.cut_raw:
        for file in raw:
            unpack.check(portal / file.name)
        return
    assert raw[0].n_bytes % 512
    with pytest.raises(unpack.ArchiveFileDamaged):
        unpack.check(portal / raw[0].name)


def test_a_semipass_shell_has_four_to_seven_members_and_a_script(dataset, files, portal):
    if dataset.shell is not Shell.SEMIPASS:
        return
    auxiliary = next(file.name for file in files if file.semantics == "#auxiliary")
    with tarfile.open(portal / auxiliary) as tar:
        names = tar.getnames()
    assert 4 <= len(names) <= 7
    assert any(name.endswith("scriptForPI.py") for name in names)
    assert not any("caltables" in name or "scriptForCalibration" in name for name in names)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    tree = {"a/b.txt": "text", "a/c": b"\0\1"}
    for name in ("one.tar", "two.tar"):
        packing.tar(tmp_path / name, tree)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    assert packing.tgz(tree) == packing.tgz(tree)
