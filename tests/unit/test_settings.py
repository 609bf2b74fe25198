from __future__ import annotations

import pytest

from reimage import settings
from reimage.errors import SettingsError


@pytest.fixture(autouse=True)
def no_files_of_this_machine(monkeypatch, tmp_path):
    for name in ("site_config_dir", "user_config_dir"):
        monkeypatch.setattr(settings.platformdirs, name, lambda *_, **__: str(tmp_path / "nowhere"))


def load(tmp_path, **environ):
    return settings.load(environ=environ, cwd=tmp_path)


def test_defaults_keep_data_beside_the_caller(tmp_path):
    found = load(tmp_path)
    assert found.data == tmp_path / "data"
    assert found.database_url == f"sqlite:///{tmp_path / 'data' / 'reimage.db'}"


def test_layers_in_order_and_paths_relative_to_their_file(tmp_path):
    (tmp_path / "reimage.toml").write_text(
        'data = "here"\nslots = 3\narchive = "archive"\nmemory_mb = 900\n'
    )
    found = load(tmp_path, REIMAGE_SLOTS="4", REIMAGE_FIXES="a:b")
    assert (found.data, found.archive) == (tmp_path / "here", str(tmp_path / "archive"))
    assert (found.slots, found.memory_mb) == (4, 900)
    assert found.fixes == (tmp_path / "a", tmp_path / "b")
    flagged = settings.load(
        flags={"slots": 5, "data": None}, environ={"REIMAGE_SLOTS": "4"}, cwd=tmp_path
    )
    assert flagged.slots == 5


def test_a_named_file_replaces_the_others(tmp_path):
    (tmp_path / "reimage.toml").write_text("slots = 3\n")
    other = tmp_path / "site" / "other.toml"
    other.parent.mkdir()
    other.write_text('data = "d"\n')
    found = settings.load(other, environ={}, cwd=tmp_path)
    assert (found.slots, found.data) == (2, other.parent / "d")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slots = 0", "slots"),
        ("slot = 1", "slot"),
        ("slots = ", "cannot read"),
        ('wall_s = "x"', "wall_s"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, text, told):
    (tmp_path / "reimage.toml").write_text(text)
    with pytest.raises(SettingsError, match=told) as caught:
        load(tmp_path)
    assert caught.value.exit_code == 2


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="no such settings file"):
        load(tmp_path, REIMAGE_CONFIG=str(tmp_path / "none.toml"))


def test_shipped_declarations_are_found():
    assert (settings.shipped("fixes") / "field_coordinates_zero.py").is_file()


def test_a_password_comes_from_the_environment_alone(tmp_path):
    environ = {"REIMAGE_DATABASE_PASSWORD": "secret", "REIMAGE_DATABASE": "postgresql://u@h/d"}
    found = load(tmp_path, **environ)
    assert found.database_password.get_secret_value() == "secret"
    assert "secret" not in repr(found)
    assert "secret" not in found.model_dump_json()
    with pytest.raises(SettingsError, match="REIMAGE_DATABASE_PASSWORD") as caught:
        load(tmp_path, REIMAGE_DATABASE="postgresql://u:secret@h/d")
    assert "secret" not in str(caught.value)
    (tmp_path / "reimage.toml").write_text('database_password = "x"\n')
    with pytest.raises(SettingsError, match="does not belong"):
        load(tmp_path)
