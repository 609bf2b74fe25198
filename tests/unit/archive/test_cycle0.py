from __future__ import annotations

import pytest

from reimage.archive import cycle0
from reimage.archive.listing import ArchiveFile


def tar(name, semantics="#this"):
    return ArchiveFile(name=name, semantics=semantics, content_type="", n_bytes=1)


def test_the_table_is_the_one_that_was_made_at_eso():
    """Numbers of archive pages 2.1: 718 pairs, 266 deliveries, 120 projects, up to 26 ASDMs each."""
    table = cycle0.deliveries()
    assert (len(table), sum(map(len, table.values()))) == (266, 718)
    assert len({name.partition("_")[0] for name in table}) == 120
    assert max(map(len, table.values())) == 26
    assert table["2011.0.00170.S_2013-07-22"] == {"uid://A002/X5784d5/X15c"}


def test_deliveries_of_a_dataset():
    assert cycle0.expected(["uid://A002/X36a70f/X4ce", "uid://A002/X36a70f/X77a"]) == {
        "2011.0.00611.S_2013-03-01": {"uid://A002/X36a70f/X4ce", "uid://A002/X36a70f/X77a"}
    }
    assert cycle0.expected(["uid://A002/Xc0ffee/X1"]) == {}


@pytest.mark.parametrize(
    ("name", "delivery"),
    [
        ("2011.0.00170.S_2013-07-22_001_of_003.tar", "2011.0.00170.S_2013-07-22"),
        ("2017.1.01185.S_uid___A001_X12a3_Xe9_001_of_001.tar", None),
    ],
)
def test_the_delivery_of_a_tar(name, delivery):
    assert cycle0.delivery_of(tar(name)) == delivery
    assert cycle0.delivery_of(tar(name, "#progenitor")) is None


HERE, THERE = "uid://A002/X5784d5/X15c", "uid://A002/X5578f1/X1b8"


def test_blocks_that_no_listed_delivery_contains_are_named():
    listed = [tar("2011.0.00170.S_2013-07-22_001_of_001.tar")]
    assert cycle0.absent(listed, [HERE, THERE]) == (THERE,)
    assert cycle0.absent(listed, [HERE]) == ()
    both = [*listed, tar("2011.0.00170.S_2013-03-01_001_of_001.tar")]
    assert cycle0.absent(both, [HERE, THERE]) == ()


def test_what_the_table_does_not_know_says_nothing():
    assert cycle0.absent([tar("a_001_of_001.tar")], [HERE]) == ()
    listed = [tar("2011.0.00170.S_2013-07-22_001_of_001.tar")]
    assert cycle0.absent(listed, ["uid://A002/Xc0ffee/X1"]) == ()
