"""The engine *pipeline* against a stand-in of the ALMA pipeline that behaves, and fails, as documented.

No CASA is needed: the stand-in brings what the job asks of it.  With the real pipeline:
``tests/casa/test_engine_pipeline.py``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from making import make_build
from shells import make_shell

from reimage.casa.imaging import PipelineNotInBuild
from reimage.casa.process import CasaJobFailed, CasaSilent
from reimage.errors import CODES
from reimage.imaging import engines, pipeline_driving, pipeline_engine
from reimage.imaging.bad_input import ImagingMadeNothing
from reimage.imaging.request import ImagingMs, ImagingRequest
from reimage.model import ProductState
from reimage.recipes import Recipe, Step
from reimage.run import Limits

STANDIN = Path(__file__).parents[1] / "standin_pipeline"
MOUS = "uid://A001/X11a/X2d"
NAME = "uid___A001_X11a_X2d"
TARGETS = {"N 1": [0, 1, 2], "M": [0]}
PLANNED = [
    *("N 1.spw0.mfs", "N 1.spw1.mfs", "N 1.spw2.mfs", "M.spw0.mfs"),
    *("N 1.spw0_1_2.cont", "M.spw0.cont"),
    *("N 1.spw0.cube", "N 1.spw1.cube", "N 1.spw2.cube", "M.spw0.cube"),
]


def a_step(task, name=None, **parameters):
    return Step(id=name or task.split("_", 1)[1], task=task, parameters=parameters)


STEPS = (
    a_step("hifa_importdata", dbservice=False),
    a_step("hif_mstransform"),
    a_step("hifa_flagtargets"),
    a_step("hif_makeimlist", "makeimlist-mfs", specmode="mfs"),
    a_step("hif_findcont"),
    a_step("hif_uvcontsub"),
    a_step("hif_makeimages", "makeimages-mfs"),
    a_step("hif_makeimlist", "makeimlist-cont", specmode="cont"),
    a_step("hif_makeimages", "makeimages-cont"),
    a_step("hif_makeimlist", "makeimlist-cube", specmode="cube"),
    a_step("hif_makeimages", "makeimages-cube"),
    a_step("hifa_exportdata"),
)
RECIPE = Recipe(
    id="hifatargets-2024",
    title="t",
    holding="alma",
    engine="pipeline",
    naming=2024,
    heuristics=2024,
    stages=(),
    steps=STEPS,
)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Give an interpreter that finds the stand-in."""
    program = tmp_path_factory.mktemp("bin") / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={STANDIN}:$PYTHONPATH exec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def request_of(python, tmp_path):
    """Give a function that asks for images of a stand-in MS; ``told`` collects the events."""
    told = []

    def ask(plan=None, steps=STEPS, **changed):
        ms = tmp_path / "in" / "uid___A002_X1_X2.ms"
        ms.mkdir(parents=True, exist_ok=True)
        (ms / "standin.json").write_text(json.dumps({"targets": TARGETS, **(plan or {})}))
        (tmp_path / "image").mkdir(exist_ok=True)
        fields = {
            "ms": (ImagingMs(eb="uid___A002_X1_X2", path=ms, column="corrected"),),
            "recipe": replace(RECIPE, steps=steps),
            "dataset": MOUS,
            "root": tmp_path,
            "directory": tmp_path / "image",
            "build": make_build(python=python, version="6.6.6.17", pipeline="2025.1.0.35"),
            "limits": Limits(memory_mb=1000, wall_s=60, silence_s=30),
            "emit": lambda event, **data: told.append((event, data)),
            "keywords": {"RUNID": "r1"},
        }
        return ImagingRequest(**{**fields, **changed})

    ask.told = told
    return ask


def states(answer):
    """Return the state of each image, made only if every planned file is."""
    found = {}
    for product in answer.products:
        if product.planned:
            found.setdefault(product.image, set()).add(product.state)
    return {
        image: "made" if state == {ProductState.MADE} else "absent"
        for image, state in found.items()
    }


def reason(answer, image):
    (said,) = {p.reason for p in answer.products if p.image == image and p.planned}
    return said


def test_everything_is_made_and_named_as_the_pipeline_names_it(request_of, tmp_path):
    answer = engines.make(request_of())
    assert [image.id for image in answer.plan] == PLANNED
    assert states(answer) == dict.fromkeys(PLANNED, "made")
    names = {product.name for product in answer.products}
    assert f"{NAME}.N_1_sci.spw0.mfs.regcal.I.pbcor.fits" in names
    assert f"{NAME}.N_1_sci.spw0_1_2.cont.regcal.I.alpha.error.fits" in names
    for product in answer.products:
        if product.image:
            assert b"RUNID   = 'r1'" in (tmp_path / product.path).read_bytes()
    listed = [data for event, data in request_of.told if event == "image.listed"]
    assert [one["n"] for one in listed] == [4, 2, 4]
    assert not [c for c in answer.caveats if not c.startswith("pipeline-without-weblog:")]
    beside = {product.kind: product for product in answer.products if not product.image}
    assert {"weblog", "manifest", "casa_commands", "casa_pipescript", "cont.dat"} <= set(beside)
    assert beside["weblog"].state is ProductState.ABSENT
    assert (tmp_path / beside["cont.dat"].path).read_text() == "Field: N\n"


def test_in_the_shell_of_a_monolithic_casa_it_is_the_same(request_of, tmp_path):
    """Here a pipeline's tasks are globals; CASA 5 and older has nothing but its shell."""
    names = (
        f"sys.path.insert(0, {str(STANDIN)!r})\n"
        "from casatasks import casalog\nfrom casatools import image as iatool\n"
        "casalog.setlogfile(_log)\n"
        "from pipeline.h.cli import *\nfrom pipeline.hif.cli import *\nfrom pipeline.hifa.cli import *\n"
    )
    root = make_shell(tmp_path / "casa", sys.executable, "6.6.6", names)
    asked = request_of({"ills": {"die": ["hif_makeimages", "cont"]}})
    build = replace(asked.build, python=None, casa=str(root / "bin" / "casa"), kind="monolithic")
    answer = engines.make(replace(asked, build=build))
    found = states(answer)
    assert {image for image, state in found.items() if state == "absent"} == set(PLANNED[4:6])
    for product in answer.products:
        if product.image and product.path:
            assert b"RUNID   = 'r1'" in (tmp_path / product.path).read_bytes()


def test_an_image_that_is_not_cleaned_is_absent_with_what_was_said(request_of):
    answer = engines.make(request_of({"ills": {"unclean": ["spw1.cube"]}}))
    assert states(answer) == {**dict.fromkeys(PLANNED, "made"), "N 1.spw1.cube": "absent"}
    assert "Cleaning failure for field" in reason(answer, "N 1.spw1.cube")
    assert any(c.startswith("pipeline-qa-low:makeimages-cube") for c in answer.caveats)


def test_a_flagged_spw_that_no_list_has_is_planned_and_absent(request_of):
    answer = engines.make(request_of({"flagged": [["N 1", 1]]}))
    found = states(answer)
    absent = {image for image, state in found.items() if state == "absent"}
    assert absent == {"N 1.spw1.mfs", "N 1.spw1.cube"}
    assert found["N 1.spw0_2.cont"] == "made"
    for image in absent:
        assert reason(answer, image).startswith("spw-flagged: Data for EB")


def test_what_is_lost_of_an_image_that_is_there_is_a_caveat(request_of):
    """As where a spw is flagged in one execution block of two."""
    said = "Data for EB a.ms, field M, spw 0 is completely flagged."
    answer = engines.make(request_of({"ills": {"says": {"hif_makeimlist": said}}}))
    assert states(answer) == dict.fromkeys(PLANNED, "made")
    assert "pipeline-spw-flagged:makeimlist-mfs:M.spw0" in answer.caveats


def test_what_is_made_is_kept_when_a_step_fails(request_of):
    steps = (
        *STEPS[:5],
        STEPS[6],
        STEPS[5],
        *STEPS[7:],
    )  # continuum is subtracted after the mfs images
    ills = {"raise": {"hif_uvcontsub": "column x does not exist"}}
    answer = engines.make(request_of({"ills": ills}, steps))
    found = states(answer)
    assert {image for image, state in found.items() if state == "made"} == set(PLANNED[:4])
    assert set(found) == set(PLANNED)
    said = reason(answer, "N 1.spw0.cube")
    assert (
        said == "pipeline-failed: hif_uvcontsub (uvcontsub): RuntimeError: column x does not exist"
    )
    assert "pipeline-step-failed:uvcontsub" in answer.caveats


@pytest.mark.parametrize("kind", ["raise", "return"])
def test_a_step_that_fails_before_any_image_fails_the_stage(kind, request_of):
    with pytest.raises(pipeline_engine.PipelineFailed, match="RuntimeError: bucket 22") as caught:
        engines.make(request_of({"ills": {kind: {"hif_mstransform": "bucket 22"}}}))
    assert caught.value.message == "hif_mstransform (mstransform) failed: RuntimeError: bucket 22"


def test_what_had_been_said_before_a_failure_is_its_cause(request_of):
    said = "No intent matching '*TARGET*' exists in this dataset."
    ills = {"raise": {"hif_makeimlist": "no bandwidth"}, "says": {"hif_mstransform": said}}
    with pytest.raises(pipeline_engine.PipelineFailed) as caught:
        engines.make(request_of({"ills": ills}))
    assert caught.value.message == (
        "hif_makeimlist (makeimlist-mfs) failed: RuntimeError: no bandwidth; "
        f"the pipeline had said targets-missing: {said}"
    )


@pytest.mark.parametrize(
    ("plan", "steps", "says"),
    [
        ({"ills": {"vanished": True}}, STEPS, "data-missing: Exception while determining flags"),
        ({"ills": {"blank": True}}, STEPS, "is blank"),
        (
            {"ills": {"unmitigable": True}},
            (*STEPS[:3], a_step("hif_checkproductsize"), *STEPS[3:]),
            "size-unmitigable: Maximum cube size cannot be mitigated",
        ),
    ],
)
def test_nothing_made_is_an_error_that_names_the_cause(plan, steps, says, request_of):
    with pytest.raises(ImagingMadeNothing, match=says):
        engines.make(request_of(plan, steps))


def test_continuum_that_nobody_found_is_a_caveat(request_of):
    answer = engines.make(request_of({"cont": False}))
    assert states(answer) == dict.fromkeys(PLANNED, "made")
    assert "pipeline-continuum-unknown:makeimages-cube:N 1.spw0" in answer.caveats


def test_mitigation_is_a_caveat(request_of):
    steps = (*STEPS[:3], a_step("hif_checkproductsize"), *STEPS[3:])
    answer = engines.make(request_of({}, steps))
    assert "pipeline-mitigated:nbins=0:2" in answer.caveats
    mitigated = {p.image for p in answer.products if p.state is ProductState.MITIGATED}
    assert mitigated == {"N 1.spw0.cube", "M.spw0.cube"}


def test_the_column_that_holds_the_calibrated_data_is_said_to_import(request_of, tmp_path):
    asked = request_of()
    engines.make(replace(asked, ms=(replace(asked.ms[0], column="data"),)))
    told = json.loads((tmp_path / "image" / "working" / "imported.json").read_text())
    assert told == {"data": "regcal_contline"}


def test_images_in_which_the_process_dies_are_given_up_and_the_rest_is_made(request_of):
    answer = engines.make(request_of({"ills": {"die": ["hif_makeimages", "cont"]}}))
    assert {i for i, s in states(answer).items() if s == "absent"} == set(PLANNED[4:6])
    assert "SIGABRT" in reason(answer, "M.spw0.cont")
    begun = [data["step"] for event, data in request_of.told if event == "step.started"]
    assert len(begun) == len(set(begun))  # nothing was done twice


def test_a_death_elsewhere_is_not_forgiven(request_of):
    with pytest.raises(CasaJobFailed, match="SIGABRT"):
        engines.make(request_of({"ills": {"die": ["hif_mstransform"]}}))


@pytest.mark.parametrize("weblog", [True, False])
def test_a_hang_with_a_weblog_costs_the_weblog_only(weblog, request_of, monkeypatch):
    monkeypatch.setattr(pipeline_driving, "PLOT_SILENCE_S", 8.0)
    asked = request_of({"ills": {"hang": "hif_mstransform"}})
    monkeypatch.setattr(pipeline_engine, "_weblog", lambda _: weblog)
    answer = engines.make(asked)
    assert states(answer) == dict.fromkeys(PLANNED, "made")
    said = [c for c in answer.caveats if c.startswith("pipeline-without-weblog:")]
    hung = "pipeline-without-weblog:the pipeline hung in mstransform, plotting"
    assert said == [hung if weblog else "pipeline-without-weblog:switched off"]


def test_what_a_cut_off_step_left_is_removed(request_of, tmp_path):
    """mstransform would not overwrite a partial MS, and would say so in a line only."""
    asked = request_of({"ills": {"hang_once": "hif_mstransform"}})
    partial = tmp_path / "image" / "working" / "uid___A002_X1_X2_targets.ms"

    def kill(event, **data):
        request_of.told.append((event, data))
        if event == "step.started" and data["step"] == "mstransform":
            deadline = time.monotonic() + 10
            while not partial.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            raise KeyboardInterrupt  # the runner is killed

    with pytest.raises(KeyboardInterrupt):
        engines.make(replace(asked, emit=kill))
    assert partial.exists()
    del request_of.told[:]
    answer = engines.make(asked)
    assert states(answer) == dict.fromkeys(PLANNED, "made")
    begun = [data["step"] for event, data in request_of.told if event == "step.started"]
    assert begun[0] == "mstransform"
    assert not any("output-exists" in caveat for caveat in answer.caveats)


def test_another_recipe_begins_anew(request_of):
    engines.make(request_of())
    answer = engines.make(request_of({}, (*STEPS[:9], STEPS[-1])))
    assert [image.id for image in answer.plan] == PLANNED[:6]
    assert states(answer) == dict.fromkeys(PLANNED[:6], "made")


def test_a_recipe_without_export_is_exported(request_of):
    assert states(engines.make(request_of({}, STEPS[:-1]))) == dict.fromkeys(PLANNED, "made")


def test_names_that_the_recipe_does_not_ask_for_are_said(request_of):
    asked = request_of()
    answer = engines.make(replace(asked, recipe=replace(asked.recipe, naming=2017)))
    assert "names-not-of-recipe:2017" in answer.caveats


CARRIED = ("calapply", "flagversions", "restorescript", "flux.csv")


def test_what_the_pipeline_writes_itself_is_not_absent(request_of, tmp_path):
    """The delivery's calls go with it, by another name: it has none of the rest."""
    delivered = tmp_path / "delivery" / "uid___A002_X1_X2.ms.calapply.txt"
    delivered.parent.mkdir()
    delivered.write_text("delivered")
    asked = request_of(
        {"calibrated": True},
        carried={**dict.fromkeys(CARRIED, ()), "calapply": (delivered,)},
    )
    first = beside(engines.make(asked))
    assert {kind for kind, _ in first if kind in CARRIED} == set(CARRIED)
    assert {state for (kind, _), state in first.items() if kind in CARRIED} == {ProductState.MADE}
    assert [name for kind, name in first if kind == "calapply"] == [
        delivered.name,
        f"2.{delivered.name}",
    ]
    assert (tmp_path / "image" / "products" / f"2.{delivered.name}").samefile(delivered)
    assert beside(engines.make(asked)) == first  # killed before the proof, it is looked at again


def test_what_nobody_has_is_absent_only_where_there_is_a_delivery(request_of):
    found = beside(engines.make(request_of(carried=dict.fromkeys(CARRIED, ()))))
    assert {kind: state for (kind, _), state in found.items() if kind in CARRIED} == dict.fromkeys(
        CARRIED, ProductState.ABSENT
    )
    again = beside(engines.make(request_of()))
    assert not {kind for kind, _ in again} & set(CARRIED)


def beside(answer):
    return {(row.kind, row.name): row.state for row in answer.products if not row.image}


def test_a_selection_of_what_is_not_there_is_a_caveat(request_of):
    steps = tuple(
        replace(step, parameters={**step.parameters, "spw": "0,9"})
        if step.id == "makeimlist-cube"
        else step
        for step in STEPS
    )
    answer = engines.make(request_of({}, steps))
    assert "selection-not-found:spw=9" in answer.caveats


def test_a_step_that_the_pipeline_lacks_is_refused(request_of):
    steps = (*STEPS[:3], a_step("hif_selfcal"), *STEPS[3:])
    with pytest.raises(pipeline_driving.PipelineStepMissing, match="hif_selfcal"):
        engines.make(request_of({}, steps))


def test_a_build_without_pipeline_is_refused(request_of, python):
    with pytest.raises(PipelineNotInBuild):
        engines.make(request_of(build=make_build(python=python)))


def test_a_pipeline_that_does_not_import_is_no_pipeline(request_of, tmp_path):
    broken = tmp_path / "broken" / "pipeline"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("import six_that_is_not_there\n")
    program = tmp_path / "python"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={broken.parent}:{STANDIN}:$PYTHONPATH exec {sys.executable} "$@"\n'
    )
    program.chmod(0o755)
    build = make_build(python=str(program), pipeline="2025.1.0.35")
    with pytest.raises(PipelineNotInBuild, match="six_that_is_not_there"):
        engines.make(request_of(build=build))


def test_silence_without_a_weblog_is_an_error(request_of, monkeypatch):
    monkeypatch.setattr(pipeline_engine, "_weblog", lambda _: True)
    monkeypatch.setattr(pipeline_driving, "PLOT_SILENCE_S", 8.0)
    ills = {"hang": "hif_mstransform", "always": True}
    asked = request_of({"ills": ills}, limits=Limits(memory_mb=1000, wall_s=60, silence_s=8))
    with pytest.raises(CasaSilent):
        engines.make(asked)


def test_codes_are_declared():
    assert {"pipeline-not-in-build", "pipeline-step-missing", "pipeline-failed"} <= set(CODES)
