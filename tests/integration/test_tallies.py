"""The sums of the desk are what the rows say, whatever is judged again, and they can be counted afresh."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from threading import Thread

from living import CLASSES, KEYS, add, end, facts_of, rejudge, walk
from making import WHEN
from sqlalchemy import select, text, update

from reimage.model import ProductState, Result
from reimage.store import datasets, failures, migrate, moves, runs, tallies
from reimage.store.desk_tables import Failure
from reimage.store.run_tables import Run
from reimage.store.session import Database
from reimage.store.tables import metadata
from reimage.store.tally_sums import EVERYWHERE, JUDGED
from reimage.store.tally_tables import ProductTally, StageTally, Tally

AXES = (*EVERYWHERE, *JUDGED)


def sums(session, axis, day_no=0):
    """Return (runs, datasets blocked) by entry and result."""
    statement = select(Tally).where(Tally.axis == axis, Tally.day_no == day_no)
    return {(t.entry, t.result.value): (t.n_runs, t.n_blocked) for t in session.scalars(statement)}


def blocking(session):
    statement = select(Run.run).join(Failure, Failure.run_id == Run.id)
    return set(session.scalars(statement.where(Failure.n_blocked == 1)))


# --- what is summed -----------------------------------------------------------------------------------


def test_a_run_is_summed_on_every_axis(database):
    with database.write() as session:
        datasets.sync(session, "alma", [(KEYS[1], facts_of(KEYS[1]))], at=WHEN)
        walk(session, "r1", KEYS[1], Result.FAILED, ("memory", "sv1:aa"), category="c")
    with database.read() as session:
        found = {axis: set(sums(session, axis)) for axis in AXES}
        (tally,) = session.scalars(select(Tally).where(Tally.axis == "class", Tally.day_no == 0))
        day = (WHEN.date() - WHEN.date().replace(1970, 1, 1)).days
        assert set(session.scalars(select(Tally.day_no))) == {0, day}
        assert tallies.differences(session) == []
        stage = {(s.build, s.state, s.n_stages) for s in session.scalars(select(StageTally))}
        product = {
            (p.recipe, p.kind, p.state, p.n_products, p.n_bytes)
            for p in session.scalars(select(ProductTally))
        }
        run = session.scalars(select(Run)).one()
        failure = session.scalars(select(Failure)).one()
    assert found == {
        "category": {("c", "failed")},
        "casa": {("casa-6.7", "failed")},
        "casa-category": {("casa-6.7 c", "failed")},
        "recipe": {("test", "failed")},
        "stage": {("image", "failed")},
        "host": {("node1", "failed")},
        "band": {("3", "failed"), ("7", "failed")},
        "cycle": {("4", "failed")},
        "sweep": {("none", "failed")},
        "class": {("memory", "failed")},
        "signature": {("sv1:aa", "failed")},
    }
    assert (tally.n_runs, tally.n_blocked, tally.cpu_s, tally.wall_s) == (1, 1, 10.0, 2.0)
    assert (tally.first_at, tally.last_at) == (WHEN, WHEN)
    assert stage == {("casa-6.7", "failed", 1)}
    assert product == {("test", "pbcor", ProductState.ABSENT, 2, 5760)}
    assert (run.cpu_s, run.host) == (10.0, "node1")
    assert (failure.category, failure.recipe, failure.host, failure.cpu_s) == (
        *("c", "test", "node1"),
        10.0,
    )
    assert failure.dataset_id == run.dataset_id


def test_a_newer_run_takes_over_what_is_blocked(database):
    later = WHEN + timedelta(days=1)
    with database.write() as session:
        walk(session, "r1", KEYS[0], Result.FAILED)
        assert blocking(session) == {"r1"}
        walk(session, "r2", KEYS[0], Result.FAILED, ("disk-full", None), at=later)
        assert blocking(session) == {"r2"}
        assert sums(session, "class") == {
            ("memory", "failed"): (1, 0),
            ("disk-full", "failed"): (1, 1),
        }
        walk(session, "r3", KEYS[0], Result.IMAGED, at=later)
        assert blocking(session) == set()
        assert sums(session, "band") == {("6", "failed"): (2, 0), ("6", "imaged"): (1, 1)}
        assert tallies.differences(session) == []


def test_an_older_run_that_ends_later_blocks_nothing(database):
    with database.write() as session:
        first = add(session, "r1", KEYS[0])
        moves.submit(session, first, 1, "local", WHEN)
        walk(session, "r2", KEYS[0], Result.IMAGED, recipe="another")
        end(session, first, 1, WHEN + timedelta(days=3), result=Result.FAILED)
        assert blocking(session) == set()
        assert sums(session, "class") == {("memory", "failed"): (1, 0)}
        assert tallies.differences(session) == []


def test_what_is_judged_again_moves(database):
    days = [WHEN + timedelta(days=n) for n in range(3)]
    with database.write() as session:
        for n, (key, at) in enumerate(zip(KEYS, days, strict=True), 1):
            walk(session, f"r{n}", key, Result.FAILED, ("unclassified", "sv1:aa"), at=at)
        assert rejudge(session, "r1", 1, ("memory", None)) == 1
        assert rejudge(session, "r9", 1, ("memory", None)) == 0  # gone: passed over
        assert rejudge(session, "r3", 7, ("memory", None)) == 0
        assert tallies.differences(session) == []
        assert sums(session, "class") == {
            ("memory", "failed"): (1, 1),
            ("unclassified", "failed"): (2, 2),
        }
        whole = select(Tally).where(Tally.axis == "class", Tally.day_no == 0)
        first = {tally.entry: tally.first_at for tally in session.scalars(whole)}
        assert first == {"memory": days[0], "unclassified": days[1]}
        row = runs.find(session, "r1")
        told = failures.classifications(session, "r1")
    assert (row.error_class, row.signature, row.decisive) == ("memory", None, None)
    assert [(one.error_class, one.author) for one in told] == [
        ("unclassified", "structure@1"),
        ("memory", "somebody"),
    ]


def test_who_ends_runs_and_who_judges_wait_for_each_other_in_one_order(database):
    """Each run takes over what the one before blocked, while that one is judged again."""
    errors = []

    def repeatedly(do):
        try:
            for n in range(25):
                with database.write() as session:
                    do(session, n)
        except Exception as error:  # noqa: BLE001 -- told below
            errors.append(error)

    def judge(session, n):
        newest = session.scalars(select(Run.run).order_by(Run.id.desc()).limit(5))
        for name in newest.all():
            rejudge(session, name, 1, (CLASSES[n % len(CLASSES)], None))

    with database.write() as session:
        walk(session, "r", KEYS[0], Result.FAILED)
        session.execute(text("DELETE FROM ledger_mark"))  # as in a schema that a script made
    ends = partial(repeatedly, lambda session, n: walk(session, f"r{n}", KEYS[0], Result.FAILED))
    threads = [Thread(target=one) for one in (ends, partial(repeatedly, judge))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as session:
        assert tallies.differences(session) == []
        assert blocking(session) == {"r24"}


def test_what_the_holdings_change_moves(database):
    with database.write() as session:
        datasets.sync(session, "alma", [(KEYS[0], facts_of(KEYS[0]))], at=WHEN)
        walk(session, "r1", KEYS[0], Result.IMAGED)
        facts = {**facts_of(KEYS[0]), "bands": [6, 9], "cycle": 11}
        datasets.sync(session, "alma", [(KEYS[0], facts)], at=WHEN)
        assert set(sums(session, "band")) == {("6", "imaged"), ("9", "imaged")}
        assert set(sums(session, "cycle")) == {("11", "imaged")}
        assert tallies.differences(session) == []


# --- counting afresh -----------------------------------------------------------------------------------


def test_what_drifted_is_told_and_mended(database):
    with database.write() as session:
        walk(session, "r1", KEYS[0], Result.FAILED)
        walk(session, "r2", KEYS[1], Result.IMAGED)
        session.execute(update(Tally).where(Tally.axis == "class").values(n_runs=5))
        session.execute(update(Failure).values(n_blocked=0))
        session.execute(text("DELETE FROM stage_tally WHERE state = 'proven'"))
        session.execute(text("UPDATE product_tally SET kind = 'weblog' WHERE state = 'made'"))
    with database.read() as session:
        told = "\n".join(tallies.differences(session))
    for part in ("n_runs is 5, counted 1", "blocks 0, should be 1", "stage_tally", "weblog"):
        assert part in told
    with database.write() as session:
        tallies.recount(session)
    with database.read() as session:
        assert tallies.differences(session) == []
        assert blocking(session) == {"r1"}


def spoil(session):
    """Make sums wrong in every way: too much, too little, missing, of nothing, at a wrong time."""
    session.execute(update(Tally).where(Tally.axis == "class").values(n_runs=7, n_blocked=3))
    session.execute(update(Tally).where(Tally.axis == "category").values(n_runs=1, cpu_s=0.5))
    session.execute(update(Tally).where(Tally.axis == "casa").values(first_at=WHEN, last_at=WHEN))
    session.execute(text("UPDATE tally SET entry = 'nothing' WHERE axis = 'recipe'"))
    session.execute(text("DELETE FROM tally WHERE axis = 'host'"))
    session.execute(text("DELETE FROM stage_tally WHERE state = 'proven'"))
    session.execute(text("UPDATE stage_tally SET n_stages = 9, state = 'failed'"))
    session.execute(text("UPDATE product_tally SET kind = 'weblog' WHERE state = 'made'"))
    session.execute(update(Failure).values(n_blocked=1 - Failure.n_blocked))


def test_sums_are_mended_while_runs_end(database, monkeypatch):
    """Between the counting and every turn of the mending a run ends, is judged again, or both."""
    names = (f"w{n}" for n in range(1000))
    with database.write() as session:
        for n, key in enumerate(KEYS):
            at = WHEN + timedelta(days=n)
            walk(session, f"r{n}", key, Result.FAILED, ("memory", "sv1:aa"), at=at)
        walk(session, "r7", KEYS[0], Result.IMAGED, recipe="another")
        spoil(session)

    def live(_pause):
        with database.write() as session:
            name = next(names)
            result = Result.FAILED if int(name[1:]) % 2 else Result.IMAGED
            walk(session, name, KEYS[0], result, at=WHEN + timedelta(days=4))
            rejudge(session, "r1", 1, ("disk-full" if int(name[1:]) % 3 else "memory", name))

    monkeypatch.setattr("reimage.store.tally_mending.BATCH", 3)
    monkeypatch.setattr("reimage.store.tally_mending.time.sleep", live)
    told = "\n".join(tallies.mend(database))
    for part in (
        "n_runs is 7, counted",
        "nothing is there to sum",
        "missing",
        "first_at",
        "weblog",
    ):
        assert part in told
    assert "blocks 0, should be 1" in told
    assert int(next(names)[1:]) > 10
    with database.read() as session:
        assert tallies.differences(session) == []
    assert tallies.mend(database) == []


def test_a_sum_that_is_missing_stops_nobody(database):
    """Whatever happened to the sums, runs go on ending; `db recount` mends them."""
    with database.write() as session:
        walk(session, "r1", KEYS[0], Result.FAILED)
        session.execute(text("DELETE FROM tally"))
        walk(session, "r2", KEYS[0], Result.FAILED)
        rejudge(session, "r1", 1, ("disk-full", None))
    with database.write() as session:
        assert tallies.differences(session)
        tallies.recount(session)
        assert tallies.differences(session) == []


def test_an_upgraded_database_has_its_sums(database_url):
    """Rows of before r0003 are summed when it is applied."""
    migrate.upgrade(database_url)
    database = Database(database_url)
    with database.write() as session:
        walk(session, "r1", KEYS[0], Result.FAILED, ("memory", "sv1:aa"))
        walk(session, "r2", KEYS[0], Result.FAILED)
        walk(session, "r3", KEYS[1], Result.IMAGED)
    before = everything(database)
    with database.migrating() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        migrate.command.downgrade(config, "r0002")
    assert migrate.upgrade(database_url) == ("r0003",)
    assert everything(database) == before
    with database.read() as session:
        assert tallies.differences(session) == []
    database.close()


def everything(database):
    tables = metadata().tables
    names = ("tally", "stage_tally", "product_tally", "failure", "run", "ledger_mark")
    with database.read() as session:
        return {
            name: sorted(map(repr, session.execute(select(tables[name])).mappings()))
            for name in names
        }
