"""Remedies carried out: real supervisors and a runner that fails until it has what it needs."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from making import WHEN, make_build, make_run
from playing import find

from reimage import closing, document, following, histories, rebuild
from reimage.cases import Change
from reimage.controller import Controller
from reimage.executors.local import LocalExecutor
from reimage.model import Result, State
from reimage.queueing import enqueue, rerun, run_directory
from reimage.recipes.load import load_recipe
from reimage.run import Limits, Remedied, Run
from reimage.store import decisions, migrate, runs
from reimage.store import following as followed

NEEDY = str(Path(__file__).parents[1] / "needy_runner.py")
RECIPE = load_recipe("hifatargets-2017")
LIMITS = Limits(memory_mb=250, wall_s=60, silence_s=60, cores=2)
KEY = "uid://A001/X1/X1"


@pytest.fixture
def site(settings):
    """Give settings of a small machine's site with three builds."""
    settings.builds_dir.mkdir(parents=True)
    for name in ("a", "b", "c"):
        build = make_build(id=name, probed_at=WHEN)
        document.write(settings.builds_dir / f"{name}.json", build)
    return settings.model_copy(update={"memory_mb": 250, "wall_s": 60.0, "silence_s": 60.0})


def queue(site, database, name="r1", limits=LIMITS, **facts):
    run = make_run(
        site.data / "archive",
        run=name,
        dataset=KEY,
        facts=facts,
        recipe=document.dump(RECIPE),
        limits=limits,
        created_at=WHEN,
        sweep=None,
        category="some",
    )
    return enqueue(site, database, run)


def lead(site, database):
    return Controller(site, LocalExecutor([sys.executable, NEEDY]), database)


def chain(database):
    """Return the runs, oldest first."""
    with database.read() as session:
        return tuple(reversed(runs.list_runs(session)))


def frozen(site, row):
    return document.read(Run, run_directory(site, row) / "run.json")


def decided(database, run):
    with database.read() as session:
        return [(one.kind, one.reason) for one in decisions.of_run(session, run)]


def test_memory_grows_from_the_measured_peak_until_there_is_enough(site, database):
    queue(site, database, act="need memory", act_at="image", needs_mb=450)
    lead(site, database).run(until_idle=True)
    rows = chain(database)
    assert [row.error_class for row in rows] == ["memory"] * (len(rows) - 1) + [None]
    assert rows[-1].result is Result.IMAGED
    assert 2 <= len(rows) <= 4
    for earlier, later in itertools.pairwise(rows):
        peak = _peak(database, earlier.run)
        assert later.memory_mb >= 1.5 * peak - 1, "from the peak"
        assert later.memory_mb > earlier.memory_mb
        assert (later.retry_of, later.category) == (earlier.run, earlier.category)
        run = frozen(site, later)
        assert run.remedy.automatic
        assert run.adopt_from == str(run_directory(site, earlier))
        assert run.recipe == frozen(site, earlier).recipe
        ((kind, reason), *_) = decided(database, later.run)
        assert (kind, reason) == ("remedy", run.remedy.reason)
        assert decided(database, earlier.run)[-1] == ("rerun", run.remedy.reason)
    with database.read() as session:
        assert [one.run for one in followed.followers(session, rows[0].run)] == [rows[1].run]
        assert followed.unanswered(session) == ()


def _peak(database, run):
    with database.read() as session:
        return runs.attempts(session, run)[-1].peak_tree_mb


def test_images_that_had_no_room_are_made_with_more_and_the_others_kept(site, database):
    queue(site, database, room_mb=400)
    lead(site, database).run(until_idle=True)
    first, second = chain(database)
    assert (first.result, first.error_class, first.products_made) == (Result.PARTIAL, "memory", 1)
    assert (second.result, second.products_made) == (Result.IMAGED, 2)
    assert frozen(site, second).only_missing
    assert second.memory_mb > 400, "what it needs, and the service's own share"


def test_what_was_at_work_to_the_end_is_given_more_time(site, database):
    short = site.model_copy(update={"wall_s": 2.0})
    limits = Limits(memory_mb=250, wall_s=2.0, silence_s=60)
    queue(short, database, limits=limits, act="need time", act_at="image", needs_s=3)
    lead(short, database).run(until_idle=True)
    rows = chain(database)
    assert [row.limit_s for row in rows] == [2.0 * 2**number for number in range(len(rows))]
    assert [row.error_class for row in rows] == ["wall-time"] * (len(rows) - 1) + [None]
    assert len(rows) > 1


def test_more_memory_than_the_machine_has_is_never_asked_for(site, database):
    small = site.model_copy(update={"memory_most_mb": 250})
    queue(small, database, act="need memory", act_at="image", needs_mb=450)
    lead(small, database).run(until_idle=True)
    (row,) = chain(database)
    assert row.error_class == "memory"
    ((kind, reason),) = decided(database, "r1")
    assert kind == "end"
    assert "needs a larger machine" in reason


def test_a_wrong_build_then_the_next_one(site, database):
    queue(
        site,
        database,
        act="need build",
        act_at="restore",
        act_in=[1],
        ranked=["a", "b", "c"],
        good="c",
    )
    lead(site, database).run(until_idle=True)
    rows = chain(database)
    assert [frozen(site, row).casa for row in rows] == [None, "b", "c"]
    assert [row.error_class for row in rows] == [
        "script-of-other-casa",
        "script-of-other-casa",
        None,
    ]


def test_a_build_that_somebody_asked_for_is_left_to_them(site, database):
    wants = {"act": "need build", "act_at": "restore", "ranked": ["a", "b", "c"], "good": "b"}
    queue(site, database, **wants)
    lead(site, database).run(until_idle=True)
    assert chain(database)[-1].result is Result.IMAGED
    pinned = rerun(site, database, KEY, casa="a")
    lead(site, database).run(until_idle=True)
    assert chain(database)[-1].run == pinned.run
    kind, reason = decided(database, pinned.run)[-1]
    assert kind == "end"
    assert "somebody asked for the one that it ran with" in reason
    assert "reimage failures remedy script-of-other-casa" in reason


def test_no_build_is_left(site, database):
    queue(site, database, act="need build", act_at="restore", ranked=["a", "b"], good="none")
    lead(site, database).run(until_idle=True)
    rows = chain(database)
    assert len(rows) == 2
    assert decided(database, rows[-1].run)[-1] == (
        "end",
        "script-of-other-casa: no further build would do (tried: a, b)",
    )


def test_a_hang_is_tried_again_in_the_same_run(site, database):
    queue(site, database, act="stand still", act_at="image")
    lead(site, database).run(until_idle=True)
    (row,) = chain(database)
    assert (row.result, row.attempts) == (Result.IMAGED, 2)
    assert [kind for kind, _ in decided(database, "r1")] == ["retry", "end"]


def test_lost_nodes_use_up_nothing(site, database):
    """Four supervisors die, and then the run hangs twice: three attempts of its own were allowed."""
    queue(site, database, act="kill-supervisor", act_at="image", act_in=[1, 2, 3, 4])
    lead(site, database).run(until_idle=True)
    (row,) = chain(database)
    assert (row.result, row.attempts) == (Result.IMAGED, 5)
    assert site.max_attempts == 3
    said = [reason for kind, reason in decided(database, "r1") if kind == "retry"]
    assert len(said) == 4
    assert all("not counted" in reason for reason in said)


def test_a_controller_killed_between_decision_and_queue(site, database, monkeypatch):
    queue(site, database, act="need build", act_at="restore", ranked=["a", "b"], good="b")

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(following, "follow", killed)
        with pytest.raises(Killed):
            lead(site, database).run(until_idle=True)
    assert [row.state for row in chain(database)] == [State.DONE]
    lead(site, database).run(until_idle=True)
    assert [row.result for row in chain(database)] == [Result.FAILED, Result.IMAGED]
    lead(site, database).run(until_idle=True)
    assert len(chain(database)) == 2


def test_what_cannot_be_queued_says_so_once(site, database):
    queue(site, database, act="need build", act_at="restore", ranked=["a", "gone"], good="gone")
    for _ in range(2):
        lead(site, database).run(until_idle=True)
    (row,) = chain(database)
    kinds = dict(decided(database, row.run))
    assert list(kinds) == ["rerun", decisions.REFUSED]
    assert "build-unknown" in kinds[decisions.REFUSED]


@pytest.mark.parametrize("mode", ["ask", "off"])
def test_remedies_wait_for_a_person(site, database, mode):
    other = site.model_copy(update={"remedies": mode})
    queue(other, database, act="need build", act_at="restore", ranked=["a", "b"], good="b")
    lead(other, database).run(until_idle=True)
    (row,) = chain(database)
    ((kind, reason),) = decided(database, row.run)
    assert kind == "end"
    assert ("reimage failures remedy" in reason) == (mode == "ask")


def test_chains_end(site, database):
    most = site.model_copy(update={"max_remedies": 1})
    queue(most, database, act="need build", act_at="restore", ranked=["a", "b", "c"], good="c")
    lead(most, database).run(until_idle=True)
    rows = chain(database)
    assert len(rows) == 2
    assert "1 of at most 1" in decided(database, rows[-1].run)[-1][1]


def test_a_person_begins_a_new_chain_and_builds_are_not_tried_twice(site, database):
    most = site.model_copy(update={"max_remedies": 1})
    queue(most, database, act="need build", act_at="restore", ranked=["a", "b", "c"], good="c")
    lead(most, database).run(until_idle=True)
    last = chain(database)[-1]
    asked = Remedied(reason="asked for", author="somebody", automatic=False)
    new = following.follow(most, database, last, Change(casa="c"), asked)
    lead(most, database).run(until_idle=True)
    assert find(database, new.run).result is Result.IMAGED
    with pytest.raises(following.AlreadyFollowed):
        following.follow(most, database, last, Change(casa="c"), asked)


def test_a_run_with_the_memory_of_several_takes_their_slots(site, database):
    one = site.model_copy(update={"slots": 2})
    steer = lead(one, database)
    row = queue(one, database, limits=Limits(memory_mb=500, wall_s=60, silence_s=60))
    assert steer._slots(row) == 2
    huge = row.__class__(**{**_fields(row), "memory_mb": 5000})
    assert steer._slots(huge) == 2, "alone, and not never"
    assert steer._slots(row.__class__(**{**_fields(row), "memory_mb": 250})) == 1


def _fields(row):
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def test_a_rebuilt_database_knows_who_followed_whom(site, database, tmp_path):
    queue(site, database, act="need build", act_at="restore", ranked=["a", "b"], good="b")
    lead(site, database).run(until_idle=True)
    before = [(row.run, row.retry_of, decided(database, row.run)) for row in chain(database)]
    url = f"sqlite:///{tmp_path / 'again.db'}"
    migrate.upgrade(url)
    again = migrate.open_database(url)
    rebuild.rebuild(site, again)
    assert [(row.run, row.retry_of, decided(again, row.run)) for row in chain(again)] == before
    again.close()


def test_a_rerun_by_hand_is_no_remedy(site, database):
    queue(site, database)
    lead(site, database).run(until_idle=True)
    again = rerun(site, database, "r1")
    assert frozen(site, again).remedy is None
    assert closing.bounds(site).memory_mb > 0
    assert histories.last_decision(run_directory(site, find(database, "r1")))["kind"] == "end"
