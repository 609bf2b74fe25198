"""The fetch stage against an archive behind an address, as it is and as it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace

import fetching
import pytest
from fetching import AUXILIARY, FACTS, PRODUCT, QUICK, RAW, README, Attempts
from making import EB, MEMBER, make_row, tar_bytes
from serving import served

from reimage import document
from reimage.archive.attempt import Attempt
from reimage.archive.opened import open_archive
from reimage.archive.preflight import Means
from reimage.archive.server.portal import Access
from reimage.credentials import Secrets
from reimage.run import Run
from reimage.stages import fetch, preflight


@pytest.fixture
def root(tmp_path):
    return fetching.archive(tmp_path / "archive")


@pytest.fixture
def base(root):
    with served(root) as address:
        yield address


def portal(base):
    """Return the files that were asked for, in order of their names, with how often."""
    asked = {}
    for one in base.mischief.asked:
        if one.path.startswith("dataPortal/"):
            name = one.path.removeprefix("dataPortal/")
            asked[name] = asked.get(name, 0) + 1
    return dict(sorted(asked.items()))


def test_what_is_fetched_from_there_is_what_is_copied_from_here(root, base, tmp_path):
    here, there = Attempts(tmp_path / "here", root), Attempts(tmp_path / "there", base)
    assert (here().fault, there().fault) == (None, None)
    assert here.value["manifest"] == there.value["manifest"]
    assert here.value["left"] == there.value["left"]
    delivered = [
        {str(path.relative_to(one.directory)): path.read_bytes() for path in one.files("delivery")}
        for one in (here, there)
    ]
    assert delivered[0] == delivered[1]
    assert f"fetch/delivery/{MEMBER}/raw/{EB}.asdm.sdm/Main.xml" in delivered[0]


def test_nothing_of_the_listing_is_lost_and_products_stay_where_they_are(base, tmp_path):
    attempt = Attempts(tmp_path / "run", base)
    attempt()
    got = [one["name"] for one in attempt.value["manifest"]]
    left = [one["name"] for one in attempt.value["left"]]
    assert (sorted(got), left) == (sorted([README, AUXILIARY, RAW]), [PRODUCT])
    assert portal(base) == {RAW: 1, AUXILIARY: 1, README: 1}
    assert attempt.value["caveats"] == []
    assert not attempt.files("files")  # unpacked, recorded, gone


def test_the_journal_tells_what_is_listed_begun_and_there(base, tmp_path):
    attempt = Attempts(tmp_path / "run", base)
    attempt()
    (listed,) = attempt.events("files.listed")
    assert listed["n_files"] == 3
    started = [one["name"] for one in attempt.events("file.started")]
    fetched = {one["name"]: one["n_bytes"] for one in attempt.events("file.fetched")}
    assert sorted(started) == sorted(fetched) == sorted([README, AUXILIARY, RAW])
    assert sum(fetched.values()) == listed["n_bytes"]
    assert attempt.value["transferred_bytes"] == listed["n_bytes"]
    assert attempt.value["transfer_s"] > 0


def test_light_files_come_first_and_raw_data_only_where_they_are_wanted(base, tmp_path):
    attempt = Attempts(tmp_path / "run", base, builds=())
    assert attempt().fault is None
    assert portal(base) == {AUXILIARY: 1, README: 1}
    assert "no build" in attempt.value["postponed"].lower() or attempt.value["postponed"]
    assert {one["name"] for one in attempt.value["left"]} == {RAW, PRODUCT}


def test_several_files_come_at_once(tmp_path, monkeypatch):
    """Each waits in its attempt until all four are there; no clock says whether they are at once."""
    blocks = {f"p_uid___A002_Xc0ffee_X{n}.asdm.sdm.tar": f"uid___A002_Xc0ffee_X{n}" for n in "1234"}
    raw = {name: ("#progenitor", fetching.raw_bytes(400_000, eb)) for name, eb in blocks.items()}
    files = {name: one for name, one in fetching.delivered().items() if name != RAW} | raw
    met, make = threading.Barrier(len(raw)), Attempt.make

    def together(self, file, *asked):
        if file.name in raw:
            met.wait(60)
        make(self, file, *asked)

    monkeypatch.setattr(Attempt, "make", together)
    with served(fetching.archive(tmp_path / "archive", files)) as base:
        attempt = Attempts(tmp_path / "run", base)
        assert attempt().fault is None
    assert len(attempt.value["manifest"]) == 6


# --- interrupted -----------------------------------------------------------------------------------------


def test_killed_in_mid_transfer_it_goes_on_where_it_was(tmp_path):
    """The bytes that were there are not asked for again."""
    files = fetching.delivered(fetching.raw_bytes(12_000_000))
    size = len(files[RAW][1])
    with served(fetching.archive(tmp_path / "archive", files)) as base:
        base.mischief.add(f"drip=4000000@dataPortal/{RAW} x1")
        attempt = Attempts(tmp_path / "run", base, transfer=fetching.patient(stall_s=5))
        number = attempt.begin()
        child = subprocess.Popen(
            [sys.executable, "-m", "reimage.runner", attempt.directory, str(number)],
            env={**os.environ, "REIMAGE_ARCHIVE_TOKEN": ""},  # noqa: TID251 -- of a child
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        part = attempt.directory / "fetch/files" / f"{RAW}.part"
        until = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 4_000_000):
            assert time.monotonic() < until
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait()
        there = part.stat().st_size
        base.mischief.clear()
        assert attempt().fault is None
        again = base.mischief.n_bytes(f"dataPortal/{RAW}")
        assert 0 < again <= size - there + 1024
        assert portal(base) == {RAW: 1}  # and of the light files nothing
    assert attempt.records == sorted([README, AUXILIARY, RAW])


def test_a_second_attempt_fetches_the_bad_file_only(root, base, tmp_path):
    good = (root / "dataPortal" / RAW).read_bytes()
    (root / "dataPortal" / RAW).write_bytes(good[:257] + b"x" * 10 + good[267:])  # no tar any more
    base.mischief.add(f"type=application/x-tar@dataPortal/{RAW}")
    attempt = Attempts(tmp_path / "run", base, transfer=QUICK)
    assert attempt().fault.code in {"archive-file-damaged", "archive-html-page"}
    assert attempt.records == sorted([README, AUXILIARY])
    (root / "dataPortal" / RAW).write_bytes(good)
    base.mischief.clear()
    assert attempt().fault is None
    assert portal(base) == {RAW: 1}


def test_a_damaged_tar_is_not_had_from_the_cache_again(root, base, tmp_path):
    """It came with the right length: only unpacking tells."""
    good = (root / "dataPortal" / RAW).read_bytes()
    (root / "dataPortal" / RAW).write_bytes(good[:1024] + b"\xff" * 512 + good[1536:])
    cached = fetching.patient(cache=str(tmp_path / "cache"), cache_bytes=10**9)
    first = Attempts(tmp_path / "first", base, transfer=cached)
    fault = first().fault
    assert (fault.code, fault.evidence["file"]) == ("archive-file-damaged", RAW)
    assert [one["name"] for one in first.events("file.rejected")] == [RAW]
    (root / "dataPortal" / RAW).write_bytes(good)
    base.mischief.clear()
    second = Attempts(tmp_path / "second", base, transfer=cached)
    assert second().fault is None
    assert portal(base) == {RAW: 1}  # README and auxiliary tar come from the cache


def test_one_damaged_file_does_not_stop_the_others(root, base, tmp_path):
    (root / "dataPortal" / AUXILIARY).write_bytes(fetching.SCRIPTS[:600].ljust(10240, b"\xff"))
    attempt = Attempts(tmp_path / "run", base)
    assert attempt().fault.code == "archive-file-damaged"
    assert attempt.records == [README]


def test_a_run_again_asks_the_archive_for_its_listing_and_for_no_file(base, tmp_path):
    cached = fetching.patient(cache=str(tmp_path / "cache"), cache_bytes=10**9)
    Attempts(tmp_path / "first", base, transfer=cached)()
    base.mischief.clear()
    again = Attempts(tmp_path / "again", base, transfer=cached)
    assert again().fault is None
    assert portal(base) == {}
    assert all(one["is_cached"] for one in again.events("file.fetched"))
    assert again.value["transferred_bytes"] == 0


def test_what_was_delivered_anew_is_fetched_anew(root, base, tmp_path):
    """Archive pages 1.4, row 15: the same MOUS, the same names, other data."""
    cached = fetching.patient(cache=str(tmp_path / "cache"), cache_bytes=10**9)
    Attempts(tmp_path / "first", base, transfer=cached)()
    size = (root / "dataPortal" / RAW).stat().st_size
    (root / "dataPortal" / RAW).write_bytes(fetching.raw_bytes(2_999_999).ljust(size, b"\0"))
    base.mischief.clear()
    facts = {**FACTS, "last_modified": "2026-02-02T00:00:00.000"}
    again = Attempts(tmp_path / "again", base, transfer=cached, facts=facts)
    assert again().fault is None
    assert portal(base) == {README: 1, AUXILIARY: 1, RAW: 1}


def test_what_was_delivered_anew_is_not_taken_over_from_an_earlier_run(root, base, tmp_path):
    first = Attempts(tmp_path / "first", base)
    first()
    adopting = {"adopt_from": str(first.directory)}
    assert Attempts(tmp_path / "same", base, **adopting)().fault is None
    assert portal(base)[RAW] == 1  # taken over
    facts = {**FACTS, "last_modified": "2026-02-02T00:00:00.000"}
    assert Attempts(tmp_path / "anew", base, facts=facts, **adopting)().fault is None
    assert portal(base)[RAW] == 2


# --- refused before anything is fetched --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "facts", "ends"),
    [
        ((), {"data_rights": "Proprietary"}, ("data-proprietary", True)),
        ((), {"array": "TP"}, ("no-recipe", True)),
        (("empty",), {"data_rights": "Unknown"}, ("archive-not-public", True)),
        (("empty",), {}, ("archive-nothing-listed", False)),
        ((f"unreadable@dataPortal/{RAW}",), {}, ("archive-not-public", True)),
        ((f"unlisted@dataPortal/{RAW}",), {}, ("archive-listing-incomplete", False)),
        (("blank",), {}, ("archive-listing-incomplete", False)),
        ((f"size={10**16}@dataPortal/{RAW}",), {}, ("disk-full", False)),
    ],
)
def test_what_is_in_vain_costs_no_download(root, tmp_path, rules, facts, ends):
    with served(root, *rules) as base:
        attempt = Attempts(tmp_path / "run", base, facts={**FACTS, **facts})
        outcome = attempt()
        assert (outcome.fault.code, outcome.refused) == ends
        assert portal(base) == {}
    assert attempt.files(".") == []


def test_a_shell_is_seen_in_its_listing(tmp_path):
    """Archive pages 1.4, row 16."""
    papers = tar_bytes(
        {f"{MEMBER}/qa/m.qa2_report.html": b"", f"{MEMBER}/script/scriptForPI.py": b""}
    )
    files = fetching.delivered() | {AUXILIARY: ("#auxiliary", papers)}
    with served(fetching.archive(tmp_path / "archive", files)) as base:
        outcome = Attempts(tmp_path / "run", base)()
        assert (outcome.fault.code, outcome.refused) == ("nothing-to-restore", True)
        assert portal(base) == {}


def test_where_the_archive_cannot_expand_a_tar_the_tar_itself_tells(root, tmp_path):
    with served(root, "status=500@datalink/sync?ID=*.tar") as base:
        assert (
            Attempts(tmp_path / "run", base, transfer=fetching.patient(patience_s=1))().fault
            is None
        )
        assert base.mischief.report()["rules"][0]["hits"] > 0


def test_raw_data_that_are_missing_for_one_block_are_told_and_stop_nothing(root, tmp_path):
    facts = {**FACTS, "ebs": [*FACTS["ebs"], "uid://A002/Xc0ffee/X2"]}
    with served(root) as base:
        attempt = Attempts(tmp_path / "run", base, facts=facts)
        assert attempt().fault is None
    assert attempt.value["caveats"] == ["listing:no raw data are listed for uid://A002/Xc0ffee/X2"]


def test_of_cycle_0_the_delivery_is_fetched_and_what_it_lacks_is_told(tmp_path):
    """Which execution blocks it must contain says the table of ESO, not the listing."""
    place = "2011.0.00611.S/sg_ouss_id/group_ouss_id/member_ouss_2013-03-01_id"
    there, lost = "uid___A002_X36a70f_X4ce", "uid___A002_X36a70f_X77a"
    tar = tar_bytes(
        {
            f"{place}/calibrated/{there}.ms.split.cal/table.dat": b"",
            f"{place}/script/scriptForImaging.py": b"",
            f"{place}/README": b"CASA version used for reduction: 3.4\n",
        }
    )
    files = {"2011.0.00611.S_2013-03-01_001_of_001.tar": ("#this", tar)}
    ebs = [
        there.replace("___", "://").replace("_", "/"),
        lost.replace("___", "://").replace("_", "/"),
    ]
    with served(fetching.archive(tmp_path / "archive", files)) as base:
        attempt = Attempts(tmp_path / "run", base, facts={**FACTS, "cycle": 0, "ebs": ebs})
        assert attempt().fault is None
    assert [one["name"] for one in attempt.value["manifest"]] == list(files)
    assert attempt.value["caveats"] == [f"cycle0-block-absent:{ebs[1]}"]


def test_what_is_not_public_comes_with_a_token_and_the_token_stands_nowhere(tmp_path, monkeypatch):
    rows = [make_row(data_rights="Proprietary")]
    root = fetching.archive(tmp_path / "archive", rows=rows)
    with served(root, access=Access(token="t0p-secret")) as base:
        facts = {**FACTS, "data_rights": "Proprietary"}  # as the holdings have it
        nobody = Attempts(tmp_path / "nobody", base, facts=facts)
        assert nobody().fault.code == "data-proprietary"
        assert base.mischief.n_requests() == 0
        monkeypatch.setenv("REIMAGE_ARCHIVE_TOKEN", "n0t-it")
        other = Attempts(tmp_path / "other", base, facts=facts)
        outcome = other()
        assert (outcome.refused, outcome.fault.code) == (True, "archive-not-public")
        assert portal(base) == {}
        monkeypatch.setenv("REIMAGE_ARCHIVE_TOKEN", "t0p-secret")
        attempt = Attempts(tmp_path / "run", base, facts=facts)
        assert attempt().fault is None
        assert attempt.value["postponed"] is None
    written = [path for path in attempt.directory.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not [path for path in written if b"t0p-secret" in path.read_bytes()]


def test_how_files_come_is_frozen_into_the_run(tmp_path):
    transfer = fetching.patient(mirrors=("http://127.0.0.1:1",), connections=2)
    attempt = Attempts(tmp_path / "run", tmp_path, transfer=transfer)
    assert document.read(Run, attempt.directory / "run.json").transfer == transfer
    older = document.read_json(attempt.directory / "run.json")
    del older["transfer"]
    document.write(attempt.directory / "run.json", older)
    read = document.read(Run, attempt.directory / "run.json")
    assert read == replace(attempt.run, transfer=read.transfer)


@pytest.mark.parametrize("mous", ["uid://A002/X5d7935/X11b", "uid://A001/X12a3/Xe9"])
def test_a_dataset_of_either_prefix(tmp_path, mous):
    """Archive pages 1.4, row 13: early member OUSs are A002."""
    root = fetching.archive(tmp_path / "archive", rows=[make_row(member_ous_uid=mous)])
    listing = root / "files.ecsv"
    listing.write_text(listing.read_text().replace(fetching.MOUS, mous))
    with served(root) as base:
        assert Attempts(tmp_path / "run", base, dataset=mous)().fault is None


# --- what an error or a kill leaves ------------------------------------------------------------------------


def test_a_file_stays_until_it_has_a_record(base, tmp_path, monkeypatch):
    """An attempt that is overtaken between the two loses nothing."""
    attempt = Attempts(tmp_path / "run", base)
    copy = fetch.shutil.copyfile

    def overtaken(source, target):
        copy(source, target)
        (attempt.directory / "ATTEMPT").write_text("99\n")

    with monkeypatch.context() as patched, suppress(BaseException):
        patched.setattr(fetch.shutil, "copyfile", overtaken)
        attempt()
    assert README not in attempt.records
    assert README in [path.name for path in attempt.files("files")]
    base.mischief.clear()
    assert attempt().fault is None
    assert README not in portal(base)


def test_what_has_a_record_and_is_still_there_goes(base, tmp_path):
    attempt = Attempts(tmp_path / "run", base)
    attempt()
    (attempt.directory / "fetch" / "files" / RAW).write_bytes(b"left by a kill")
    (attempt.directory / "fetch/PROVEN.json").unlink()
    assert attempt().fault is None
    assert attempt.files("files") == []


def test_transfers_end_where_an_error_of_ours_is_handled(base, tmp_path, monkeypatch):
    held = []

    def fails(source, target):
        held.append(RuntimeError(f"{source} {target}"))
        raise held[0]  # and whoever holds it holds the frames that it came through

    base.mischief.add(f"drip=1000@dataPortal/{AUXILIARY}")
    monkeypatch.setattr(fetch.shutil, "copyfile", fails)
    with suppress(Exception):
        Attempts(tmp_path / "run", base, transfer=fetching.patient(stall_s=5))()
    assert held
    assert base.mischief.n_requests(f"dataPortal/{AUXILIARY}") == 1
    assert not [one for one in threading.enumerate() if one.name.startswith("fetch-")]


def test_what_the_cache_has_makes_room_and_needs_none(base, tmp_path):
    cached = fetching.patient(cache=str(tmp_path / "cache"), cache_bytes=10**9)
    first = Attempts(tmp_path / "first", base, transfer=cached)
    assert first().fault is None
    kept = sum(
        path.stat().st_size for path in (tmp_path / "cache/sha256").rglob("*") if path.is_file()
    )
    assert kept > 3_000_000
    ask = {"dataset": first.run.dataset, "facts": first.run.facts}
    there = Means(free_bytes=0, restore_factor=0)
    archive = open_archive(str(base), cached, Secrets())
    bare = preflight.ask(archive, there=there, **ask)[1]
    keeping = preflight.Keeping(place=tmp_path / "not/yet", locator=str(base), transfer=cached)
    told = preflight.ask(archive, there=there, keeping=keeping, **ask)[1]
    assert told.disk_bytes == bare.disk_bytes - bare.fetch_bytes  # what is unpacked
    assert told.free_bytes == 0  # all that the cache has is wanted
    other = {**ask, "facts": {**FACTS, "last_modified": "2026-02-02T00:00:00.000"}}
    anew = preflight.ask(archive, there=there, keeping=keeping, **other)[1]
    assert (anew.disk_bytes, anew.free_bytes) == (bare.disk_bytes, kept)
    folder = preflight.Keeping(place=tmp_path, locator=str(tmp_path), transfer=cached)
    assert preflight.ask(archive, there=there, keeping=folder, **other)[1].free_bytes == 0


@pytest.mark.parametrize("lost", [AUXILIARY, RAW])
def test_a_file_whose_address_is_blank_is_missed_before_anything_is_fetched(base, tmp_path, lost):
    """Archive pages 1.4, row 6, in a cycle whose products are no delivery."""
    base.mischief.add(f"blank@dataPortal/{lost}")
    attempt = Attempts(tmp_path / "run", base, facts={**FACTS, "cycle": 7})
    assert attempt().fault.code == "archive-listing-incomplete"
    assert portal(base) == {}
