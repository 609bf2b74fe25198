"""Images outside a run: which MSs, which build, whose directory."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from reimage import document
from reimage.casa import process
from reimage.casa.choose import CasaBuildMissing
from reimage.casa.imaging import ImagingCasaTooOld
from reimage.errors import UidMalformed
from reimage.imaging import bad_input, engines, held, standalone
from reimage.imaging.request import Imaged
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits
from tests.making import make_build, make_tree

RECIPE = load_recipe("hifatargets-2017")
LIMITS = Limits(memory_mb=1000, wall_s=60, silence_s=60)


def make_ms(root, name):
    return make_tree(root / name, {"table.dat": "x", "table.f1": "data", "table.lock": "l"})


def ask(*ms, **other):
    found = standalone.find_ms(ms)
    fields = {"column": None, "recipe": RECIPE, "name": "x", "build": make_build()}
    return standalone.Asked(ms=found, **{**fields, **other})


# --- what is imaged -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "eb"),
    [
        ("uid___A002_Xd0ab12_X3c4d.ms.split.cal", "uid___A002_Xd0ab12_X3c4d"),
        ("uid___A002_Xd0ab12_X3c4d_targets.ms", "uid___A002_Xd0ab12_X3c4d"),
        ("calibrated_final.ms", "calibrated_final"),
        ("my target (2).ms", "my_target__2_"),
    ],
)
def test_an_ms_is_called_by_its_execution_block(tmp_path, name, eb):
    (found,) = standalone.find_ms([make_ms(tmp_path, name)])
    assert found.eb == eb
    assert found.path == tmp_path / name


def test_what_is_no_ms(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(standalone.MsNotHere, match="is no MS"):
        standalone.find_ms([tmp_path / "folder"])
    with pytest.raises(standalone.MsNotHere, match="is not there"):
        standalone.find_ms([tmp_path / "nothing.ms"])
    with pytest.raises(standalone.MsNotHere, match="too long"):
        standalone.find_ms([tmp_path / ("x" * 300)])
    with pytest.raises(standalone.MsNotHere, match="home"):
        standalone.find_ms([Path("~nobody-has-this-name/x.ms")])


def test_one_execution_block_twice(tmp_path):
    one = make_ms(tmp_path, "uid___A002_X1_X2.ms")
    other = make_ms(tmp_path, "uid___A002_X1_X2.ms.split.cal")
    for ms in (one, other):
        with pytest.raises(standalone.MsTwice, match="uid___A002_X1_X2"):
            standalone.find_ms([one, ms])


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (None, "uid___A002_X1_X2"),
        ("NGC_1", "NGC_1"),
        ("uid___A001_X12_X34", "uid://A001/X12/X34"),
        ("uid://A001/X12/X34", "uid://A001/X12/X34"),
    ],
)
def test_names_of_products(tmp_path, asked, name):
    ms = standalone.find_ms([make_ms(tmp_path, "uid___A002_X1_X2.ms")])
    assert standalone.product_name(asked, ms) == name


@pytest.mark.parametrize("name", ["", "../up", "a b", "-x", "a/b"])
def test_names_that_products_cannot_have(name):
    with pytest.raises(standalone.ImageNameUnusable):
        standalone.product_name(name, ())


def test_a_uid_that_is_misspelt():
    with pytest.raises(UidMalformed):
        standalone.product_name("uid://A001/X1", ())


# --- with which build ---------------------------------------------------------------------------------


def test_the_newest_build_that_can_image():
    builds = [make_build(v) for v in ("6.4.4.31", "6.7.0.31", "6.6.5.31")]
    builds.append(replace(make_build("6.9.0.1"), python=None, casa="/casa"))
    assert standalone.choose_build(None, builds, RECIPE).version == "6.7.0.31"


def test_the_build_that_is_asked_for():
    builds = [make_build("6.7.0.31"), make_build("6.5.6.22")]
    assert standalone.choose_build(builds[1], builds, RECIPE) == builds[1]
    with pytest.raises(ImagingCasaTooOld):
        standalone.choose_build(make_build("6.2.0.124"), builds, RECIPE)


def test_no_build():
    with pytest.raises(CasaBuildMissing) as raised:
        standalone.choose_build(None, (), RECIPE)
    assert "casa install" in raised.value.hint


# --- where --------------------------------------------------------------------------------------------


def test_the_same_request_goes_on(tmp_path):
    asked = ask(make_ms(tmp_path, "a.ms"))
    with held.opened(tmp_path / "o" / "p", asked) as is_begun:
        assert not is_begun
    os.utime(tmp_path / "a.ms" / "table.lock", (1, 1))
    again = ask(tmp_path / "a.ms", build=replace(make_build(), python_version="3.11.9"))
    with held.opened(tmp_path / "o" / "p", again) as is_begun:
        assert is_begun


def test_another_request_is_refused(tmp_path):
    one, other = make_ms(tmp_path, "a.ms"), make_ms(tmp_path, "b.ms")
    with held.opened(tmp_path / "o", ask(one)):
        pass
    changed = override(RECIPE, ["makeimages.hm_cyclefactor=3"])
    for asked, what in (
        (ask(one, other), "ms"),
        (ask(one, column="data"), "column"),
        (ask(one, recipe=changed), "recipe"),
        (ask(one, name="y"), "name"),
        (ask(one, build=make_build("6.6.5.31")), "build"),
    ):
        with (
            pytest.raises(held.ImageDirectoryOther, match=f"another {what}$"),
            held.opened(tmp_path / "o", asked),
        ):
            pass


def test_an_ms_that_was_written_into_is_another(tmp_path):
    ms = make_ms(tmp_path, "a.ms")
    with held.opened(tmp_path / "o", ask(ms)):
        pass
    (ms / "table.f1").write_text("flags")
    with (
        pytest.raises(held.ImageDirectoryOther, match="ms"),
        held.opened(tmp_path / "o", ask(ms)),
    ):
        pass


def test_a_directory_of_somebody_else(tmp_path):
    asked = ask(make_ms(tmp_path, "a.ms"))
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(held.ImageDirectoryForeign), held.opened(place, asked):
            pass
    assert not (tmp_path / "lock").exists()


def test_a_directory_that_cannot_be(tmp_path):
    ms = make_ms(tmp_path, "a.ms")
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(held.ImageDirectoryUnwritable, match="cannot write into"),
        held.opened(tmp_path / "file" / "o", ask(ms)),
    ):
        pass
    with (
        pytest.raises(held.ImageDirectoryForeign, match="inside an MS"),
        held.opened(ms / "o", ask(ms)),
    ):
        pass
    assert not (ms / "o").exists()


def test_a_name_that_no_file_can_have(tmp_path):
    with (
        pytest.raises(held.ImageDirectoryUnwritable, match="too long"),
        held.opened(tmp_path / ("o" * 300), ask(make_ms(tmp_path, "a.ms"))),
    ):
        pass


def test_what_lies_inside_an_ms_is_found_out_behind_links(tmp_path):
    ms = make_ms(tmp_path, "a.ms")
    (tmp_path / "link").symlink_to(ms)
    with pytest.raises(held.ImageDirectoryForeign), held.opened(tmp_path / "link" / "o", ask(ms)):
        pass
    with held.opened(ms / ".." / "o", ask(ms)) as is_begun:
        assert not is_begun


def test_an_earlier_start_that_died_at_once_is_no_stranger(tmp_path):
    place = tmp_path / "o"
    place.mkdir()
    for name in ("lock", "asked.json.part"):
        (place / name).touch()
    with held.opened(place, ask(make_ms(tmp_path, "a.ms"))) as is_begun:
        assert not is_begun


def test_two_at_once(tmp_path):
    asked = ask(make_ms(tmp_path, "a.ms"))
    with (
        held.opened(tmp_path / "o", asked),
        pytest.raises(held.ImageDirectoryBusy),
        held.opened(tmp_path / "o", asked),
    ):
        pass


def test_images_of_an_earlier_start(tmp_path):
    assert held.kept(tmp_path) == frozenset()
    (tmp_path / "records").mkdir()
    document.write(tmp_path / "records" / "x.json", {"image": "A.spw0.mfs"})
    document.write(tmp_path / "records" / "continuum.json", {"caveats": []})
    assert held.kept(tmp_path) == {"A.spw0.mfs"}


def test_what_was_given_up_can_be_tried_again(tmp_path):
    (tmp_path / "records").mkdir()
    for name, record in (
        ("made", {"image": "A", "state": "made"}),
        ("absent", {"image": "B", "state": "absent"}),
        ("killed-absent", {"what": "absent", "message": "SIGKILL"}),
        ("continuum", {"caveats": []}),
    ):
        document.write(tmp_path / "records" / f"{name}.json", record)
    held.forget_absent(tmp_path)
    assert {path.stem for path in (tmp_path / "records").iterdir()} == {"made", "continuum"}


# --- the request --------------------------------------------------------------------------------------


@pytest.fixture
def played(monkeypatch):
    """Play CASA's look into the MSs, and the engine; give what both were asked."""
    calls = []

    def look(build, job, inputs, **_):
        calls.append((job, inputs))
        known = {"columns": ["DATA"], "differs": False, "corrected_amplitude": None}
        return dict.fromkeys(inputs["ms"], known)

    def make(request):
        calls.append(("engine", request))
        return Imaged(plan=(), products=())

    monkeypatch.setattr(process, "run_job", look)
    monkeypatch.setattr(engines, "make", make)
    return calls


def test_the_engine_is_asked_as_within_a_run(tmp_path, played):
    asked = ask(make_ms(tmp_path, "a.ms"), name="uid://A001/X1/X2")
    told = []
    for _ in range(2):
        with held.opened(tmp_path / "o", asked):
            standalone.make(
                tmp_path / "o", asked, LIMITS, lambda event, **data: told.append((event, data))
            )
    assert [what for what, _ in played] == ["ms_columns", "engine", "engine"], "looked into once"
    request = played[-1][1]
    assert request.root == request.directory == tmp_path / "o"
    assert [(ms.eb, ms.column) for ms in request.ms] == [("a", "data")]
    assert request.keywords["MEMBER"] == "uid://A001/X1/X2"
    assert request.keywords["RECIPE"] == "hifatargets-2017"
    assert "RUNID" not in request.keywords
    assert told[0][0] == "ms.column"


def test_an_ill_ms_has_a_code(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise process.CasaJobFailed("ms_columns: DamagedMs: a.ms cannot be read: cut off")

    monkeypatch.setattr(process, "run_job", fail)
    asked = ask(make_ms(tmp_path, "a.ms"))
    with (
        held.opened(tmp_path / "o", asked),
        pytest.raises(bad_input.ImagingMsDamaged, match="cut off"),
    ):
        standalone.make(tmp_path / "o", asked, LIMITS, lambda *_, **__: None)


def test_an_execution_block_is_no_member(tmp_path, played):
    asked = ask(make_ms(tmp_path, "uid___A002_X1_X2.ms"), name="uid___A002_X1_X2")
    with held.opened(tmp_path / "o", asked):
        standalone.make(tmp_path / "o", asked, LIMITS, lambda *_, **__: None)
    assert "MEMBER" not in played[-1][1].keywords
