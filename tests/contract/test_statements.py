"""Every statement that the store executes, compiled for Oracle and searched for its silent traps."""

from __future__ import annotations

import re

import pytest
from oracles import oracle_dialect
from playing import controller, make
from sqlalchemy import event

from reimage import sweeps as sweeping
from reimage.journal import now
from reimage.model import Result, State
from reimage.queueing import request_cancel
from reimage.settings import Settings
from reimage.store import (
    builds,
    categories,
    datasets,
    decisions,
    events,
    failures,
    holdings_stats,
    migrate,
    mirroring,
    products,
    requests,
    runs,
    sweeps,
)

TRAPS = {
    "LIMIT": r"\bLIMIT\b",
    "IS 1": r"\bIS (NOT )?[01]\b",
    "SELECT EXISTS": r"SELECT EXISTS",
    "ORA-02014": r"FETCH FIRST.*FOR UPDATE",
    "DISTINCT ON": r"DISTINCT ON",
    "ON CONFLICT": r"ON CONFLICT",
    "bare boolean": r"WHERE (is_\w+|\w+\.is_\w+)\s*(AND|OR|$)",
    "empty string": r"= ''",
}


@pytest.fixture(scope="module")
def statements(tmp_path_factory):
    """Do everything once on SQLite; give what was executed."""
    place = tmp_path_factory.mktemp("statements")
    settings = Settings(data=place, poll_s=0.05)
    url = f"sqlite:///{place / 'runs.db'}"
    migrate.upgrade(url)
    database = migrate.open_database(url)
    seen = []
    event.listen(
        database.engine, "before_execute", lambda _, clause, *__: seen.append(clause) or None
    )
    event.listen(
        database._writer, "before_execute", lambda _, clause, *__: seen.append(clause) or None
    )
    do_everything(settings, database)
    database.close()
    return seen


def do_everything(settings, database):
    facts = {"mous": "uid://A001/X1/X1", "bands": [6], "targets": ["a"], "is_mosaic": False}
    with database.write() as session:
        for rows in ([("uid://A001/X1/X1", facts)], [("uid://A001/X1/X1", {**facts, "cycle": 2})]):
            datasets.sync(session, "alma", rows, at=now())
        datasets.sync(session, "alma", [], at=now())
        datasets.sync(session, "alma", rows, at=now())
        mirroring.begin(session, "alma", archive="other", at=now())
        mirroring.put(session, "alma", rows, at=now())
        mirroring.sweep_up(session, "alma", since=now(), prefixes=["2019.", "2021."])
        mirroring.put(session, "alma", rows, at=now())
        mirroring.end(session, "alma", whole_at=now())
    make(settings, database, "r1", act="fail", act_at="fetch")
    make(settings, database, "r2", act="kill", act_at="fetch")
    make(settings, database, "r3")
    request_cancel(database, "r3", author="somebody")
    controller(settings, database).run(until_idle=True)
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
        runs.latest(session, "alma", "uid://A001/X1/X1", "test")
        runs.counts(session, "none")
        runs.stages(session, "r1")
        events.of_run(session, "r1")
        products.of_run(session, "r2")
        products.of_dataset(session, "alma", "uid://A001/X1/X2")
        decisions.of_run(session, "r2")
        for by in ("class", "signature", "category", "casa", "stage"):
            failures.groups(session, by, sweep="none", since=now(), refused=True)
        failures.groups(session)
        failures.of_run(session, "r1")
        failures.classifications(session, "r1")
        failures.evidence(session, "r1")
        failures.blocked_datasets(session, "archive-file-damaged")
        builds.list_builds(session)
        categories.members(session, "none")
        sweeps.list_sweeps(session)
        requests.waiting(session)
    assert sweeping.folders(settings)


@pytest.mark.parametrize("version", [(19, 3), (23, 4)], ids=["19c", "23ai"])
def test_every_statement_compiles_and_holds_no_trap(statements, version):
    dialect = oracle_dialect(version)
    scripts = {
        str(clause.compile(dialect=dialect)) for clause in statements if hasattr(clause, "compile")
    }
    assert len(scripts) > 60
    caught = {
        name: script
        for script in scripts
        for name, pattern in TRAPS.items()
        if re.search(pattern, script, re.IGNORECASE | re.DOTALL)
    }
    assert caught == {}
