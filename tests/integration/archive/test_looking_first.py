"""What the command line says of a dataset before anything is queued, through an archive behind an address."""

from __future__ import annotations

import json
import os

import fetching
import pytest
from fetching import AUXILIARY, PRODUCT, RAW, README
from making import MEMBER, MOUS, make_row, tar_bytes
from serving import served
from sites import Site, is_coded, register

from reimage import preflighting
from reimage.archive.server.portal import Access


@pytest.fixture
def make_site(tmp_path, monkeypatch, capsys):
    """Give a function that makes a site whose holdings are those of a directory, and its archive an address."""
    for name in [name for name in os.environ if name.startswith("REIMAGE_")]:  # noqa: TID251 -- tests look at their surroundings
        monkeypatch.delenv(name)

    def make(base, root):
        site = Site(tmp_path / "place", capsys, None)
        monkeypatch.chdir(site.here)
        monkeypatch.setenv("HOME", str(site.home))
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            monkeypatch.delenv(name, raising=False)
        assert site.reimage("db", "upgrade").exit_code == 0
        register(site, "/bin/false")
        monkeypatch.setenv("REIMAGE_ARCHIVE", str(root))
        assert site.reimage("holdings", "sync").exit_code == 0
        monkeypatch.setenv("REIMAGE_ARCHIVE", str(base))
        return site

    (tmp_path / "place").mkdir()
    return make


@pytest.fixture
def root(tmp_path):
    return fetching.archive(tmp_path / "archive")


@pytest.fixture
def base(root):
    with served(root) as address:
        yield address


@pytest.fixture
def site(make_site, base, root):
    return make_site(base, root)


@pytest.fixture
def hasty(monkeypatch):
    """Have nobody wait long for an archive that is away; one that answers may take longer than this."""
    monkeypatch.setattr(preflighting, "PATIENCE_S", 0.5)


def n_files_asked(base):
    return base.mischief.n_requests("dataPortal/*")


def test_a_run_through_an_address_fetches_and_chooses(site, base):
    said = site.reimage("run", MOUS, "--until", "choose", "--json")
    assert said.exit_code == 0, said.err
    row = json.loads(said.out)["run"]
    assert (row["result"], row["stage"], row["build"]) == (
        "imaged",
        "choose",
        "casa-6.7.0.31-py311",
    )
    assert n_files_asked(base) == 3


@pytest.mark.parametrize(
    ("rule", "code", "exit_code"),
    [
        (f"unreadable@dataPortal/{RAW}", "archive-not-public", 4),
        (f"unlisted@dataPortal/{RAW}", "archive-listing-incomplete", 1),
        ("empty", "archive-nothing-listed", 1),
        (f"size={10**17}@dataPortal/{RAW}", "disk-full", 1),
        ("status=404@datalink/*", "archive-answer-malformed", 1),
    ],
)
def test_what_is_in_vain_is_not_queued(site, base, rule, code, exit_code):
    base.mischief.add(rule)
    is_coded(site.reimage("run", MOUS), code, exit_code)
    assert site.rows() == {}
    assert n_files_asked(base) == 0


def test_a_shell_is_refused_and_queued_only_without_looking(make_site, tmp_path):
    papers = tar_bytes(
        {f"{MEMBER}/qa/m.qa2_report.html": b"", f"{MEMBER}/script/scriptForPI.py": b""}
    )
    files = fetching.delivered() | {AUXILIARY: ("#auxiliary", papers)}
    root = fetching.archive(tmp_path / "archive", files)
    with served(root) as base:
        site = make_site(base, root)
        is_coded(site.reimage("run", MOUS), "nothing-to-restore", 4)
        assert site.rows() == {}
        assert site.reimage("run", MOUS, "--no-preflight").exit_code == 4
        row = site.rows()[MOUS]
        assert (row["result"], row["error_class"], row["stage"]) == (
            "refused",
            "nothing-to-restore",
            "fetch",
        )
        assert n_files_asked(base) == 0


def test_what_the_holdings_rule_out_is_not_even_asked_for(make_site, tmp_path):
    rows = [make_row(data_rights="Proprietary", obs_release_date="2030-01-01T00:00:00.000")]
    root = fetching.archive(tmp_path / "archive", rows=rows)
    with served(root) as base:
        site = make_site(base, root)
        is_coded(site.reimage("run", MOUS), "data-proprietary", 4)
        assert site.rows() == {}
        assert base.mischief.n_requests() == 0


def test_with_credentials_the_archive_decides_what_is_not_public(make_site, tmp_path, monkeypatch):
    rows = [make_row(data_rights="Proprietary", obs_release_date="2030-01-01T00:00:00.000")]
    root = fetching.archive(tmp_path / "archive", rows=rows)
    with served(root, access=Access(token="mine")) as base:
        site = make_site(base, root)
        monkeypatch.setenv("REIMAGE_ARCHIVE_TOKEN", "another")
        is_coded(site.reimage("run", MOUS), "archive-not-public", 4)
        assert (site.rows(), n_files_asked(base)) == ({}, 0)
        monkeypatch.setenv("REIMAGE_ARCHIVE_TOKEN", "mine")
        (told,) = json.loads(site.reimage("archive", "preflight", MOUS, "--json").out)["preflights"]
        assert (told["is_public"], told["problems"]) == (True, [])
        said = site.reimage("run", MOUS, "--until", "choose")
        assert said.exit_code == 0, said.err
        assert n_files_asked(base) == 3


@pytest.mark.usefixtures("hasty")
def test_an_archive_that_is_away_does_not_keep_a_run_from_being_queued(site, base):
    base.mischief.add("down=3")
    said = site.reimage("run", MOUS, "--detach")
    assert said.exit_code == 0, said.err
    assert "archive-unavailable" in said.err
    assert site.rows()[MOUS]["state"] == "queued"


def test_a_run_again_of_what_is_fetched_needs_no_archive_to_be_queued(site, base):
    assert site.reimage("run", MOUS, "--until", "fetch").exit_code == 0
    base.mischief.clear()
    base.mischief.add("down=60")
    said = site.reimage("rerun", MOUS, "--until", "choose", "--json")
    assert said.exit_code == 0, said.err
    assert base.mischief.n_requests() == 0


# --- reimage archive files -----------------------------------------------------------------------------


def test_files_says_what_is_there_and_what_a_run_does_with_it(site, base):
    said = site.reimage("archive", "files", MOUS)
    assert said.exit_code == 0, said.err
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in said.out.splitlines()[1:]}
    assert lines[README].startswith("readme")
    assert lines[RAW].endswith("MB fetches it")
    assert lines[PRODUCT].endswith("leaves it: products are made anew")
    assert n_files_asked(base) == 0


def test_files_expanded_as_json(site):
    said = site.reimage(
        "archive", "files", MOUS.replace("://", "___").replace("/", "_"), "--expand", "--json"
    )
    told = json.loads(said.out)
    assert (told["schema"], told["dataset"]) == (1, MOUS)
    files = {one["name"]: one for one in told["files"]}
    assert [one["kind"] for one in files[AUXILIARY]["inside"]] == ["script"]
    assert files[PRODUCT]["inside"][0]["kind"] == "image"
    assert not files[RAW]["inside"]
    assert files[PRODUCT]["why_not"]
    assert told["fetch_bytes"] == sum(one["n_bytes"] for one in told["files"] if one["fetched"])


def test_files_of_a_dataset_that_the_archive_does_not_know(site):
    is_coded(site.reimage("archive", "files", "uid://A001/X0/X0"), "archive-unknown-dataset", 1)


def test_files_of_a_folder(site, root, monkeypatch):
    monkeypatch.setenv("REIMAGE_ARCHIVE", str(root))
    told = json.loads(site.reimage("archive", "files", MOUS, "--expand", "--json").out)
    assert {one["name"] for one in told["files"]} == {README, AUXILIARY, PRODUCT, RAW}
    monkeypatch.delenv("REIMAGE_ARCHIVE")
    (site.here / "reimage.toml").write_text("")
    is_coded(site.reimage("archive", "files", MOUS), "archive-not-set", 2)


# --- reimage archive preflight ------------------------------------------------------------------------


def test_preflight_tells_size_time_and_room(site, base, monkeypatch):
    monkeypatch.setenv("REIMAGE_ARCHIVE_RATE_BYTES_S", "1000000")
    said = site.reimage("archive", "preflight", MOUS, "--json")
    assert said.exit_code == 0, said.err
    (told,) = json.loads(said.out)["preflights"]
    assert (told["is_public"], told["is_complete"], told["is_restorable"]) == (True, True, True)
    assert told["transfer_s"] == pytest.approx(told["fetch_bytes"] / 1e6)
    assert told["disk_bytes"] > 4 * told["fetch_bytes"] - 10**5
    assert n_files_asked(base) == 0
    assert "yes" in site.reimage("archive", "preflight", MOUS).out


def test_preflight_measures_the_rate_of_earlier_runs(site):
    (told,) = json.loads(site.reimage("archive", "preflight", MOUS, "--json").out)["preflights"]
    assert told["transfer_s"] is None
    assert site.reimage("run", MOUS, "--until", "fetch").exit_code == 0
    (told,) = json.loads(site.reimage("archive", "preflight", MOUS, "--json").out)["preflights"]
    assert 0 < told["transfer_s"] < 60


def test_preflight_of_several_leaves_with_the_worst(site, base, monkeypatch):
    base.mischief.add(f"unreadable@dataPortal/{RAW}")
    said = site.reimage("archive", "preflight", MOUS, MOUS)
    assert said.exit_code == 4
    assert said.out.count("[archive-not-public]") == 2
    base.mischief.clear()
    base.mischief.add("down=30")
    monkeypatch.setattr(preflighting, "PATIENCE_S", 0.5)
    said = site.reimage("archive", "preflight", MOUS)
    assert said.exit_code == 1
    assert "[archive-unavailable]" in said.out


# --- reimage doctor -----------------------------------------------------------------------------------


def checked(site):
    told = json.loads(site.reimage("doctor", "--json").out)["checks"]
    (check,) = [one for one in told if one["name"] == "archive"]
    return check


def test_doctor_reaches_the_archive(site, base, monkeypatch):
    check = checked(site)
    assert check["verdict"] == "ok"
    assert str(base) in check["found"]
    assert "as anybody" in check["found"]
    monkeypatch.setenv("REIMAGE_ARCHIVE_TOKEN", "t0ken")
    check = checked(site)
    assert "with credentials" in check["found"]
    assert "t0ken" not in json.dumps(check)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("down=30", "archive-unavailable"),
        ("html@tap/*", "archive-html-page"),
        ("status=404@tap/*", "archive-answer-malformed"),
        ("redirect=https://elsewhere.example/@tap/*", "archive-redirects"),
    ],
)
def test_doctor_says_what_is_wrong_with_the_archive(site, base, rule, code):
    base.mischief.add(rule)
    check = checked(site)
    assert (check["verdict"], bool(check["hint"])) == ("bad", True)
    assert f"[{code}]" in check["found"]


def test_files_are_told_without_a_run_database(base, tmp_path, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith("REIMAGE_")]:  # noqa: TID251 -- as above
        monkeypatch.delenv(name)
    (tmp_path / "place").mkdir()
    site = Site(tmp_path / "place", capsys, None)
    monkeypatch.chdir(site.here)
    monkeypatch.setenv("HOME", str(site.home))
    monkeypatch.setenv("REIMAGE_ARCHIVE", str(base))
    said = site.reimage("archive", "files", MOUS, "--json")
    assert said.exit_code == 0, said.err
    assert {one["name"] for one in json.loads(said.out)["files"]} == {
        README,
        AUXILIARY,
        PRODUCT,
        RAW,
    }
    assert not list(site.here.rglob("*.db"))
    is_coded(
        site.reimage("archive", "preflight", MOUS), "database-outdated", 1
    )  # it needs the holdings


def test_files_says_what_has_no_address(site, base):
    base.mischief.add(f"blank@dataPortal/{AUXILIARY}")
    told = json.loads(site.reimage("archive", "files", MOUS, "--json").out)
    lost = {one["name"]: one for one in told["files"]}[AUXILIARY]
    assert (lost["fetched"], lost["why_not"]) == (False, "the archive says no address of it")
    is_coded(site.reimage("run", MOUS), "archive-listing-incomplete", 1)
    assert site.rows() == {}
