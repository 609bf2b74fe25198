"""Whatever happens to runs, in whatever order: the schema's rules hold, and the sums are what the rows say."""

from __future__ import annotations

import shutil
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from living import CLASSES, KEYS, RESULTS, SIGNATURES, add, end, ended, facts_of, fail
from making import WHEN
from sqlalchemy import func, select

from reimage.model import Result, State
from reimage.store import datasets, failures, judgements, migrate, mirroring, moves, runs, tallies
from reimage.store.desk_tables import Failure
from reimage.store.judgements import NewJudgement
from reimage.store.moves import Ending, RunLive
from reimage.store.run_tables import Run
from reimage.store.session import Database


class Life(RuleBasedStateMachine):
    """Runs of three datasets and two recipes, moved in every order that anybody could think of."""

    run_names = Bundle("runs")

    open_empty = None
    """Gives an upgraded database without rows."""

    def __init__(self):
        super().__init__()
        self.database = self.open_empty()
        self.n = 0

    def teardown(self):
        self.database.close()

    def row(self, session, name):
        run = session.scalars(select(Run).where(Run.run == name)).one()
        session.refresh(run)
        return run

    def moment(self):
        self.n += 1
        return WHEN + timedelta(hours=7 * self.n)

    @rule(target=run_names, key=st.sampled_from(KEYS), recipe=st.sampled_from("ab"))
    def queue(self, key, recipe):
        name = f"r{self.n}-{recipe}"
        self.moment()
        with self.database.write() as session:
            before = session.scalar(select(func.count(Run.id)))
            live = runs.live_run(session, "alma", key, recipe)
            try:
                add(session, name, key, recipe)
            except RunLive:
                assert live is not None
                assert session.scalar(select(func.count(Run.id))) == before
                assume(condition=False)
            assert live is None
        return name

    @rule(name=run_names, attempt=st.integers(1, 3))
    def submit(self, name, attempt):
        with self.database.write() as session:
            run = self.row(session, name)
            state, last = run.state, run.attempt_no
            moved = moves.submit(session, run.id, attempt, "local", self.moment())
            assert moved is (state is State.QUEUED and attempt == last + 1)

    @rule(name=run_names, attempt=st.integers(1, 3))
    def start(self, name, attempt):
        with self.database.write() as session:
            run = self.row(session, name)
            state, last = run.state, run.attempt_no
            moved = moves.start(session, run.id, attempt, self.moment())
            assert moved is (state is State.SUBMITTED and attempt == last)

    @rule(name=run_names, judged=st.sampled_from(CLASSES))
    def retry(self, name, judged):
        with self.database.write() as session:
            run = self.row(session, name)
            state, at, attempt = run.state, self.moment(), run.attempt_no
            if state in {State.SUBMITTED, State.RUNNING}:
                moves.end_attempt(session, run.id, attempt, ended(attempt, at))
                said = {"result": Result.FAILED, "judged": (judged, None)}
                fail(session, run.id, attempt, at, **said, final=False)
            moved = moves.requeue(session, run.id, attempt, 1.0)
            assert moved is (state in {State.SUBMITTED, State.RUNNING})

    @rule(
        name=run_names,
        result=st.sampled_from(RESULTS),
        judged=st.tuples(st.sampled_from(CLASSES), st.sampled_from(SIGNATURES)),
        host=st.sampled_from(["node1", "node2"]),
    )
    def finish(self, name, result, judged, host):
        with self.database.write() as session:
            run = self.row(session, name)
            if run.state in {State.SUBMITTED, State.RUNNING}:
                attempt = run.attempt_no
                said = {"result": result, "judged": judged, "host": host}
                assert end(session, run.id, attempt, self.moment(), **said)
            elif run.state is State.DONE:
                again = Ending(
                    result=Result.LOST, error_class="lost", signature=None, decisive=None,
                    caveats=(), build=None, stage=None, products_planned=0, products_made=0,
                    ended_at=self.moment(),
                )  # fmt: skip
                assert not moves.finish(session, run.id, again, 1.0)

    @rule(name=run_names)
    def cancel(self, name):
        """Before it began, or again: no failure is recorded for it."""
        with self.database.write() as session:
            run = self.row(session, name)
            asked = moves.ask_cancel(session, run.id, self.moment())
            assert asked is (run.state is not State.DONE)
            if run.state is State.QUEUED:
                at = self.moment()
                ending = Ending(
                    result=Result.CANCELLED, error_class="cancelled", signature=None,
                    decisive="by somebody", caveats=(), build=None, stage=None,
                    products_planned=0, products_made=0, ended_at=at,
                )  # fmt: skip
                assert moves.finish(session, run.id, ending, 0.0)

    @rule(
        names=st.lists(run_names, min_size=1, max_size=4),
        attempt=st.integers(1, 2),
        judged=st.tuples(st.sampled_from(CLASSES), st.sampled_from(SIGNATURES)),
    )
    def judge_again(self, names, attempt, judged):
        with self.database.write() as session:
            before = {name: self.row(session, name).result for name in names}
            known = sum(
                bool(f.attempt == attempt)
                for name in dict.fromkeys(names)
                for f in failures.of_run(session, name)
            )
            new = [
                NewJudgement(
                    run=name, attempt=attempt, error_class=judged[0], signature=judged[1],
                    decisive=None, symptoms=(), author="somebody", reason=None, judged_at=WHEN,
                )
                for name in names
            ]  # fmt: skip
            assert judgements.add(session, new) == known
            assert {name: self.row(session, name).result for name in names} == before

    @rule(key=st.sampled_from(KEYS), bands=st.lists(st.integers(1, 10), max_size=3))
    def sync(self, key, bands):
        with self.database.write() as session:
            datasets.ensure_holding(session, "alma")
            mirroring.put(session, "alma", [(key, {**facts_of(key), "bands": bands})], at=WHEN)

    @precondition(lambda self: self.n % 7 == 6)
    @rule()
    def recount(self):
        with self.database.write() as session:
            tallies.recount(session)

    @invariant()
    def nothing_drifts(self):
        with self.database.read() as session:
            assert tallies.differences(session) == []
            newest = session.execute(
                select(Run.dataset_id, func.max(Run.id))
                .where(Run.state == State.DONE)
                .group_by(Run.dataset_id)
            ).all()
            expected = {
                failure.id
                for _, run_id in newest
                for failure in session.scalars(select(Failure).where(Failure.run_id == run_id))
                if failure.is_final
            }
            blocks = select(Failure.id).where(Failure.n_blocked == 1)
            assert set(session.scalars(blocks)) == expected
            done = select(Run).where(Run.state == State.DONE)
            for run in session.scalars(done):
                final = select(Failure).where(Failure.run_id == run.id)
                for failure in session.scalars(final):
                    if failure.is_final:
                        said = (failure.error_class, failure.signature)
                        assert said == (run.error_class, run.signature)


EXAMPLES = {"sqlite": 20, "postgresql": 5}


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request, tmp_path):
    """Give a machine on one kind of database; SQLite's are copies of one that was upgraded."""
    if request.param == "postgresql":
        new = request.getfixturevalue("postgresql")
    else:
        empty, numbers = tmp_path / "empty.db", count()
        migrate.upgrade(f"sqlite:///{empty}")

        def new():
            path = tmp_path / f"{next(numbers)}.db"
            shutil.copy(empty, path)
            return f"sqlite:///{path}"

    def open_empty():
        url = new()
        migrate.upgrade(url)
        return Database(url)

    bound = settings(
        max_examples=EXAMPLES[request.param],
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return type("Here", (Life,), {"open_empty": staticmethod(open_empty)}), bound


def test_nothing_that_happens_makes_the_sums_drift(machine):
    run_state_machine_as_test(machine[0], settings=machine[1])
