"""What a restore depends on, and so when it may be taken over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from making import make_build, make_run

from reimage import adoption, document, fix
from reimage.model import Stage
from reimage.settings import shipped
from reimage.stages.context import PROVEN, StageContext


def digest(named=()):
    fixes = fix.discover([shipped("fixes")], named)
    context = SimpleNamespace(run=SimpleNamespace(fixes=fixes), build=make_build)
    return adoption.input_digest(context, Stage.RESTORE, {Stage.FETCH: "fetched"})


def test_a_restore_with_an_offered_fix_is_another_restore():
    assert digest() == digest()
    assert digest(["python2-port"]) != digest()


# --- images: only what is missing is made -------------------------------------------------------------


def write_image(stage, name, state="made", *, with_file=True):
    files = {"pbcor": {"name": f"{name}.pbcor.fits", "bytes": 4}} if state == "made" else {}
    if files and with_file:
        (stage / "products" / f"{name}.pbcor.fits").write_bytes(b"fits")
    record = {"image": name, "state": state, "files": files}
    document.write(stage / "records" / f"{name}.json", record)


@pytest.fixture
def earlier(tmp_path):
    """Give a run of which one image is made, one absent, one whose file was lost."""
    directory = tmp_path / "earlier"
    stage = directory / "image"
    for name in ("products", "records", "ms/x_targets.ms"):
        (stage / name).mkdir(parents=True)
    document.write(stage / "inputs.json", {"digest": "d"})
    document.write(stage / "prepared.json", {"digest": "d", "facts": {}})
    document.write(stage / "records" / "continuum.json", {"entries": [], "caveats": []})
    document.write(stage / "records" / "findcont-0-0.json", {})
    document.write(stage / "records" / "killed-x.json", {"what": "x", "message": "x"})
    (stage / "products" / "cont.dat").write_text("")
    write_image(stage, "a")
    write_image(stage, "b", state="absent")
    write_image(stage, "c", with_file=False)
    document.write(stage / PROVEN, {"digest": "same", "value": {}})
    document.write(directory / "run.json", {"recipe_digest": "r"})
    return directory


@pytest.fixture
def later(tmp_path, earlier):
    (tmp_path / "later").mkdir()
    told = []
    run = SimpleNamespace(
        run="later", adopt_from=str(earlier), only_missing=True, recipe_digest="r"
    )
    context = StageContext(
        run=run,
        directory=tmp_path / "later",
        attempt=1,
        emit=lambda event, **data: told.append((event, data["images"])),
        still_current=lambda: None,
    )
    context.work(Stage.IMAGE)
    return context, told


def names(context):
    stage = context.work(Stage.IMAGE)
    return {str(path.relative_to(stage)) for path in stage.rglob("*") if path.is_file()}


def test_made_images_are_taken_over_and_absent_ones_are_not(earlier, later):
    context, told = later
    adoption.adopt(context, Stage.IMAGE, "same")
    assert names(context) == {
        "ADOPTED.json",
        "inputs.json",
        "prepared.json",
        "products/a.pbcor.fits",
        "products/cont.dat",
        "records/a.json",
        "records/calls.jsonl",
        "records/continuum.json",
        "records/findcont-0-0.json",
    }
    assert told == [("image.adopted", 1)]
    stage = context.work(Stage.IMAGE)
    ours, theirs = (place / "products/a.pbcor.fits" for place in (stage, earlier / "image"))
    assert ours.samefile(theirs)
    assert (stage / "ms/x_targets.ms").exists()
    assert not (earlier / "image/ms").exists()


def test_images_of_other_inputs_are_made_again(later):
    context, told = later
    adoption.adopt(context, Stage.IMAGE, "other")
    assert names(context) == {"ADOPTED.json"}
    assert told == [("image.adopted", 0)]


def test_a_second_attempt_keeps_what_the_first_made(later):
    context, told = later
    adoption.adopt(context, Stage.IMAGE, "same")
    write_image(context.work(Stage.IMAGE), "b")
    adoption.adopt(context, Stage.IMAGE, "same")
    assert "records/b.json" in names(context)
    assert len(told) == 1


@pytest.mark.parametrize(("owner", "taken"), [("later", 1), ("another", 0)])
def test_of_a_run_that_did_not_end(earlier, later, owner, taken):
    context, told = later
    (earlier / "image" / PROVEN).unlink()
    (earlier / "restore").mkdir()
    (earlier / "restore" / adoption.NOTE).write_text(owner + "\n")
    adoption.adopt(context, Stage.IMAGE, "same")
    assert told == [("image.adopted", taken)]


def test_an_ordinary_rerun_makes_every_image(later):
    context, told = later
    context.run.only_missing = False
    adoption.adopt(context, Stage.IMAGE, "same")
    assert names(context) == set()
    assert told == []


# --- files that were fetched, data that were restored -------------------------------------------------


@pytest.fixture
def proven(tmp_path):
    """Give a function: a stage that an earlier run has proven; returns where, and what adopts it."""

    def make(stage, value):
        earlier, here = tmp_path / "first", tmp_path / "second"
        (earlier / stage.value / "data").mkdir(parents=True)
        (earlier / stage.value / "data" / "a.fits").write_bytes(b"fits")
        document.write(earlier / stage.value / PROVEN, {"digest": "same", "value": value})
        (here / stage.value).mkdir(parents=True)
        context = StageContext(
            run=make_run(here, run="second", adopt_from=str(earlier)),
            directory=here,
            attempt=1,
            emit=lambda *_, **__: None,
            still_current=lambda: None,
        )
        return earlier / stage.value, context

    return make


def test_fetched_files_are_shared(proven):
    theirs, context = proven(Stage.FETCH, {})
    adoption.adopt(context, Stage.FETCH, "same")
    ours = context.directory / "fetch"
    assert (ours / PROVEN).exists()
    assert (ours / "data" / "a.fits").samefile(theirs / "data" / "a.fits")


def test_restored_data_change_their_owner(proven):
    theirs, context = proven(Stage.RESTORE, {})
    adoption.adopt(context, Stage.RESTORE, "same")
    assert (context.directory / "restore" / "data" / "a.fits").read_bytes() == b"fits"
    assert [path.name for path in theirs.iterdir()] == [adoption.NOTE]
    assert (theirs / adoption.NOTE).read_text().strip() == "second"


@pytest.mark.parametrize("stage", [Stage.FETCH, Stage.RESTORE])
@pytest.mark.parametrize(
    ("digest", "value"),
    [
        pytest.param("other", {}, id="other inputs"),
        pytest.param("same", {"postponed": ["x.tar"]}, id="raw data left in the archive"),
    ],
)
def test_what_is_not_the_same_is_not_taken_over(proven, stage, digest, value):
    theirs, context = proven(stage, value)
    adoption.adopt(context, stage, digest)
    assert not list((context.directory / stage.value).iterdir())
    assert (theirs / PROVEN).exists()
    assert (theirs / "data" / "a.fits").exists()


def test_what_is_proven_here_stays(proven):
    _, context = proven(Stage.FETCH, {})
    own = {"digest": "own", "value": {}}
    document.write(context.directory / "fetch" / PROVEN, own)
    adoption.adopt(context, Stage.FETCH, "same")
    assert document.read_json(context.directory / "fetch" / PROVEN) == own


def test_what_was_never_proven_is_not_taken_over(proven):
    theirs, context = proven(Stage.RESTORE, {})
    (theirs / PROVEN).unlink()
    adoption.adopt(context, Stage.RESTORE, "same")
    assert not list((context.directory / "restore").iterdir())


def test_images_depend_on_the_recipe_and_on_what_was_restored():
    def digest_of(recipe, restored):
        context = SimpleNamespace(run=SimpleNamespace(recipe_digest=recipe))
        return adoption.input_digest(context, Stage.IMAGE, {Stage.RESTORE: restored})

    digests = [digest_of(*both) for both in (("r", "d"), ("s", "d"), ("r", "e"))]
    assert len(set(digests)) == 3
    assert digest_of("r", "d") == digests[0]
