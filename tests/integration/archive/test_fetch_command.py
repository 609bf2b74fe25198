"""`reimage archive fetch`, from a served archive and from a folder."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from making import MOUS, make_archive, make_tar
from serving import served

from reimage import cli
from reimage.archive.listing import NOTES
from reimage.uid import path_name

README, AUXILIARY, PRODUCT = "member.README.txt", "p_auxiliary.tar", "p_001_of_001.tar"
RAW = "p_uid___A002_Xc0ffee_X1.asdm.sdm.tar"


@pytest.fixture
def root(tmp_path):
    files = {README: ("#documentation", b"hello")}
    kinds = {AUXILIARY: "#auxiliary", PRODUCT: "#this", RAW: "#progenitor"}
    for name, semantics in kinds.items():
        inside = {f"member/{name}.bin": name.encode() * 30_000}
        files[name] = (semantics, make_tar(tmp_path / "made" / name, inside).read_bytes())
    return make_archive(tmp_path / "archive", files)


@pytest.fixture
def fetch(tmp_path, monkeypatch, capfd):
    """Give a function that runs the command for an archive and returns (code, stdout, stderr)."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(archive, *words):
        (tmp_path / "reimage.toml").write_text(
            f'archive = "{archive}"\ncache = "cache"\narchive_patience_s = 1\n'
        )
        capfd.readouterr()
        code = cli.main(["archive", "fetch", MOUS, *words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def names(folder):
    """Return all that is in a folder but the notes, which there are."""
    found = {path.name for path in folder.iterdir()}
    assert NOTES in found
    return sorted(found - {NOTES})


def test_what_a_run_fetches_goes_into_a_folder_of_the_datasets_name(root, fetch, tmp_path):
    with served(root) as base:
        code, out, err = fetch(base)
    assert code == 0
    assert names(tmp_path / path_name(MOUS)) == [README, AUXILIARY, RAW]
    assert "3 files" in out
    assert RAW in err


def test_only_what_is_asked_for(root, fetch, tmp_path):
    with served(root) as base:
        assert fetch(base, "--only", "README,product", "-o", "here")[0] == 0
        assert base.mischief.n_requests("dataPortal/*") == 2
    assert names(tmp_path / "here") == [README, PRODUCT]


def test_json_and_the_cache(root, fetch):
    with served(root) as base:
        fetch(base, "-o", "one")
        base.mischief.clear()
        code, out, _ = fetch(base, "-o", "two", "--json")
        assert base.mischief.n_requests("dataPortal/*") == 0
    said = json.loads(out)
    assert (code, said["schema"], said["is_complete"]) == (0, 1, True)
    assert {(one["kind"], one["is_cached"]) for one in said["files"]} == {
        ("readme", True),
        ("auxiliary", True),
        ("raw", True),
    }


def test_what_failed_is_told_and_the_rest_is_there(root, fetch, tmp_path):
    with served(root, f"status=404@dataPortal/{RAW}") as base:
        code, out, err = fetch(base, "--json")
    assert code == 1
    assert json.loads(out)["is_complete"] is False
    assert "archive-file-missing" in err
    assert names(tmp_path / path_name(MOUS)) == [README, AUXILIARY]


def test_the_sums_are_there_for_whoever_checks_them(root, fetch, tmp_path):
    with served(root) as base:
        assert fetch(base, "-o", "here")[0] == 0
        shutil.rmtree(tmp_path / "cache")
        base.mischief.clear()
        assert fetch(base, "-o", "here")[0] == 0
        assert base.mischief.n_requests("dataPortal/*") == 0
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", NOTES],
        cwd=tmp_path / "here", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert sorted(checked.stdout.splitlines()) == [
        f"{name}: OK" for name in (README, AUXILIARY, RAW)
    ]


def test_what_is_not_public_is_refused(root, fetch):
    with served(root, "status=403@dataPortal/*") as base:
        code, _, err = fetch(base)
    assert code == 4
    assert "archive-not-public" in err


def test_an_archive_that_is_a_folder(root, fetch, tmp_path):
    assert fetch(root)[0] == 0
    assert names(tmp_path / path_name(MOUS)) == [README, AUXILIARY, RAW]


def test_a_second_call_copies_nothing(root, fetch, tmp_path):
    fetch(root)
    raw = tmp_path / path_name(MOUS) / RAW
    before = raw.stat().st_ino
    code, out, _ = fetch(root, "--json")
    assert code == 0
    assert all(one["is_cached"] for one in json.loads(out)["files"])
    assert raw.stat().st_ino == before


def test_who_writes_into_what_was_fetched_writes_not_into_the_cache(root, fetch, tmp_path):
    with served(root) as base:
        fetch(base, "-o", "one")
        before = (tmp_path / "one" / RAW).read_bytes()
        (tmp_path / "one" / RAW).write_bytes(b"mine")
        fetch(base, "-o", "two")
        assert (tmp_path / "two" / RAW).read_bytes() == before
        assert fetch(base, "-o", "one")[0] == 0
    assert (tmp_path / "one" / RAW).read_bytes() == before


def test_a_kind_that_is_not_listed_is_told(root, fetch):
    (root / "files.ecsv").write_text(
        "".join(
            line
            for line in (root / "files.ecsv").read_text().splitlines(keepends=True)
            if README not in line
        )
    )
    code, _, err = fetch(root, "--only", "readme")
    assert code == 1
    assert "archive-nothing-listed" in err
    assert "readme" in err


def test_a_kind_that_is_none(root, fetch):
    code, _, err = fetch(root, "--only", "raws")
    assert code == 2
    assert "auxiliary" in err
