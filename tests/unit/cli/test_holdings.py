"""``reimage holdings``: what is typed, and what is said."""

from __future__ import annotations

import operating
import pytest
from making import make_archive, make_row

FILES = {"a.README.txt": ("#documentation", b"hello")}


@pytest.fixture
def archive(site, tmp_path):
    rows = [
        make_row(
            member_ous_uid=f"uid://A001/X7/X{number}",
            proposal_id=f"{year}.1.00001.S",
            lastModified=f"2025-0{number + 1}-01T00:00:00.000",
            frequency_support="[84.10..86.08GHz,1kHz,XX YY] U [90.00..91.00GHz,1kHz,XX YY]",
        )
        for number, year in enumerate((2012, 2013, 2015, 2016))
    ]
    return make_archive(tmp_path / "archive", FILES, rows)


def synced(site, archive, *options):
    said = site.call("holdings", "sync", "--from", archive, *options, "--json")
    assert said.code == 0, said.err
    return said.json["counts"]


def test_a_folder_is_named_by_hand(site, archive):
    counts = synced(site, archive)
    assert (counts["added"], counts["gone"]) == (4, len(operating.FATES))
    assert synced(site, "archive")["unchanged"] == 4  # relative to where one is


@pytest.mark.parametrize(
    ("options", "added"),
    [
        (["--cycle", 1], 1),
        (["--proposal", "2013.1"], 1),
        (["--since", "2025-03-01"], 2),
        (["--since", "2025-03-01T00:00:01"], 1),
    ],
)
def test_a_part_of_a_folder(site, archive, options, added):
    counts = synced(site, archive, *options)
    assert (counts["added"], counts["gone"]) == (added, 0)


@pytest.mark.parametrize(
    "options",
    [["--cycle", 1, "--proposal", "2013.1"], ["--since", "yesterday"], ["--cycle", -1]],
)
def test_what_cannot_be_asked_for(site, archive, options):
    assert site.call("holdings", "sync", "--from", archive, *options).code == 2


def test_a_project_that_is_none(site):
    said = site.call("holdings", "sync", "--from", "http://127.0.0.1:9", "--proposal", "2013'1")
    assert (said.code, "project-malformed" in said.err) == (2, True)


def test_list_in_an_order(site, archive):
    synced(site, archive)
    where = "band = 6 and (cycle = 1 or cycle >= 3) and not rights = Proprietary"
    said = site.call("holdings", "list", "--where", where, "--order=-cycle", "--json")
    assert [row["columns"]["cycle"] for row in said.json["datasets"]] == [4, 3, 1]
    wrong = site.call("holdings", "list", "--order", "nonesuch")
    assert (wrong.code, "filter-malformed" in wrong.err) == (2, True)


def test_show_has_a_line_for_each_window(site, archive):
    synced(site, archive)
    lines = site.call("holdings", "show", "uid___A001_X7_X0").out.splitlines()
    assert any(line.strip().startswith("frequency_support:") for line in lines)
    assert "era: before-manifests" in " ".join(lines)


def test_stats(site, archive):
    synced(site, archive)
    shown = site.call("holdings", "stats", "--where", "cycle >= 2", "--json").json
    assert shown["total"]["datasets"] == 3
    assert {one["value"]: one["datasets"] for one in shown["by"]["cycle"]} == {
        "2": 1,
        "3": 1,
        "4": 1,
    }
    assert set(shown["by"]) == {"cycle", "band", "array", "rights", "era"}
    lines = site.call("holdings", "stats").out.splitlines()
    assert lines[-1].split()[:3] == ["all", "4", "100"]


@pytest.mark.parametrize("user", ["joe:GEHEIM", "joe", ":GEHEIM"])
def test_an_address_with_a_password_is_not_taken(site, user):
    said = site.call("holdings", "sync", "--from", f"http://{user}@127.0.0.1:9")
    assert (said.code, "archive-address" in said.err) == (2, True)
    assert "GEHEIM" not in said.err + said.out
    assert not list(site.settings.data.glob("holdings/*.json"))


@pytest.mark.parametrize("address", ["http://127.0.0.1:abc", "http://", "http://[h", "ftp://host"])
def test_an_address_that_is_none_is_told(site, address):
    said = site.call("holdings", "sync", "--from", address)
    assert (said.code, "archive-address" in said.err) == (2, True)
