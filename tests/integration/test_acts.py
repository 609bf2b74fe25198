"""What people do at the desk: in the ledger first, then in the rows, once, whoever is killed when."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from itertools import count

import pytest
from living import KEYS, walk
from making import WHEN
from playing import controller
from sqlalchemy import delete, func, select

from reimage import ledger
from reimage.desk import acts
from reimage.journal import Journal
from reimage.model import Result
from reimage.store import acts as rows
from reimage.store import datasets, failures, runs, tallies
from reimage.store.acts import AnswerRow, NoteRow
from reimage.store.desk_tables import Act, LedgerMark
from reimage.store.holdings_tables import Dataset
from reimage.store.session import Database

FACTS = {"run": "r1", "attempt": 1, "signature": None, "decisive": None, "symptoms": []}
MEMORY = {**FACTS, "error_class": "memory", "author": "somebody"}


@pytest.fixture
def act(settings, database):
    """Give a function that does something at the desk of a database with one failed run."""
    with database.write() as session:
        walk(session, "r1", KEYS[0], Result.FAILED, ("unclassified", "sv1:aa"))

    def record(kind, subject=None, **facts):
        said = {"author": "somebody", "reason": "why", "at": WHEN, "subject": subject}
        return acts.record(settings, database, kind, **said, **facts)

    return record


def test_a_judgement_stands_in_ledger_and_rows(act, settings, database):
    assert act("failures.judged", "memory", judgements=[MEMORY]) == 1
    (line,) = ledger.read(settings.data, "desk")
    assert (line.event, line.data["author"], line.data["judgements"]) == (
        *("failures.judged", "somebody"),
        [MEMORY],
    )
    with database.read() as session:
        row = runs.find(session, "r1")
        (told,) = rows.of_subject(session, "memory")
        judged = failures.classifications(session, "r1")[-1]
        assert tallies.differences(session) == []
    assert (row.result, row.error_class, row.signature) == (Result.FAILED, "memory", None)
    assert (told.seq, told.author, told.reason, told.acted_at) == (1, "somebody", "why", WHEN)
    assert (judged.error_class, judged.author, judged.reason) == ("memory", "somebody", "why")


def test_groups_are_spoken_of(act, database):
    act("group.linked", "memory", url="https://example.org/1")
    act("group.snoozed", "memory", until="2026-12-24T12:00:00+01:00", runs=10)
    with database.read() as session:
        state = rows.group_states(session)["memory"]
    assert (state.url, state.snoozed_runs) == ("https://example.org/1", 10)
    assert state.snoozed_until.isoformat() == "2026-12-24T11:00:00+00:00"
    act("group.resolved", "memory", version="1.2")
    with database.read() as session:
        state = rows.group_states(session)["memory"]
    assert (state.resolved_in, state.resolved_at, state.snoozed_until) == ("1.2", WHEN, None)
    act("group.reopened", "memory")
    with database.read() as session:
        state = rows.group_states(session)["memory"]
        assert [one.kind for one in rows.of_subject(session, "memory")] == [
            *("group.linked", "group.snoozed", "group.resolved", "group.reopened")
        ]
    assert (state.resolved_in, state.resolved_at, state.url) == (
        None,
        None,
        "https://example.org/1",
    )
    act("group.linked", "memory", url=None)
    with database.read() as session:
        assert rows.group_states(session)["memory"].url is None


def test_datasets_are_annotated_many_at_once(act, database):
    """One that the mirror does not know (yet) keeps its note; the next synchronisation fills its row."""
    keys = [KEYS[0], "uid://A001/X7/X7", KEYS[0]]
    act("datasets.annotated", holding="alma", datasets=keys, note="frozen antennas")
    note = NoteRow(
        holding="alma", dataset=KEYS[0], note="frozen antennas", author="somebody", noted_at=WHEN
    )
    facts = {"mous": "uid://A001/X7/X7", "project": "2019.1.00001.S", "bands": [6]}
    with database.write() as session:
        assert rows.notes(session, "alma", KEYS[0]) == (note,)
        assert len(rows.notes(session, "alma", "uid://A001/X7/X7")) == 1
        datasets.sync(session, "alma", [("uid://A001/X7/X7", facts)], at=WHEN)
        assert len(rows.notes(session, "alma", "uid://A001/X7/X7")) == 1
        (row,) = datasets.list_datasets(session, "alma", "project = '2019.1.00001.S'")
    assert row.columns["bands"] == "6"


def test_answers_of_an_audit(act, database):
    answer = {"run": "r1", "attempt": 1, "error_class": "unclassified", "rule": "structure@1"}
    gone = {**answer, "run": "r9"}
    act("judgements.audited", answers=[{**answer, "confirmed": False}, {**gone, "confirmed": True}])
    with database.read() as session:
        (found,) = rows.answers(session)
    assert found == AnswerRow(
        run="r1",
        attempt=1,
        error_class="unclassified",
        rule="structure@1",
        confirmed=False,
        author="somebody",
        audited_at=WHEN,
    )


def test_who_was_killed_between_ledger_and_rows_is_caught_up_with(act, settings, database):
    said = {"author": "somebody", "reason": None, "subject": "memory"}
    for _ in range(2):
        ledger.append(settings.data, "desk", "group.linked", WHEN, **said, url="https://a.org")
    assert acts.catch_up(settings, database) == 2
    assert acts.catch_up(settings, database) == 0
    assert act("group.reopened", "memory") == 3


class Crash(BaseException):
    """Stands for SIGKILL: nobody catches it."""


def test_killed_at_any_point_nothing_is_lost_or_done_twice(act, settings, database, monkeypatch):
    """Before and after every durable write of line and rows; then whoever comes next finds all of it."""
    write, emit = Database.write, Journal.emit
    left = count(1)

    def pass_point():
        if next(left) == 0:
            raise Crash

    @contextmanager
    def watched_write(self):
        pass_point()
        with write(self) as session:
            yield session
            pass_point()
        pass_point()

    def watched_emit(self, event, **data):
        pass_point()
        seq = emit(self, event, **data)
        pass_point()
        return seq

    monkeypatch.setattr(Database, "write", watched_write)
    monkeypatch.setattr(Journal, "emit", watched_emit)
    is_killed = True
    point = 0
    while is_killed:
        point += 1
        left = count(1 - point)
        is_killed = False
        try:
            taken = {**MEMORY, "error_class": f"class-{point}"}
            act("failures.judged", "memory", judgements=[taken])
        except Crash:
            is_killed = True
    left = count(1)
    assert 5 < point < 20
    acts.catch_up(settings, database)
    lines = list(ledger.read(settings.data, "desk"))
    assert [line.seq for line in lines] == list(
        range(1, point)
    )  # the first was killed before its line
    with database.read() as session:
        assert list(session.scalars(select(Act.seq).order_by(Act.seq))) == [
            line.seq for line in lines
        ]
        judged = [one.error_class for one in failures.classifications(session, "r1")]
        assert judged == ["unclassified", *(f"class-{n}" for n in range(2, point + 1))]
        assert runs.find(session, "r1").error_class == f"class-{point}"
        assert tallies.differences(session) == []


def test_a_torn_line_waits_and_garbage_is_passed_over(act, settings, database, capsys):
    act("group.linked", "memory", url="https://example.org/1")
    path = settings.data / "ledger" / "desk.jsonl"
    with path.open("ab") as stream:
        stream.write(b"\x00\xffnonsense\n[]\n")
    act("group.linked", "memory", url="https://example.org/2")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"v": 1, "attempt": 0, "seq": 5, "ev')
    assert acts.catch_up(settings, database) == 0
    assert act("group.linked", "memory", url="https://example.org/3") == 5
    with database.read() as session:
        assert [one.seq for one in rows.of_subject(session, "memory")] == [1, 4, 5]
        assert rows.group_states(session)["memory"].url == "https://example.org/3"
    said = capsys.readouterr()
    assert (said.out + said.err).count("journal.line_passed_over") == 2


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("failures.judged", {}),
        ("failures.judged", {"judgements": [{"run": "r1"}]}),
        ("failures.judged", {"judgements": 3}),
        ("group.snoozed", {"until": "tomorrow", "runs": None}),
        ("group.linked", {}),
        ("datasets.annotated", {"holding": "alma", "datasets": [KEYS[0]], "note": ""}),
        ("judgements.audited", {"answers": [{"run": "r1", "attempt": "x"}]}),
        ("desk.tidied", {"anything": 1}),
    ],
)
def test_an_act_that_cannot_be_read_is_kept_and_stops_nobody(settings, database, act, kind, facts):
    """A line written by hand, or by a later program."""
    said = {"author": "somebody", "reason": None, "subject": "memory"}
    ledger.append(settings.data, "desk", kind, WHEN, **said, **facts)
    assert acts.catch_up(settings, database) == 1
    assert act("group.linked", "memory", url="https://example.org/1") == 2
    with database.read() as session:
        assert session.scalars(select(Act.kind).order_by(Act.seq)).first() == kind
        assert runs.find(session, "r1").error_class == "unclassified"
        assert tallies.differences(session) == []


LINE = {"v": 1, "attempt": 0, "at": WHEN.isoformat(), "author": "a", "subject": "memory"}
LINK = {**LINE, "event": "group.linked", "url": "https://example.org/1"}
SNOOZE = {**LINE, "event": "group.snoozed"}
JUDGED = {**LINE, "event": "failures.judged"}
BY_HAND = {
    "copied": [LINK, {**LINK, "seq": 1}],
    "subject is a number": [{**LINK, "subject": 3}],
    "subject is a list": [{**LINK, "subject": ["memory"]}],
    "no subject": [{**LINK, "subject": None}],
    "too long": [{**LINK, "subject": "m" * 100}, {**LINK, "subject": "m" * 100}],
    "reason is an object": [{**LINK, "reason": {"a": 1}}],
    "a number beyond all": [{**LINK, "seq": 10**30}],
    "a negative number": [{**LINK, "seq": -1}],
    "url is a number": [{**LINK, "url": 5}],
    "half a character": [{**LINK, "subject": "m\ud800", "reason": "\udcff"}],
    "NUL": [{**LINK, "subject": "me\0m"}],
    "runs are words": [{**SNOOZE, "runs": "many"}],
    "runs beyond all": [{**SNOOZE, "runs": 10**30}],
    "datasets are a word": [
        {**LINE, "event": "datasets.annotated", "holding": "alma", "note": "n",
         "datasets": "abc"}
    ],
    "signature is an object": [{**JUDGED, "judgements": [{**MEMORY, "signature": {"a": 1}}]}],
    "class too long": [{**JUDGED, "judgements": [{**MEMORY, "error_class": "m" * 70}]}],
    "signature too long": [{**JUDGED, "judgements": [{**MEMORY, "signature": "s" * 50}]}],
    "no class": [{**JUDGED, "judgements": [{**MEMORY, "error_class": ""}]}],
    "attempt beyond all": [{**JUDGED, "judgements": [{**MEMORY, "attempt": 10**30}]}],
}  # fmt: skip


def test_no_line_stops_who_comes_after(settings, database, act):
    path = settings.data / "ledger" / "desk.jsonl"
    path.parent.mkdir(parents=True)
    seq = 0
    for name, lines in BY_HAND.items():
        numbered = [{"seq": number, **line} for number, line in enumerate(lines, seq + 1)]
        with path.open("a") as stream:
            stream.writelines(f"{json.dumps(line)}\n" for line in numbered)
        acts.catch_up(settings, database)
        url = f"https://example.org/{seq}/{name}"
        seq = act("group.linked", "disk-full", url=url)
        with database.read() as session:
            states = rows.group_states(session)
            assert states["disk-full"].url == url, name
            assert all(type(one.snoozed_runs) is not str for one in states.values()), name
            assert session.scalar(select(func.count(Dataset.id))) == 1, name
            assert tallies.differences(session) == [], name
        assert acts.catch_up(settings, database) == 0


def test_nothing_is_done_on_a_ledger_that_was_cut(act, settings, database):
    """Its lines would stand before what the rows cover, and never become rows."""
    for n in range(3):
        act("group.linked", "memory", url=f"https://example.org/{n}")
    path = settings.data / "ledger" / "desk.jsonl"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(acts.LedgerCut, match="has 100 bytes"):
        act("group.linked", "memory", url="https://example.org/4")
    assert path.stat().st_size == 100
    controller(settings, database).run(until_idle=True)  # runs go on


@pytest.mark.parametrize("is_marked", [True, False], ids=["upgraded", "made by a script"])
def test_many_at_once_project_each_act_once(settings, database, act, is_marked):
    if not is_marked:
        with database.write() as session:
            session.execute(delete(LedgerMark))

    def link(n):
        for m in range(5):
            act("group.linked", f"class-{n}", url=f"https://example.org/{m}")

    threads = [threading.Thread(target=link, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert list(session.scalars(select(Act.seq).order_by(Act.seq))) == list(range(1, 21))
        states = rows.group_states(session)
    assert {state.url for state in states.values()} == {"https://example.org/4"}
    assert len(states) == 4


def test_too_many_judgements_are_several_acts(act, settings):
    with pytest.raises(ValueError, match="more than 500"):
        act("failures.judged", "memory", judgements=[MEMORY] * 501)
    assert list(ledger.read(settings.data, "desk")) == []


def test_a_controller_that_starts_catches_up(act, settings, database):
    said = {"author": "somebody", "reason": None, "subject": "memory"}
    ledger.append(settings.data, "desk", "group.linked", WHEN, **said, url="https://a.org")
    controller(settings, database).run(until_idle=True)
    with database.read() as session:
        assert rows.group_states(session)["memory"].url == "https://a.org"
