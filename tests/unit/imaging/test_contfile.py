"""Continuum ranges that a recipe names: they are an input like the MSs."""

from __future__ import annotations

import pytest
from making_accounts import make_request

from reimage.imaging import tasks_engine
from reimage.imaging.tasks_engine import ContfileUnreadable


class Begun(Exception):
    """The engine has begun: what comes of it is another test's."""


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Give what begins to make images with a contfile; it returns the digest of the inputs."""

    def workers(_, inputs, __):
        raise Begun(inputs["digest"])

    monkeypatch.setattr(tasks_engine, "Workers", workers)
    numbers = iter(range(9))

    def begin(contfile):
        root = tmp_path / str(next(numbers))
        with pytest.raises(Begun) as begun:
            tasks_engine.make(make_request(root, f"makeimlist.contfile={contfile}"))
        return str(begun.value)

    return begin


def test_other_ranges_in_the_same_file_are_other_inputs(begin, tmp_path):
    listed = tmp_path / "cont.dat"
    listed.write_text("Field: A\n")
    before = begin(listed)
    assert begin(listed) == before
    listed.write_text("Field: B\n")
    assert begin(listed) != before


@pytest.mark.parametrize(
    ("contfile", "said"),
    [("/nowhere/cont.dat", "No such file"), ("mine.dat", "not a whole path"), ("/", "directory")],
)
def test_a_file_that_is_not_there_is_said_before_anything_is_started(tmp_path, contfile, said):
    with pytest.raises(ContfileUnreadable, match=said):
        tasks_engine.make(make_request(tmp_path, f"makeimlist.contfile={contfile}"))
