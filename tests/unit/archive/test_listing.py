from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import listing
from reimage.archive.faults import ArchiveNameHostile
from reimage.archive.listing import ArchiveFile

TARS = (
    ("m.README.txt", "#documentation"),
    ("p_001_of_001.tar", "#this"),
    ("p_auxiliary.tar", "#auxiliary"),
    ("p_uid___A002_Xd28a9e_X71b8.asdm.sdm.tar", "#progenitor"),
    ("p_uid___A002_Xd28a9e_X7b4d.asdm.sdm.tar", "#package"),
)


def make(name, semantics="#this", n_bytes=10, description=""):
    return ArchiveFile(
        name=name,
        semantics=semantics,
        content_type="",
        n_bytes=n_bytes,
        description=description,
    )


FILES = [make(name, semantics) for name, semantics in TARS]


def names(files):
    return [file.name for file in files]


def test_a_restore_needs_readme_auxiliary_and_raw_of_both_kinds_and_no_products():
    wanted = listing.needed(FILES)
    assert names(wanted.light) == ["m.README.txt", "p_auxiliary.tar"]
    assert names(wanted.heavy) == [TARS[3][0], TARS[4][0]]
    assert [(one.name, one.why) for one in wanted.left] == [
        ("p_001_of_001.tar", "products are made anew")
    ]
    assert (wanted.n_bytes, wanted.raw_bytes) == (40, 20)


@pytest.mark.parametrize(
    ("files", "facts"),
    [(FILES[:2], {}), (FILES, {"cycle": 0}), (FILES[:2], {"cycle": 3})],
)
def test_what_is_packed_in_product_tars_is_fetched_with_them(files, facts):
    assert "p_001_of_001.tar" in names(listing.needed(files, facts).light)


SEMANTICS = st.sampled_from(
    ["#documentation", "#this", "#auxiliary", "#progenitor", "#package", "#preview", ""]
)


@given(st.lists(SEMANTICS), st.sampled_from([{}, {"cycle": 0}, {"cycle": 7}]))
def test_nothing_that_is_listed_is_lost(semantics, facts):
    files = [make(f"f{number}", one) for number, one in enumerate(semantics)]
    wanted = listing.needed(files, facts)
    told = [*names(wanted.light), *names(wanted.heavy), *names(wanted.left)]
    assert sorted(told) == sorted(names(files))
    assert all(left.why for left in wanted.left)


SCIENCE = "Download dataset of type: product, and class: SCIENCE."


@pytest.mark.parametrize(
    ("name", "semantics", "description", "kind"),
    [
        ("m.README.txt", "#documentation", "Download documentation for ./x|README.", "readme"),
        ("m.eb.log.tgz", "#documentation", "Download documentation for ./x|LOG.", "log"),
        ("p_001_of_001.tar", "#this", "type: null, and class: N/A.", "product"),
        ("p_auxiliary.tar", "#auxiliary", "type: null, and class: N/A.", "auxiliary"),
        ("e.asdm.sdm.tar", "#progenitor", "Download dataset of type: , and class: N/A.", "raw"),
        ("e.asdm.sdm.tar", "#package", "", "raw"),
        ("a.image.pbcor.fits", "#this", SCIENCE, "image"),
        ("a.image.pbcor.fits.gz", "#this", "", "image"),
        ("a.pb.fits.gz", "#this", SCIENCE, "beam"),
        ("a.pb.tt0.fits.gz", "#this", SCIENCE, "beam"),
        ("a.mask.fits.gz", "#this", "", "mask"),
        ("a.mask.tgz", "#this", "type: product, and class: MASK.", "mask"),
        ("e.calibration.tgz", "#auxiliary", "type: calibration, and class: CALIBRATION.", "calibration"),
        ("e.calibration.tgz", "#auxiliary", "", "calibration"),
        ("scriptForPI.py", "#auxiliary", "type: script, and class: SCRIPT.", "script"),
    ],
)  # fmt: skip
def test_kinds_by_name_and_description(name, semantics, description, kind):
    assert make(name, semantics, description=description).kind == kind


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("2017.1.01185.S_uid___A002_Xd28a9e_X71b8.asdm.sdm.tar", "uid://A002/Xd28a9e/X71b8"),
        ("uid___A002_X8a951a_X69b.asdm.sdm.tar", "uid://A002/X8a951a/X69b"),
        ("x.asdm.sdm.tar", None),
    ],
)
def test_the_execution_block_of_raw_data(name, block):
    assert make(name, "#progenitor").block == block
    assert make(name, "#this").block is None


def test_a_name_is_listed_once_and_a_size_is_believed_once():
    files = [
        make("a", "#progenitor", 5),
        make("b", n_bytes=None),
        make("a", "#package", 5),
        make("b", n_bytes=7),
        make("c", n_bytes=1),
        make("c", n_bytes=2),
        make("c", n_bytes=1),
    ]
    found = [(file.name, file.semantics, file.n_bytes) for file in listing.once(files)]
    assert found == [("a", "#progenitor", 5), ("b", "#this", 7), ("c", "#this", None)]


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "a\nb", "a\0"]
)
def test_a_name_that_is_a_path_is_refused(name):
    with pytest.raises(ArchiveNameHostile):
        listing.plain_name(name)


@pytest.mark.parametrize("name", ["a" * 201, "é" * 101, "a.tar.part", "a.tar.part.json", "A.PART"])
def test_a_name_that_would_not_fit_or_is_one_of_ours_is_refused(name):
    with pytest.raises(ArchiveNameHostile) as caught:
        listing.plain_name(name)
    assert len(caught.value.message) < 300


def test_a_name_of_the_longest_length_is_a_name():
    assert listing.plain_name("a" * 200)


@pytest.mark.parametrize(
    ("cycle", "is_fetched"), [({"cycle": 7}, False), ({"cycle": 0}, True), ({}, True)]
)
def test_later_than_cycle_0_a_delivery_with_raw_data_is_not_in_its_products(cycle, is_fetched):
    """An auxiliary tar that is missing does not make product tars a delivery."""
    files = [file for file in FILES if file.semantics != "#auxiliary"]
    light = names(listing.needed(files, cycle).light)
    assert ("p_001_of_001.tar" in light) == is_fetched
