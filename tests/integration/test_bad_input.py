"""What a site can do wrong, and what an archive can hand over, through the command line.

Each ends in a coded error with a hint, or in a run with the right error class; never in a traceback.
Nothing is written outside, and afterwards the service does its work as if nothing had been.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from making import MEMBER, MOUS, tar_bytes
from sites import (
    ASDM,
    INSIDE,
    MANUAL,
    RAW,
    WITH_SCRIPT,
    Site,
    delivered,
    goes_on_working,
    is_coded,
    offer,
    register,
)

from reimage.store import migrate


@pytest.fixture
def make_site(tmp_path, monkeypatch, capsys):
    """Give a function that makes a site; with an upgraded database and a build that must not be reached."""
    for name in [name for name in os.environ if name.startswith("REIMAGE_")]:  # noqa: TID251 -- tests look at their surroundings
        monkeypatch.delenv(name)

    def make(data=None, *, is_ready=True):
        site = Site(tmp_path, capsys, data)
        monkeypatch.chdir(site.here)
        monkeypatch.setenv("HOME", str(site.home))
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            monkeypatch.delenv(name, raising=False)
        if is_ready:
            assert site.reimage("db", "upgrade").exit_code == 0
            register(site, "/bin/false")
        return site

    return make


@pytest.fixture
def site(make_site):
    return make_site()


# --- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "uid://A001/Xdead/Xbeef"], "dataset-unknown", "holdings list"),
        (["run", "uid___A001_Xdead_Xbeef", "--json"], "dataset-unknown", "holdings list"),
        (["run", "uid://A001/Xdead"], "uid-malformed", "Write uid://A001"),
        (["run", "uid://A001/../../etc"], "uid-malformed", "Write uid://A001"),
        (["run", MOUS, "--casa", "4.2.2"], "build-unknown", "casa-6.7.0.31-py311"),
        (["run", MOUS, "--recipe", "nonesuch"], "recipe-unknown", "hifatargets-2017"),
        (["run", MOUS, "--set", "makeimages.no=1"], "recipe-override-unusable", "hm_cyclefactor"),
        (["rerun", "nonesuch"], "run-unknown", "reimage status"),
        (["show", "nonesuch"], "run-unknown", "reimage status"),
        (["sweep", "launch", "nonesuch"], "category-unknown", "demo"),
        (["holdings", "list", "--where", "no = 1"], "filter-malformed", "targets"),
        (["--config", "nonesuch.toml", "status"], "settings", "REIMAGE_CONFIG"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(site, words, code, says):
    offer(site, delivered(WITH_SCRIPT))
    before = site.outside()
    said = site.reimage(*words)
    is_coded(said, code, 2)
    assert says in said.err
    assert site.outside() == before
    assert site.rows() == {}
    assert not list(site.data.glob("runs/*"))


# --- the archive ------------------------------------------------------------------------------------


def test_an_empty_archive_directory(site):
    site.archive.mkdir()
    is_coded(site.reimage("holdings", "sync"), "archive-foreign", 2)
    assert list(site.archive.iterdir()) == []
    site.archive.rmdir()
    offer(site, delivered(MANUAL))
    goes_on_working(site)


def test_a_foreign_archive_directory(site):
    site.archive.mkdir()
    (site.archive / "thesis.tex").write_text("mine")
    (site.archive / "holdings.ecsv").write_text("no table at all")
    before = site.outside()
    is_coded(site.reimage("holdings", "sync"), "archive-foreign", 2)
    assert site.outside() == before


def test_an_archive_that_turns_foreign_fails_the_run_and_not_the_service(site):
    offer(site, delivered(MANUAL))
    site.archive.rename(site.root / "moved")
    site.archive.mkdir()
    site.ends_as("archive-foreign", "fetch")
    site.archive.rmdir()
    (site.root / "moved").rename(site.archive)
    goes_on_working(site)


# --- what the archive hands over --------------------------------------------------------------------


def hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return a tar that looks like raw data and has one member with evil intent."""
    stream = io.BytesIO(tar_bytes(ASDM))
    with tarfile.open(fileobj=stream, mode="a") as tar:
        evil = tarfile.TarInfo(name)
        evil.type, evil.linkname = kind, link
        evil.size = 4 if kind == tarfile.REGTYPE else 0
        tar.addfile(evil, io.BytesIO(b"evil"))
    return stream.getvalue()


UP = "../" * 12
WITHOUT_END = RAW[: len(RAW.rstrip(b"\0")) // 512 * 512 + 512]


def test_bad_tars_fail_their_runs_and_escape_nowhere(site):
    evil = f"{MEMBER}/evil"
    damaged = {
        "X1": RAW[:1800],
        "X2": WITHOUT_END,
        "X3": b"<html>HTTP Status 500</html>",
        "X4": b"",
    }
    climbing = {
        "X11": hostile("../../../evil"),
        "X12": hostile(f"{UP}{site.root}/evil"),
        "X13": hostile(f"{site.root}/evil"),
        "X14": hostile(evil, tarfile.SYMTYPE, f"{UP}{site.home}"),
        "X15": hostile(evil, tarfile.SYMTYPE, str(site.home)),
        "X16": hostile(evil, tarfile.LNKTYPE, f"{UP}etc/hostname"),
        "X17": hostile(evil, tarfile.CHRTYPE),
        "X18": hostile(evil, tarfile.FIFOTYPE),
    }
    expected = dict.fromkeys(damaged, "archive-file-damaged")
    expected |= dict.fromkeys(climbing, "archive-file-hostile")
    offer(site, delivered(MANUAL, RAW + b"trailing bytes are no harm"), **damaged, **climbing)
    before = site.outside()
    for name in expected:
        assert site.reimage("run", f"uid://A001/X8/{name}", "--detach").exit_code == 0
    assert site.reimage("controller", "--once").exit_code == 0
    rows = site.rows()
    ended = {name: rows[f"uid://A001/X8/{name}"] for name in expected}
    assert {name: row["error_class"] for name, row in ended.items()} == expected
    assert {(row["result"], row["stage"]) for row in ended.values()} == {("failed", "fetch")}
    assert site.outside() == before
    assert not list(site.root.rglob("evil"))
    for row in ended.values():
        assert "x.asdm.sdm.tar" in site.reimage("show", row["run"]).out
    goes_on_working(site)


def test_a_delivery_with_two_script_for_pi(site):
    second = {f"{MEMBER}/script/other.scriptForPI.py": b"print('restore')\n"}
    offer(site, delivered({**WITH_SCRIPT, **second}))
    assert "scriptForPI" in site.ends_as("script-missing", "restore")
    goes_on_working(site)


def test_an_empty_delivery(site):
    offer(site, delivered({"nothing/to/see.txt": b""}, tar_bytes({"here.txt": b""})))
    site.ends_as("delivery-empty", "choose")


# --- the installation ---------------------------------------------------------------------------------


def test_a_database_of_a_newer_schema(site):
    offer(site, delivered(MANUAL))
    path = site.data / "reimage.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'r9999'")
    for words in (["status"], ["run", MOUS], ["db", "upgrade"], ["controller", "--once"]):
        is_coded(site.reimage(*words), "database-newer", 1)
    assert site.reimage("doctor").exit_code == 1
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("r9999",)
        database.execute("UPDATE alembic_version SET version_num = ?", (migrate.head(),))
    goes_on_working(site)


def test_no_database_yet(make_site):
    site = make_site(is_ready=False)
    said = site.reimage("status")
    is_coded(said, "database-outdated", 1)
    assert "reimage db upgrade" in said.err


def test_a_file_that_is_no_database(site):
    (site.data / "reimage.db").write_bytes(b"not a database, " * 1000)
    is_coded(site.reimage("status"), "database-unreachable", 1)
    assert (site.data / "reimage.db").read_bytes() == b"not a database, " * 1000


def test_a_build_that_vanished(site):
    """Registered, and its interpreter deleted since: the run says which build, and how to mend it."""
    venv = site.root / "venv"
    venv.mkdir()
    (venv / "python").symlink_to("/bin/false")
    register(site, str(venv / "python"))
    offer(site, delivered(WITH_SCRIPT))
    shutil.rmtree(venv)
    assert "casa-6.7.0.31-py311" in site.ends_as("casa-start", "restore")
    told = json.loads(site.reimage("doctor", "--json").out)["checks"]
    (check,) = [one for one in told if one["name"] == "build casa-6.7.0.31-py311"]
    assert (check["verdict"], bool(check["hint"])) == ("bad", True)
    is_coded(site.reimage("casa", "probe", "casa-6.7.0.31-py311"), "build-unusable", 1)


def test_a_build_file_that_is_damaged(site):
    (site.data / "builds" / "casa-6.7.0.31-py311.json").write_text('{"id": "casa-6.7.0.31-py311"}')
    offer(site, delivered(WITH_SCRIPT))
    is_coded(site.reimage("casa", "list"), "document-unreadable", 1)
    is_coded(site.reimage("run", MOUS), "document-unreadable", 1)


def test_no_build_at_all_and_then_one(site):
    """Raw data are not fetched for a run that no build can restore; its re-run fetches them."""
    shutil.rmtree(site.data / "builds")
    offer(site, delivered(WITH_SCRIPT))
    assert "casa register" in site.ends_as("casa-build-missing", "choose")
    assert not list(site.data.rglob("Main.xml"))
    register(site, "/bin/false")
    assert site.reimage("rerun", MOUS).exit_code == 1
    row = site.rows()[MOUS]
    assert (row["stage"], row["build"]) == ("restore", "casa-6.7.0.31-py311")
    assert "casa-job-failed" in site.reimage("show", row["run"], "--json").out
    assert list((site.data / "runs" / "uid___A001_X1_X2" / row["run"]).rglob("Main.xml"))


# --- a disk without room ---------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """Mount 6 MB; needs root."""
    if os.geteuid() != 0:
        told = "root is missing (mount): `sudo make test` mounts a small tmpfs"
        pytest.fail(told) if os.environ.get("REIMAGE_CI") == "1" else pytest.skip(told)  # noqa: TID251 -- tests look at their surroundings
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_is_too_small_for_a_dataset(make_site, small_disk):
    site = make_site(small_disk / "data")
    large = {**ASDM, f"{INSIDE}/ASDMBinary/uid___A002_Xc0ffee_X10": os.urandom(8 << 20)}
    offer(site, delivered(WITH_SCRIPT, tar_bytes(large)))
    is_coded(site.reimage("run", MOUS), "disk-full", 1)
    assert site.rows() == {}  # nothing was queued
    assert site.reimage("run", MOUS, "--no-preflight").exit_code == 1
    row = site.rows()[MOUS]
    assert (row["result"], row["error_class"], row["stage"]) == ("failed", "disk-full", "fetch")
    assert shutil.disk_usage(small_disk).free > 1 << 20  # nothing was begun
    goes_on_working(site)


def test_a_disk_without_any_room(make_site, small_disk):
    site = make_site(small_disk / "data")
    offer(site, delivered(WITH_SCRIPT))
    ballast = fill(small_disk)
    is_coded(site.reimage("run", MOUS), "disk-full", 1)
    is_coded(site.reimage("status"), "disk-full", 1)
    is_coded(site.reimage("controller", "--once"), "disk-full", 1)
    assert not list(site.data.glob("runs/*/*"))
    ballast.unlink()
    goes_on_working(site)


def fill(place: Path) -> Path:
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while stream.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


# --- two controllers -----------------------------------------------------------------------------------


def leads(site: Site) -> bool:
    checks = json.loads(site.reimage("doctor", "--json").out)["checks"]
    said = next(one["found"] for one in checks if one["name"] == "controller")
    return "nobody" not in said


def test_two_controllers_on_one_database(site):
    offer(site, delivered(MANUAL))
    command = [sys.executable, "-m", "reimage", "controller"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as leader:
        deadline = time.monotonic() + 30
        while not leads(site):
            assert leader.poll() is None
            assert time.monotonic() < deadline, "nobody leads"
        is_coded(site.reimage("controller", "--once"), "controller-running", 1)
        goes_on_working(site)  # queued by one program, carried out by the leader, followed
        assert leader.poll() is None
        leader.send_signal(signal.SIGTERM)
        _, err = leader.communicate(timeout=30)
    assert "Traceback" not in err
    assert leader.returncode == 0
    assert site.reimage("controller", "--once").exit_code == 0
