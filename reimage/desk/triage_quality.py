"""How good the triage is: precision of its rules, dead and greedy ones, what stays unclassified.

Precision is confirmed / (confirmed + refuted) of the audits, with the exact interval of Clopper and
Pearson; a person who gave a rule's failure another class refuted it, too.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from reimage.desk.judging import is_rule
from reimage.store import acts, samples
from reimage.store.acts import AnswerRow
from reimage.store.samples import Hits, SeveralJudged, SharedSignature
from reimage.store.session import Database
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass

CONFIDENCE = 0.95
GREEDY_BELOW = 0.9
"""Precision at which a rule is called greedy,"""
GREEDY_FROM = 2
"""where so many of its judgements were refuted."""
_HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleQuality:
    """What people found of one rule's judgements."""

    rule: str
    confirmed: int
    refuted: int
    """In audits."""
    overruled: int
    """By a person who gave the failure another class."""
    precision: float
    low: float
    """Of the interval (95 %)."""
    high: float
    greedy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRule:
    """A class that nothing has had for long."""

    error_class: str
    last_at: datetime | None
    """None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good the triage is."""

    failed_runs: int
    unclassified: int
    unclassified_share: float
    rules: tuple[RuleQuality, ...]
    """Those that people looked at, the least precise first."""
    dead: tuple[DeadRule, ...]
    dead_days: int
    signatures: int
    """Which more than one run has."""
    pure: int
    """Those among them all of whose runs have one class."""
    purity: float
    """Share of runs that have the commonest class of their signature."""
    classed_later: int
    """Failures that were unclassified first and have a class now."""
    hours_to_class: float | None
    """Median time between both."""


def interval(k: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact two-sided interval (Clopper-Pearson) of a share of which k of n were seen."""
    from scipy.special import betaincinv  # noqa: PLC0415 -- a quarter of a second, for the report alone

    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return low, high


def report(
    database: Database, classes: Sequence[ErrorClass], *, now: datetime, dead_days: int
) -> Quality:
    """Return how good the triage is, by all that people and time have said."""
    with database.read() as session:
        hits = samples.hits(session)
        answers = acts.answers(session)
        several = groupby(samples.judged_again(session), key=lambda one: (one.run, one.attempt))
        again = {failure: tuple(rows) for failure, rows in several}
        n_signatures, pure, purity = _purity(samples.shared_signatures(session))
    runs = sum(one.runs for one in hits)
    unclassified = sum(one.runs for one in hits if one.error_class == UNCLASSIFIED)
    hours = [hours for rows in again.values() if (hours := _hours_to_class(rows)) is not None]
    return Quality(
        failed_runs=runs,
        unclassified=unclassified,
        unclassified_share=unclassified / runs if runs else 0.0,
        rules=_rules(answers, again),
        dead=_dead(hits, classes, now - timedelta(days=dead_days)),
        dead_days=dead_days,
        signatures=n_signatures,
        pure=pure,
        purity=purity,
        classed_later=len(hours),
        hours_to_class=statistics.median(hours) if hours else None,
    )


def _rules(
    answers: Iterable[AnswerRow], again: Mapping[tuple[str, int], Sequence[SeveralJudged]]
) -> tuple[RuleQuality, ...]:
    said = {(one.run, one.attempt, one.rule): one for one in answers}  # the last word counts
    confirmed = Counter(one.rule for one in said.values() if one.confirmed)
    refuted = Counter(one.rule for one in said.values() if not one.confirmed)
    overruled = Counter(
        rule
        for failure, rows in again.items()
        for rule in _overruled(rows)
        if (*failure, rule) not in said  # counted already
    )
    found = [
        _rule(rule, confirmed[rule], refuted[rule], overruled[rule])
        for rule in confirmed.keys() | refuted.keys() | overruled.keys()
    ]
    return tuple(sorted(found, key=lambda one: (one.precision, one.high, one.rule)))


def _rule(rule: str, confirmed: int, refuted: int, overruled: int) -> RuleQuality:
    wrong = refuted + overruled
    low, high = interval(confirmed, confirmed + wrong)
    precision = confirmed / (confirmed + wrong)
    return RuleQuality(
        rule=rule,
        confirmed=confirmed,
        refuted=refuted,
        overruled=overruled,
        precision=precision,
        low=low,
        high=high,
        greedy=wrong >= GREEDY_FROM and precision < GREEDY_BELOW,
    )


def _overruled(rows: Sequence[SeveralJudged]) -> list[str]:
    """Return the rules whose judgement of a failure a person changed."""
    return [
        before.author
        for before, after in pairwise(rows)
        if is_rule(before.author)
        and not is_rule(after.author)
        and UNCLASSIFIED != before.error_class != after.error_class
    ]


def _hours_to_class(rows: Sequence[SeveralJudged]) -> float | None:
    if rows[0].error_class != UNCLASSIFIED:
        return None
    classed = next((one for one in rows if one.error_class != UNCLASSIFIED), None)
    if classed is None:
        return None
    return (classed.judged_at - rows[0].judged_at).total_seconds() / _HOUR_S


def _dead(
    hits: Iterable[Hits], classes: Iterable[ErrorClass], since: datetime
) -> tuple[DeadRule, ...]:
    last = {one.error_class: one.last_at for one in hits}
    return tuple(
        DeadRule(error_class=one.id, last_at=last.get(one.id))
        for one in classes
        if one.id not in last or last[one.id] < since
    )


def _purity(shared: Iterable[SharedSignature]) -> tuple[int, int, float]:
    """Return how many signatures several runs have, how many of them are pure, and the share of runs."""
    n = pure = runs = commonest = 0
    for _, rows in groupby(shared, key=lambda one: one.signature):
        sizes = [one.runs for one in rows]
        if sum(sizes) > 1:
            n += 1
            pure += len(sizes) == 1
            runs += sum(sizes)
            commonest += max(sizes)
    return n, pure, commonest / runs if runs else 1.0
