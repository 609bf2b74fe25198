"""The store's queries and guarded statements, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import WHEN, make_build, make_run
from sqlalchemy import String, event, literal, update
from sqlalchemy.exc import IntegrityError

from reimage import document
from reimage.errors import DatasetUnknown, DiskFull, RunUnknown
from reimage.identity import Identity, of_self
from reimage.journal import Event
from reimage.leadership import ControllerDisplaced, ControllerRunning, Leadership
from reimage.model import Product, ProductState, Result, Stage, State
from reimage.run import Judgement
from reimage.store import (
    builds,
    datasets,
    decisions,
    events,
    failures,
    inbox,
    lease,
    migrate,
    moves,
    products,
    requests,
    runs,
    stage_records,
    sweeps,
)
from reimage.store.failures import NewFailure
from reimage.store.filters import FilterMalformed
from reimage.store.inbox_asked import Asked, GroupingUnknown
from reimage.store.moves import Ending
from reimage.store.rows import DecisionRow, EvidenceRow, SyncCounts
from reimage.store.run_tables import Run, StageState
from reimage.store.session import Database, DatabaseUnreachable, DatabaseUrlMalformed
from reimage.store.stage_records import Change
from reimage.store.tables import metadata

FACTS = {
    "mous": "uid://A001/X1/X1",
    "project": "2018.1.00001.S",
    "cycle": 6,
    "bands": [3, 10],
    "array": "12m",
    "targets": ["NGC 1", "it's"],
    "is_mosaic": True,
    "qa2_passed": False,
    "data_rights": "Public",
    "release_at": "2020-01-01T00:00:00.000",
    "last_modified": "no date",
    "resolution_arcsec": 0.25,
    "size_bytes": 6 * 10**10,
    "pol_states": "",
}
ENDING = Ending(
    result=Result.FAILED,
    error_class="memory",
    signature="sv1:0",
    decisive="bad_alloc",
    caveats=("a",),
    build=None,
    stage=Stage.IMAGE,
    products_planned=2,
    products_made=0,
    ended_at=WHEN,
)


def add(session, name="r1", key="uid://A001/X1/X1", recipe="test", **fields):
    run = make_run("archive", run=name, dataset=key, recipe={"id": recipe, "stages": []}, **fields)
    dataset_id = datasets.ensure(session, "alma", key, {}, WHEN)
    return moves.insert_run(session, run, dataset_id=dataset_id, directory=f"runs/{name}")


def walk(session, name, *, ending=ENDING, key="uid://A001/X1/X1", when=WHEN, **fields):
    """Take a run through its life; record its failure, if it is one."""
    run_id = add(session, name, key, **fields)
    assert moves.submit(session, run_id, 1, "local", when)
    assert moves.start(session, run_id, 1, when)
    assert moves.finish(session, run_id, ending, 2.5)
    if ending.error_class is not None:
        judgement = Judgement(
            result=ending.result,
            error_class=ending.error_class,
            signature=ending.signature,
            rule="memory@1",
            decisive=ending.decisive,
            symptoms=("killed",),
        )
        failures.add(
            session,
            NewFailure(
                run_id=run_id,
                attempt=1,
                stage=ending.stage,
                judgement=judgement,
                code=None,
                message=None,
                failed_at=when,
                final=True,
            ),
        )
    return run_id


# --- datasets --------------------------------------------------------------------------------------


def test_sync_mirrors_what_the_archive_lists(database):
    key, other = "uid://A001/X1/X1", "uid://A001/X1/X2"

    def sync(rows, at=WHEN):
        with database.write() as session:
            return datasets.sync(session, "alma", rows, at=at, title="ALMA")

    assert sync([(key, FACTS), (other, {**FACTS, "mous": other})]) == SyncCounts(
        added=2, changed=0, unchanged=0, gone=0
    )
    changed = sync([(key, {**FACTS, "cycle": 7})], WHEN + timedelta(1))
    assert changed == SyncCounts(added=0, changed=1, unchanged=0, gone=1)
    assert sync([(key, {**FACTS, "cycle": 7})]).unchanged == 1
    with database.read() as session:
        row = datasets.find(session, "alma", "uid___A001_X1_X1")
        assert datasets.find(session, "alma", other).gone_at == WHEN + timedelta(1)
        assert [d.dataset for d in datasets.list_datasets(session, "alma")] == [key]
        with pytest.raises(DatasetUnknown):
            datasets.find(session, "alma", "uid://A001/X9/X9")
    assert row.columns["cycle"] == 7
    assert row.columns["bands"] == "3 10"
    assert row.columns["pol_states"] is None  # '' is never stored
    assert (row.n_bytes, row.modified_at) == (6 * 10**10, None)
    assert row.release_at.isoformat() == "2020-01-01T00:00:00+00:00"
    assert row.facts["targets"] == ["NGC 1", "it's"]
    assert sync([(key, FACTS), (other, FACTS)]).changed == 2  # back again


@pytest.mark.parametrize(
    ("where", "is_found"),
    [
        ("", True),
        ("cycle = 6 and bands = 10", True),
        ("bands = 1", False),
        ("bands != 1", True),
        ("is_mosaic = true and qa2_passed = false", True),
        ("is_mosaic = false", False),
        ("targets ~ 'IT''S'", True),
        ("resolution_arcsec < 0.3 and array = 12m", True),
        ("release_at < 2021-01-01", True),
        ("release_at > 2021-01-01", False),
        ("n_bytes > 50000000000", True),
        ("dataset = 'uid://A001/X1/X1'", True),
    ],
)
def test_filters_find(database, where, is_found):
    with database.write() as session:
        datasets.sync(session, "alma", [("uid://A001/X1/X1", FACTS)], at=WHEN)
    with database.read() as session:
        assert bool(datasets.list_datasets(session, "alma", where)) is is_found
        with pytest.raises(FilterMalformed):  # ALMA's columns are not another holding's
            datasets.list_datasets(session, "sun", "bands = 1")


# --- runs --------------------------------------------------------------------------------------------


def test_a_run_moves_forward_only(database):
    with database.write() as session:
        run_id = add(session)
        assert not moves.start(session, run_id, 1, WHEN)
        assert not moves.requeue(session, run_id, 1, 0)
        assert moves.submit(session, run_id, 1, "local", WHEN)
        assert not moves.submit(session, run_id, 1, "local", WHEN)
        assert not moves.submit(session, run_id, 2, "local", WHEN)
        assert not moves.start(session, run_id, 2, WHEN)
        assert moves.start(session, run_id, 1, WHEN)
        assert moves.requeue(session, run_id, 1, 1.5)
        assert moves.submit(session, run_id, 2, "local", WHEN)
        assert moves.finish(session, run_id, ENDING, 2.5)
        assert not moves.finish(session, run_id, ENDING, 2.5)
        assert not moves.requeue(session, run_id, 2, 0)
        assert not moves.ask_cancel(session, run_id, WHEN)
        row = runs.find(session, "r1")
    assert (row.state, row.result, row.attempts, row.wall_s) == (State.DONE, Result.FAILED, 2, 4.0)
    assert (row.stage, row.caveats, row.ended_at) == (Stage.IMAGE, ("a",), WHEN)
    assert document.dump(row)["result"] == "failed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "done"},
        {"result": "failed"},
        {"result": "imaged", "state": "done", "error_class": "memory"},
        {"result": "failed", "state": "done"},
        {"state": "sleeping"},
        {"stage": "cooking"},
        {"error_class": "memory"},
    ],
)
def test_the_schema_refuses_wrong_states(database, wrong):
    with database.write() as session:
        add(session)
    row = metadata().tables["run"]
    statement = update(row).values({row.c[k]: literal(v, String) for k, v in wrong.items()})
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(statement)


def test_one_live_run_per_dataset_and_recipe(database):
    with database.write() as session:
        first = add(session)
        add(session, "r2", recipe="another")
        with pytest.raises(moves.RunLive):
            add(session, "r3")
        add(session, "r4", key="uid://A001/X1/X2")
        moves.submit(session, first, 1, "local", WHEN)
        moves.finish(session, first, ENDING, 0.0)
        add(session, "r5")
        add_done = [r.run for r in runs.list_runs(session, dataset="uid://A001/X1/X1")]
    assert add_done == ["r5", "r2", "r1"]


def test_finding_and_listing(database):
    with database.write() as session:
        walk(session, "20260101T1-aaa")
        add(session, "20260102T1-bbb")
        add(session, "20260102T2-ccc", key="uid://A001/X1/X2")
        assert runs.find(session, "20260101").run == "20260101T1-aaa"
        for name in ("20260102T", "none", ""):
            with pytest.raises(RunUnknown):
                runs.find(session, name)
        assert [r.run for r in runs.queued(session, 1)] == ["20260102T1-bbb"]
        assert runs.live(session) == ()
        assert runs.latest(session, "alma", "uid://A001/X1/X1").run == "20260102T1-bbb"
        assert runs.latest(session, "alma", "uid://A001/X9/X9") is None
        assert [(c.state, c.result, c.n) for c in runs.counts(session)] == [
            (State.QUEUED, None, 2),
            (State.DONE, Result.FAILED, 1),
        ]
        assert len(runs.list_runs(session, state=State.QUEUED, limit=1)) == 1


def test_claims_are_exclusive(database):
    """Many at once want the same runs: every run is submitted once."""
    with database.write() as session:
        ids = [add(session, f"r{n}", key=f"uid://A001/X2/X{n:x}") for n in range(12)]
    won = []

    def claim():
        for run_id in ids:
            with database.write() as session:
                if moves.submit(session, run_id, 1, "local", WHEN):
                    won.append(run_id)

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(ids)


def test_events_stages_fixes_products(database):
    def event(seq, name, **data):
        return Event(attempt=1, seq=seq, at=WHEN + timedelta(seconds=seq), event=name, data=data)

    product = Product(
        name="a.fits",
        kind="pbcor",
        image="a",
        target="NGC",
        spws="0",
        specmode="mfs",
        state=ProductState.ABSENT,
        reason="x" * 900,
        numbers={"rms_jy_beam": None, "text": "nul \0 in it"},
    )
    with database.write() as session:
        run_id = add(session)
        moves.submit(session, run_id, 1, "local", WHEN)
        events.append(session, run_id, [event(1, "a.b", text="Ä\0"), event(2, "c.d")])
        end = WHEN + timedelta(seconds=3)
        for stage, state, at in (
            (Stage.FETCH, StageState.BEGUN, WHEN),
            (Stage.FETCH, StageState.BEGUN, WHEN + timedelta(1)),
            (Stage.FETCH, StageState.PROVEN, end),
            (Stage.FETCH, StageState.KEPT, end),
            (Stage.RESTORE, StageState.ADOPTED, WHEN),
        ):
            stage_records.follow(session, run_id, 1, [Change(stage, state, at)])
        stage_records.add_fix(session, run_id, "a-fix", event(3, "fix.applied"))
        products.replace(
            session, run_id, [product, product.__class__(**{**fields(product), "name": "b"})]
        )
        products.replace(session, run_id, [product])
    with database.read() as session:
        assert [(e.seq, e.event) for e in events.of_run(session, "r1")] == [(1, "a.b"), (2, "c.d")]
        first = events.of_run(session, "r1")[0]
        assert first.data == {"text": "Ä"}
        assert len(events.of_run(session, "r1", after_id=first.id)) == 1
        stages = runs.stages(session, "r1")
        (kept,) = products.of_dataset(session, "alma", "uid://A001/X1/X1")
        assert products.of_run(session, "r1") == (kept,)
    assert [(s.stage, s.state, s.wall_s) for s in stages] == [
        (Stage.FETCH, StageState.PROVEN, 3.0),
        (Stage.RESTORE, StageState.ADOPTED, 0.0),
    ]
    assert (kept.state, len(kept.reason)) == (ProductState.ABSENT, 500)
    with pytest.raises(IntegrityError), database.write() as session:
        events.append(session, run_id, [event(2, "again")])


def fields(value):
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


# --- failures ----------------------------------------------------------------------------------------


def test_groups_count_what_is_blocked(database):
    a, b, c = (f"uid://A001/X3/X{n}" for n in range(3))
    imaged = Ending(**{**fields(ENDING), "result": Result.IMAGED, "error_class": None})
    refused = Ending(**{**fields(ENDING), "result": Result.REFUSED, "error_class": "proprietary"})
    later = WHEN + timedelta(days=1)
    said = {"error_class": "disk-full", "signature": None, "ended_at": later}
    other = Ending(**{**fields(ENDING), **said})
    with database.write() as session:
        walk(session, "r1", key=a)
        walk(session, "r2", key=b)
        walk(session, "r3", key=b, ending=imaged, when=later)  # no longer blocked
        walk(session, "r4", key=c, ending=refused)
        walk(session, "r5", key=a, ending=other, recipe="another", when=later)
    with database.read() as session:

        def grouped(**asked):
            return [g for g in inbox.groups(session, Asked(**asked), later) if not g.refused]

        found = {g.key: (g.datasets, g.runs) for g in grouped()}
        assert found == {"disk-full": (1, 1), "memory": (0, 2)}
        assert grouped()[0].first_at == later
        whole = inbox.groups(session, Asked(), later)
        assert {g.key for g in whole} == {*found, "proprietary"}
        assert [g.key for g in grouped(since=later)] == ["disk-full"]
        assert {g.key for g in grouped(by="signature")} == {"sv1:0", "none"}
        assert [g.key for g in grouped(by="stage")] == ["image"]
        assert [g.key for g in grouped(by="category")] == ["none"]
        with pytest.raises(GroupingUnknown):
            grouped(by="weather")
        (failure,) = failures.of_run(session, "r1")
        (judged,) = failures.classifications(session, "r1")
    assert (failure.error_class, failure.final, judged.author) == ("memory", True, "memory@1")
    assert judged.symptoms == ("killed",)


def test_evidence_decisions_requests(database):
    evidence = EvidenceRow(
        attempt=1, kind="bundle", path="evidence/x.json", n_bytes=3, sha256="0", excerpt="line"
    )
    decision = DecisionRow(
        attempt=1, kind="retry", reason="why", author="somebody", decided_at=WHEN
    )
    with database.write() as session:
        run_id = add(session)
        failures.add_evidence(session, run_id, [evidence])
        decisions.add(session, run_id, decision)
        decisions.add(session, run_id, decision)
        requests.add(session, "cancel", "r1", author="somebody", reason=None, at=WHEN)
        with pytest.raises(RunUnknown):
            requests.add(session, "cancel", "none", author="somebody", reason=None, at=WHEN)
    with database.write() as session:
        assert failures.evidence(session, "r1") == (evidence,)
        assert decisions.of_run(session, "r1") == (decision,)
        (request,) = requests.waiting(session)
        assert requests.take(session, request.id, "done", WHEN)
        assert not requests.take(session, request.id, "done", WHEN)
        assert requests.waiting(session) == ()
        with pytest.raises(sweeps.SweepUnknown):
            sweeps.find(session, "none")


def test_builds_are_mirrored(database):
    one, two = make_build("6.7.0.31"), make_build("6.6.1.17")
    for registered in ([one, two], [one], [one, two]):
        with database.write() as session:
            builds.mirror(session, registered, WHEN)
        with database.read() as session:
            assert builds.list_builds(session) == tuple(sorted(registered, key=lambda b: b.id))


# --- the lease -----------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = WHEN

    def __call__(self):
        return self.now


def test_the_lease(database):
    clock = Clock()
    here = of_self()
    elsewhere = Identity("elsewhere", "boot", 1, 1)
    dead = Identity(here.host, here.boot_id, here.pid, here.start + 1)
    ours, theirs = (Leadership(database, who, clock) for who in (here, elsewhere))
    ours.acquire()
    with pytest.raises(ControllerRunning):
        theirs.acquire()
    clock.now += timedelta(seconds=50)
    ours.renew()
    clock.now += timedelta(seconds=50)
    with pytest.raises(ControllerRunning):
        theirs.acquire()
    clock.now += timedelta(seconds=11)  # it ran out
    theirs.acquire()
    with pytest.raises(ControllerDisplaced):
        ours.renew()
    ours.resign()  # does not touch the other's
    theirs.resign()
    Leadership(database, dead, clock).acquire()
    ours = Leadership(database, here, clock)
    ours.acquire()  # at once: its owner is a process of this machine that does not run
    ours.resign()
    with database.read() as session:
        assert lease.find(session) is None


# --- sessions ------------------------------------------------------------------------------------------


def test_a_failed_transaction_leaves_nothing(database):
    def fail(session):
        add(session)
        raise RuntimeError

    with pytest.raises(RuntimeError), database.write() as session:
        fail(session)
    with database.read() as session:
        assert session.query(Run).count() == 0


@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://x/y", "sqlite+none:///x"])
def test_urls_that_are_none(url):
    with pytest.raises(DatabaseUrlMalformed):
        Database(url)


def test_databases_that_do_not_answer(tmp_path):
    (tmp_path / "file").write_text("not a database, and long enough to be read as a page" * 20)
    (tmp_path / "folder.db").mkdir()
    for url in (
        f"sqlite:///{tmp_path / 'file'}",
        f"sqlite:///{tmp_path / 'folder.db'}",
        "postgresql+psycopg://nobody@127.0.0.1:9/none",
    ):
        with pytest.raises(DatabaseUnreachable) as caught:
            migrate.open_database(url)
        assert caught.value.hint


def test_a_full_disk_is_told(tmp_path):
    """SQLite is made to believe that its file cannot grow."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    migrate.upgrade(url)
    database = migrate.open_database(url)

    def no_room(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    database.engine.dispose()
    event.listen(database.engine, "connect", no_room)
    facts = {"filler": "x" * 100_000}
    with pytest.raises(DiskFull), database.write() as session:
        datasets.sync(session, "alma", [("a", facts)], at=WHEN)
    database.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["submit", "start", "requeue", "finish", "cancel"]), st.integers(1, 3)
        ),
        max_size=12,
    )
)
def test_no_order_of_moves_breaks_a_run(tmp_path_factory, steps):
    """Whatever is asked in whatever order: forward only, attempts count up, done is done."""
    url = f"sqlite:///{tmp_path_factory.mktemp('moves') / 'runs.db'}"
    database = Database(url)
    metadata().create_all(database.engine)
    with database.write() as session:
        run_id = add(session)
    for what, attempt in steps:
        with database.write() as session:
            before = runs.find(session, "r1")
            moved = {
                "submit": lambda s, n: moves.submit(s, run_id, n, "local", WHEN),
                "start": lambda s, n: moves.start(s, run_id, n, WHEN),
                "requeue": lambda s, n: moves.requeue(s, run_id, n, 1.0),
                "finish": lambda s, _: moves.finish(s, run_id, ENDING, 1.0),
                "cancel": lambda s, _: moves.ask_cancel(s, run_id, WHEN),
            }[what](session, attempt)
            after = runs.find(session, "r1")
        assert moved or after == before
        assert before.state != State.DONE or after == before
        assert after.attempts - before.attempts == (what == "submit" and moved)
    database.close()
