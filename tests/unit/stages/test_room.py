"""How much disk a restore may take: scriptForPI's own factors."""

from __future__ import annotations

import pytest

from reimage.stages import room

GB = 10**9


@pytest.mark.parametrize(
    ("free_gb", "scripts", "spacesaving"),
    [
        (1200, (), 0),
        (1000, (), 1),
        (700, (), 2),
        (320, (), 2),
        (1400, ("script/scriptForImaging.py",), 0),
        (1400, ("script/scriptForFluxCalibration.py",), 1),
        (640, ("script/scriptForImagingPrep.py",), 2),
    ],
)
def test_the_most_generous_that_fits(free_gb, scripts, spacesaving):
    assert room.for_script(100 * GB, free_gb * GB, scripts).spacesaving == spacesaving


def test_too_little_is_told_with_numbers():
    with pytest.raises(room.RestoreDiskShort, match=r"needs 315\.0 GB and 300\.0 GB are free") as e:
        room.for_script(100 * GB, 300 * GB, ())
    assert e.value.evidence == {
        "raw_bytes": 100 * GB,
        "factor": 3,
        "needed_bytes": 315 * GB,
        "free_bytes": 300 * GB,
    }


def test_tables_and_copies_ask_too():
    with pytest.raises(room.RestoreDiskShort):
        room.for_tables(100 * GB, 700 * GB)
    assert room.for_copies(100 * GB, 211 * GB).needed == 210 * GB


def test_sizes_follow_links_to_what_was_delivered(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_bytes(b"12345")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/y").symlink_to(tmp_path / "a/x")
    assert (
        room.size(tmp_path / "a") == room.size(tmp_path / "b") == room.size(tmp_path / "b/y") == 5
    )
