"""Everything that the store can do, done once: for databases that are looked at from outside."""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import suites
from playing import controller, make
from sqlalchemy import event, update

from reimage import store
from reimage import sweeps as sweeping
from reimage.desk import acts as doing
from reimage.desk import inbox
from reimage.journal import Event, now
from reimage.model import Result, State
from reimage.queueing import request_cancel
from reimage.settings import Settings
from reimage.store import (
    acts,
    builds,
    categories,
    datasets,
    decisions,
    events,
    failures,
    following,
    groups,
    holdings_stats,
    judged,
    lease,
    matrix,
    migrate,
    mirroring,
    moves,
    products,
    questions,
    requests,
    runs,
    samples,
    sequels,
    stage_records,
    sweeps,
    tallies,
)
from reimage.store.desk_tables import Failure
from reimage.store.inbox_asked import Asked, By
from reimage.store.rows import SweepRow
from reimage.store.tally_tables import StageTally, Tally

MOUS = "uid://A001/X1/X1"
DEMO = {"title": "A demonstration", "kind": "selection"}


@dataclass(frozen=True)
class Executed:
    """One statement as it was given to SQLAlchemy."""

    clause: Any
    rows: Any
    row: Any


class Recorded(list):
    """What was executed, as clauses; and which functions of the store were called for it."""

    called: frozenset[str] = frozenset()


def recorded(place):
    """Do everything on SQLite; return what was executed, and what was called."""
    url = f"sqlite:///{place / 'runs.db'}"
    migrate.upgrade(url)
    database = migrate.open_database(url)
    seen = []

    def note(connection, clause, rows, row, options):
        del connection, options
        seen.append(Executed(clause, rows, row))

    for engine in (database.engine, database._writer):
        event.listen(engine, "before_execute", note)
    called = set()

    def look_on(frame, kind, argument):
        del argument
        if kind == "call" and "/reimage/store/" in frame.f_code.co_filename:
            called.add(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}")

    sys.setprofile(look_on)
    try:
        do_everything(Settings(data=place, poll_s=0.05), database)
    finally:
        sys.setprofile(None)
    database.close()
    found = Recorded(one for one in seen if hasattr(one.clause, "compile"))
    found.called = frozenset(called)
    return found


def speakers():
    """Return the public functions of the store that speak to a database: they take a session."""
    folder = Path(store.__file__).parent
    for path in sorted(folder.glob("*.py")):
        module = importlib.import_module(f"reimage.store.{path.stem}")
        for name, found in vars(module).items():
            own = inspect.isfunction(found) and found.__module__ == module.__name__
            if (
                own
                and not name.startswith("_")
                and "session" in inspect.signature(found).parameters
            ):
                yield f"{path.stem}.{name}"


def do_everything(settings, database):
    """Mirror, run, fail, judge, act, sum, and ask every question."""
    mirror(database)
    play(settings, database)
    keep_rare(database)
    suites.load("test_rebuild").a_day_at_the_desk(settings, database)
    with database.write() as session:
        tallies.recount(session)
        for table, column in ((Tally, "n_runs"), (StageTally, "n_stages"), (Failure, "n_blocked")):
            wrong = update(table).values({column: 1 - getattr(table, column)})
            session.execute(wrong.execution_options(synchronize_session=False))
    assert tallies.mend(database)
    doing.replay(settings, database)
    look(settings, database)
    look_at_failures(database)
    look_at_groups(database)
    ask(database)


def mirror(database):
    facts = {"mous": MOUS, "bands": [6], "targets": ["a"], "is_mosaic": False}
    with database.write() as session:
        for rows in ([(MOUS, facts)], [(MOUS, {**facts, "cycle": 2})]):
            datasets.sync(session, "alma", rows, at=now())
        datasets.sync(session, "alma", [], at=now())
        datasets.sync(session, "alma", rows, at=now())
        mirroring.begin(session, "alma", archive="other", at=now())
        mirroring.put(session, "alma", rows, at=now())
        mirroring.sweep_up(session, "alma", since=now(), prefixes=["2019.", "2021."])
        mirroring.put(session, "alma", rows, at=now())
        mirroring.end(session, "alma", whole_at=now())


def play(settings, database):
    make(settings, database, "r1", act="fail", act_at="fetch")
    make(settings, database, "r2", act="kill", act_at="fetch")
    make(settings, database, "r3")
    request_cancel(database, "r3", author="somebody")
    controller(settings, database).run(until_idle=True)


def keep_rare(database):
    """Write what a plain run has no need of: a category, a sweep, a fix, a lease that is renewed."""
    row = SweepRow(
        sweep="demo-1",
        category="demo",
        holding="alma",
        recipe="test",
        pilot=False,
        datasets=1,
        author="somebody",
        created_at=now(),
    )
    with database.write() as session:
        categories.declare(session, "demo", DEMO, "0", now())
        for _ in range(2):
            categories.add_members(
                session, "demo", [datasets.row_id(session, "alma", MOUS)], at=now()
            )
        sweeps.add(session, row)
        run_id = runs.row_id(session, "r1")
        fixed = Event(attempt=1, seq=99, at=now(), event="fix.applied", data={"id": "x"})
        stage_records.add_fix(session, run_id, "x", fixed)
        moves.ask_cancel(session, run_id, now())
        held = lease.take(session, lease.find(session), "me", now(), now())
        lease.resign(session, lease.renew(session, held, now()))
        taken = tallies.Judged(error_class="archive-file-damaged", signature=None)
        tallies.rejudge(session, 1, taken, replace(taken, signature="sv1:0"))


def look_at_groups(database):
    """See one group from all sides, what followed on it, and versions beside each other."""
    with database.read() as session:
        for of in get_args(groups.Of):
            for by in ("category", "build", "stage"):
                groups.blocked_by(session, of, "archive-file-damaged", by)
            groups.counts(session, of, "archive-file-damaged")
            groups.newest(session, of, "archive-file-damaged", 5, but=1)
            sequels.sequels(session, of, "archive-file-damaged", 5)
            sequels.again(session, of, "archive-file-damaged", 5)
        groups.said(session, 5)
        groups.signatures_like(session, "sv1:", 5)
        following.blocked(session, "alma", "archive-file-damaged")
        following.blocked(session, "alma", "archive-file-damaged", run="r1")
        following.followers(session, "r1")
        following.memory_shares(session, "memory", ["demo", "other"])
        keys = [MOUS, "uid://A001/X1/X2"]
        matrix.outcomes(session, "alma")
        matrix.outcomes(session, "alma", keys=keys, where="bands = 6", censored=["memory"])
        matrix.images(session, [1, 2])


def look(settings, database):
    with database.read() as session:
        where = "bands = 6 and is_mosaic = false and targets ~ a and cycle >= 2 and n_bytes != 1"
        where += " or (not cycle = 3 and rights = Public)"
        datasets.list_datasets(session, "alma", where, limit=3, order=["cycle", "-n_bytes"])
        holdings_stats.total(session, "alma", "bands = 6")
        for by in holdings_stats.BY:
            holdings_stats.count(session, "alma", by)
        datasets.find(session, "alma", "uid___A001_X1_X1")
        runs.find(session, "r1")
        runs.list_runs(session, state=State.DONE, result=Result.FAILED, category="c", limit=2)
        runs.latest(session, "alma", MOUS, "test")
        runs.counts(session, "none")
        runs.live_run(session, "alma", MOUS, "test")
        mirroring.newest(session, "alma")
        sweeps.find(session, "demo-1")
        runs.stages(session, "r1")
        events.of_run(session, "r1")
        products.of_run(session, "r2")
        products.of_dataset(session, "alma", "uid://A001/X1/X2")
        decisions.of_run(session, "r2")
        failures.of_run(session, "r1")
        failures.classifications(session, "r1")
        failures.evidence(session, "r1")
        builds.list_builds(session)
        categories.members(session, "none")
        sweeps.list_sweeps(session)
        requests.waiting(session)
    assert sweeping.folders(settings)


def look_at_failures(database):
    """See the inbox in every grouping, from the sums and narrowed; judgements, acts, samples."""
    narrowed = Asked(
        since=now() - timedelta(days=9),
        sweep="demo-1",
        where="bands = 6 and stage != image and cpu_s >= 0 and failed_at >= 2020-01-01",
        grep="quota",
    )
    for by in get_args(By):
        for asked in (Asked(), narrowed, Asked(unclassified=True), Asked(where="cycle >= 2")):
            inbox.read(database, replace(asked, by=by), now(), limit=5, histogram_days=9)
    with database.read() as session:
        which = judged.Which(error_class="x", signature="y", since=now())
        for chosen in (judged.Which(), which):
            judged.count(session, chosen)
            list(judged.pages(session, chosen))
        list(judged.newest(session, 7))
        judged.of_ids(session, [1, 2])
        judged.find(session, "r1")
        samples.hits(session)
        samples.never_audited(session, "disk-full")
        list(samples.shared_signatures(session))
        list(samples.judged_again(session))
        acts.of_subject(session, "disk-full")
        acts.notes(session, "alma", MOUS)
        acts.group_states(session)
        acts.answers(session)
        assert tallies.differences(session) == []


def ask(database):
    """Ask every saved question, as it is asked without any word."""
    with database.read() as session:
        for question in questions.QUESTIONS.values():
            questions.ask(session, question, questions.given(question, {}, now()), 100)
