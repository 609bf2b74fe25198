"""Judge a failure: one root, any number of symptoms, in a fixed order of trust.

Structure (who ended it, which code) comes before rules over lines, rules before the signature; what
is left is `unclassified`, which is an honest answer where a wrong class is not.  The same function
judges a run when it ends, history when a rule changes, and a log that somebody brings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reimage.model import ProductState, Result, Stage
from reimage.run import Exit, Judgement, Outcome
from reimage.triage import rules, scheduler
from reimage.triage.advice import advice
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass, Remedy
from reimage.triage.clues import Clue
from reimage.triage.evidence import Evidence, decisive
from reimage.triage.roots import cause, explained, is_grave, is_odd, symptom
from reimage.triage.rules import Finding
from reimage.triage.signature import VERSION, signature

MOST_SYMPTOMS = 20
MOST_DECISIVE = 500
_MADE = (ProductState.MADE, ProductState.MITIGATED)
_BEFORE_IMAGE = (Stage.FETCH, Stage.CHOOSE, Stage.RESTORE)
_KILLED = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A judgement with all that led to it; `kept` is the part that is recorded.

    ``error_class`` is None if and only if the result is *imaged*; ``unclassified`` when no class
    holds, and then the signature groups it with its like.
    """

    result: Result
    error_class: str | None = None
    family: str | None = None
    signature: str | None = None
    root: Finding | None = None
    decisive: str | None = None
    """The message that stands for the failure, with a class or without; at most 500 characters."""
    symptoms: tuple[Finding, ...] = ()
    remedy: Remedy = Remedy.NONE
    """What the controller may do; NONE also for a passive class."""
    fix: str | None = None
    title: str = ""
    advice: str = ""
    caveats: tuple[str, ...] = ()
    author: str = ""
    """``<class>@<version>``: who judged, so that it can be judged again."""

    def kept(self) -> Judgement:
        """Return what the journal and the database keep."""
        return Judgement(
            result=self.result,
            error_class=self.error_class,
            signature=self.signature,
            rule=self.author or None,
            decisive=self.decisive or None,
            symptoms=tuple(one.error_class for one in self.symptoms),
            caveats=self.caveats,
        )


def judge(
    outcome: Outcome | None,
    exit: Exit | None,  # noqa: A002 -- it is one
    evidence: Evidence,
    classes: Iterable[ErrorClass],
    *,
    cancelled: bool = False,
) -> Judged:
    """Return the judgement of one run; the same input gives the same judgement.

    Parameters
    ----------
    outcome
        What the runner wrote at its end; None when it wrote nothing.
    exit
        The supervisor's record of the runner's end; None when there is none.
    cancelled
        Somebody asked for it and the run was ended for it.
    """
    known = {one.id: one for one in rules.for_run(classes, evidence)}
    caveats = _caveats(outcome)
    result = _result(outcome, exit, evidence, cancelled=cancelled)
    if result is Result.IMAGED:
        return Judged(result=result, caveats=caveats)
    facts = rules.structure(outcome, exit, evidence, cancelled=result is Result.CANCELLED)
    root, findings = _root(result, outcome, evidence, facts, known)
    telling = _telling(root, facts, evidence, known)
    unnamed = Judged(
        result=result,
        signature=_signature(telling, evidence),
        decisive=_words(telling),
        symptoms=_symptoms(findings, root),
        caveats=caveats,
    )
    return _named(unnamed, root, known, evidence)


def judge_text(evidence: Evidence, classes: Iterable[ErrorClass]) -> Judged:
    """Judge evidence that belongs to no run: logs that somebody brings."""
    known = {one.id: one for one in rules.for_run(classes, evidence)}
    findings = rules.find(evidence.clues, known.values())
    root = cause(findings, known, evidence.clues) or symptom(findings, evidence.clues)
    root = explained(root, findings, known)
    clue = _telling(root, (), evidence, known)
    unnamed = Judged(
        result=Result.FAILED,
        signature=_signature(clue, evidence),
        decisive=_words(clue),
        symptoms=_symptoms(findings, root),
    )
    return _named(unnamed, root, known, evidence)


def _result(
    outcome: Outcome | None, ended: Exit | None, evidence: Evidence, *, cancelled: bool
) -> Result:
    if outcome is not None and outcome.finished:
        return _finished(outcome)
    if cancelled or (outcome and outcome.fault and outcome.fault.code == "cancelled"):
        return Result.CANCELLED
    if outcome is not None:
        return Result.REFUSED if outcome.refused else Result.FAILED
    if ended is None:
        return scheduler.result(evidence.scheduler)
    killed = ended.why == "signal" and ended.signal in _KILLED and not ended.oom_kills
    return Result.LOST if killed else Result.FAILED


def _finished(outcome: Outcome) -> Result:
    """Weigh the plan: a run that ends well and made nothing has not succeeded."""
    planned = [product for product in outcome.products if product.planned]
    made = sum(product.state in _MADE for product in planned)
    if outcome.stage in _BEFORE_IMAGE or (planned and made == len(planned)):
        return Result.PARTIAL if rules.left_out(outcome) else Result.IMAGED
    return Result.PARTIAL if made else Result.FAILED


def _caveats(outcome: Outcome | None) -> tuple[str, ...]:
    if outcome is None:
        return ()
    stopped = outcome.finished and outcome.stage not in (None, Stage.ASSESS)
    caveat = f"stopped-at:{outcome.stage}"
    new = (caveat,) if stopped and caveat not in outcome.caveats else ()
    return (*outcome.caveats, *new)


def _root(
    result: Result,
    outcome: Outcome | None,
    evidence: Evidence,
    facts: tuple[Clue, ...],
    known: Mapping[str, ErrorClass],
) -> tuple[Finding | None, tuple[Finding, ...]]:
    """Return the root, None if no class holds, and everything that was found."""
    structural = rules.find(facts, known.values())
    if result in (Result.REFUSED, Result.CANCELLED):
        return next(iter(structural), None), structural
    reasons = rules.reasons(evidence)
    if outcome is not None and (outcome.finished or reasons):
        told = rules.find(reasons, known.values())
        return _of_plan(structural, told, reasons), (*structural, *told)
    lines = rules.find(evidence.clues, known.values())
    nearby = tuple(one for one in evidence.clues if _is_near(one, evidence))
    near = tuple(one for one in lines if _is_near(one.clue, evidence))
    here = tuple(one for one in lines if one.clue.stage == evidence.stage)
    if outcome is None:  # the runner died, not a job: what jobs said was dealt with
        here = ()
    # what another job of the stage said is no reason for what this one alone says and nobody knows
    around = () if is_odd(near, nearby) else here
    same_stage = tuple(one for one in evidence.clues if one.stage == evidence.stage)
    root = (
        cause(structural, known, ())
        or cause(near, known, nearby)
        or cause(around, known, same_stage)
        or symptom((*structural, *near, *around), evidence.clues)
    )
    return explained(root, (*near, *here), known), (*structural, *lines)


def _of_plan(
    structural: tuple[Finding, ...], told: tuple[Finding, ...], reasons: tuple[Clue, ...]
) -> Finding | None:
    """Return the class that most of the absences share; for want of one, that the plan is not met."""
    counts = Counter(one.error_class for one in told)
    for error_class, count in counts.most_common(1):
        if 2 * count > len(reasons):
            return next(one for one in told if one.error_class == error_class)
    return next(iter(structural), None)


def _is_near(clue: Clue, evidence: Evidence) -> bool:
    """Whether a clue comes from the very process that failed."""
    if clue.source in ("fault", "supervisor") or clue.source.endswith("runner.log"):
        return True
    directory = str(evidence.fault.evidence.get("directory", "")) if evidence.fault else ""
    place = clue.source.rpartition("/")[0]
    return bool(directory) and (directory == place or directory.endswith(f"/{place}"))


def _telling(
    root: Finding | None,
    facts: tuple[Clue, ...],
    evidence: Evidence,
    known: Mapping[str, ErrorClass],
) -> Clue | None:
    """Return the clue that stands for a failure: the root's, or what says more than a symptom."""
    if root is not None and root.clue.text and known[root.error_class].role == "cause":
        return root.clue
    near = decisive(tuple(clue for clue in evidence.clues if _is_near(clue, evidence)))
    here = decisive(tuple(clue for clue in evidence.clues if clue.stage == evidence.stage))
    for clue in (near, here):
        if clue is not None and (root is None or is_grave(clue) or not root.clue.text):
            return clue
    return root.clue if root else next(iter(facts), None)


def _signature(clue: Clue | None, evidence: Evidence) -> str:
    stage = evidence.stage or (clue.stage if clue else None) or ""
    if clue is None:
        return signature(stage, "nothing was said")
    return signature(stage, _words(clue) or "", clue.frames)


def _words(clue: Clue | None) -> str | None:
    """Return a clue's text; of a structural one its code, signal and the like."""
    if clue is None:
        return None
    structure = (clue.code, clue.signal, clue.why, clue.exit_code)
    words = clue.text or " ".join(str(part) for part in structure if part is not None)
    return words[:MOST_DECISIVE] or None


def _symptoms(findings: tuple[Finding, ...], root: Finding | None) -> tuple[Finding, ...]:
    """Return the other classes that hold, each once, where first seen."""
    first: dict[str, Finding] = {}
    for one in findings:
        if root is None or one.error_class != root.error_class:
            first.setdefault(one.error_class, one)
    return tuple(first.values())[:MOST_SYMPTOMS]


def _named(
    unnamed: Judged, root: Finding | None, known: Mapping[str, ErrorClass], evidence: Evidence
) -> Judged:
    """Complete a judgement by its class, or by the word for having none."""
    if root is None:
        return replace(unnamed, error_class=UNCLASSIFIED, author=f"{UNCLASSIFIED}@{VERSION}")
    error_class = known[root.error_class]
    active = error_class.mode == "active"
    return replace(
        unnamed,
        error_class=error_class.id,
        family=error_class.family.value,
        root=root,
        remedy=error_class.remedy if active else Remedy.NONE,
        fix=error_class.fix if active else None,
        title=error_class.title,
        advice=advice(error_class, evidence),
        author=f"{error_class.id}@{error_class.version}",
    )
