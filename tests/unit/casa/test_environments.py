from __future__ import annotations

import sys

import pytest

from reimage.casa import builds, environments


def test_the_default_pins_have_one_source():
    pins = environments.default_pins()
    assert {pin.partition("==")[0] for pin in pins} == {"casatools", "casatasks", "six"}
    default = environments.installable()[0]
    assert default.version == environments.default_version()
    assert default.packages == tuple(pin for pin in pins if pin.startswith("six"))


def test_every_line_of_the_table_is_whole():
    rows = environments.installable()
    assert len({(row.version, row.python) for row in rows}) == len(rows)
    assert all(row.why or not row.packages for row in rows)
    assert all(
        (environments.HERE / "constraints" / row.constraints).is_file()
        for row in rows
        if row.constraints
    )


@pytest.mark.parametrize(
    ("version", "python", "found"),
    [("6.7.0", None, "6.7.0.31"), ("6.7.6", None, "6.7.6.14"), ("6.2", None, "6.2.0.124")],
)
def test_a_version_selects_a_line_that_works(version, python, found):
    row = environments.select(version, python)
    assert (row.version, row.broken) == (found, None)


@pytest.mark.parametrize(
    ("version", "python", "told"), [("4.2.2", None, "4.2.2"), ("6.7.6", "3.12", "libssl")]
)
def test_what_cannot_be_installed_says_why(version, python, told):
    with pytest.raises(environments.CasaVersionUnknown, match=told):
        environments.select(version, python)


def test_pythons():
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert environments.find_python(ours)
    with pytest.raises(environments.PythonMissing) as caught:
        environments.find_python("3.99")
    assert "3.99" in caught.value.hint


def test_pythons_are_found_where_pyenv_and_uv_keep_them(tmp_path, monkeypatch):
    monkeypatch.setattr(environments.shutil, "which", lambda _: None)
    kept = (
        ".pyenv/versions/3.8.18/bin/python3.8",
        ".local/share/uv/python/cpython-3.8.20-linux-x86_64-gnu/bin/python3.8",
        "opt/python38/bin/python3.8",
    )
    for name in (*kept, ".pyenv/versions/3.80.1/bin/python3.80"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    found = environments._pythons("3.8", home=tmp_path, opt=tmp_path / "opt")
    assert list(found) == [str(tmp_path / name) for name in kept]


def test_what_is_no_casa_cannot_be_registered(tmp_path):
    with pytest.raises(builds.BuildUnusable, match="no CASA"):
        builds.from_path(tmp_path, tmp_path)
    with pytest.raises(builds.BuildUnknown):
        builds.find(tmp_path, "none")
