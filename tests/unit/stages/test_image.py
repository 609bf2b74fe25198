"""The stage *image* around jobs that are played: what is made, what dies, what is remembered."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from reimage import document
from reimage.casa import process
from reimage.casa.imaging import ImagingCasaTooOld
from reimage.model import (
    CalibratedMs,
    Calibration,
    CasaChoice,
    Delivery,
    ProductState,
    Stage,
)
from reimage.recipes.load import load_recipe
from reimage.stages import image
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue, RestoreValue
from tests.making import EB, MOUS, make_build, make_run

FACTS = {
    "targets": [{"name": "NGC 1", "spws": [0, 1], "flagged": []}],
    "spws": [
        {"id": 0, "low_hz": 226e9, "high_hz": 228e9},
        {"id": 1, "low_hz": 228e9, "high_hz": 230e9},
    ],
    "caveats": ["spw-fully-flagged:NGC 2.spw0"],
}


class Player:
    """Plays CASA: makes what is asked for, except where ``deaths`` says otherwise."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.builds: set[str] = set()
        self.inputs: dict[str, dict] = {}
        self.deaths: list[tuple[str, process.CasaJobFailed]] = []
        """Image (or other work) at which the next start of the job dies, and how."""
        self.absent: dict[str, str] = {}

    def __call__(self, build, job, inputs, *, directory, limits, emit, writable):  # noqa: ARG002 -- run_job's
        self.calls.append(job)
        self.builds.add(build.version)
        self.inputs[job] = inputs
        if job == "image_prepare":
            return json.loads(json.dumps(FACTS))
        records = Path(inputs["records"])
        for one in inputs["images"]:
            if (records / one["record"]).exists():
                continue
            self._die(one["id"], records)
            self._make(one, records, Path(inputs["products"]))
        return {"made": [], "absent": [], "caveats": ["contfile-given"]}

    def _die(self, what, records):
        if self.deaths and self.deaths[0][0] == what:
            document.write(records / "underway.json", {"what": what})
            raise self.deaths.pop(0)[1]

    def _make(self, one, records, products):
        record = {"image": one["id"], "state": "made", "files": {}, "caveats": []}
        if one["id"] in self.absent:
            record |= {"state": "absent", "reason": self.absent[one["id"]]}
        else:
            files = dict(one["files"])
            if one["specmode"] == "cont":
                files["mask"] = f"{one['basename']}.mask.fits"
                record["caveats"] = ["cleaned-in-pb-mask"]
            for kind, name in files.items():
                (products / name).write_bytes(b"fits")
                record["files"][kind] = {"name": name, "bytes": 4}
        document.write(records / one["record"], record)


def died(signal=None, stderr="", message="image_make was ended"):
    return process.CasaJobFailed(message, evidence={"signal": signal, "stderr_tail": stderr})


@pytest.fixture
def player(monkeypatch):
    player = Player()
    monkeypatch.setattr(process, "run_job", player)
    return player


@pytest.fixture
def events():
    return []


@pytest.fixture
def context(tmp_path, events):
    recipe = load_recipe("hifatargets-2017")
    run = make_run(tmp_path, recipe=document.dump(recipe), recipe_digest=document.digest(recipe))
    proven = {
        "choose": ChooseValue(
            delivery=Delivery(root=".", member=".", layout="x", calibration=Calibration.NONE),
            choice=CasaChoice(build=make_build().id, wanted=None, because=()),
        ),
        "restore": RestoreValue(
            ms=(
                CalibratedMs(eb=EB, path="restore/x.ms", column="data", rows=1, promised_rows=None),
            ),
            method="delivered",
            facts={},
        ),
    }
    for stage, value in proven.items():
        (tmp_path / stage).mkdir()
        document.write(tmp_path / stage / PROVEN, {"value": document.dump(value)})
    return StageContext(
        run=run,
        directory=tmp_path,
        attempt=1,
        emit=lambda event, **data: events.append((event, data)),
        still_current=lambda: None,
    )


def states(value):
    return {(p.image, p.kind): p.state.value for p in value.products}


def test_every_planned_file_and_the_mask_become_products(context, player, events):
    value = image.run(context)
    assert player.calls == ["image_prepare", "image_make"]
    assert len(value.plan) == 5
    assert set(states(value).values()) == {"made"}
    mask = next(product for product in value.products if product.kind == "mask")
    assert (mask.planned, mask.image) == (False, "NGC 1.spw0_1.cont")
    assert sum(product.planned for product in value.products) == 10
    for product in value.products:
        assert (context.directory / product.path).stat().st_size == product.n_bytes
        assert product.name.startswith("uid___A001_X1_X2.NGC_1_sci.")
    assert value.caveats == (
        "spw-fully-flagged:NGC 2.spw0",
        "contfile-given",
        "cleaned-in-pb-mask:NGC 1.spw0_1.cont",
    )
    assert events[0] == ("image.planned", {"images": [i.id for i in value.plan], "n": 5})


def test_jobs_are_told_paths_and_provenance(context, player):
    image.run(context)
    (one,) = player.inputs["image_prepare"]["ms"]
    assert one == {"eb": EB, "path": str(context.directory / "restore/x.ms"), "column": "data"}
    keywords = player.inputs["image_make"]["keywords"]
    assert keywords["MEMBER"] == MOUS
    assert keywords["RECIPE"] == "hifatargets-2017"
    assert all(len(value) <= 68 and len(key) <= 8 for key, value in keywords.items())


def test_a_build_too_old_to_image_gives_way_to_the_newest(context, player):
    old = make_build("6.4.4.31")
    path = context.directory / "choose" / PROVEN
    proven = document.read_json(path)
    proven["value"]["choice"]["build"] = old.id
    document.write(path, proven)
    both = dataclasses.replace(context.run, builds=(old, make_build()))
    value = image.run(dataclasses.replace(context, run=both))
    assert player.builds == {"6.7.0.31"}
    assert player.inputs["image_make"]["keywords"]["BUILD"] == make_build().id
    assert value.caveats[0] == "imaged-with-other-casa:6.7.0.31"
    alone = dataclasses.replace(context.run, builds=(old,))
    with pytest.raises(ImagingCasaTooOld):
        image.run(dataclasses.replace(context, run=alone))


def test_absent_image_has_its_reason_in_every_file(context, player):
    player.absent = {"NGC 1.spw1.cube": "NoData: all flagged"}
    value = image.run(context)
    lost = [p for p in value.products if p.state is ProductState.ABSENT]
    assert {(p.kind, p.reason, p.path) for p in lost} == {
        ("pbcor", "NoData: all flagged", None),
        ("pb", "NoData: all flagged", None),
    }


def test_image_that_kills_casa_is_given_up_and_the_rest_is_made(context, player, events):
    player.deaths = [("NGC 1.spw0.cube", died("SIGABRT", "x\n  what():  std::bad_alloc\n"))]
    value = image.run(context)
    assert player.calls == ["image_prepare", "image_make", "image_make"]
    lost = [p for p in value.products if p.state is ProductState.ABSENT]
    assert {p.image for p in lost} == {"NGC 1.spw0.cube"}
    assert "std::bad_alloc" in lost[0].reason
    assert ("image.absent", {"image": "NGC 1.spw0.cube", "reason": lost[0].reason}) in events


def test_a_kill_from_outside_is_forgiven_once(context, player):
    player.deaths = [("NGC 1.spw0.cube", died("SIGKILL"))]
    assert set(states(image.run(context)).values()) == {"made"}


def test_a_second_kill_at_the_same_image_is_not(context, player):
    player.deaths = [("NGC 1.spw0.cube", died("SIGKILL"))] * 2
    value = image.run(context)
    assert states(value)["NGC 1.spw0.cube", "pb"] == "absent"
    assert states(value)["NGC 1.spw1.cube", "pb"] == "made"


def test_full_disk_ends_the_stage(context, player):
    player.deaths = [("NGC 1.spw0.cube", died("SIGABRT", "No space left on device"))]
    with pytest.raises(process.CasaJobFailed):
        image.run(context)


def test_time_out_ends_the_stage(context, player):
    player.deaths = [("NGC 1.spw0.cube", process.CasaTimeout("too long"))]
    with pytest.raises(process.CasaTimeout):
        image.run(context)


def test_death_before_any_image_is_nobodys_fault(context, player):
    (context.work(Stage.IMAGE) / "records").mkdir()
    stale = context.work(Stage.IMAGE) / "records" / "underway.json"
    document.write(stale, {"what": "NGC 1.spw0.cube"})  # of an attempt that was killed

    def die(*_):
        raise died("SIGSEGV")

    player._die = die
    with pytest.raises(process.CasaJobFailed):
        image.run(context)
    assert not (stale.parent / "uid___A001_X1_X2.NGC_1_sci.spw0.cube.I.json").exists()


def test_nothing_made_is_an_error_with_all_reasons(context, player):
    recipe_images = ["spw0.mfs", "spw1.mfs", "spw0_1.cont", "spw0.cube", "spw1.cube"]
    player.absent = {f"NGC 1.{name}": f"because {name}" for name in recipe_images}
    with pytest.raises(image.ImagingMadeNothing) as raised:
        image.run(context)
    assert raised.value.evidence["reasons"] == player.absent


def test_second_start_keeps_what_is_recorded(context, player):
    player.deaths = [("NGC 1.spw0.cube", process.CasaTimeout("too long"))]
    with pytest.raises(process.CasaTimeout):
        image.run(context)
    made = sorted((context.work(Stage.IMAGE) / "records").glob("uid*.json"))
    before = {path: path.stat().st_mtime_ns for path in made}
    assert len(before) == 3
    value = image.run(context)
    assert player.calls == ["image_prepare", "image_make", "image_make"]
    assert {path: path.stat().st_mtime_ns for path in made} == before
    assert set(states(value).values()) == {"made"}


def test_other_inputs_are_prepared_again(context, player):
    image.run(context)
    kept = context.work(Stage.IMAGE) / "prepared.json"
    document.write(kept, document.read_json(kept) | {"digest": "other"})
    image.run(context)
    assert player.calls.count("image_prepare") == 2


def test_engine_that_is_not_here(context, player):
    recipe = dict(context.run.recipe) | {"engine": "pipeline"}
    other = StageContext(
        run=make_run(context.directory, recipe=recipe),
        directory=context.directory,
        attempt=1,
        emit=context.emit,
        still_current=context.still_current,
    )
    with pytest.raises(image.RecipeEngineUnknown):
        image.run(other)
    assert player.calls == []


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ("NoTargets: no field has the intent", image.ImagingNoTargets),
        ("MissingColumn: x.ms has no column", image.ImagingColumnMissing),
        ("ForeignTelescope: observed by EVLA", image.ImagingForeignTelescope),
        ("RuntimeError: x", process.CasaJobFailed),
    ],
)
def test_what_is_wrong_with_the_data_has_a_code(context, monkeypatch, raised, expected):
    def fail(*_, **__):
        raise process.CasaJobFailed(f"image_prepare: {raised}", evidence={"job": "image_prepare"})

    monkeypatch.setattr(process, "run_job", fail)
    with pytest.raises(expected) as caught:
        image.run(context)
    assert caught.value.evidence["job"] == "image_prepare"
