"""The stage *image* around jobs that are played: what is made, what dies, what is remembered."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from reimage import document
from reimage.casa import process
from reimage.casa.imaging import ImagingCasaTooOld, PipelineNotInBuild
from reimage.imaging import accompany, bad_input
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
    "ebs": [{"eb": EB, "ms": f"/elsewhere/{EB}_targets.ms"}],
    "targets": [
        {
            "name": "NGC 1",
            "spws": [0, 1],
            "flagged": [],
            "geometry": {"imsize": [100, 100], "gridder": "standard"},
            "axes": {"0": {"nchan": 10}, "1": {"nchan": 10}},
        }
    ],
    "spws": [
        {"id": 0, "low_hz": 226e9, "high_hz": 228e9},
        {"id": 1, "low_hz": 228e9, "high_hz": 230e9},
    ],
    "caveats": ["spw-fully-flagged:NGC 2.spw0"],
}


class Player:
    """Plays CASA: makes what is asked for, except where ``deaths`` says otherwise."""

    def __init__(self) -> None:
        self.starts = 0
        self.prepared = 0
        self.builds: set[str] = set()
        self.inputs: dict = {}
        self.deaths: list[tuple[str, Exception]] = []
        """Image (or other work) at which the next start of a process dies, and how."""
        self.absent: dict[str, str] = {}
        self.facts = FACTS
        self.plan: dict = {}

    def __call__(self, calls, *, at_once, then, meanwhile):
        assert at_once == len(calls)
        waiting = list(calls)
        while waiting:
            call = waiting.pop(0)
            try:
                answer = self._work(call, meanwhile)
            except process.CasaError as error:
                answer = error
            except process.ResourceError as error:
                answer = error
            if (following := then(call, answer)) is not None:
                waiting.append(following)
        return []

    def _work(self, call, meanwhile):
        assert call.job == "image_make"
        self.starts += 1
        self.builds.add(call.build.version)
        self.inputs = inputs = call.inputs
        prepared, plan = Path(inputs["prepared"]), Path(inputs["plan"])
        self._die("prepare", call)
        if not prepared.exists():
            self.prepared += 1
            for eb in self.facts["ebs"]:
                (Path(inputs["ms_directory"]) / Path(eb["ms"]).name).mkdir(exist_ok=True)
            document.write(prepared, {"digest": inputs["digest"], "facts": self.facts})
        meanwhile()
        self.plan = document.read_json(plan)
        if inputs["worker"] >= self.plan["workers"]:
            return {}
        records = Path(inputs["records"])
        document.write(records / "continuum.json", {"entries": [], "caveats": ["contfile-given"]})
        for one in self.plan["images"]:
            if not (records / one["record"]).exists():
                self._die(one["id"], call, one["basename"])
                self._make(one, records, Path(inputs["products"]))
        return {}

    def _die(self, what, call, name=None):
        if self.deaths and self.deaths[0][0] == what:
            if name is not None:
                (Path(call.inputs["claims"]) / name).symlink_to(str(call.inputs["worker"]))
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
    monkeypatch.setattr(process, "run_jobs", player)
    monkeypatch.setattr(accompany, "accompany", lambda _, imaged, __: imaged)
    return player


@pytest.fixture
def events():
    return []


@pytest.fixture
def context(tmp_path, events):
    recipe = load_recipe("hifatargets-2017")
    run = make_run(
        tmp_path,
        recipe=document.dump(recipe),
        recipe_digest=document.digest(recipe),
        facts={"project": "2018.1.00001.S"},
    )
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
    assert player.starts == 1
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
    event, told = events[0]
    assert (event, told["n"]) == ("image.planned", 5)
    for planned, image_told in zip(value.plan, told["images"], strict=True):
        assert image_told["datatype"] == "regcal"
        assert document.dump(planned).items() <= image_told.items()


def test_jobs_are_told_paths_and_provenance(context, player):
    image.run(context)
    (one,) = player.inputs["prepare"]["ms"]
    assert one == {"eb": EB, "path": str(context.directory / "restore/x.ms"), "column": "data"}
    keywords = player.inputs["keywords"]
    assert keywords["MEMBER"] == MOUS
    assert keywords["RECIPE"] == "hifatargets-2017"
    assert keywords["PROPCODE"] == "2018.1.00001.S"
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
    assert player.inputs["keywords"]["BUILD"] == make_build().id
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
    assert (player.prepared, player.starts) == (1, 2)
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
    player.deaths = [("prepare", died("SIGSEGV"))]
    with pytest.raises(process.CasaJobFailed):
        image.run(context)
    assert not list((context.work(Stage.IMAGE) / "records").glob("uid*.json"))


def test_nothing_made_is_an_error_with_all_reasons(context, player):
    recipe_images = ["spw0.mfs", "spw1.mfs", "spw0_1.cont", "spw0.cube", "spw1.cube"]
    player.absent = {f"NGC 1.{name}": f"because {name}" for name in recipe_images}
    with pytest.raises(bad_input.ImagingMadeNothing) as raised:
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
    assert (player.prepared, player.starts) == (1, 2)
    assert {path: path.stat().st_mtime_ns for path in made} == before
    assert set(states(value).values()) == {"made"}


def test_of_other_inputs_nothing_is_kept(context, player):
    image.run(context)
    kept = context.work(Stage.IMAGE) / "inputs.json"
    document.write(kept, {"digest": "other"})
    image.run(context)
    assert (player.prepared, player.starts) == (2, 2)


def test_what_images_share_is_found_again_when_an_ms_is_gone(context, player):
    image.run(context)
    (ms,) = (context.work(Stage.IMAGE) / "ms").iterdir()
    ms.rmdir()
    image.run(context)
    assert player.prepared == 2


def with_limits(context, **limits):
    known = dataclasses.replace(context.run.limits, **limits)
    return dataclasses.replace(context, run=dataclasses.replace(context.run, limits=known))


def test_as_many_processes_as_cores(context, player):
    image.run(with_limits(context, cores=2))
    assert (player.starts, player.plan["workers"]) == (2, 2)


def test_after_a_kill_the_others_go_on(context, player, events):
    player.deaths = [("NGC 1.spw0.cube", died("SIGKILL"))]
    value = image.run(with_limits(context, cores=2))
    assert set(states(value).values()) == {"made"}
    assert player.starts == 2  # the one that was killed is not started again: memory was short
    assert [data["what"] for event, data in events if event == "image.killed"]


def test_when_all_are_killed_one_goes_on(context, player):
    player.deaths = [("NGC 1.spw0.mfs", died("SIGKILL"))] * 2
    value = image.run(with_limits(context, cores=2))
    assert player.starts == 3
    assert states(value)["NGC 1.spw0.mfs", "pb"] == "absent"
    assert states(value)["NGC 1.spw1.mfs", "pb"] == "made"


def test_an_image_that_needs_more_memory_than_there_is_is_not_tried(context, player, events):
    player.facts = json.loads(json.dumps(FACTS))
    player.facts["targets"][0]["axes"]["0"]["nchan"] = 10**6
    value = image.run(context)
    (reason,) = {p.reason for p in value.products if p.image == "NGC 1.spw0.cube"}
    assert reason.startswith("memory-predicted: needs ")
    assert ("image.absent", {"image": "NGC 1.spw0.cube", "reason": reason}) in events
    assert states(value)["NGC 1.spw1.cube", "pb"] == "made"


def test_a_pipeline_that_no_build_has(context, player):
    recipe = dict(context.run.recipe) | {"engine": "pipeline"}
    other = StageContext(
        run=make_run(context.directory, recipe=recipe),
        directory=context.directory,
        attempt=1,
        emit=context.emit,
        still_current=context.still_current,
    )
    with pytest.raises(PipelineNotInBuild):
        image.run(other)
    assert player.starts == 0


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ("NoTargets: no field has the intent", bad_input.ImagingNoTargets),
        ("MissingColumn: x.ms has no column", bad_input.ImagingColumnMissing),
        ("ForeignTelescope: observed by EVLA", bad_input.ImagingForeignTelescope),
        ("NotAMeasurementSet: x.ms has no table.dat", bad_input.ImagingNotAnMs),
        ("SubtableMissing: x.ms has no subtable SOURCE", bad_input.ImagingSubtableMissing),
        ("NoRows: x.ms has no rows", bad_input.ImagingNoRows),
        ("DamagedMs: x.ms cannot be read", bad_input.ImagingMsDamaged),
        ("EphemerisTargets: moving targets", bad_input.EphemerisTargetNotImaged),
        ("RuntimeError: x", process.CasaJobFailed),
    ],
)
def test_what_is_wrong_with_the_data_has_a_code(context, monkeypatch, raised, expected):
    error = process.CasaJobFailed(f"image_make: {raised}", evidence={"job": "image_make"})
    monkeypatch.setattr(process, "run_jobs", lambda calls, then, **_: then(calls[0], error))
    with pytest.raises(expected) as caught:
        image.run(context)
    assert caught.value.evidence["job"] == "image_make"
