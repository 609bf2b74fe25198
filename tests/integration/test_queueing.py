"""Making runs and launching sweeps: what is frozen, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
from making import MOUS, WHEN, make_build, make_row
from playing import controller

from reimage import document, fix, sweeps
from reimage.casa.builds import BuildUnknown
from reimage.category import CategoryUnknown
from reimage.errors import DatasetUnknown, DiskFull, RecipeError, RunUnknown
from reimage.journal import now
from reimage.model import Result, Stage
from reimage.queueing import (
    MissingUnlike,
    NothingMissing,
    find_target,
    make_run,
    rerun,
    run_directory,
)
from reimage.run import Run
from reimage.settings import shipped
from reimage.store import categories, datasets, inbox, runs
from reimage.store.filters import FilterMalformed
from reimage.store.inbox_asked import Asked
from reimage.store.moves import Ending, RunLive
from reimage.store.moves import finish as finish_run
from reimage.store.sweeps import list_sweeps
from reimage.sweeps import CategoryEmpty

OTHER = "uid://A001/X1/X3"


@pytest.fixture
def site(settings, database, tmp_path):
    """Give settings of a site with two datasets, a build and a folder of categories."""
    folder = tmp_path / "categories"
    folder.mkdir()
    (folder / "low.toml").write_text(
        'title = "Band 3"\nkind = "selection"\ncriteria = "bands = 3"\n[pilot]\nsize = 1\n'
    )
    (folder / "named.toml").write_text(
        f'title = "By name"\nkind = "selection"\ndatasets = ["{MOUS}"]\n'
    )
    (folder / "empty.toml").write_text(
        'title = "None at all"\nkind = "selection"\ncriteria = "bands = 9"\n'
    )
    (folder / "wrong.toml").write_text(
        'title = "No filter"\nkind = "selection"\ncriteria = "bands like 9"\n'
    )
    settings.builds_dir.mkdir(parents=True)
    build = make_build(probed_at=WHEN)
    document.write(settings.builds_dir / f"{build.id}.json", build)
    facts = {"mous": MOUS, "bands": [3, 6], "data_rights": "Public"}
    with database.write() as session:
        rows = [(MOUS, facts), (OTHER, {**facts, "mous": OTHER, "bands": [3]})]
        datasets.sync(session, "alma", rows, at=WHEN)
    assert make_row()["member_ous_uid"] == MOUS
    return settings.model_copy(update={"categories": (folder,), "archive": "an archive"})


def end(database, run):
    ending = Ending(
        result=Result.FAILED,
        error_class="memory",
        signature=None,
        decisive=None,
        caveats=(),
        build=None,
        stage=None,
        products_planned=0,
        products_made=0,
        ended_at=WHEN,
    )
    with database.write() as session:
        assert finish_run(session, runs.row_id(session, run), ending, 0.0)


def test_everything_is_frozen(site, database):
    row = make_run(
        site,
        database,
        dataset="uid___A001_X1_X2",
        until=Stage.RESTORE,
        casa="6.7.0.31",
        overrides=("makeimages.hm_cyclefactor=3.0",),
    )
    directory = run_directory(site, row)
    run = document.read(Run, directory / "run.json")
    assert (run.run, run.dataset, run.holding) == (row.run, MOUS, "alma")
    assert (run.until, run.casa, run.archive) == (
        Stage.RESTORE,
        "casa-6.7.0.31-py311",
        "an archive",
    )
    assert run.facts["bands"] == [3, 6]
    assert [build.version for build in run.builds] == ["6.7.0.31"]
    assert run.fixes == fix.discover([shipped("fixes")])
    assert run.recipe["id"] == row.recipe == "hifatargets-2017"
    assert run.recipe["overrides"] == ["makeimages.hm_cyclefactor=3.0"]
    assert run.limits.memory_mb == site.memory_mb
    assert directory.parent.name == "uid___A001_X1_X2"
    assert (directory / "controller.jsonl").read_text().count("run.queued") == 1
    plain = make_run(site, database, dataset=OTHER)
    digest = document.read(Run, run_directory(site, plain) / "run.json").recipe_digest
    assert digest != run.recipe_digest


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"dataset": "uid://A001/X9/X9"}, DatasetUnknown),
        ({"dataset": "nonsense"}, DatasetUnknown),
        ({"recipe": "none"}, RecipeError),
        ({"overrides": ("nothing.x=1",)}, RecipeError),
        ({"casa": "4.2.2"}, BuildUnknown),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(site, database, wish, error):
    with pytest.raises(error) as caught:
        make_run(site, database, **{"dataset": MOUS, **wish})
    assert caught.value.hint
    assert not list(site.data.glob("runs/*/*"))


def test_an_offered_fix_is_frozen_where_it_is_named(site, database):
    plain = make_run(site, database, dataset=MOUS)
    named = make_run(site, database, dataset=OTHER, fixes=["python2-port"])
    fixes = [
        {one.id for one in document.read(Run, run_directory(site, row) / "run.json").fixes}
        for row in (plain, named)
    ]
    assert fixes[1] - fixes[0] == {"python2-port"}
    end(database, named.run)
    again = rerun(site, database, OTHER)
    kept = document.read(Run, run_directory(site, again) / "run.json").fixes
    assert {one.id for one in kept} == fixes[0], "never silently: a rerun names it again"
    with pytest.raises(fix.FixUnknown, match="no-such"):
        make_run(site, database, dataset=OTHER, fixes=["no-such"])


def test_a_sweep_names_them_too_and_is_not_recorded_with_unknown_ones(site, database):
    with pytest.raises(fix.FixUnknown):
        sweeps.launch(site, database, "low", fixes=["no-such"])
    with database.read() as session:
        assert list_sweeps(session) == ()
    launched = sweeps.launch(site, database, "low", fixes=["python2-port"])
    for row in launched.runs:
        run = document.read(Run, run_directory(site, row) / "run.json")
        assert "python2-port" in [one.id for one in run.fixes]


def end_with(database, run, made, planned):
    ending = Ending(
        result=Result.PARTIAL if made < planned else Result.IMAGED,
        error_class="plan-incomplete" if made < planned else None,
        signature=None,
        decisive=None,
        caveats=(),
        build=None,
        stage=None,
        products_planned=planned,
        products_made=made,
        ended_at=WHEN,
    )
    with database.write() as session:
        assert finish_run(session, runs.row_id(session, run), ending, 0.0)


def test_only_the_missing_images_of_a_run(site, database):
    first = make_run(
        site,
        database,
        dataset=MOUS,
        overrides=("makeimages.hm_cyclefactor=3.0",),
        fixes=["python2-port"],
    )
    end_with(database, first.run, 3, 5)
    second = rerun(site, database, first.run, missing=True)
    earlier, later = (
        document.read(Run, run_directory(site, row) / "run.json") for row in (first, second)
    )
    assert later.only_missing
    assert later.adopt_from == str(run_directory(site, first))
    assert later.recipe == earlier.recipe
    assert later.recipe_digest == earlier.recipe_digest
    assert later.fixes == earlier.fixes
    end_with(database, second.run, 5, 5)
    with pytest.raises(NothingMissing):
        rerun(site, database, second.run, missing=True)
    assert not document.read(
        Run, run_directory(site, rerun(site, database, MOUS)) / "run.json"
    ).only_missing


@pytest.mark.parametrize(
    "change", [{"casa": "6.7.0.31"}, {"overrides": ("makeimages.hm_cyclefactor=3.0",)}]
)
def test_missing_images_are_made_like_the_others(site, database, change):
    first = make_run(site, database, dataset=MOUS)
    end_with(database, first.run, 3, 5)
    with pytest.raises(MissingUnlike):
        rerun(site, database, first.run, missing=True, **change)


def test_a_rerun_is_a_new_run_that_may_adopt(site, database):
    first = make_run(site, database, dataset=MOUS)
    with pytest.raises(RunLive) as caught:
        make_run(site, database, dataset=MOUS)
    assert caught.value.evidence["run"] == first.run
    assert len(list(site.data.glob("runs/*/*"))) == 1
    end(database, first.run)
    second = rerun(site, database, first.run)
    assert (second.retry_of, second.dataset, second.recipe) == (first.run, MOUS, first.recipe)
    frozen = document.read(Run, run_directory(site, second) / "run.json")
    assert frozen.adopt_from == str(run_directory(site, first))
    end(database, second.run)
    third = rerun(site, database, "uid___A001_X1_X2")
    assert third.retry_of == second.run
    with database.read() as session:
        assert find_target(session, "alma", MOUS).run == third.run
        assert find_target(session, "alma", first.run).run == first.run
        with pytest.raises(RunUnknown):
            find_target(session, "alma", "none")


def test_a_disk_that_is_full_leaves_no_half_run(site, database, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(document, "write", no_room)
    with pytest.raises(DiskFull):
        make_run(site, database, dataset=MOUS)
    with database.read() as session:
        assert runs.list_runs(session) == ()
    assert not list(site.data.glob("runs/*/*"))


def test_a_sweep_queues_its_category(site, database):
    live = make_run(site, database, dataset=OTHER)
    launched = sweeps.launch(site, database, "low", author="somebody")
    assert [row.dataset for row in launched.runs] == [MOUS]
    assert [(s.dataset, live.run in s.reason) for s in launched.skipped] == [(OTHER, True)]
    assert (launched.sweep.datasets, launched.sweep.recipe) == (2, site.recipe)
    status = sweeps.status(database, launched.sweep.sweep)
    assert [row.category for row in status.runs] == ["low"]
    assert sum(count.n for count in status.counts) == 1
    with database.read() as session:
        assert categories.members(session, "low") == (MOUS, OTHER)
        assert [d.dataset for d in datasets.list_datasets(session, "alma", "bands = 6")] == [MOUS]


def test_a_sweep_may_stop_early(site, database):
    (queued,) = sweeps.launch(site, database, "low", limit=1, until=Stage.RESTORE).runs
    frozen = document.read(Run, run_directory(site, queued) / "run.json")
    assert frozen.until is Stage.RESTORE


def test_a_pilot_is_a_sample(site, database):
    pilot = sweeps.launch(site, database, "low", pilot=True)
    assert (len(pilot.runs), pilot.sweep.pilot, pilot.sweep.datasets) == (1, True, 1)
    named = sweeps.launch(site, database, "named")
    assert named.sweep.sweep != pilot.sweep.sweep
    assert len(named.runs) + len(named.skipped) == 1


@pytest.mark.parametrize(
    ("category", "error"),
    [("empty", CategoryEmpty), ("wrong", FilterMalformed), ("none", CategoryUnknown)],
)
def test_sweeps_that_cannot_be(site, database, category, error):
    with pytest.raises(error):
        sweeps.launch(site, database, category)
    assert not list(site.data.glob("ledger/*"))


def test_the_demonstration_takes_all(site, database):
    assert len(sweeps.launch(site, database, "demo").runs) == 2


def test_a_sweep_that_runs_is_grouped_by_its_category(site, database):
    """With the real runner: the archive does not exist, and that is the failure of both."""
    launched = sweeps.launch(site, database, "low")
    lead = controller(site, database)
    lead._executor._program = ()
    lead.run(until_idle=True)
    with database.read() as session:
        asked = Asked(by="category", sweep=launched.sweep.sweep)
        (group,) = inbox.groups(session, asked, now())
        assert {r.result for r in runs.list_runs(session)} == {Result.FAILED}
    assert (group.key, group.datasets) == ("low", 2)
    assert dataclasses.asdict(group)["runs"] == 2
