"""`reimage demo run` over HTTP: its archive is served by a process of its own, and gone afterwards."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import operating
import pytest
from demonstrating import LETTERS, at_once
from making import make_archive, make_row
from serving import served

from reimage import cli
from reimage.demo import serving
from reimage.settings import load


@pytest.fixture
def place(monkeypatch, tmp_path):
    """Nobody's own settings, runs that end at once, and an archive that is made at once."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("reimage.cli.driving.LocalExecutor", operating.InstantExecutor)
    monkeypatch.chdir(tmp_path)

    at_once(monkeypatch, tmp_path)
    return tmp_path


def is_free(address):
    with closing(socket.socket()) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", urlsplit(address).port))
        except OSError:
            return False
    return True


def test_the_demo_needs_nothing_and_can_be_run_again(place, capsys):
    for count in (1, 2):
        assert cli.main(["demo", "run"]) == 1  # all six end imaged here, and three of them must not
        said = capsys.readouterr()
        assert said.err.count("and is imaged") == 3
        assert f"{LETTERS['d']} should end archive-file-damaged" in said.err
        assert "imaged 6" in said.out
        assert "a: 2 FITS files" in said.out
        assert str(place / "demo" / "index.html") in said.out
        assert ("wrote" in said.err) == (count == 1)
        assert "dataset a: simulated before" in said.err
        assert load().archive.startswith("http://127.0.0.1:")
        assert is_free(load().archive)
        site = operating.Site(load(), capsys)
        runs = site.call("status", "--json").json["runs"]
        assert [run["category"] for run in runs] == ["demo"] * 6 * count
    page = (place / "demo" / "index.html").read_text()
    assert all(f'id="{letter}"' in page for letter in LETTERS)


def test_a_server_that_is_there_is_left_alone(place):
    root = make_archive(place / "a", {"a.tar": ("#auxiliary", b"x")}, [make_row()])
    with served(root) as address:
        with serving.served(root, address, place / "log"):
            assert not (place / "log").exists()
        assert not is_free(address)


def test_a_port_that_another_has_is_told(place, monkeypatch):
    monkeypatch.setattr(serving, "ANSWER_S", 0.2)
    root = make_archive(place / "a", {"a.tar": ("#auxiliary", b"x")}, [make_row()])
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        address = f"http://127.0.0.1:{other.getsockname()[1]}"
        with (
            pytest.raises(serving.DemoArchiveSilent, match="is not served"),
            serving.served(root, address, place / "log"),
        ):
            pass
    assert "archive-address-taken" in Path(place / "log").read_text()


def test_two_demonstrations_have_two_addresses(place):
    root = make_archive(place / "a", {"a.tar": ("#auxiliary", b"x")}, [make_row()])
    one, other = serving.free_address(), serving.free_address()
    with serving.served(root, one, place / "1"), serving.served(root, other, place / "2"):
        assert not is_free(one)
        assert not is_free(other)
    assert one != other
