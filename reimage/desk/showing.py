"""All that is known of one failure, or of one group of failures, read together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from reimage.desk import alike, context, groups, judging, naming, timeline
from reimage.desk.alike import Alike
from reimage.desk.context import Context
from reimage.desk.groups import Group
from reimage.desk.timeline import Entry, Told
from reimage.errors import DocumentUnreadable, RunUnknown
from reimage.settings import Settings
from reimage.store import acts, decisions, events, failures, runs
from reimage.store import groups as group_store
from reimage.store.acts import ActRow, GroupStateRow, NoteRow
from reimage.store.groups import BlockedShare
from reimage.store.judged import JudgedFailure
from reimage.store.rows import ClassificationRow, EvidenceRow, RunRow
from reimage.store.session import Database
from reimage.triage import rejudging
from reimage.triage.advice import filled, unfilled
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass
from reimage.triage.clues import Clue
from reimage.triage.evidence import Evidence, decisive
from reimage.triage.judge import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What an error class says, filled with the facts of a failure where there is one."""

    error_class: str
    family: str
    title: str
    meaning: str
    advice: str
    fault: str
    """Who must act."""
    remedy: str
    passive: bool
    """Matched and told, and no remedy is taken of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One failure: what happened, why it is taken for what it is, what others like it came to."""

    failure: JudgedFailure
    run: RunRow
    directory: Path
    """The run directory."""
    explanation: Advice | None
    timeline: tuple[Entry, ...]
    context: Context | None
    """The decisive lines in their log."""
    masked: str | None
    """The decisive message without what is one dataset's own: what the signature is of."""
    today: str | None
    """What today's classes take it for, where that is something else."""
    missing: str | None
    """Why the evidence cannot be read."""
    judgements: tuple[ClassificationRow, ...]
    """Of this attempt, oldest first."""
    evidence: tuple[EvidenceRow, ...]
    alike: tuple[Alike, ...]
    """Of the same signature, of the same class."""
    states: tuple[GroupStateRow, ...]
    """What people said of its class and its signature."""
    acts: tuple[ActRow, ...]
    """Of run, class and signature, oldest first."""
    annotations: tuple[NoteRow, ...]
    """Of the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGroup:
    """One error class or signature: what it blocks, what helped, what people said."""

    group: Group
    explanation: Advice | None
    masked: str | None
    """Of its newest failure."""
    state: GroupStateRow | None
    alike: Alike
    blocked: Mapping[str, tuple[BlockedShare, ...]]
    """Datasets by category, build and stage."""
    acts: tuple[ActRow, ...]


def find(
    settings: Settings, database: Database, classes: Sequence[ErrorClass], name: str
) -> Group | JudgedFailure:
    """Return what a name means: a class, a signature, a failure's number, a run, or a dataset's newest run.

    Raises
    ------
    FailureUnknown, RunUnknown, GroupUnknown, ErrorClassUnknown
    """
    with database.read() as session:
        is_class = name == UNCLASSIFIED or any(one.id == name for one in classes)
        if is_class or groups.is_signature(name):
            return groups.find(session, classes, name)
        try:
            return naming.failure(session, settings.holding, name)
        except RunUnknown:
            if name.startswith(naming.FRESH) or name.lower().startswith("uid"):
                raise
            return groups.find(session, classes, name)  # or the classes that were meant


def of_group(database: Database, classes: Sequence[ErrorClass], group: Group) -> ShownGroup:
    """Return all about a class or a signature."""
    with database.read() as session:
        newest = group_store.newest(session, group.of, group.name, 1)
        said = newest[0].decisive if newest else None
        class_ = group.name if group.of == "class" else (newest[0].error_class if newest else None)
        words = said if group.of == "signature" else None
        return ShownGroup(
            group=group,
            explanation=_advice(classes, class_, None),
            masked=alike.masked(said) if said else None,
            state=acts.group_states(session).get(group.name),
            alike=alike.read(session, group.of, group.name, message=words),
            blocked={
                by: group_store.blocked_by(session, group.of, group.name, by)
                for by in ("category", "build", "stage")
            },
            acts=acts.of_subject(session, group.name),
        )


def of_failure(
    settings: Settings, database: Database, classes: Sequence[ErrorClass], failure: JudgedFailure
) -> Shown:
    """Return all about a failure; what is missing on disk is missing in it, and said."""
    evidence, missing = _evidence(settings, failure)
    today = _rejudged(evidence, failure, classes)
    told = _told(failure, evidence, today)
    directory = settings.data / failure.directory
    tails = evidence.tails if evidence is not None else {}
    lines = None if told.root is None else context.around(directory, told.root, tails)
    names = [one for one in (failure.signature, failure.error_class) if one]
    with database.read() as session:
        run = runs.find(session, failure.run)
        judgements = failures.classifications(session, run.run)
        states = acts.group_states(session)
        return Shown(
            failure=failure,
            run=run,
            directory=directory,
            explanation=_advice(classes, failure.error_class, evidence),
            timeline=_timeline(session, run, told, judgements),
            context=lines,
            masked=alike.masked(failure.decisive) if failure.decisive else None,
            today=_otherwise(today, failure),
            missing=missing,
            judgements=tuple(one for one in judgements if one.attempt == failure.attempt),
            evidence=failures.evidence(session, run.run),
            alike=_alike(session, failure),
            states=tuple(states[name] for name in names if name in states),
            acts=_acts(session, [run.run, *names]),
            annotations=acts.notes(session, run.holding, run.dataset),
        )


def _evidence(settings: Settings, failure: JudgedFailure) -> tuple[Evidence | None, str | None]:
    try:
        return rejudging.read(judging.evidence_path(settings, failure)), None
    except DocumentUnreadable as error:
        return None, error.message


def _rejudged(
    evidence: Evidence | None, failure: JudgedFailure, classes: Sequence[ErrorClass]
) -> Judged | None:
    if evidence is None:
        return None
    return rejudging.rejudge(evidence, failure.result, failure.caveats, classes)


def _told(failure: JudgedFailure, evidence: Evidence | None, today: Judged | None) -> Told:
    """Return what logs told, with the root: today's, unless somebody judged otherwise."""
    if evidence is None or today is None:
        return Told(attempt=failure.attempt)
    agrees = today.error_class == failure.error_class
    root = today.root.clue if today.root is not None and agrees else None
    return Told(
        attempt=failure.attempt,
        clues=evidence.clues,
        root=root or _saying(evidence.clues, failure.decisive) or decisive(evidence.clues),
        symptoms=tuple(one.clue for one in today.symptoms),
        scheduler=evidence.scheduler,
    )


def _saying(clues: Iterable[Clue], line: str | None) -> Clue | None:
    """Return the first clue that says the line which decided."""
    if not line:
        return None
    wanted = " ".join(line.split())
    return next((one for one in clues if one.text and " ".join(one.text.split()) in wanted), None)


def _otherwise(today: Judged | None, failure: JudgedFailure) -> str | None:
    if today is None or today.error_class in {None, failure.error_class}:
        return None
    return today.error_class


def _timeline(
    session: Session, run: RunRow, told: Told, judgements: Sequence[ClassificationRow]
) -> tuple[Entry, ...]:
    return timeline.of_run(
        run,
        attempts=runs.attempts(session, run.run),
        stages=runs.stages(session, run.run),
        events=events.of_run(session, run.run),
        judgements=judgements,
        decisions=decisions.of_run(session, run.run),
        told=told,
    )


def _alike(session: Session, failure: JudgedFailure) -> tuple[Alike, ...]:
    found = []
    if failure.signature is not None:
        words = failure.decisive or failure.message
        found.append(
            alike.read(session, "signature", failure.signature, message=words, but=failure.id)
        )
    if failure.error_class != UNCLASSIFIED:
        found.append(
            alike.read(session, "class", failure.error_class, message=None, but=failure.id)
        )
    return tuple(found)


def _acts(session: Session, subjects: Iterable[str]) -> tuple[ActRow, ...]:
    found = {one.seq: one for name in subjects for one in acts.of_subject(session, name)}
    return tuple(found[seq] for seq in sorted(found))


def _advice(
    classes: Sequence[ErrorClass], name: str | None, evidence: Evidence | None
) -> Advice | None:
    known = {one.id: one for one in classes}
    if name not in known:
        return None
    one = known[name]
    meaning, advice = one.meaning, one.advice
    if evidence is not None:
        meaning, advice = filled(meaning, evidence), filled(advice, evidence)
    else:
        meaning, advice = unfilled(meaning), unfilled(advice)
    return Advice(
        error_class=one.id,
        family=one.family.value,
        title=one.title,
        meaning=" ".join(meaning.split()),
        advice=" ".join(advice.split()),
        fault=one.fault.value,
        remedy=one.remedy.value,
        passive=one.mode == "passive",
    )
