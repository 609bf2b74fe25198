from __future__ import annotations

import shutil

import operating
import pytest


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Nobody's own settings, and a terminal of 80 columns."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("reimage.cli.driving.LocalExecutor", operating.InstantExecutor)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def fresh_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    operating.make_folder(folder)
    return folder


@pytest.fixture(scope="session")
def worked_folder(tmp_path_factory, fresh_folder):
    folder = tmp_path_factory.mktemp("worked")
    shutil.copytree(fresh_folder, folder, dirs_exist_ok=True)
    operating.run_demo(folder)
    return folder


@pytest.fixture
def site(tmp_path, capsys, fresh_folder):
    """A site whose runs end at once, as their datasets' facts say."""
    shutil.copytree(fresh_folder, tmp_path, dirs_exist_ok=True)
    return operating.Site(operating.settings_of(tmp_path), capsys)


@pytest.fixture
def worked(tmp_path, capsys, worked_folder):
    """A site where the demo category has been run: all four datasets."""
    shutil.copytree(worked_folder, tmp_path, dirs_exist_ok=True)
    return operating.Site(operating.settings_of(tmp_path), capsys)
