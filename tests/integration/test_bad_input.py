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


class Site:
    """A site of its own: settings, data, home, and an archive; everything below one directory."""

    def __init__(self, root: Path, data: Path | None = None) -> None:
        self.root, self.here, self.archive = root, root / "site", root / "archive"
        self.data = data or self.here / "data"
        self.home = root / "home"
        for folder in (self.here, self.home):
            folder.mkdir()
        settings = {"data": self.data, "cache": root / "cache", "archive": self.archive}
        lines = [f"{key} = {json.dumps(str(value))}" for key, value in settings.items()]
        (self.here / "reimage.toml").write_text("\n".join([*lines, "poll_s = 0.05", ""]))
        self.environ = {"HOME": str(self.home), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "reimage", *words],
            cwd=self.here,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def reimage(self, *words: str) -> subprocess.CompletedProcess[str]:
        child = self.start(*words)
        out, err = child.communicate(timeout=90)
        return subprocess.CompletedProcess(words, child.returncode, out, err)

    def row(self, dataset: str = MOUS) -> dict[str, object]:
        """Return what `status --json` says of the newest run of a dataset."""
        said = self.reimage("status", "--json")
        assert said.returncode == 0, said.stderr
        return next(run for run in json.loads(said.stdout)["runs"] if run["dataset"] == dataset)

    def outside(self) -> dict[str, bytes | None]:
        """Return everything that no run has any business with."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            ours = path.is_relative_to(self.data) or path.is_relative_to(self.root / "cache")
            if not ours and not path.is_relative_to(self.home / ".cache"):
                found[str(path)] = path.read_bytes() if path.is_file() else None
        return found


@pytest.fixture
def site(tmp_path, monkeypatch):
    return prepared(Site(tmp_path), monkeypatch)


def prepared(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Give a site an upgraded database and a build whose CASA must never be reached."""
    monkeypatch.chdir(site.here)
    monkeypatch.setenv("HOME", str(site.home))
    assert main(["db", "upgrade"]) == 0
    register(site, python="/bin/false")
    return site


def register(site: Site, **other: str) -> None:
    builds = site.data / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    build = make_build(**other)
    document.write(builds / f"{build.id}.json", build)


def offer(site: Site, files: dict[str, tuple[str, bytes]]) -> None:
    """Fill the archive with the dataset in question and a good one beside it, and sync."""
    make_archive(site.archive, files, [make_row(), make_row(member_ous_uid=GOOD)])
    good = [
        ("good_auxiliary.tar", "#auxiliary", tar_bytes(MANUAL)),
        ("good.asdm.sdm.tar", "#progenitor", RAW),
    ]
    listing = site.archive / "files.ecsv"
    lines = [f"{GOOD} {name} {kind} application/x-tar {len(data)}" for name, kind, data in good]
    listing.write_text(listing.read_text() + "\n".join(lines) + "\n")
    for name, _, data in good:
        (site.archive / "dataPortal" / name).write_bytes(data)
    assert main(["holdings", "sync"]) == 0


def delivered(auxiliary: bytes, raw: bytes = RAW) -> dict[str, tuple[str, bytes]]:
    return {
        "r.README.txt": README,
        "x_auxiliary.tar": ("#auxiliary", auxiliary),
        "x.asdm.sdm.tar": ("#progenitor", raw),
    }


def is_coded(said: subprocess.CompletedProcess[str], code: str, exit_code: int) -> None:
    """It ends as the table of exit codes says, with one coded error and what to do about it."""
    assert said.returncode == exit_code, said.stderr
    assert f"error[{code}]: " in said.stderr
    assert "\nhint: " in said.stderr
    assert "Traceback" not in said.stderr + said.stdout


def goes_on_working(site: Site) -> None:
    """The database is whole, and the good dataset is fetched and its build chosen."""
    with closing(sqlite3.connect(site.data / "reimage.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    said = site.reimage("run", GOOD, "--until", "choose", "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["run"]["stage"] == "choose"


# --- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "uid://A001/Xdead/Xbeef"], "dataset-unknown"),
        (["run", "uid___A001_Xdead_Xbeef", "--json"], "dataset-unknown"),
        (["run", "uid://A001/Xdead"], "uid-malformed"),
        (["run", "uid://A001/../../etc"], "uid-malformed"),
        (["run", MOUS, "--casa", "4.2.2"], "build-unknown"),
        (["run", MOUS, "--recipe", "nonesuch"], "recipe-unknown"),
        (["run", MOUS, "--set", "makeimages.nonesuch=1"], "recipe-override-unusable"),
        (["rerun", "nonesuch"], "run-unknown"),
        (["show", "nonesuch"], "run-unknown"),
        (["sweep", "launch", "nonesuch"], "category-unknown"),
        (["holdings", "list", "--where", "nonesuch = 1"], "filter-malformed"),
        (["--config", "nonesuch.toml", "status"], "settings"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(site, words, code):
    offer(site, delivered(tar_bytes(WITH_SCRIPT)))
    before = site.outside()
    is_coded(site.reimage(*words), code, 2)
    assert site.outside() == before
    assert json.loads(site.reimage("status", "--json").stdout)["runs"] == []
    assert not list(site.data.glob("runs/*"))


# --- the archive ------------------------------------------------------------------------------------


def test_an_empty_archive_directory(site):
    site.archive.mkdir()
    is_coded(site.reimage("holdings", "sync"), "archive-foreign", 2)
    assert list(site.archive.iterdir()) == []
    site.archive.rmdir()
    offer(site, delivered(tar_bytes(MANUAL)))
    goes_on_working(site)


def test_a_foreign_archive_directory(site):
    site.archive.mkdir()
    (site.archive / "thesis.tex").write_text("mine")
    (site.archive / "holdings.ecsv").write_text("no table at all")
    before = site.outside()
    is_coded(site.reimage("holdings", "sync"), "archive-foreign", 2)
    assert site.outside() == before


def test_an_archive_that_turns_foreign_fails_the_run_and_not_the_service(site):
    offer(site, delivered(tar_bytes(MANUAL)))
    site.archive.rename(site.root / "moved")
    site.archive.mkdir()
    assert site.reimage("run", MOUS).returncode == 1
    assert (site.row()["result"], site.row()["error_class"]) == ("failed", "archive-foreign")
    site.archive.rmdir()
    (site.root / "moved").rename(site.archive)
    goes_on_working(site)


# --- what the archive hands over --------------------------------------------------------------------


def hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return a tar that looks like raw data and has one member with evil intent."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for member, data in ASDM.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        evil = tarfile.TarInfo(name)
        evil.type, evil.linkname = kind, link
        evil.size = 4 if kind == tarfile.REGTYPE else 0
        tar.addfile(evil, io.BytesIO(b"evil"))
    return stream.getvalue()


UP = "../" * 12
BAD_TARS = {
    "cut off in the middle": (RAW[:1800], "archive-file-damaged"),
    "cut off before its end block": (RAW[: len(RAW) - 10240 + 1024], "archive-file-damaged"),
    "an error page": (b"<html>HTTP Status 500</html>", "archive-file-damaged"),
    "empty": (b"", "archive-file-damaged"),
    "a name that climbs": (hostile("../../../evil"), "archive-file-hostile"),
    "an absolute name": (hostile("{root}/evil"), "archive-file-hostile"),
    "a link out": (hostile(f"{MEMBER}/evil", tarfile.SYMTYPE, f"{UP}tmp"), "archive-file-hostile"),
    "an absolute link": (
        hostile(f"{MEMBER}/evil", tarfile.SYMTYPE, "/etc"),
        "archive-file-hostile",
    ),
    "a hard link out": (
        hostile(f"{MEMBER}/evil", tarfile.LNKTYPE, f"{UP}etc/hostname"),
        "archive-file-hostile",
    ),
    "a device": (hostile(f"{MEMBER}/evil", tarfile.CHRTYPE), "archive-file-hostile"),
}


@pytest.mark.parametrize("case", BAD_TARS)
def test_a_bad_tar_fails_the_run_and_escapes_nowhere(site, case):
    raw, error_class = BAD_TARS[case]
    if case == "an absolute name":
        raw = hostile(f"{site.root}/evil")
    offer(site, delivered(tar_bytes(WITH_SCRIPT), raw))
    before = site.outside()
    said = site.reimage("run", MOUS)
    assert said.returncode == 1, said.stderr
    assert "Traceback" not in said.stderr
    row = site.row()
    assert (row["result"], row["error_class"], row["stage"]) == ("failed", error_class, "fetch")
    assert site.outside() == before
    assert not [path for path in site.root.rglob("evil*") if not path.is_relative_to(site.archive)]
    shown = site.reimage("show", str(row["run"]))
    assert "x.asdm.sdm.tar" in shown.stdout
    goes_on_working(site)


def test_a_delivery_without_script_for_pi(site):
    offer(site, delivered(tar_bytes(MANUAL)))
    assert site.reimage("run", MOUS).returncode == 1
    row = site.row()
    assert (row["error_class"], row["stage"]) == ("script-missing", "restore")
    goes_on_working(site)


def test_an_empty_delivery(site):
    offer(site, delivered(tar_bytes({"nothing/to/see.txt": b""}), tar_bytes({"here.txt": b""})))
    assert site.reimage("run", MOUS).returncode == 1
    assert site.row()["error_class"] == "delivery-empty"


# --- the installation ---------------------------------------------------------------------------------


def test_a_database_of_a_newer_schema(site):
    offer(site, delivered(tar_bytes(MANUAL)))
    path = site.data / "reimage.db"
    with closing(sqlite3.connect(path)) as database, database:
        ours = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = 'r9999'")
    for words in (["status"], ["run", MOUS], ["db", "upgrade"], ["controller", "--once"]):
        is_coded(site.reimage(*words), "database-newer", 1)
    assert site.reimage("doctor").returncode == 1
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("r9999",)
        database.execute("UPDATE alembic_version SET version_num = ?", ours)
    assert ours == (migrate.head(),)
    goes_on_working(site)


def test_no_database_yet(tmp_path):
    site = Site(tmp_path)
    is_coded(site.reimage("status"), "database-outdated", 1)
    assert not site.data.exists()


def test_a_file_that_is_no_database(site):
    (site.data / "reimage.db").write_bytes(b"not a database, " * 1000)
    is_coded(site.reimage("status"), "database-unreachable", 1)
    assert (site.data / "reimage.db").read_bytes().startswith(b"not a database")


def test_a_build_that_vanished(site):
    """Registered, and its interpreter deleted since: the run says which build, and how to mend it."""
    venv = site.root / "venv"
    venv.mkdir()
    (venv / "python").symlink_to("/bin/false")
    register(site, python=str(venv / "python"))
    offer(site, delivered(tar_bytes(WITH_SCRIPT)))
    shutil.rmtree(venv)
    assert site.reimage("run", MOUS).returncode == 1
    row = site.row()
    assert (row["error_class"], row["stage"]) == ("casa-start", "restore")
    assert "casa-6.7.0.31-py311" in site.reimage("show", str(row["run"])).stdout
    told = json.loads(site.reimage("doctor", "--json").stdout)["checks"]
    (check,) = [one for one in told if one["name"] == "build casa-6.7.0.31-py311"]
    assert (check["verdict"], bool(check["hint"])) == ("bad", True)
    is_coded(site.reimage("casa", "probe", "casa-6.7.0.31-py311"), "build-unusable", 1)


def test_a_build_file_that_is_damaged(site):
    (site.data / "builds" / "casa-6.7.0.31-py311.json").write_text('{"id": "casa-6.7.0.31-py311"}')
    offer(site, delivered(tar_bytes(WITH_SCRIPT)))
    is_coded(site.reimage("casa", "list"), "document-unreadable", 1)
    is_coded(site.reimage("run", MOUS), "document-unreadable", 1)


def test_no_build_at_all(site):
    shutil.rmtree(site.data / "builds")
    offer(site, delivered(tar_bytes(WITH_SCRIPT)))
    said = site.reimage("run", MOUS)
    assert (said.returncode, site.row()["error_class"]) == (1, "casa-build-missing")
    shown = site.reimage("show", MOUS)
    assert "casa register" in " ".join(shown.stdout.split())


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


def test_a_disk_that_is_too_small_for_a_dataset(tmp_path, small_disk, monkeypatch):
    site = prepared(Site(tmp_path, small_disk / "data"), monkeypatch)
    large = tar_bytes({**ASDM, f"{INSIDE}/ASDMBinary/uid___A002_Xc0ffee_X10": os.urandom(8 << 20)})
    offer(site, delivered(tar_bytes(WITH_SCRIPT), large))
    said = site.reimage("run", MOUS)
    assert said.returncode == 1, said.stderr
    row = site.row()
    assert (row["result"], row["error_class"], row["stage"]) == ("failed", "disk-full", "fetch")
    assert shutil.disk_usage(small_disk).free > 1 << 20  # the half copy does not stay
    goes_on_working(site)


def test_a_disk_without_any_room(tmp_path, small_disk, monkeypatch):
    site = prepared(Site(tmp_path, small_disk / "data"), monkeypatch)
    offer(site, delivered(tar_bytes(WITH_SCRIPT)))
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
    checks = json.loads(site.reimage("doctor", "--json").stdout)["checks"]
    said = next(one["found"] for one in checks if one["name"] == "controller")
    return "nobody" not in said


def test_two_controllers_on_one_database(site):
    offer(site, delivered(tar_bytes(MANUAL)))
    leader = site.start("controller")
    try:
        deadline = time.monotonic() + 30
        while not leads(site):
            assert leader.poll() is None, leader.communicate()
            assert time.monotonic() < deadline, "nobody leads"
        is_coded(site.reimage("controller", "--once"), "controller-running", 1)
        goes_on_working(site)  # queued by one program, carried out by the leader, followed
        assert leader.poll() is None
    finally:
        leader.send_signal(signal.SIGTERM)
        _, err = leader.communicate(timeout=30)
    assert "Traceback" not in err
    assert leader.returncode == 0
    assert site.reimage("controller", "--once").returncode == 0
