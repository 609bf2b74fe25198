"""What happened in a run, on one line of time: queued, stages, fixes, what logs say, its end, judgements.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reimage.model import Stage
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
from reimage.triage.scheduler import SchedulerRecord


class Kind(StrEnum):
    """What an entry tells of; of two at one moment the one named first comes first."""

    QUEUED = "queued"
    ATTEMPT = "attempt"
    STAGE = "stage"
    CASA = "casa"
    FIX = "fix"
    CLUE = "clue"
    STAGE_END = "stage end"
    END = "end"
    SCHEDULER = "scheduler"
    JUDGED = "judged"
    DECIDED = "decided"


class ClueRole(StrEnum):
    """What a clue is to the judgement."""

    ROOT = "root"
    """The earliest evidence that explains the rest."""
    SYMPTOM = "symptom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened."""

    at: datetime | None
    kind: Kind
    attempt: int
    """0: the run as a whole."""
    text: str
    stage: Stage | None = None
    severity: str = ""
    """Of a clue: SEVERE, WARN, EXCEPTION, OUTPUT; empty for a fact."""
    source: str | None = None
    """Of a clue: the file, relative to the run directory."""
    count: int = 1
    """Of a clue: how often the like was said."""
    role: ClueRole | None = None
    is_guessed: bool = False
    """Its log has no time for it: it stands where its neighbours do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What logs and scheduler told of one attempt."""

    attempt: int
    clues: tuple[Clue, ...] = ()
    root: Clue | None = None
    symptoms: tuple[Clue, ...] = ()
    scheduler: SchedulerRecord | None = None


def of_run(
    run: RunRow,
    *,
    attempts: Sequence[AttemptRow],
    stages: Sequence[StageRow],
    events: Sequence[EventRow],
    judgements: Sequence[ClassificationRow],
    decisions: Sequence[DecisionRow],
    told: Told,
) -> tuple[Entry, ...]:
    """Return all that happened in a run, oldest first; what logs say of one attempt of it."""
    ended = next((one.ended_at for one in attempts if one.attempt == told.attempt), None)
    entries = [
        Entry(at=run.created_at, kind=Kind.QUEUED, attempt=0, text=_queued(run)),
        *(entry for one in attempts for entry in _attempt(one)),
        *(entry for one in stages for entry in _stage(one)),
        *_events(events),
        *_clues(told, ended),
        *_scheduler(told, ended),
        *(_judgement(one) for one in judgements),
        *(_decision(one) for one in decisions),
    ]
    order = list(Kind)
    last = max((one.at for one in entries if one.at is not None), default=run.created_at)
    entries.sort(key=lambda one: (one.at or last, order.index(one.kind)))
    return tuple(entries)


def _queued(run: RunRow) -> str:
    again = f", after {run.retry_of}" if run.retry_of else ""
    return f"queued with recipe {run.recipe}{again}"


def _attempt(one: AttemptRow) -> Iterator[Entry]:
    where = f"on {one.host}" if one.host else f"by {one.executor}"
    job = f", job {one.job}" if one.job else ""
    yield Entry(
        at=one.started_at or one.submitted_at,
        kind=Kind.ATTEMPT,
        attempt=one.attempt,
        text=f"attempt {one.attempt} {where}{job}",
    )
    if one.ended_at is not None:
        yield Entry(at=one.ended_at, kind=Kind.END, attempt=one.attempt, text=_ending(one))


def _ending(one: AttemptRow) -> str:
    """Return how an attempt ended: manner, peak memory, CPU time."""
    manner = {
        "exit": f"exit {one.exit_code}",
        "signal": f"signal {one.signal}",
        "memory": "ended over its memory limit",
        "wall": "ended over its wall-clock limit",
    }.get(one.why or "", "nothing says how it ended")
    parts = [f"attempt {one.attempt} ended: {manner}"]
    if one.peak_tree_mb:
        parts.append(f"peak {one.peak_tree_mb} MB")
    if one.oom_kills:
        parts.append(f"{one.oom_kills} killed by the kernel for memory")
    if one.cpu_s is not None:
        parts.append(f"{one.cpu_s / 3600:.2f} CPU h")
    return ", ".join(parts)


def _stage(one: StageRow) -> Iterator[Entry]:
    said = one.stage.value
    if one.state in {StageState.ADOPTED, StageState.KEPT}:
        text = f"{said} {one.state.value}"
    elif one.state is StageState.PROVEN and one.wall_s is not None:
        text = f"{said} began, proven after {one.wall_s:.0f} s"
    else:
        text = f"{said} began"
    yield Entry(at=one.started_at, kind=Kind.STAGE, attempt=one.attempt, stage=one.stage, text=text)
    if one.state is StageState.FAILED and one.ended_at is not None:
        yield Entry(
            at=one.ended_at,
            kind=Kind.STAGE_END,
            attempt=one.attempt,
            stage=one.stage,
            text=f"{said} failed",
        )


def _events(events: Iterable[EventRow]) -> Iterator[Entry]:
    """Yield what the runner did to get round what is known."""
    for one in events:
        if one.event == "fix.applied":
            because = f": {one.data['because']}" if one.data.get("because") else ""
            text = f"fix {one.data.get('fix')} applied{because}"
            yield Entry(at=one.at, kind=Kind.FIX, attempt=one.attempt, text=text)
        elif one.event == "casa.chosen":
            wanted = f", asked for: {one.data['wanted']}" if one.data.get("wanted") else ""
            text = f"CASA: {one.data.get('build') or 'none that will do'}{wanted}"
            yield Entry(at=one.at, kind=Kind.CASA, attempt=one.attempt, text=text)


def _clues(told: Told, ended: datetime | None) -> Iterator[Entry]:
    """Yield what logs said; what has no time stands before the next line of its log that has, else at the end."""
    named = [one for one in (told.root, *told.symptoms) if one is not None]
    clues = [*told.clues, *dict.fromkeys(one for one in named if one not in told.clues)]
    following: dict[str, datetime | None] = {}
    entries = []
    for clue in reversed(clues):
        at = clue.at or following.get(clue.source) or ended
        if clue.at is not None:
            following[clue.source] = clue.at
        entries.append(_clue(clue, at, told))
    yield from reversed(entries)


def _clue(clue: Clue, at: datetime | None, told: Told) -> Entry:
    role = (
        ClueRole.ROOT if clue == told.root else ClueRole.SYMPTOM if clue in told.symptoms else None
    )
    return Entry(
        at=at,
        kind=Kind.CLUE,
        attempt=told.attempt,
        stage=clue.stage,
        text=clue.text or fact(clue),
        severity=clue.severity,
        source=clue.source,
        count=clue.count,
        role=role,
        is_guessed=clue.at is None,
    )


def fact(clue: Clue) -> str:
    """Return what a clue without words says."""
    names = ("code", "exit_code", "signal", "why", "scheduler")
    said = [(name, getattr(clue, name)) for name in names]
    told = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in said if value is not None
    )
    return told or clue.source


def _scheduler(told: Told, ended: datetime | None) -> Iterator[Entry]:
    record = told.scheduler
    if record is None:
        return
    reason = f" ({record.reason})" if record.reason not in {"", "None"} else ""
    steps = [f"step {one.id} {one.state}" for one in record.steps]
    peaks = [one.max_rss_mb for one in record.steps if one.max_rss_mb is not None]
    asked = f" of {record.memory_mb} asked for" if record.memory_mb else ""
    memory = [f"largest step {max(peaks)} MB{asked}"] if peaks else []
    job = f"{record.scheduler} job {record.job}: {record.state}{reason}"
    text = ", ".join([job, *steps, *memory])
    yield Entry(at=record.ended_at or ended, kind=Kind.SCHEDULER, attempt=told.attempt, text=text)


def _judgement(one: ClassificationRow) -> Entry:
    why = f": {one.reason}" if one.reason else ""
    return Entry(
        at=one.judged_at,
        kind=Kind.JUDGED,
        attempt=one.attempt,
        text=f"attempt {one.attempt} judged {one.error_class} by {one.author}{why}",
    )


def _decision(one: DecisionRow) -> Entry:
    why = f": {one.reason}" if one.reason else ""
    return Entry(
        at=one.decided_at,
        kind=Kind.DECIDED,
        attempt=one.attempt,
        text=f"{one.author} decided: {one.kind}{why}",
    )
