from __future__ import annotations

import pytest
from astropy.table import Table

from reimage.archive.directory import DirectoryArchive
from reimage.demo import listing
from reimage.demo.datasets import datasets
from reimage.demo.delivery import ArchiveFile

TIMES = (56000.5, 56000.6)


@pytest.fixture
def rows(dataset):
    times = {block.eb.name: TIMES for block in dataset.blocks}
    return listing.rows(dataset, times, 1234)


def test_there_is_a_row_for_every_window_and_block(dataset, rows):
    n_spws = len(dataset.blocks[0].observation.spws)
    assert len(rows) == n_spws * len(dataset.blocks)
    assert {row["asdm_uid"] for row in rows} == {str(block.eb) for block in dataset.blocks}


def test_units_are_the_archives(dataset, rows):
    spw = dataset.blocks[0].observation.spws[0]
    assert rows[0]["frequency"] == pytest.approx(spw.centre_hz / 1e9)
    assert rows[0]["bandwidth"] == pytest.approx(1.875e9)
    assert 1e-4 < rows[0]["em_min"] < rows[0]["em_max"] < 1e-2
    assert 0.5 < rows[0]["spatial_resolution"] < 10


def test_a_mosaic_says_so_and_has_a_union_of_circles(dataset, rows):
    mosaic = len(dataset.blocks[0].observation.targets) > 1
    assert rows[0]["is_mosaic"] == ("T" if mosaic else "F")
    assert rows[0]["s_region"].startswith("Union ICRS ( Circle" if mosaic else "Circle ICRS")


def test_a_semipass_dataset_has_passed_too(rows):
    """The archive's trap: T covers semipass."""
    assert {row["qa2_passed"] for row in rows} == {"T"}


def test_written_tables_are_an_archive_that_can_be_read(tmp_path):
    (tmp_path / "dataPortal").mkdir()
    file = ArchiveFile(name="x.tar", semantics="#this", content_type="application/x-tar", n_bytes=9)
    rows, files = [], []
    for dataset in datasets():
        rows += listing.rows(dataset, {block.eb.name: TIMES for block in dataset.blocks}, 7)
        files.append((dataset, file))
    listing.write_holdings(tmp_path / "holdings.ecsv", rows)
    listing.write_files(tmp_path / "files.ecsv", files)
    archive = DirectoryArchive(tmp_path)
    facts = {row.key: row.facts for row in archive.datasets()}
    assert set(facts) == {str(dataset.mous) for dataset in datasets()}
    beta = facts["uid://A001/X12a3/X3f4"]
    assert (beta["n_ebs"], beta["bands"], beta["targets"]) == (2, [3], ["Sim_Beta"])
    assert archive.files("uid://A001/X12a3/X3f4")[0].n_bytes == 9
    assert Table.read(tmp_path / "holdings.ecsv")["t_min"].unit == "d"
