from __future__ import annotations

import hashlib

import pytest
from making import MOUS, make_archive, make_row

from reimage.archive import directory, grouping
from reimage.errors import ArchiveError

DATA = b"0123456789" * 1000
FILES = {"a.README.txt": ("#documentation", b"hello"), "p_auxiliary.tar": ("#auxiliary", DATA)}


@pytest.fixture
def archive(tmp_path):
    return directory.DirectoryArchive(make_archive(tmp_path / "archive", FILES))


def test_rows_are_grouped_to_datasets_with_true_units(tmp_path):
    rows = [
        make_row(target_name="B", frequency=230.0),
        make_row(
            target_name="A",
            frequency=232.0,
            asdm_uid="uid://A002/Xc0ffee/X2",
            antenna_arrays="N601:CM01",
        ),
        make_row(member_ous_uid="uid://A001/X1/X9", obs_release_date=grouping.PROPRIETARY_SENTINEL),
    ]
    found = list(directory.DirectoryArchive(make_archive(tmp_path / "a", FILES, rows)).datasets())
    assert [row.key for row in found] == [MOUS, "uid://A001/X1/X9"]
    facts = found[0].facts
    assert (facts["targets"], facts["n_ebs"], facts["array"]) == (["A", "B"], 2, "12m+7m")
    assert facts["frequency_min_ghz"] == pytest.approx(230 - 0.9375)
    assert facts["frequency_max_ghz"] == pytest.approx(232 + 0.9375)
    assert found[1].facts["release_at"] is None


@pytest.mark.parametrize(
    ("project", "cycle"),
    [
        ("2011.0.1.S", 0),
        ("2012.1.1.S", 1),
        ("2013.1.1.S", 2),
        ("2014.1.1.S", None),
        ("2015.1.1.S", 3),
        ("2019.1.1.S", 7),
        ("2019.2.1.S", 7),
        ("2021.1.1.S", 8),
        ("2025.1.1.S", 12),
        ("odd", None),
    ],
)
def test_cycles(tmp_path, project, cycle):
    root = make_archive(tmp_path / "a", FILES, [make_row(proposal_id=project)])
    (row,) = directory.DirectoryArchive(root).datasets()
    assert row.facts["cycle"] == cycle


def test_a_file_arrives_whole_with_its_checksum(archive, tmp_path):
    told = []
    file = archive.files(MOUS)[1]
    assert archive.fetch(file, tmp_path / "x", told.append) == hashlib.sha256(DATA).hexdigest()
    assert (tmp_path / "x").read_bytes() == DATA
    assert told[-1] == len(DATA)
    assert archive.files("uid://A001/X0/X0") == ()


@pytest.mark.parametrize("change", [DATA[:-1], DATA + b"x"])
def test_a_wrong_size_is_not_kept(archive, tmp_path, change):
    (archive.root / "dataPortal/p_auxiliary.tar").write_bytes(change)
    with pytest.raises(directory.ArchiveFileSize):
        archive.fetch(archive.files(MOUS)[1], tmp_path / "x", lambda _: None)
    assert not (tmp_path / "x").exists()


def test_a_listed_file_that_is_not_there(archive, tmp_path):
    (archive.root / "dataPortal/a.README.txt").unlink()
    with pytest.raises(directory.ArchiveFileMissing):
        archive.fetch(archive.files(MOUS)[0], tmp_path / "x", lambda _: None)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", ".."])
def test_a_name_that_is_a_path_is_refused(tmp_path, name):
    root = make_archive(tmp_path / "a", {"good": ("#this", b"")})
    listing = root / "files.ecsv"
    listing.write_text(listing.read_text().replace("good", name))
    with pytest.raises(ArchiveError, match="offers a file with the name"):
        directory.DirectoryArchive(root).files(MOUS)


def test_a_foreign_directory_is_coded(tmp_path):
    with pytest.raises(directory.ArchiveForeign, match=r"holdings\.ecsv"):
        directory.DirectoryArchive(tmp_path)
    make_archive(tmp_path / "a", FILES)
    (tmp_path / "a/files.ecsv").write_text("nonsense")
    with pytest.raises(directory.ArchiveForeign):
        directory.DirectoryArchive(tmp_path / "a")
