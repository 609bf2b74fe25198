"""Categories: their files, and the choice of a pilot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage import category
from reimage.category import CategoryUnknown, CategoryUnusable, Pilot

GOOD = 'title = "Some datasets"\nkind = "selection"\n'


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text)
    return folder


def test_a_file_is_a_category(tmp_path):
    write(tmp_path, "some", GOOD + 'criteria = "cycle >= 5"\n[pilot]\nsize = 4\n')
    found = category.find_category("some", [tmp_path])
    assert (found.id, found.criteria, found.pilot.size) == ("some", "cycle >= 5", 4)
    assert len(found.digest) == 64


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        'title = "Some datasets"\nkind = "other"\n',
        GOOD + "unknown = 1\n",
        GOOD + 'id = "another"\n',
        GOOD + 'criteria = "cycle = 1"\ndatasets = ["a"]\n',
        GOOD + "schema = 2\n",
        GOOD + "[pilot]\nsize = 0\n",
    ],
)
def test_what_is_none_is_told(tmp_path, text):
    write(tmp_path, "some", text)
    with pytest.raises(CategoryUnusable):
        category.load_categories([tmp_path])


def test_two_of_one_name(tmp_path):
    folders = [write(tmp_path / name, "some", GOOD) for name in ("a", "b")]
    with pytest.raises(CategoryUnusable):
        category.load_categories(folders)


def test_unknown(tmp_path):
    with pytest.raises(CategoryUnknown) as caught:
        category.find_category("none", [write(tmp_path, "some", GOOD)])
    assert caught.value.evidence == {"known": ["some"]}


@given(
    st.lists(st.text(max_size=3), unique=True, max_size=40), st.integers(1, 20), st.integers(0, 5)
)
def test_pilots(members, size, seed):
    pilot = Pilot(size=size, seed=seed)
    chosen = category.sample(members, pilot)
    assert len(chosen) == min(size, len(members))
    assert set(chosen) <= set(members)
    assert set(category.sample(members[::-1], pilot)) == set(chosen)
