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
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table
from making import EB, MEMBER, MOUS, make_archive, make_build, make_row, tar_bytes

from reimage import document
from reimage.cli import main
from reimage.store import migrate

GOOD = "uid://A001/X9/X9"
"""A dataset of every archive here that nothing is wrong with."""
README = ("#documentation", b"CASA version used for reduction: 6.7.0\n")
SCRIPT = b"import re, casalith\nif re.search('^6.7.0', casalith.version_string()) == None: exit()\n"
MANUAL = {f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py": SCRIPT}
WITH_SCRIPT = {**MANUAL, f"{MEMBER}/script/member.scriptForPI.py": b"print('restore')\n"}
INSIDE = f"{MEMBER}/raw/{EB}.asdm.sdm"
ASDM = {
    f"{INSIDE}/Main.xml": b"""<MainTable><row>
<configDescriptionId>ConfigDescription_0</configDescriptionId><numAntenna>2</numAntenna>
<numIntegration>3</numIntegration><scanNumber>1</scanNumber>
<dataUID><EntityRef entityId="uid://A002/Xc0ffee/X9"/></dataUID></row></MainTable>""",
    f"{INSIDE}/ConfigDescription.xml": b"""<ConfigDescriptionTable><row>
<configDescriptionId>ConfigDescription_0</configDescriptionId>
<correlationMode>CROSS_AND_AUTO</correlationMode><numDataDescription>1</numDataDescription>
</row></ConfigDescriptionTable>""",
    f"{INSIDE}/ASDMBinary/uid___A002_Xc0ffee_X9": b"MIME-Version: 1.0\n",
}
RAW = tar_bytes(ASDM)


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    exit_code: int
    out: str
    err: str


class Site:
    """A site of its own: settings, data, home, and an archive; everything below one directory."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], data: Path | None) -> None:
        self.root, self.archive, self.home = root, root / "archive", root / "home"
        self.here = root / "site"
        self.data = data or self.here / "data"
        self._capsys = capsys
        for folder in (self.here, self.home):
            folder.mkdir()
        settings = {"data": self.data, "cache": root / "cache", "archive": self.archive}
        lines = [f"{key} = {json.dumps(str(value))}" for key, value in settings.items()]
        (self.here / "reimage.toml").write_text("\n".join([*lines, "poll_s = 0.05", ""]))

    def reimage(self, *words: str) -> Said:
        """Carry out a command line here; runs have processes of their own all the same."""
        self._capsys.readouterr()
        exit_code = main(words)
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return Said(exit_code, out, err)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return what `status --json` says of the newest run of each dataset."""
        said = self.reimage("status", "--json")
        assert said.exit_code == 0, said.err
        return {run["dataset"]: run for run in reversed(json.loads(said.out)["runs"])}

    def ends_as(self, error_class: str, stage: str) -> str:
        """Run the dataset; it fails as it should.  Return what `show` says."""
        said = self.reimage("run", MOUS)
        assert said.exit_code == 1, said.err
        row = self.rows()[MOUS]
        assert (row["result"], row["error_class"], row["stage"]) == ("failed", error_class, stage)
        return " ".join(self.reimage("show", row["run"]).out.split())

    def outside(self) -> dict[str, bytes | None]:
        """Return everything that no run has any business with."""
        ours = (self.data, self.root / "cache", self.home / ".cache")
        return {
            str(path): path.read_bytes() if path.is_file() else None
            for path in sorted(self.root.rglob("*"))
            if not any(path.is_relative_to(one) for one in ours)
        }


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


def register(site: Site, python: str) -> None:
    builds = site.data / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    build = make_build(python=python)
    document.write(builds / f"{build.id}.json", build)


def delivered(auxiliary: Mapping[str, bytes], raw: bytes = RAW) -> dict[str, tuple[str, bytes]]:
    return {
        "r.README.txt": README,
        "x_auxiliary.tar": ("#auxiliary", tar_bytes(auxiliary)),
        "x.asdm.sdm.tar": ("#progenitor", raw),
    }


def offer(site: Site, files: Mapping[str, tuple[str, bytes]], **others: bytes) -> None:
    """Fill the archive with the dataset in question, a good one, and others with raw data of their own."""
    datasets = {MOUS: files, GOOD: delivered(MANUAL)}
    datasets |= {f"uid://A001/X8/{name}": delivered(MANUAL, raw) for name, raw in others.items()}
    make_archive(site.archive, {}, [make_row(member_ous_uid=key) for key in datasets])
    names = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")
    listing = []
    for number, (key, offered) in enumerate(datasets.items()):
        for name, (semantics, data) in offered.items():
            (site.archive / "dataPortal" / f"{number}-{name}").write_bytes(data)
            listing.append((key, f"{number}-{name}", semantics, "application/x-tar", len(data)))
    table = Table(rows=listing, names=names)
    table.write(site.archive / "files.ecsv", format="ascii.ecsv", overwrite=True)
    assert site.reimage("holdings", "sync").exit_code == 0


def is_coded(said: Said, code: str, exit_code: int) -> None:
    """It ends as the table of exit codes says, with one coded error and what to do about it."""
    assert said.exit_code == exit_code, said.err
    assert f"error[{code}]: " in said.err
    assert "\nhint: " in said.err


def goes_on_working(site: Site) -> None:
    """The database is whole, and the good dataset is fetched and its build chosen."""
    with closing(sqlite3.connect(site.data / "reimage.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    said = site.reimage("run", GOOD, "--until", "choose", "--json")
    assert said.exit_code == 0, said.err
    assert json.loads(said.out)["run"]["stage"] == "choose"


# --- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "uid://A001/Xdead/Xbeef"], "dataset-unknown", "holdings list"),
        (["run", "uid___A001_Xdead_Xbeef", "--json"], "dataset-unknown", "holdings list"),
        (["run", "uid://A001/Xdead"], "dataset-unknown", "Write uid://A001"),
        (["run", "uid://A001/../../etc"], "dataset-unknown", "Write uid://A001"),
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


def test_a_delivery_without_script_for_pi(site):
    offer(site, delivered(MANUAL))
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


def test_no_build_at_all(site):
    shutil.rmtree(site.data / "builds")
    offer(site, delivered(WITH_SCRIPT))
    assert "casa register" in site.ends_as("casa-build-missing", "choose")


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
    site.ends_as("disk-full", "fetch")
    assert shutil.disk_usage(small_disk).free > 1 << 20  # the half copy does not stay
    goes_on_working(site)


def test_a_disk_without_any_room(make_site, small_disk):
    site = make_site(small_disk / "data")
    offer(site, delivered(WITH_SCRIPT))
    ballast = fill(small_disk)
    is_coded(site.reimage("run", MOUS), "disk-full", 1)
    assert not list(site.data.glob("runs/*/*/outcome.json"))
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
