"""Jobs without a network: whatever happens to them, somebody who waits learns of it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from astropy.table import Table
from making import make_row

from reimage.archive.server import uws
from reimage.archive.server.asking import Answer, Limits, Sent, understood
from reimage.archive.server.database import Database
from reimage.archive.server.uws import Jobs, JobUnknown, Phase

LIMITS = Limits()
SENT = {"LANG": "ADQL", "QUERY": "select obs_id, target_name from ivoa.obscore", "FORMAT": "csv"}


@pytest.fixture
def make(tmp_path):
    rows = [make_row(obs_id=f"o{i}") for i in range(3)]
    Table(rows=rows).write(tmp_path / "holdings.ecsv", format="ascii.ecsv")
    database = Database(tmp_path, "http://here")
    made = []

    def jobs(begin=None, retention_s=100.0):
        def answer(sent, seconds, hold):
            return Answer(database, understood(sent, LIMITS), LIMITS, seconds, hold)

        made.append(Jobs(begin or answer, duration_s=20, retention_s=retention_s))
        return made[-1]

    yield jobs
    for one in made:
        one.close()
        assert not one._place.exists()
    database.close()


def ended(jobs, job):
    while job.phase.is_active:
        jobs.wait(job.id, 10)
    return job


def test_a_job_writes_its_answer(make):
    jobs = make()
    job = jobs.create(Sent(parameters=SENT))
    assert job.phase is Phase.PENDING
    jobs.run(job)
    jobs.run(job)  # a second time changes nothing
    assert ended(jobs, job).phase is Phase.COMPLETED
    assert job.result.read_text().split() == [
        "obs_id,target_name",
        *(f"o{i},NGC_1" for i in range(3)),
    ]
    assert job.created <= job.started <= job.ended
    assert not jobs.change(job, {"QUERY": "select 1"})


def test_a_wrong_query_ends_in_error_with_its_words(make):
    jobs = make()
    job = jobs.create(Sent(parameters={**SENT, "QUERY": "select nope from ivoa.obscore"}))
    jobs.run(job)
    assert ended(jobs, job).phase is Phase.ERROR
    assert "nope" in job.message


def test_our_own_bug_ends_in_error_too(make):
    def broken(sent, seconds, hold):
        raise ZeroDivisionError("oh")

    jobs = make(broken)
    job = jobs.create(Sent(parameters=SENT))
    jobs.run(job)
    assert ended(jobs, job).phase is Phase.ERROR
    assert "ZeroDivisionError: oh" in job.message


def test_more_jobs_than_workers_wait_for_their_turn_and_can_be_aborted_before(make):
    go = threading.Event()
    jobs = make()
    begin = jobs._begin

    def slow(sent, seconds, hold):
        assert go.wait(20)
        return begin(sent, seconds, hold)

    jobs._begin = slow
    many = [jobs.create(Sent(parameters=SENT)) for _ in range(uws.WORKERS + 2)]
    for job in many:
        jobs.run(job)
    while any(job.phase is not Phase.EXECUTING for job in many[: uws.WORKERS]):
        jobs.wait(many[uws.WORKERS - 1].id, 0.05)
    assert [job.phase for job in many[uws.WORKERS :]] == [Phase.QUEUED] * 2
    jobs.abort(many[-1])
    jobs.abort(many[0])
    go.set()
    assert [ended(jobs, job).phase for job in many] == [
        Phase.ABORTED, *[Phase.COMPLETED] * uws.WORKERS, Phase.ABORTED,
    ]  # fmt: skip


def test_an_aborted_query_frees_its_worker_at_once(make):
    jobs = make()
    tables = ", ".join(f"ivoa.obscore as t{i}" for i in range(30))  # 3**30 rows
    slow = {**SENT, "QUERY": f"select count(*) from {tables}"}  # noqa: S608 -- ours
    many = [jobs.create(Sent(parameters=slow)) for _ in range(uws.WORKERS)]
    for job in many:
        jobs.run(job)
    while any(job.session is None for job in many):
        jobs.wait(many[0].id, 0.05)
    begun = time.monotonic()
    for job in many:
        jobs.abort(job)
    quick = jobs.create(Sent(parameters=SENT))
    jobs.run(quick)
    assert ended(jobs, quick).phase is Phase.COMPLETED
    assert time.monotonic() - begun < 10  # of the 20 s that each of them may take
    assert [job.phase for job in many] == [Phase.ABORTED] * uws.WORKERS


def test_jobs_go_when_their_time_is_over(make):
    jobs = make(retention_s=100)
    job, other = (jobs.create(Sent(parameters=SENT)) for _ in range(2))
    job.destruction = datetime.now(UTC) - timedelta(seconds=1)
    assert jobs.all() == [other]
    with pytest.raises(JobUnknown):
        jobs.one(job.id)
    jobs.delete(other)
    assert jobs.all() == []


def test_a_wait_that_asks_for_another_phase_ends_at_once(make):
    jobs = make()
    job = jobs.create(Sent(parameters=SENT))
    assert jobs.wait(job.id, 60, "QUEUED") is job
    assert jobs.wait(job.id, 0) is job
