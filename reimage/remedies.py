"""What happens after an attempt: pure, from the judgement, what was measured, and the history.

The policy belongs to the error class (its ``remedy``), never to the exception.  The same inputs again are
the next attempt of the same run; other inputs or resources are a new run, which adopts what the earlier
one has proven.  Whatever is proposed differs from everything that was tried, so that nothing goes round in
a circle; how often it may go on of itself is in `Bounds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from reimage.cases import Bounds, Case, Change, Decision, Inputs
from reimage.model import Result
from reimage.triage.catalogue import Family, Remedy

OVER_PEAK = 1.5
"""The next run's memory over the measured peak, which misses what could not be had (operations.md 2)."""
MORE_TIME = 2.0
LEAST_CUBE_GB = 1.0
"""Cubes are not made smaller than that: a dataset that needs it is to be looked at."""
_RUNGS = tuple(int(125 * part * 2**power) for power in range(24) for part in (1, 1.5))
"""Steps of memory in MB: 125, 187, 250 ... 8000, 12000, 16000 ..."""
_GIVEN_MORE = (Remedy.MORE_MEMORY, Remedy.MORE_TIME)
"""What helps a run that made some of its images, too: the others are made with more."""


def decide(case: Case, bounds: Bounds) -> Decision:
    """Decide what the controller does after an attempt, of itself."""
    if case.error_class is None:
        return Decision(kind="end", reason="imaged")
    counts = not is_interruption(case)
    why_not = _why_not(case, bounds)
    if why_not is not None:
        return Decision(kind="end", reason=f"{case.error_class}: {why_not}", counts=counts)
    if case.remedy is Remedy.RETRY or _stood_still(case):
        return _again(case, bounds, counts=counts)
    found = propose(case, bounds)
    held = _held(case, bounds, found.change) if found.change is not None else None
    return found if held is None else Decision(kind="end", reason=f"{found.reason}{held}")


def _why_not(case: Case, bounds: Bounds) -> str | None:
    """Return why nothing is tried; None where something may be."""
    if case.cancelled:
        return "its end was asked for"
    if not _is_worth_it(case):
        return "nothing to try of itself"
    if bounds.mode == "off":
        return f"{case.remedy} might help, and remedies are switched off"
    return None


def _held(case: Case, bounds: Bounds, change: Change) -> str | None:
    """Return why a new run is left to a person; None where it is queued."""
    if change.casa is not None and case.is_build_asked:
        return (
            " would be next, and somebody asked for the one that it ran with:"
            f" `reimage failures remedy {case.error_class}`"
        )
    followed = automatic(case)
    if followed >= bounds.max_remedies:
        return (
            f" would be next, and {followed} of at most {bounds.max_remedies} runs followed of themselves:"
            f" `reimage failures remedy {case.error_class}`"
        )
    if bounds.mode == "ask":
        return f" would help: `reimage failures remedy {case.error_class}`"
    return None


def propose(case: Case, bounds: Bounds) -> Decision:
    """Return the new run that a failure asks for, whoever wants it; kind ``end`` where there is none.

    What may be done of itself, and how often, is not asked here.
    """
    name = case.error_class or "imaged"
    if not _is_worth_it(case):
        none = "the class has no remedy" if case.remedy is Remedy.NONE else f"not for {case.result}"
        return Decision(kind="end", reason=f"{name}: {none}")
    if case.inputs is None:
        return Decision(kind="end", reason=f"{name}: the run's record cannot be read")
    if _stood_still(case):
        return Decision(
            kind="rerun", reason=f"{name}: it stood still, the same again", change=Change()
        )
    told = _REMEDIES[case.remedy](case, case.inputs, bounds)
    if isinstance(told, str):
        return Decision(kind="end", reason=f"{name}: {told}")
    change, words = told
    return Decision(kind="rerun", reason=f"{name}: {words}", change=change)


def is_interruption(case: Case) -> bool:
    """Whether machines or the archive cut an attempt short: the dataset is not to blame."""
    away = case.family == Family.FETCH and case.remedy is Remedy.RETRY
    return case.result is Result.LOST or case.family == Family.INFRASTRUCTURE or away


def automatic(case: Case) -> int:
    """Return how many runs, up to this one, followed one another of themselves."""
    number = 0
    for one in (case.inputs, *case.earlier):
        if one is None or not one.automatic:
            break
        number += 1
    return number


def _is_worth_it(case: Case) -> bool:
    if case.error_class is None or case.remedy is Remedy.NONE:
        return False
    if case.result is Result.PARTIAL:
        return case.remedy in _GIVEN_MORE and case.resumable
    return case.result in (Result.LOST, Result.FAILED)


def _stood_still(case: Case) -> bool:
    """Whether a run that used up its time had long stopped working: more of it would be wasted."""
    if case.remedy is not Remedy.MORE_TIME or case.silent_s is None or case.silence_s is None:
        return False
    return case.silent_s >= case.silence_s


def _again(case: Case, bounds: Bounds, *, counts: bool) -> Decision:
    """Decide on the next attempt of the same run."""
    name = case.error_class
    if counts:
        used, most, word = case.attempt - case.uncounted, bounds.max_attempts, "attempt"
    else:
        used, most, word = case.uncounted + 1, bounds.max_interruptions, "interruption"
    told = f"{word} {used} of at most {most}"
    if used >= most:
        return Decision(kind="end", reason=f"{name}: {told}", counts=counts)
    still = ", it stood still" if _stood_still(case) else ""
    counted = "" if counts else ", which is not counted as an attempt"
    said = f"{name}{still}: to be tried again after {told}{counted}"
    return Decision(kind="retry", reason=said, counts=counts)


# --- one remedy each: the change and its words, or why there is none ---------------------------------

_Told: TypeAlias = tuple[Change, str] | str


def _none(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    del case, inputs, bounds
    return "nothing to try"


def _same(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    del inputs, bounds
    return Change(keeps_images=case.resumable), "the same again"


def _memory(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    limit, peak, needed = inputs.memory_mb, case.peak_mb or 0, case.needed_mb or 0
    wanted = max(int(OVER_PEAK * peak), needed, rung_above(limit))
    granted = min(wanted, bounds.memory_mb)
    measured = f"peak {peak} MB" if peak else "no peak was measured"
    if granted <= limit or needed > bounds.memory_mb:
        needs = f"{max(wanted, needed)} MB wanted ({measured}), the largest machine gives {bounds.memory_mb} MB"
        return _smaller(inputs, needs, "needs a larger machine")
    change = Change(memory_mb=granted, keeps_images=case.resumable)
    return change, f"memory {limit} -> {granted} MB ({measured})"


def _time(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    limit = inputs.wall_s
    granted = min(MORE_TIME * limit, bounds.wall_s)
    if granted <= limit:
        told = f"{limit:.0f} s is the longest that a run may take"
        return _smaller(inputs, told, "needs more time (`wall_most_s`)")
    change = Change(wall_s=granted, keeps_images=case.resumable)
    return change, f"time {limit:.0f} -> {granted:.0f} s, going on from what is proven"


def _build(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    del bounds
    tried = [one.build for one in (inputs, *case.earlier) if one.build is not None]
    left = [build for build in case.builds if build not in tried]
    before = ", ".join(dict.fromkeys(reversed(tried))) or "none"
    if not left:
        return f"no further build would do (tried: {before})"
    return Change(casa=left[0]), f"build {left[0]} (tried: {before})"


def _serial(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    del bounds
    if inputs.cores <= 1:
        return "it ran without parallel processes already"
    change = Change(cores=1, keeps_images=case.resumable)
    return change, f"one CASA process instead of {inputs.cores}"


def _fix(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    del bounds
    if case.fix is None:
        return "the class names no fix"
    if case.fix in inputs.fixes:
        return f"the fix {case.fix} was there, and did not help"
    return Change(fix=case.fix), f"fix {case.fix}"


def _shrink(case: Case, inputs: Inputs, bounds: Bounds) -> _Told:
    del case, bounds
    return _smaller(
        inputs, "no machine has what the whole needs", "the work cannot be made smaller"
    )


def _smaller(inputs: Inputs, why: str, otherwise: str) -> _Told:
    """Make cubes smaller where the recipe says how large they may be; else say what is missing."""
    size = inputs.cube_gb
    if not size or size / 2 < LEAST_CUBE_GB:
        return f"{why}: {otherwise}"
    words = f"{why}: cubes of at most {size / 2:g} GB instead of {size:g}"
    return Change(cube_gb=size / 2), words


_REMEDIES: Mapping[Remedy, Callable[[Case, Inputs, Bounds], _Told]] = {
    Remedy.NONE: _none,
    Remedy.RETRY: _same,
    Remedy.MORE_MEMORY: _memory,
    Remedy.MORE_TIME: _time,
    Remedy.OTHER_BUILD: _build,
    Remedy.SERIAL: _serial,
    Remedy.FIX: _fix,
    Remedy.SHRINK: _shrink,
}


def rung_above(memory_mb: int) -> int:
    """Return the next step of memory above a limit, in MB."""
    return next((rung for rung in _RUNGS if rung > memory_mb), 2 * memory_mb)
