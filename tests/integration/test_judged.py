"""What judging again and the audit read, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from making import WHEN, make_run

from reimage.errors import RunUnknown
from reimage.model import Result, Stage
from reimage.run import Judgement
from reimage.store import acts, datasets, failures, judged, judgements, moves, samples
from reimage.store.acts import ActRow
from reimage.store.failures import NewFailure
from reimage.store.judged import FailureUnknown, Which
from reimage.store.judgements import NewJudgement
from reimage.store.moves import Ending

RUNS = {
    "r1": ("memory", "sv1:a", 0),
    "r2": ("memory", "sv1:b", 1),
    "r3": ("unclassified", "sv1:b", 2),
    "r4": ("unclassified", "sv1:c", 3),
}


def fail(session, name, error_class, signature, when):
    """Make a run that ended with a failure."""
    key = f"uid://A001/X9/X{name[1:]}"
    run = make_run("archive", run=name, dataset=key, recipe={"id": "test", "stages": []})
    dataset_id = datasets.ensure(session, "alma", key, {}, WHEN)
    run_id = moves.insert_run(session, run, dataset_id=dataset_id, directory=f"runs/{name}")
    assert moves.submit(session, run_id, 1, "local", when)
    assert moves.start(session, run_id, 1, when)
    said = {"result": Result.FAILED, "error_class": error_class, "signature": signature}
    ending = Ending(
        **said,
        decisive=f"line of {name}",
        caveats=("odd",),
        build=None,
        stage=Stage.IMAGE,
        products_planned=2,
        products_made=0,
        ended_at=when,
    )
    assert moves.finish(session, run_id, ending, 2.5)
    judgement = Judgement(**said, rule=f"{error_class}@1", decisive=f"line of {name}")
    new = NewFailure(
        run_id=run_id,
        attempt=1,
        stage=Stage.IMAGE,
        judgement=judgement,
        code=None,
        message=None,
        failed_at=when,
        final=True,
    )
    return failures.add(session, new)


@pytest.fixture
def history(database):
    """Four runs that failed, on four days; their failures' ids by name."""
    with database.write() as session:
        return {
            name: fail(session, name, error_class, signature, WHEN + timedelta(days=days))
            for name, (error_class, signature, days) in RUNS.items()
        }


def names(pages):
    return [one.run for page in pages for one in page]


def judge(session, run, error_class, author, hours=5):
    """Judge a run again."""
    one = NewJudgement(
        run=run,
        attempt=1,
        error_class=error_class,
        signature="sv1:z",
        decisive=None,
        symptoms=(),
        author=author,
        reason=None,
        judged_at=WHEN + timedelta(days=RUNS[run][2], hours=hours),
    )
    assert judgements.add(session, [one]) == 1


def test_what_is_meant_comes_page_by_page(database, history, monkeypatch):
    monkeypatch.setattr(judged, "PAGE", 2)
    with database.read() as session:
        assert names(judged.pages(session, Which())) == ["r1", "r2", "r3", "r4"]
        assert [len(page) for page in judged.pages(session, Which())] == [2, 2]
        for which, found in (
            (Which(error_class="memory"), ["r1", "r2"]),
            (Which(signature="sv1:b"), ["r2", "r3"]),
            (Which(since=WHEN + timedelta(days=2)), ["r3", "r4"]),
            (Which(error_class="memory", since=WHEN + timedelta(hours=1)), ["r2"]),
            (Which(signature="sv1:none"), []),
        ):
            assert names(judged.pages(session, which)) == found
            assert judged.count(session, which) == len(found)
        assert names(judged.newest(session, 3)) == ["r4", "r3", "r2"]
        assert names(judged.newest(session, 0)) == []
        assert names([judged.of_ids(session, [history["r3"], history["r1"]])]) == ["r1", "r3"]


def test_a_failure_knows_its_newest_judgement(database, history):
    with database.write() as session:
        judge(session, "r3", "disk-full", "ann")
    with database.read() as session:
        one = judged.find(session, "r3")
        assert (one.error_class, one.author, one.signature) == ("disk-full", "ann", "sv1:z")
        assert (one.caveats, one.final, one.blocking) == (("odd",), True, True)
        assert one.directory == "runs/r3"
        assert judged.find(session, f"#{history['r3']}") == one
        assert judged.find(session, str(history["r3"])) == one
        with pytest.raises(FailureUnknown):
            judged.find(session, "#987654")
        with pytest.raises(RunUnknown):
            judged.find(session, "987654")


def test_what_the_audit_reads(database, history):
    with database.write() as session:
        judge(session, "r3", "disk-full", "disk-full@1")
        judge(session, "r4", "memory", "ann", hours=7)
        answer = {"run": "r1", "attempt": 1, "error_class": "memory", "rule": "memory@1"}
        act = ActRow(
            seq=1,
            kind="judgements.audited",
            subject=None,
            author="ann",
            reason=None,
            acted_at=WHEN,
            data={},
        )
        acts.add(session, act)
        acts.audit(session, act, [{**answer, "confirmed": True}])
    with database.read() as session:
        hits = {one.error_class: (one.runs, one.last_at) for one in samples.hits(session)}
        assert hits == {
            "memory": (3, WHEN + timedelta(days=3)),
            "disk-full": (1, WHEN + timedelta(days=2)),
        }
        assert samples.never_audited(session, "memory") == (history["r2"], history["r4"])
        shared = [(s.signature, s.error_class, s.runs) for s in samples.shared_signatures(session)]
        assert sorted(shared) == [
            ("sv1:a", "memory", 1),
            ("sv1:b", "memory", 1),
            ("sv1:z", "disk-full", 1),
            ("sv1:z", "memory", 1),
        ]
        again = [(j.run, j.error_class, j.author) for j in samples.judged_again(session)]
    assert again == [
        ("r3", "unclassified", "unclassified@1"),
        ("r3", "disk-full", "disk-full@1"),
        ("r4", "unclassified", "unclassified@1"),
        ("r4", "memory", "ann"),
    ]
