"""A database rebuilt from run directories and ledger has the rows of the one that was lost."""

from __future__ import annotations

import shutil

import pytest
from playing import controller, make
from sqlalchemy import select

from reimage import document
from reimage.desk import acts
from reimage.desk.acts import record
from reimage.journal import now
from reimage.ledger import append
from reimage.model import State
from reimage.queueing import request_cancel
from reimage.rebuild import DatabaseNotEmpty, rebuild
from reimage.store import categories, datasets, migrate, runs, sweeps, tallies
from reimage.store.rows import SweepRow
from reimage.store.session import Database
from reimage.store.tables import metadata

COMPARED = (
    *("run", "attempt", "stage_record", "event", "product", "evidence", "failure", "sweep"),
    *("classification", "decision", "fix_application", "category"),
    *("act", "annotation", "audited", "group_state", "tally", "stage_tally", "product_tally"),
)
"""By natural keys.  Holdings and members come from sync; mirrors from files; requests and the lease are
of the day."""


def natural(database: Database) -> dict[str, list[str]]:
    """Return the rows of the compared tables without surrogate keys, in a fixed order."""
    tables = metadata().tables
    with database.read() as session:

        def names(table, *columns):
            rows = session.execute(select(table.c.id, *(table.c[c] for c in columns)))
            return {row[0]: tuple(row[1:]) for row in rows}

        known = {
            "run_id": names(tables["run"], "run"),
            "dataset_id": names(tables["dataset"], "holding", "dataset_key"),
            "failure_id": names(tables["failure"], "run_id", "attempt_no"),
        }
        known["failure_id"] = {
            id_: (known["run_id"][run], attempt)
            for id_, (run, attempt) in known["failure_id"].items()
        }
        return {
            name: sorted(
                repr(
                    {
                        c: plain(known[c][v] if c in known else v)
                        for c, v in row.items()
                        if c != "id"
                    }
                )
                for row in session.execute(select(tables[name])).mappings()
            )
            for name in COMPARED
        }


def plain(value):
    """Seconds are added in the order in which runs ended, or began: the last digits may differ."""
    return round(value, 6) if isinstance(value, float) else value


def a_day_at_the_desk(settings, database):
    """One of each act: judged by a person, judged again, annotated, audited, and groups spoken of."""

    def act(kind, subject=None, **facts):
        said = {"author": "somebody", "reason": "why", "at": now(), "subject": subject}
        record(settings, database, kind, **said, **facts)

    said = {"run": "r2", "attempt": 1, "signature": None, "decisive": None, "symptoms": []}
    person = {**said, "error_class": "memory", "author": "somebody", "symptoms": ["slow"]}
    rule = {**said, "error_class": "disk-full", "signature": "sv1:0", "author": "disk-full@1"}
    act("failures.judged", "memory", judgements=[person])
    act("failures.judged", "disk-full", judgements=[{**rule, "decisive": "no space"}])
    where = {"holding": "alma", "datasets": ["uid://A001/X1/X2", "uid://A001/X77/X7"]}
    act("datasets.annotated", **where, note="the antennas were frozen")
    act("group.linked", "memory", url="https://example.org/1")
    act("group.snoozed", "memory", until="2026-12-24", runs=10)
    act("group.resolved", "disk-full", version="1.2")
    act("group.reopened", "disk-full")
    answer = {"run": "r2", "attempt": 1, "error_class": "disk-full", "rule": "disk-full@1"}
    act("judgements.audited", answers=[{**answer, "confirmed": True}])
    act("desk.tidied", anything=1)  # a kind of a later program


def a_history(settings, database):
    """One of each: imaged, failed, refused, tried again, cancelled, under way; and a sweep."""
    row = SweepRow(
        sweep="demo-1",
        category="demo",
        holding="alma",
        recipe="test",
        pilot=False,
        datasets=2,
        author="somebody",
        created_at=now(),
    )
    definition = {"title": "A demonstration", "kind": "selection"}
    facts = {"sweep": document.dump(row), "category": definition, "digest": "0"}
    append(settings.data, "sweeps", "sweep.launched", row.created_at, **facts)
    with database.write() as session:
        datasets.ensure_holding(session, "alma")
        categories.declare(session, "demo", definition, "0", row.created_at)
        sweeps.add(session, row)
    make(settings, database, "r1", act="orphan", act_at="restore")
    make(settings, database, "r2", act="fail", act_at="fetch")
    make(settings, database, "r3", act="refuse", act_at="choose")
    make(settings, database, "r4", act="kill", act_at="image")
    make(settings, database, "r5")
    request_cancel(database, "r5", author="somebody", reason="no need")
    controller(settings, database).run(until_idle=True)
    make(settings, database, "r6", act="hang", act_at="image")
    make(settings, database, "r7")
    lead = controller(settings.model_copy(update={"slots": 1}), database)
    lead.run(on_progress=lambda n: lead.stop() if n.event.data.get("stage") == "image" else None)


def test_the_same_rows(settings, database, tmp_path):
    a_history(settings, database)
    a_day_at_the_desk(settings, database)
    url = f"sqlite:///{tmp_path / 'again.db'}"
    migrate.upgrade(url)
    again = migrate.open_database(url)
    acts.catch_up(settings, again)  # as whoever does something at the desk of an empty database
    counts = rebuild(settings, again)
    assert (counts.runs, counts.sweeps, counts.acts, counts.unreadable) == (7, 1, 9, ())
    before, after = natural(database), natural(again)
    for table in COMPARED:
        assert after[table] == before[table], table
    assert all(before[table] for table in COMPARED if table != "fix_application")
    with again.read() as session:
        assert tallies.differences(session) == []
        row = runs.find(session, "r2")
        assert (row.error_class, row.signature, row.decisive) == ("disk-full", "sv1:0", "no space")
    # And what was under way goes on in the new database.
    with again.read() as session:
        assert runs.find(session, "r6").state == State.RUNNING
    request_cancel(again, "r6", author="somebody")
    controller(settings, again).run(until_idle=True)
    with again.read() as session:
        assert runs.find(session, "r6").error_class == "cancelled"
    with pytest.raises(DatabaseNotEmpty):
        rebuild(settings, again)
    again.close()


def test_damaged_directories_are_told(settings, database):
    make(settings, database, "r1")
    make(settings, database, "r2")
    directories = sorted(settings.runs_dir.glob("*/*"))
    (directories[0] / "run.json").write_text("{}")
    copy = directories[1].with_name("copy")
    shutil.copytree(directories[1], copy)
    run = document.read_json(copy / "run.json")
    document.write(copy / "run.json", {**run, "run": "r3"})
    url = f"sqlite:///{settings.data / 'again.db'}"
    migrate.upgrade(url)
    again = migrate.open_database(url)
    counts = rebuild(settings, again)
    again.close()
    assert counts.runs == 1
    # Of two live runs of one dataset the first by name stands.
    assert {told.directory for told in counts.unreadable} == {str(directories[0]), str(copy)}
