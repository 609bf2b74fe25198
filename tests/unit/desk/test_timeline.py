"""One line of time: everything once, oldest first, what has no time among its neighbours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reimage.desk import timeline
from reimage.desk.timeline import ClueRole, Kind, Told
from reimage.model import Result, Stage, State
from reimage.store.rows import (
    AttemptRow,
    ClassificationRow,
    DecisionRow,
    EventRow,
    RunRow,
    StageRow,
)
from reimage.store.run_tables import StageState
from reimage.triage.clues import Clue
from reimage.triage.scheduler import SchedulerRecord, Step

BEGIN = datetime(2026, 11, 20, 8, tzinfo=UTC)


def at(minutes):
    return BEGIN + timedelta(minutes=minutes)


RUN = RunRow(
    **dict.fromkeys(RunRow.__dataclass_fields__)
    | {"run": "r1", "state": State.DONE, "result": Result.FAILED, "recipe": "hifa-image"}
    | {"created_at": at(0), "caveats": (), "retry_of": "r0"}
)
ATTEMPT = AttemptRow(
    **dict.fromkeys(AttemptRow.__dataclass_fields__)
    | {"attempt": 1, "executor": "slurm", "job": "77", "submitted_at": at(1), "started_at": at(2)}
    | {"ended_at": at(60), "host": "node7", "why": "memory", "peak_tree_mb": 63000, "cpu_s": 7200.0}
)
STAGES = [
    StageRow(attempt=1, stage=Stage.FETCH, state=StageState.ADOPTED, started_at=at(3), ended_at=at(3), wall_s=0),
    StageRow(attempt=1, stage=Stage.RESTORE, state=StageState.FAILED, started_at=at(5), ended_at=at(60), wall_s=1),
]  # fmt: skip
EVENTS = [
    EventRow(id=1, attempt=1, seq=1, at=at(4), event="fix.applied", data={"fix": "python2-port"}),
    EventRow(id=2, attempt=1, seq=2, at=at(4), event="unheard.of", data={}),
]
JUDGED = ClassificationRow(
    attempt=1, error_class="memory", signature=None, author="somebody", reason="I saw it",
    symptoms=(), judged_at=at(99),
)  # fmt: skip
DECIDED = DecisionRow(
    attempt=1, kind="end", reason="enough", author="controller", decided_at=at(61)
)
WARNED = Clue(source="restore/casa.log", text="flagged", at=at(20), severity="WARN", count=7)
TIMELESS = Clue(source="restore/casa.log", text="terminate called", severity="OUTPUT")
LAST = Clue(source="restore/casa.log", text="bad_alloc", at=at(50), severity="SEVERE")
ROOT = Clue(source="supervisor", why="memory")


def told(**fields):
    return timeline.of_run(
        RUN,
        attempts=[ATTEMPT],
        stages=STAGES,
        events=EVENTS,
        judgements=[JUDGED],
        decisions=[DECIDED],
        told=Told(attempt=1, **fields),
    )


def test_a_failure_from_the_queue_to_a_persons_judgement():
    record = SchedulerRecord(
        scheduler="slurm", source="sacct", job="77", state="COMPLETED", memory_mb=64000,
        steps=(Step(id="batch", state="OUT_OF_MEMORY", max_rss_mb=61000),),
    )  # fmt: skip
    found = told(clues=(WARNED, TIMELESS, LAST), root=ROOT, symptoms=(LAST,), scheduler=record)
    assert [one.kind for one in found] == [
        *(Kind.QUEUED, Kind.ATTEMPT, Kind.STAGE, Kind.FIX, Kind.STAGE),
        *(Kind.CLUE, Kind.CLUE, Kind.CLUE),  # warned, what has no time, the last
        *(Kind.CLUE, Kind.STAGE_END, Kind.END, Kind.SCHEDULER, Kind.DECIDED, Kind.JUDGED),
    ]
    text = [one.text for one in found]
    assert text[0] == "queued with recipe hifa-image, after r0"
    assert text[2] == "fetch adopted"
    assert text[10] == ("attempt 1 ended: ended over its memory limit, peak 63000 MB, 2.00 CPU h")
    assert "step batch OUT_OF_MEMORY, largest step 61000 MB of 64000 asked for" in text[11]
    assert text[13] == "attempt 1 judged memory by somebody: I saw it"
    assert [one.role for one in found if one.role] == [ClueRole.SYMPTOM, ClueRole.ROOT]
    root = found[8]
    assert (root.at, root.is_guessed, root.text) == (at(60), True, "why memory")
    assert (found[6].at, found[6].is_guessed, found[5].count) == (at(50), True, 7)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(0, 59)), max_size=15))
def test_every_clue_is_told_once_and_time_goes_forward(made):
    clues = tuple(
        Clue(source=source, text=f"said {n}", at=None if m is None else at(m))
        for n, (source, m) in enumerate(made)
    )
    found = told(clues=clues)
    said = [one.text for one in found if one.kind is Kind.CLUE]
    assert sorted(said) == sorted(one.text for one in clues)
    times = [one.at for one in found]
    assert None not in times
    assert times == sorted(times)


def test_without_evidence_the_rest_is_told():
    kinds = [one.kind for one in told()]
    assert Kind.CLUE not in kinds
    assert len(kinds) == 9
