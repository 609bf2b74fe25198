"""Calls of CASA tasks: whose they are, which of them count, and the log that can be run."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import pytest
from making_accounts import EB, PLAN, call, make_request, write_calls

from reimage.imaging import calls, records, tasks_engine
from reimage.recipes.load import load_recipe


@pytest.fixture
def request_(tmp_path):
    return make_request(tmp_path)


@pytest.fixture
def placed(request_):
    return calls.place(calls.read_calls(request_.directory), request_.recipe, PLAN)


@pytest.fixture
def log(request_, placed):
    names = calls.input_names({ms.eb: ms.path for ms in request_.ms})
    return calls.commands_log(placed, request_.recipe, names, "6.7.0.31")


def run(log, monkeypatch):
    """Run a log where every task only writes down what it is asked for."""
    made = []

    class Tasks(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda **said: made.append((name, said))

    for name in ("casatasks", "casatools"):
        monkeypatch.setitem(sys.modules, name, Tasks(name))
    exec(compile(log, "casa_commands.log", "exec"), {})  # noqa: S102 -- it is to be run
    return made


def test_each_call_belongs_to_a_step_and_to_its_image(placed):
    told = [(one.call.task, one.step, one.image) for one in placed]
    mfs, cube = PLAN[0].id, PLAN[2].id
    assert told[:7] == [
        ("mstransform", "mstransform", ""),
        ("tclean", "makeimlist-mfs", ""),
        ("tclean", "makeimlist-mfs", ""),
        ("tclean", "findcont", ""),
        ("uvcontsub", "uvcontsub", ""),
        ("tclean", "makeimages-mfs", mfs),
        ("tclean", "makeimages-mfs", mfs),
    ]
    assert told[8] == ("restart_in_pb_mask", "makeimages-mfs", mfs)
    assert told[10] == ("exportfits", "exportdata", mfs)
    assert told[12] == ("tclean", "makeimages-cube", cube)


def test_the_log_runs_and_has_each_image_once(log, monkeypatch):
    made = run(log, monkeypatch)
    names = [said.get("imagename") or said.get("outputvis") for _, said in made]
    mfs, cube = PLAN[0].basename, PLAN[2].basename
    assert names == [
        f"{EB}_targets.ms",
        "trial-1",
        "trial-2",
        "findcont-0-0",
        f"{EB}_targets_line.ms",
        *(mfs, mfs, mfs),
        cube,
        f"{mfs}.pb",
    ]
    assert [said["niter"] for _, said in made if said.get("imagename") == mfs] == [0, 9, 99]


def test_the_log_names_no_directory_of_the_run(log, request_):
    assert str(request_.root) not in log
    assert ".part" not in log
    assert f"vis='{EB}.ms'" in log


def test_the_log_says_which_files_it_needs(request_):
    flags = call(
        "flagdata", 1.5, vis="x.ms", mode="list", inpfile="/data/x.flagtargetstemplate.txt"
    )
    write_calls(request_.directory / "make-0" / "calls.jsonl", [flags])
    placed = calls.place(calls.read_calls(request_.directory), request_.recipe, PLAN)
    log = calls.commands_log(placed, request_.recipe, {"/data/x.ms": "x.ms"}, "6.7.0.31")
    assert "#   x.ms\n#   x.flagtargetstemplate.txt\n" in log
    assert "inpfile='x.flagtargetstemplate.txt'" in log


def test_the_log_has_a_comment_for_every_step(log, request_):
    for step in request_.recipe.steps:
        assert f"# {calls.step_call(step)}\n" in log


def test_steps_that_the_engine_leaves_out_have_no_calls(request_):
    """Today's recipe lists its images twice: before and after a self-calibration that is not done here."""
    recipe = load_recipe("hifa-image")
    assert [calls.maker_of(recipe, image) for image in PLAN] == [
        "makeimages-mfs",
        "makeimages-cont",
        "makeimages-cube",
    ]
    log = calls.commands_log((), recipe, {}, "6.7")
    assert "hif_selfcal" not in log
    assert "datatype='selfcal'" not in log


def test_each_of_two_lists_of_one_specmode_has_its_own_images():
    recipe = load_recipe("hifatargets-2017")
    kinds = ("hif_makeimlist", "hif_makeimages")
    first = [step for step in recipe.steps if step.task in kinds][:2]
    named = {"specmode": "mfs", "field": "B, C", "spw": "0"}
    second = [
        replace(first[0], id="list-again", parameters=named),
        replace(first[1], id="images-again"),
    ]
    first = [replace(first[0], parameters={**named, "field": "A"}), first[1]]
    recipe = replace(recipe, steps=(*first, *second))
    made = {
        (target, spw): calls.maker_of(recipe, replace(PLAN[0], target=target, spws=(spw,)))
        for target in "ABC"
        for spw in (0, 1)
    }
    assert made == {
        ("A", 0): "makeimages-mfs",
        ("B", 0): "images-again",
        ("C", 0): "images-again",
        **dict.fromkeys([("A", 1), ("B", 1), ("C", 1)], ""),
    }


def test_a_torn_line_is_passed_over(request_):
    path = request_.directory / "make-0" / "calls.jsonl"
    whole = calls.read_calls(request_.directory)
    path.write_text(path.read_text() + '{"task": "tclean", "arg')
    assert calls.read_calls(request_.directory) == whole


def test_kept_calls_are_not_counted_twice(request_):
    whole = calls.read_calls(request_.directory)
    calls.keep_calls(whole, request_.directory / "records")
    assert calls.read_calls(request_.directory) == whole
    (request_.directory / "make-0" / "calls.jsonl").unlink()  # as in a run that adopted the records
    assert calls.read_calls(request_.directory) == whole


def test_calls_of_several_processes_are_told_by_time(request_):
    (request_.directory / "make-1").mkdir()
    write_calls(request_.directory / "make-1" / "calls.jsonl", [call("flagdata", 1.5, vis="x.ms")])
    told = calls.read_calls(request_.directory)
    assert [one.task for one in told][:3] == ["mstransform", "flagdata", "tclean"]


def test_measurement_sets_of_one_name_are_told_apart(tmp_path):
    paths = {"uid___A002_X1_X1": tmp_path / "a/x.ms", "uid___A002_X1_X2": tmp_path / "b/x.ms"}
    assert list(calls.input_names(paths).values()) == [
        "uid___A002_X1_X1.ms",
        "uid___A002_X1_X2.ms",
    ]


def test_a_long_call_is_wrapped_between_its_arguments():
    one = calls.Call(
        task="tclean",
        arguments={f"argument_{n}": "x" * 20 for n in range(12)},
        start=0.0,
        seconds=1.0,
    )
    text = calls.call_text(one, {})
    assert max(map(len, text.splitlines())) <= calls.WIDTH
    assert text.replace("\n       ", " ").count("argument_") == 12


def test_calls_made_of_other_inputs_are_forgotten(tmp_path):
    path = tmp_path / "make-0" / "calls.jsonl"
    path.parent.mkdir()
    tasks_engine._begin(tmp_path, "these inputs")
    write_calls(path, [call("flagdata", 1.5, vis="x.ms")])
    tasks_engine._begin(tmp_path, "these inputs")
    assert len(calls.read_calls(tmp_path)) == 1
    tasks_engine._begin(tmp_path, "others")
    assert calls.read_calls(tmp_path) == ()


def test_a_run_that_takes_images_over_has_their_calls(request_, tmp_path):
    records.take_over(request_.directory, tmp_path / "later")
    assert calls.read_calls(tmp_path / "later") == calls.read_calls(request_.directory)
