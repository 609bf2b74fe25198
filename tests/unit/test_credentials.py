from __future__ import annotations

import pytest

from reimage import credentials, settings
from reimage.credentials import Secrets
from reimage.errors import SettingsError

keyring = pytest.importorskip("keyring")


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self, **held):
        super().__init__()
        self.held = held

    def get_password(self, service, username):
        return self.held.get(username) if service == "reimage" else None

    def set_password(self, service, username, password):  # noqa: ARG002
        self.held[username] = password

    def delete_password(self, service, username):  # noqa: ARG002
        del self.held[username]


class Locked(Ring):
    def get_password(self, service, username):  # noqa: ARG002
        raise keyring.errors.KeyringLocked("locked")


@pytest.fixture(autouse=True)
def ring():
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("who", "is_somebody"),
    [
        ({}, False),
        ({"user": "u"}, False),
        ({"password": "p"}, False),
        ({"user": "u", "password": "p"}, True),
        ({"token": "t"}, True),
    ],
)
def test_who_says_only_half_is_nobody(who, is_somebody):
    assert Secrets(**who).is_somebody is is_somebody


def plain(secrets):
    return (
        secrets.token and secrets.token.get_secret_value(),
        secrets.user,
        secrets.password and secrets.password.get_secret_value(),
    )


def test_nobody_is_nobody():
    assert settings.secrets(environ={}) == Secrets()


def test_the_environment_says_who_we_are():
    found = settings.secrets(
        environ={"REIMAGE_ARCHIVE_USER": "u", "REIMAGE_ARCHIVE_PASSWORD": "p", "OTHER": "x"}
    )
    assert plain(found) == (None, "u", "p")
    assert plain(settings.secrets(environ={"REIMAGE_ARCHIVE_TOKEN": "t"})) == ("t", "", None)


def test_else_the_keyring_does(ring):
    ring(Ring(archive_token="t"))
    assert plain(settings.secrets(environ={})) == ("t", "", None)
    assert plain(settings.secrets(environ={"REIMAGE_ARCHIVE_USER": "u"})) == (None, "u", None)


def test_a_locked_keyring_is_none(ring):
    ring(Locked(archive_token="t"))
    assert settings.secrets(environ={}) == Secrets()


def test_an_end_of_line_is_none_of_it():
    environ = {"REIMAGE_ARCHIVE_TOKEN": " t0ken\r\n", "REIMAGE_ARCHIVE_PASSWORD": " p \n"}
    assert plain(settings.secrets(environ=environ)) == ("t0ken", "", " p ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN", "GEH\rEIM"),
        ("TOKEN", "GEHEIM\u20ac"),
        ("PASSWORD", "GEH\nEIM"),
        ("USER", "GEH\x00EIM"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_told(name, value):
    with pytest.raises(SettingsError, match=f"archive_{name.lower()}") as caught:
        settings.secrets(environ={f"REIMAGE_ARCHIVE_{name}": value})
    told = repr((str(caught.value), caught.value.hint, caught.value.evidence))
    assert "GEH" not in told
    assert f"REIMAGE_ARCHIVE_{name}" in told


def test_a_password_may_be_of_any_script():
    found = settings.secrets(environ={"REIMAGE_ARCHIVE_PASSWORD": "p\u20ac"})
    assert plain(found)[2] == "p\u20ac"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:abc", "http://[bad/", "ftp://h.org", "http://", "http://h:99999"]
)
def test_an_address_that_is_none_is_refused(tmp_path, url):
    for name in ("archive", "archive_mirrors"):
        with pytest.raises(SettingsError, match=name):
            settings.load(environ={f"REIMAGE_{name.upper()}": url}, cwd=tmp_path)


def test_nothing_shows_them():
    secrets = Secrets(token="t0ken", user="u", password="pa55")
    for text in (repr(secrets), str(secrets), secrets.model_dump_json()):
        assert "t0ken" not in text
        assert "pa55" not in text


@pytest.mark.parametrize("name", credentials.NAMES)
def test_a_file_is_no_place_for_them(tmp_path, name):
    (tmp_path / "reimage.toml").write_text(f'{name} = "x"\n')
    with pytest.raises(SettingsError, match=name) as caught:
        settings.load(environ={}, cwd=tmp_path)
    assert f"REIMAGE_{name.upper()}" in caught.value.hint


@pytest.mark.parametrize("text", ['archive = "{}"', 'archive_mirrors = ["https://ok.org", "{}"]'])
def test_nor_is_an_address(tmp_path, text):
    (tmp_path / "reimage.toml").write_text(text.format("https://u:pa55@host.org"))
    with pytest.raises(SettingsError, match="REIMAGE_ARCHIVE_PASSWORD") as caught:
        settings.load(environ={}, cwd=tmp_path)
    assert "pa55" not in str(caught.value)


def test_how_files_are_fetched_goes_by_value(tmp_path):
    environ = {
        "REIMAGE_ARCHIVE_MIRRORS": "https://a.org:81 http://b.org",
        "REIMAGE_CACHE": str(tmp_path),
        "REIMAGE_ARCHIVE_CONNECTIONS": "2",
    }
    found = settings.load(environ=environ, cwd=tmp_path).transfer
    assert found.mirrors == ("https://a.org:81", "http://b.org")
    assert (found.connections, found.cache) == (2, str(tmp_path / "archive"))
    assert found.cache_bytes > 0


def test_a_cache_of_nothing_is_none(tmp_path):
    found = settings.load(environ={"REIMAGE_ARCHIVE_CACHE_BYTES": "0"}, cwd=tmp_path).transfer
    assert found.cache == ""
