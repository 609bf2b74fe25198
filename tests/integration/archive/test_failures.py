"""What real archives have done (archive pages, 1.4), row by row, against a server that does it on command.

Each failure that a client can meet ends as it must: overcome where it can be, else in its error class; and
nothing is lost: what was fetched is kept, and the next attempt fetches the rest and no more.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing

import fetching
import pytest
from fetching import AUXILIARY, EB, PRODUCT, RAW, README, Attempts
from making import MEMBER, MOUS, make_build, make_row, tar_bytes
from serving import served

from reimage import document, journal, queueing
from reimage.archive.directory import DirectoryArchive
from reimage.archive.listing import ArchiveFile
from reimage.archive.opened import open_archive
from reimage.controller import Controller
from reimage.credentials import Secrets
from reimage.executors.local import LocalExecutor
from reimage.model import Result, Stage
from reimage.run import Outcome, Transfer
from reimage.settings import Settings
from reimage.store import datasets, migrate, runs
from reimage.triage import evidence, judge
from reimage.triage.catalogue import load_classes

CLASSES = load_classes()


@pytest.fixture
def root(tmp_path):
    return fetching.archive(tmp_path / "archive")


@pytest.fixture
def base(root):
    with served(root) as address:
        yield address


def n_asked(base, name, method=""):
    return base.mischief.n_requests(f"dataPortal/{name}", method)


def class_of(attempts):
    """Return what triage makes of the last attempt."""
    outcome = document.read(Outcome, attempts.directory / "outcome.json")
    found = evidence.collect(attempts.directory, attempts.number, outcome, None)
    return judge.judge(outcome, None, found, CLASSES).error_class


def recovers(base, attempts, missing=(RAW,)):
    """The archive behaves again: the next attempt fetches what is missing, whole, and no more."""
    base.mischief.clear()
    assert attempts().fault is None
    asked = {one.path.rpartition("/")[2] for one in base.mischief.asked}
    assert asked - {"sync"} <= set(missing)
    assert attempts.records == sorted([README, AUXILIARY, RAW])
    assert (attempts.directory / f"fetch/delivery/{MEMBER}/raw/{EB}.asdm.sdm/bulk").is_file()


def ends_as(base, attempts, code, error_class=None, missing=(RAW,)):
    """It ends in its class, with the light files kept, and recovers."""
    fault = attempts().fault
    assert fault is not None
    assert fault.code == code
    assert class_of(attempts) == (error_class or code)
    assert set(attempts.records) >= {README, AUXILIARY} - set(missing)
    recovers(base, attempts, missing)


# --- row 1: resumed and grown beyond its size -----------------------------------------------------------


def test_row_1_a_file_that_grows_is_stopped(base, tmp_path):
    base.mischief.add(f"growth=100000@dataPortal/{RAW}")
    ends_as(base, Attempts(tmp_path / "run", base), "archive-file-grown")


def test_row_1_a_server_that_ignores_ranges_is_begun_again_and_nothing_is_appended(base, tmp_path):
    base.mischief.add(f"truncate=1500000@dataPortal/{RAW} x1", f"norange@dataPortal/{RAW}")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault is None
    assert n_asked(base, RAW) >= 2
    record = document.read_json(attempts.directory / f"fetch/records/{RAW}.json")
    assert record["n_bytes"] == len(fetching.delivered()[RAW][1])


# --- row 2: an error page in place of a file ----------------------------------------------------------


@pytest.mark.parametrize("status", ["", "=500"])
def test_row_2_an_error_page_is_not_kept_as_a_tar(base, tmp_path, status):
    base.mischief.add(f"html{status}@dataPortal/{RAW}")
    attempts = Attempts(tmp_path / "run", base)
    code = "archive-unavailable" if status else "archive-html-page"
    ends_as(base, attempts, code)


def test_row_2_a_page_once_is_overcome(base, tmp_path):
    base.mischief.add(f"html@dataPortal/{RAW} x1", "html@datalink/sync* x1")
    assert Attempts(tmp_path / "run", base)().fault is None


# --- row 3: 500 at the first try; one host away and the other not ----------------------------------------


def test_row_3_an_error_500_is_tried_again(base, tmp_path):
    base.mischief.add(
        "status=500@datalink/sync* x1",
        f"status=500@dataPortal/{RAW} x1",
        "drop@dataPortal/*.txt x1",
    )
    assert Attempts(tmp_path / "run", base)().fault is None


def test_row_3_where_the_archive_is_away_a_mirror_gives_the_file(root, base, tmp_path):
    base.mischief.add(f"status=500@dataPortal/{RAW}")
    with served(root) as mirror:
        attempts = Attempts(
            tmp_path / "run", base, transfer=fetching.patient(mirrors=(str(mirror),), patience_s=8)
        )
        assert attempts().fault is None
        assert n_asked(mirror, RAW) >= 1
        assert n_asked(mirror, AUXILIARY) == 0


def test_row_3_where_the_archive_lists_nothing_a_mirror_is_asked_for_the_listing(
    root, base, tmp_path
):
    base.mischief.add("down=60")
    with served(root) as mirror:
        transfer = fetching.patient(mirrors=(str(mirror),), patience_s=8)
        assert Attempts(tmp_path / "run", base, transfer=transfer)().fault is None


def test_row_3_an_archive_that_stays_away_is_told_and_what_is_there_is_kept(base, tmp_path):
    base.mischief.add(f"status=503@dataPortal/{RAW}")
    ends_as(base, Attempts(tmp_path / "run", base), "archive-unavailable")


def test_row_3_an_archive_that_cannot_even_be_asked(root, tmp_path):
    with served(root) as base:
        attempts = Attempts(tmp_path / "run", base)
        base.mischief.add("down=60")
        assert attempts().fault.code == "archive-unavailable"
        assert class_of(attempts) == "archive-unavailable"
        recovers(base, attempts, (README, AUXILIARY, RAW))


# --- row 4: large files run into time-outs --------------------------------------------------------------


def test_row_4_a_transfer_that_stalls_is_gone_on_with(base, tmp_path):
    base.mischief.add(f"stall=1500000@dataPortal/{RAW} x1")
    attempts = Attempts(tmp_path / "run", base, transfer=fetching.patient(patience_s=8))
    assert attempts().fault is None
    assert base.mischief.n_bytes(f"dataPortal/{RAW}") < 1.2 * len(fetching.delivered()[RAW][1])


def test_row_4_one_that_always_stalls_is_told(base, tmp_path):
    base.mischief.add(f"stall=100@dataPortal/{RAW}")
    ends_as(base, Attempts(tmp_path / "run", base), "archive-stalled")


# --- row 5: the whole file in memory --------------------------------------------------------------------

FETCH = """
import resource, sys
from pathlib import Path
from reimage.archive.opened import open_archive
from reimage.credentials import Secrets
from reimage.run import Transfer
archive = open_archive(sys.argv[1], Transfer(), Secrets())
files = archive.files(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in archive.fetch_all(files, Path(sys.argv[3]), lambda *_: None, dataset=sys.argv[2]):
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_row_5_a_file_never_is_in_memory_as_a_whole(tmp_path):
    files = {RAW: ("#progenitor", fetching.raw_bytes(150_000_000))}
    with served(fetching.archive(tmp_path / "archive", files)) as base:
        said = subprocess.run(
            [sys.executable, "-c", FETCH, base, MOUS, str(tmp_path / "out")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert int(said.stdout) < 50_000_000
    assert (tmp_path / "out" / RAW).stat().st_size > 150_000_000


# --- row 6: rows without an address ---------------------------------------------------------------------


def test_row_6_a_row_without_address_is_passed_over(base, tmp_path):
    base.mischief.add(f"blank@dataPortal/{PRODUCT}")
    assert Attempts(tmp_path / "run", base)().fault is None


@pytest.mark.parametrize("pattern", ["*", f"dataPortal/{RAW}"])
def test_row_6_where_it_is_what_a_restore_needs_it_is_told_and_nothing_is_fetched(
    base, tmp_path, pattern
):
    base.mischief.add(f"blank@{pattern}")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault.code == "archive-listing-incomplete"
    assert class_of(attempts) == "archive-listing-incomplete"
    assert n_asked(base, "*") == 0
    recovers(base, attempts, (README, AUXILIARY, RAW))


def test_a_dataset_that_the_archive_has_never_heard_of_is_no_listing_that_is_short(base, tmp_path):
    """It is in our mirror of the holdings, and was withdrawn since."""
    attempts = Attempts(tmp_path / "run", base, dataset="uid://A001/X0/X0")
    assert attempts().fault.code == "archive-unknown-dataset"
    assert class_of(attempts) == "archive-unknown-dataset"
    assert n_asked(base, "*") == 0


# --- row 7: nothing is skipped silently -----------------------------------------------------------------


def test_row_7_a_file_without_content_disposition_is_fetched_under_its_listed_name(base, tmp_path):
    base.mischief.add("nodisposition@dataPortal/*")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault is None
    assert attempts.records == sorted([README, AUXILIARY, RAW])


def test_row_7_what_is_listed_and_is_not_there_is_told(root, base, tmp_path):
    there = root / "dataPortal" / RAW
    there.rename(tmp_path / "away")
    base.mischief.add(f"status=404@dataPortal/{RAW}")  # whatever the server looked up before
    attempts = Attempts(tmp_path / "run", base)
    fault = attempts().fault
    assert (fault.code, class_of(attempts)) == ("archive-file-missing", "archive-file-missing")
    assert fault.evidence["file"] == RAW
    (tmp_path / "away").rename(there)
    recovers(base, attempts)


def test_row_7_a_hostile_name_writes_nowhere(base, tmp_path):
    base.mischief.add(f"name=../../../../evil@dataPortal/{RAW}")
    attempts = Attempts(tmp_path / "run", base)
    ends_as(base, attempts, "archive-name-hostile")
    assert not list(tmp_path.rglob("evil"))


# --- row 8: proprietary ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_row_8_what_is_not_public_is_refused_and_asked_for_once(base, tmp_path, status):
    base.mischief.add(f"status={status}@dataPortal/{RAW}")
    attempts = Attempts(tmp_path / "run", base)
    outcome = attempts()
    assert (outcome.fault.code, outcome.refused) == ("archive-not-public", True)
    assert class_of(attempts) == "proprietary"
    assert n_asked(base, RAW) == 1


@pytest.mark.parametrize("target", ["", "=https://elsewhere.example/login"])
def test_row_8_redirects_in_circles_or_elsewhere_end(base, tmp_path, target):
    base.mischief.add(f"redirect{target}@dataPortal/{RAW}")
    ends_as(base, Attempts(tmp_path / "run", base), "archive-redirects")


# --- row 9: the interface is another ---------------------------------------------------------------------


def test_row_9_a_service_that_is_gone_is_told(base, tmp_path):
    base.mischief.add("status=404@datalink/*")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault.code == "archive-answer-malformed"
    assert class_of(attempts) == "archive-answer-malformed"
    recovers(base, attempts, (README, AUXILIARY, RAW))


def test_row_9_a_page_where_the_service_was_is_told(base, tmp_path):
    base.mischief.add("html@datalink/*")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault.code == "archive-html-page"
    assert n_asked(base, "*") == 0


# --- row 10: sizes --------------------------------------------------------------------------------------


def test_row_10_a_size_that_is_not_told_is_no_obstacle(base, tmp_path):
    base.mischief.add("size=none@dataPortal/*")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault is None
    (listed,) = attempts.events("files.listed")
    assert listed["n_bytes"] == 0
    assert {one["n_bytes"] for one in attempts.value["manifest"]} > {len(fetching.SCRIPTS)}


@pytest.mark.parametrize(
    ("size", "code", "error_class"),
    [
        (10_000, "archive-file-grown", "archive-file-grown"),
        (9_000_000, "archive-file-size", "archive-file-damaged"),
    ],
)
def test_row_10_a_size_that_is_wrong_is_told(base, tmp_path, size, code, error_class):
    base.mischief.add(f"size={size}@dataPortal/{RAW}")
    ends_as(base, Attempts(tmp_path / "run", base), code, error_class)


def test_row_10_a_file_that_is_listed_twice_is_counted_and_fetched_once(base, tmp_path):
    base.mischief.add("twice@dataPortal/*")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault is None
    (listed,) = attempts.events("files.listed")
    assert listed["n_bytes"] == sum(one["n_bytes"] for one in attempts.value["manifest"])
    assert n_asked(base, RAW) == 1


# --- rows 11 to 16 --------------------------------------------------------------------------------------


def test_row_11_products_are_told_by_name_compressed_or_not(tmp_path):
    """Images, masks and primary beams inside a tar (`reimage.archive.listing`)."""
    names = ("a.pbcor.fits", "a.pb.fits.gz", "a.mask.fits.gz", "a.mask.tgz")
    product = tar_bytes({f"{MEMBER}/product/{name}": b"SIMPLE  =" for name in names})
    files = fetching.delivered() | {PRODUCT: ("#this", product)}
    with served(fetching.archive(tmp_path / "archive", files)) as base:
        archive = open_archive(base, Transfer(patience_s=3), Secrets())
        (tar,) = (one for one in archive.files(MOUS) if one.name == PRODUCT)
        kinds = {one.name: one.kind for one in archive.members(tar)}
    assert kinds == dict(zip(names, ("image", "beam", "mask", "mask"), strict=True))


def test_row_12_of_cycle_0_only_the_raw_data_are_found(tmp_path):
    files = fetching.delivered()
    del files[AUXILIARY]
    with served(
        fetching.archive(tmp_path / "archive", files), f"unlisted@dataPortal/{PRODUCT}"
    ) as base:
        facts = {**fetching.FACTS, "cycle": 0}
        attempts = Attempts(tmp_path / "run", base, facts=facts)
        assert attempts().fault.code == "archive-listing-incomplete"
        assert class_of(attempts) == "archive-listing-incomplete"
        assert n_asked(base, "*") == 0


def test_row_13_a_raw_file_under_its_bare_uid(base, tmp_path):
    """The address has no suffix; the name is that of the header, and the tar is unpacked."""
    archive = open_archive(base, Transfer(patience_s=3), Secrets())
    alias = ArchiveFile(
        name=f"{EB}.asdm.sdm.tar", semantics="#progenitor", content_type="application/x-tar",
        n_bytes=len(fetching.delivered()[RAW][1]), url=f"{base}/dataPortal/{EB}",
    )  # fmt: skip
    (fetched,) = archive.fetch_all([alias], tmp_path / "out", lambda *_: None, dataset=MOUS)
    assert fetched.n_bytes == alias.n_bytes


def test_row_14_while_the_archive_answers_no_mirror_is_asked(root, base, tmp_path):
    with served(root) as mirror:
        transfer = fetching.patient(mirrors=(str(mirror),))
        assert Attempts(tmp_path / "run", base, transfer=transfer)().fault is None
        assert mirror.mischief.n_requests() == 0


def test_row_15_a_file_that_is_replaced_while_it_is_fetched_is_begun_again(root, base, tmp_path):
    """A resumed half of the old one and half of the new one would be a file that never was."""
    size = (root / "dataPortal" / RAW).stat().st_size
    base.mischief.add(f"truncate=1500000@dataPortal/{RAW} x1")
    base.mischief.add(f"etag=other@dataPortal/{RAW} +1")
    attempts = Attempts(tmp_path / "run", base)
    assert attempts().fault is None
    assert base.mischief.n_bytes(f"dataPortal/{RAW}") >= size  # the second time from 0
    record = document.read_json(attempts.directory / f"fetch/records/{RAW}.json")
    assert record["n_bytes"] == size


# Row 16, the semipass shell: test_fetch_stage.py and tests/unit/archive/test_preflight.py.


# --- a sweep whose archive goes away ------------------------------------------------------------------


@pytest.mark.parametrize("away_s", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_a_sweep_whose_archive_goes_away_finishes(tmp_path, away_s):
    """Real runner processes, two datasets, the archive away from the first raw file on.

    Patience is little longer than the archive is away: who is waited for is asked once more at its end.
    """
    other = "uid://A001/X1/X4"
    rows = [make_row(), make_row(member_ous_uid=other)]
    root = fetching.archive(tmp_path / "archive", rows=rows)
    listing = root / "files.ecsv"
    lines = listing.read_text().splitlines()
    listing.write_text(
        "\n".join([*lines, *(one.replace(MOUS, other) for one in lines if MOUS in one), ""])
    )
    with served(root, f"down={away_s}@dataPortal/*.asdm.sdm.tar x1") as base:
        site = Settings(
            data=tmp_path / "data", cache=tmp_path / "cache", archive=str(base), poll_s=0.05,
            archive_patience_s=away_s + 8, archive_stall_s=2,
        )  # fmt: skip
        site.builds_dir.mkdir(parents=True)
        document.write(site.builds_dir / "b.json", make_build())
        migrate.upgrade(site.database_url)
        known = [(row.key, row.facts) for row in DirectoryArchive(root).datasets()]
        with closing(migrate.open_database(site.database_url)) as database:
            with database.write() as session:
                datasets.sync(session, site.holding, known, at=journal.now())
            for key in (MOUS, other):
                queueing.make_run(site, database, dataset=key, until=Stage.FETCH, look_first=True)
            begun = time.monotonic()
            Controller(site, LocalExecutor(), database).run(until_idle=True)
            with database.read() as session:
                ended = runs.list_runs(session)
        assert time.monotonic() - begun > away_s - 1
        assert base.mischief.report()["rules"][0]["hits"] == 1
    assert [(row.result, row.stage, row.attempts) for row in ended] == [
        (Result.IMAGED, Stage.FETCH, 1)
    ] * 2
