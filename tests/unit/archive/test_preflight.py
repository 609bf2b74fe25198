from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import preflight
from reimage.archive.listing import ArchiveFile
from reimage.archive.preflight import Means

KEY = "uid://A001/X1/X2"
EB, EB2 = "uid://A002/Xd28a9e/X71b8", "uid://A002/Xd28a9e/X7b4d"
PLENTY = Means(free_bytes=10**15, restore_factor=3, rate_bytes_s=1e6)
FACTS = {"data_rights": "Public", "ebs": [EB]}


def make(name, semantics, n_bytes=10**6, **other):
    return ArchiveFile(name=name, semantics=semantics, content_type="", n_bytes=n_bytes, **other)


README = make("m.README.txt", "#documentation", 3000)
AUXILIARY = make("p_auxiliary.tar", "#auxiliary", 100 * 10**6)
RAW = make("p_uid___A002_Xd28a9e_X71b8.asdm.sdm.tar", "#progenitor", 2 * 10**9)
PRODUCT = make("p_001_of_001.tar", "#this", 5 * 10**9)
WHOLE = (README, AUXILIARY, RAW, PRODUCT)


def examine(files=WHOLE, facts=FACTS, means=PLENTY, **other):
    return preflight.examine(KEY, files, facts, means, **other)


def codes(told):
    return [problem.code for problem in told.problems]


def test_a_whole_dataset_may_go_and_its_numbers_are_told():
    told = examine()
    assert (told.is_public, told.is_complete, told.is_restorable) == (True, True, True)
    assert (told.problems, told.notes, told.unsized) == ((), (), ())
    assert told.fetch_bytes == 3000 + 100 * 10**6 + 2 * 10**9
    assert (told.n_files, told.left_bytes) == (3, 5 * 10**9)
    assert told.transfer_s == pytest.approx(told.fetch_bytes / 1e6)
    assert told.disk_bytes == told.fetch_bytes + 3 * 2 * 10**9


def test_without_a_restore_only_the_largest_tar_is_there_twice():
    told = examine(means=replace(PLENTY, restore_factor=0, rate_bytes_s=None))
    assert told.disk_bytes == told.fetch_bytes + RAW.n_bytes
    assert told.transfer_s is None


def test_what_is_here_already_is_not_fetched_again():
    told = examine(done={RAW.name})
    assert (told.n_files, told.fetch_bytes) == (2, 3000 + 100 * 10**6)
    assert told.disk_bytes == told.fetch_bytes + 3 * RAW.n_bytes  # the restore is still to come


@pytest.mark.parametrize(
    ("rights", "code"),
    [("Public", "archive-nothing-listed"), ("Proprietary", "archive-not-public"), (None, "archive-not-public")],
)  # fmt: skip
def test_an_empty_listing_means_what_the_holdings_say(rights, code):
    told = examine((), {"data_rights": rights})
    assert codes(told) == [code]
    assert (told.is_complete, told.is_restorable) == (False, False)


def test_files_that_the_archive_would_not_hand_out():
    told = examine((README, AUXILIARY, replace(RAW, is_readable=False)))
    assert codes(told) == ["archive-not-public"]
    assert told.problems[0].evidence["files"] == [RAW.name]
    assert not told.is_public
    assert examine((*WHOLE[:3], replace(PRODUCT, is_readable=False))).is_public  # not ours


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ((README, AUXILIARY), "no raw data"),
        (
            (README, RAW),
            "neither an auxiliary tar nor a delivery",
        ),  # row 12: Cycle 0, only raw found
        ((README,), "neither"),
    ],
)
def test_a_listing_that_lacks_what_a_restore_needs(files, word):
    told = examine(files)
    assert codes(told) == ["archive-listing-incomplete"]
    assert word in told.problems[0].message
    assert not told.is_restorable


def test_a_packed_delivery_needs_no_raw_data_beside_it():
    told = examine((README, PRODUCT), {"cycle": 0})
    assert (told.problems, told.notes) == ((), ())
    assert examine((PRODUCT,), {"cycle": 0}).notes == ()  # its README is inside


def test_what_is_odd_stops_nothing():
    told = examine((AUXILIARY, RAW), {**FACTS, "ebs": [EB, EB2]})
    assert told.problems == ()
    assert told.notes == ("no README is listed", f"no raw data are listed for {EB2}")
    assert not told.is_complete
    assert told.is_restorable


def test_raw_data_whose_names_tell_no_block_are_not_called_missing():
    assert examine((README, AUXILIARY, make("x.asdm.sdm.tar", "#progenitor"))).notes == ()


def test_an_execution_block_that_no_delivery_of_cycle_0_contains():
    tar = make("2011.0.00170.S_2013-07-22_001_of_001.tar", "#this")
    ebs = ["uid://A002/X5784d5/X15c", "uid://A002/X5578f1/X1b8"]
    told = examine((README, tar), {"cycle": 0, "ebs": ebs})
    assert told.notes == ("no listed delivery of Cycle 0 contains uid://A002/X5578f1/X1b8",)


# --- semipass shells: three real packages, archive_samples/package_inventory ---------------------------

PAPERS = ("m.qa2_report.html", "m.qa2_report.pdf", "e.qa0_report.html", "e.qa0_report.pdf")
WITH_SCRIPT = ("README.txt", "scriptForPI.py", "m.pprequest.xml", *PAPERS)
SHELLS = [(1_085_440, WITH_SCRIPT), (3_499_008, PAPERS), (2_886_656, PAPERS)]


@pytest.mark.parametrize(("n_bytes", "names"), SHELLS)
def test_a_shell_is_seen_by_what_is_in_its_small_auxiliary_tar(n_bytes, names):
    small = replace(AUXILIARY, n_bytes=n_bytes)
    assert preflight.worth_expanding((README, small, RAW)) == (small,)
    members = [make(name, "#auxiliary", 9) for name in names]
    told = examine((README, small, RAW), members=members)
    assert codes(told) == ["nothing-to-restore"]
    assert not told.is_restorable
    assert told.is_complete


@pytest.mark.parametrize(
    "calibrating",
    [
        "member.x.session_1.caltables.tgz",
        "uid___A002_X1_X2.ms.scriptForCalibration.py",
        "uid___A002_X1_X2.calibration.tgz",
        "x.hifa_cal.casa_piperestorescript.py",
        "x.jyperk.csv",
    ],
)
def test_what_calibrates_makes_it_no_shell(calibrating):
    members = [make(name, "#auxiliary", 9) for name in ("scriptForPI.py", calibrating)]
    assert codes(examine(members=members)) == []


def test_members_that_no_delivery_has_prove_nothing():
    assert codes(examine(members=[make("see.txt", "#auxiliary", 9)])) == []


def test_large_auxiliary_tars_are_not_asked_about():
    sizes = (77_199_872, 205_346_816, None)
    assert preflight.worth_expanding([replace(AUXILIARY, n_bytes=one) for one in sizes]) == ()


# --- room -------------------------------------------------------------------------------------------------


def test_a_disk_without_room_is_told_with_numbers():
    told = examine(means=replace(PLENTY, free_bytes=5 * 10**9))
    assert codes(told) == ["disk-full"]
    assert told.problems[0].evidence["needed_bytes"] == told.disk_bytes
    assert "5 GB are free" in told.problems[0].message


SIZES = st.one_of(st.none(), st.integers(1, 10**13))
SEMANTICS = ("#documentation", "#auxiliary", "#this", "#progenitor", "#package", "#other")


@given(st.lists(st.tuples(st.sampled_from(SEMANTICS), SIZES)), st.integers(0, 10**14))
def test_any_listing_is_told_of(rows, free):
    files = [
        make(f"f{number}.tar", semantics, size) for number, (semantics, size) in enumerate(rows)
    ]
    told = examine(files, means=replace(PLENTY, free_bytes=free))
    assert told.disk_bytes >= told.fetch_bytes >= 0
    assert told.fetch_bytes + told.left_bytes == sum(file.n_bytes or 0 for file in files)
    assert ("disk-full" in codes(told)) == (told.disk_bytes > free)
    assert bool(files) or codes(told)[0] == "archive-nothing-listed"


@pytest.mark.parametrize("cycle", [None, 0, 7])
@pytest.mark.parametrize("lost", [AUXILIARY, RAW])
def test_what_is_named_without_an_address_and_needed_makes_a_listing_incomplete(lost, cycle):
    files = [replace(one, is_offered=one is not lost) for one in WHOLE]
    told = examine(files, {**FACTS, "cycle": cycle})
    assert codes(told) == ["archive-listing-incomplete"]
    assert told.problems[0].evidence["not_offered"] == [lost.name]
    assert (told.is_complete, told.is_restorable) == (False, False)


def test_a_product_without_an_address_stops_nothing():
    told = examine([replace(one, is_offered=one is not PRODUCT) for one in WHOLE])
    assert (told.problems, told.is_complete) == ((), True)


def test_later_than_cycle_0_a_listing_without_auxiliary_tar_is_incomplete():
    told = examine((README, RAW, PRODUCT), {**FACTS, "cycle": 7})
    assert codes(told) == ["archive-listing-incomplete"]


def test_rows_without_an_address_are_told():
    told = examine(blank=2)
    assert told.problems == ()
    assert told.notes == ("2 rows of the listing have no address",)
    assert not told.is_complete


def test_what_is_cached_on_the_same_disk_needs_no_room_but_what_it_is_unpacked_to():
    bare = replace(PLENTY, restore_factor=0)
    told = examine(means=bare, cached={RAW.name})
    assert told.disk_bytes == 3000 + AUXILIARY.n_bytes + RAW.n_bytes  # the last for unpacking
    assert told.fetch_bytes == examine(means=bare).fetch_bytes
    tight = replace(bare, free_bytes=told.disk_bytes)
    assert codes(examine(means=tight)) == ["disk-full"]
    assert codes(examine(means=tight, cached={RAW.name})) == []


def test_what_only_the_cache_holds_is_room():
    needed = examine().disk_bytes
    tight = replace(PLENTY, free_bytes=needed - 10**9, reclaimable_bytes=10**9)
    assert codes(examine(means=tight)) == []
    assert codes(examine(means=replace(tight, reclaimable_bytes=10**9 - 1))) == ["disk-full"]
    assert examine(means=tight).free_bytes == needed
