"""Which classes hold for which clues: pure, over stored evidence, so that history can be re-judged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from reimage.run import Exit, Fault, Outcome
from reimage.triage import scheduler
from reimage.triage.catalogue import ErrorClass, Match, Sample
from reimage.triage.clues import MOST_CHARACTERS, Clue
from reimage.triage.evidence import Evidence
from reimage.triage.shortlist import shortlist

ENDED_BY_US = {"casa-timeout": "wall", "casa-silent": "silent", "casa-output-flood": "flood"}
"""Codes of a fault whose process we ended ourselves: its signal is ours and tells nothing."""
_TIME = ("TIMEOUT", "DEADLINE")
_PARTIAL = "restored-partially"
"""Id of the caveat (`reimage.stages.restore`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A class that holds for a clue."""

    error_class: str
    clue: Clue


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _found(pattern: str | None, text: str) -> bool:
    return pattern is not None and _regex(pattern).search(text) is not None


def holds(match: Match, clue: Clue) -> bool:
    """Whether every key that the match gives holds for this one clue."""
    exact = (
        (match.code, clue.code),
        (match.exit, clue.exit_code),
        (match.signal, clue.signal),
        (match.why, clue.why),
        (match.scheduler, clue.scheduler),
        (match.stage, clue.stage),
        (match.severity, clue.severity),
    )
    return (
        all(wanted is None or seen in wanted for wanted, seen in exact)
        and (match.origin is None or _found(match.origin, clue.origin))
        and (match.message is None or _found(match.message, clue.text))
        and not _found(match.unless, f"{clue.origin}\n{clue.text}")
    )


def find(clues: Iterable[Clue], classes: Iterable[ErrorClass]) -> tuple[Finding, ...]:
    """Return every (class, clue) that holds, in the order of the clues."""
    asked = shortlist(classes)
    return tuple(
        Finding(error_class=one.id, clue=clue)
        for clue in clues
        for one in asked.of(clue)
        if one.scope.covers(clue.stage, clue.casa)
        and any(holds(match, clue) for match in one.match)
    )


def for_run(classes: Iterable[ErrorClass], evidence: Evidence) -> tuple[ErrorClass, ...]:
    """Return the classes whose scope the run is within: its recipe, and when it was observed."""
    return tuple(
        one for one in classes if one.scope.covers_run(evidence.recipe, evidence.observed_at)
    )


def of_sample(sample: Sample) -> Clue:
    """Return the clue that a hand-written example stands for."""
    return Clue(
        source="sample",
        text=sample.text,
        stage=sample.stage,
        code=sample.code,
        exit_code=sample.exit,
        signal=sample.signal,
        why=sample.why,
        scheduler=sample.scheduler,
        casa=sample.casa,
    )


def structure(
    outcome: Outcome | None, ended: Exit | None, evidence: Evidence, *, cancelled: bool = False
) -> tuple[Clue, ...]:
    """Return what is known without reading a line of any log, weightiest first."""
    clues: list[Clue] = []
    if cancelled:
        clues.append(Clue(source="controller", code="cancelled", text="cancelled by request"))
    if ended is not None and ended.oom_kills:
        clues.append(Clue(source="supervisor", why="oom", stage=evidence.stage))
    if ended is not None and ended.why in ("memory", "wall"):
        clues.append(Clue(source="supervisor", why=ended.why, stage=evidence.stage))
    clues += scheduler.clues(evidence.scheduler, evidence.stage)
    if any(one.why == "wall" or one.scheduler in _TIME for one in clues) and _stood_still(evidence):
        clues.insert(0, Clue(source="supervisor", why="silent", stage=evidence.stage))
    if outcome is None:
        clues += _without_outcome(ended, evidence)
    elif outcome.fault is not None:
        clues.append(_of_fault(outcome.fault))
    elif outcome.finished and evidence.absent:
        text = f"{len(evidence.absent)} of {evidence.n_planned} planned products are absent"
        clues.append(Clue(source="plan", code="plan-incomplete", text=text))
    elif outcome.finished and left_out(outcome):
        text = f"restored without {', '.join(left_out(outcome))}"
        clues.append(Clue(source="plan", code="restored-partially", text=text))
    elif outcome.finished:
        text = "every stage is proven and no product was planned"
        clues.append(Clue(source="plan", code="plan-incomplete", text=text))
    return tuple(clues)


def _stood_still(evidence: Evidence) -> bool:
    """Whether what ran out of time had not said a word for longer than a job may be silent."""
    return (
        evidence.silent_s is not None
        and evidence.limits is not None
        and evidence.silent_s >= evidence.limits.silence_s
    )


def left_out(outcome: Outcome) -> tuple[str, ...]:
    """Return the execution blocks that *restore* could not restore, as its caveat names them."""
    named = [one.partition(":") for one in outcome.caveats]
    return tuple(eb for name, _, ebs in named if name == _PARTIAL for eb in ebs.split(","))


def _without_outcome(ended: Exit | None, evidence: Evidence) -> Iterable[Clue]:
    if ended is None and not scheduler.clues(evidence.scheduler, None):
        yield Clue(source="controller", code="no-exit-record", stage=evidence.stage)
    elif ended is None:
        return  # the scheduler has said why
    elif ended.why in ("exit", "signal"):
        yield Clue(
            source="supervisor",
            code="no-outcome",
            stage=evidence.stage,
            exit_code=ended.exit_code,
            signal=ended.signal,
        )


def _of_fault(fault: Fault) -> Clue:
    """Return the fault as a clue; a signal that we sent is left out."""
    why = ENDED_BY_US.get(fault.code)
    exit_code, signal = fault.evidence.get("exit_code"), fault.evidence.get("signal")
    return Clue(
        source="fault",
        stage=fault.stage,
        text=fault.message[:MOST_CHARACTERS],
        code=fault.code,
        exit_code=exit_code if isinstance(exit_code, int) and why is None else None,
        signal=signal if isinstance(signal, str) and why is None else None,
        why=why,
    )


def reasons(evidence: Evidence) -> tuple[Clue, ...]:
    """Return what was said about each absent product, or image when none was made at all."""
    told = [one.reason for one in evidence.absent]
    if evidence.fault is not None:
        told += dict(evidence.fault.evidence.get("reasons") or {}).values()
    return tuple(Clue(source="plan", text=str(one)[:MOST_CHARACTERS]) for one in told if one)
